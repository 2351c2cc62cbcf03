"""A worktree of a release: code, parameters, data, model and evidence, every byte re-hashed."""

import os
import shutil
from pathlib import Path

import pytest

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.check.run import read_evidence
from mergeline.core import layout
from mergeline.errors import BytesMismatch, RegistryMismatch, ToolError, UsageError
from mergeline.files import file_sha256
from mergeline.ledger.entries import Promoted, Release
from mergeline.model.canonical import directory_digest
from mergeline.release.checkout import checkout
from mergeline.release.find import require_commit
from promote.scenario import Scenario, first_files, git, params
from release.dvc_data import SOURCE, cached, change_in_place, move_to_dvc


def release_of(scenario: Scenario) -> Release:
    """The first release; main has moved on since."""
    scenario.push_to_main({"params.yaml": params(c=0.5), "later.txt": "x"})
    scenario.fetch()
    return scenario.last(Promoted).release


def worktrees(clone: Path) -> int:
    return len(git(clone, "worktree", "list").splitlines())


def test_the_worktree_holds_everything_of_the_release(scenario: Scenario, tmp_path: Path) -> None:
    release, folder, said = release_of(scenario), tmp_path / "deep/made", []
    checkout(scenario.git, scenario.registry, release, folder, said.append)
    assert git(folder, "rev-parse", "HEAD") == release.commit
    assert (folder / "params.yaml").read_text() == params()
    assert not (folder / "later.txt").exists()
    assert (folder / SOURCE).read_text() == first_files()[SOURCE]
    assert directory_digest(folder / layout.MODEL) == release.model
    evidence = read_evidence(folder)
    assert evidence.digest() == release.evidence
    assert evidence.evaluate is not None
    assert file_sha256(folder / layout.PROBES) == evidence.evaluate.content.probes_sha256
    assert release.key in (folder / layout.CANDIDATE).read_text()
    assert (folder / layout.VERDICT).is_file()
    assert not list(folder.glob(".release-*"))
    assert [line.partition(" ")[0] for line in said] == ["code", "model", "data,"]
    assert worktrees(scenario.clone) == 2


def test_what_is_there_is_left_alone(scenario: Scenario, tmp_path: Path) -> None:
    release = release_of(scenario)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/precious").touch()
    with pytest.raises(UsageError, match="mine is there already") as caught:
        checkout(scenario.git, scenario.registry, release, tmp_path / "mine", print)
    assert "--to" in caught.value.hint
    assert (tmp_path / "mine/precious").is_file()
    assert worktrees(scenario.clone) == 1


def test_bytes_that_are_not_the_release_leave_nothing(scenario: Scenario, tmp_path: Path) -> None:
    release, registry = release_of(scenario), scenario.registry
    other = release.model_copy(update={"evidence": "d" * 64})
    with pytest.raises(BytesMismatch, match=r"the evidence \(E\)"):
        checkout(scenario.git, registry, other, tmp_path / "made", print)
    assert (worktrees(scenario.clone), (tmp_path / "made").exists()) == (1, False)
    (path,) = (scenario.folder / "registry").glob("registry/*/artifacts/*/model/model.skops")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(RegistryMismatch):
        checkout(scenario.git, registry, release, tmp_path / "made", print)
    assert (worktrees(scenario.clone), (tmp_path / "made").exists()) == (1, False)


def test_committed_data_that_the_model_was_not_made_from(
    scenario: Scenario, tmp_path: Path
) -> None:
    moved = scenario.push_to_main({SOURCE: "customer,left\n1,yes\n"})
    scenario.fetch()
    release = scenario.last(Promoted).release.model_copy(update={"commit": moved})
    with pytest.raises(BytesMismatch, match=r"customers.csv: its SHA-256 is .{12}, the model was"):
        checkout(scenario.git, scenario.registry, release, tmp_path / "made", print)
    assert not (tmp_path / "made").exists()


def test_data_behind_a_pointer(scenario: Scenario, tmp_path: Path) -> None:
    """From the cache, from the remote; changed in place it is found out, absent it is said."""
    commit, clone, folder = move_to_dvc(scenario), scenario.clone, tmp_path / "made"
    release = scenario.last(Promoted).release.model_copy(update={"commit": commit})
    local = clone / ".dvc/config.local"

    def made() -> str:
        checkout(scenario.git, scenario.registry, release, folder, print)
        found = (folder / SOURCE).read_text()
        scenario.git.remove_worktree(folder)
        return found

    # A remote that is away is not asked for what the cache holds.
    away = tmp_path / "storage"
    local.write_text(f"[core]\n    remote = far\n['remote \"far\"']\n    url = {away}\n")
    assert made() == first_files()[SOURCE]

    kept = tmp_path / "kept"
    shutil.copytree(clone / ".dvc/cache", kept)
    change_in_place(cached(clone))
    with pytest.raises(BytesMismatch, match=SOURCE):
        made()
    assert (worktrees(clone), folder.exists()) == (1, False)

    shutil.rmtree(clone / ".dvc/cache")
    with pytest.raises(ToolError, match=f"{SOURCE} cannot be got: ") as caught:
        made()
    assert "dvc push" in caught.value.hint
    assert (worktrees(clone), folder.exists()) == (1, False)

    shutil.copytree(kept, away)
    assert made() == first_files()[SOURCE]
    assert os.access(cached(clone), os.R_OK)


def test_a_commit_that_a_shallow_clone_lacks(scenario: Scenario, tmp_path: Path) -> None:
    release, shallow = release_of(scenario), tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{scenario.remote}", "shallow")
    repository = Git(shallow)
    assert not repository.has(release.commit)
    require_commit(repository, Remote(repository, "origin"), release.commit)
    checkout(repository, scenario.registry, release, tmp_path / "made", print)
    assert (tmp_path / "made/params.yaml").read_text() == params()


def test_a_commit_that_the_remote_lacks(scenario: Scenario) -> None:
    with pytest.raises(ToolError, match="origin"):
        require_commit(scenario.git, Remote(scenario.git, "origin"), "b" * 40)
