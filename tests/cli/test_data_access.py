"""Three kinds of data, as a build's job meets them: in Git, behind a credential, out of reach."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from dvc_over_http import PASSWORD, Storage, served
from mergeline.project.template import write_pipeline
from projects import make_frame, make_project
from toys import run, set_apart

SOURCE = "data/customers.csv"


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_apart(monkeypatch, tmp_path / "empty")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose data is in Git."""
    from dvc.repo import Repo

    root = make_project(tmp_path / "project", frame=make_frame(300))
    write_pipeline(root)
    run(root, "git", "init", "-q", "-b", "main")
    Repo.init(os.fspath(root)).close()
    commit(root)
    return root


@pytest.fixture
def private(project: Path, tmp_path: Path) -> Iterator[tuple[Path, Storage]]:
    """A project whose data is at a web server that knows its users; a clone of it."""
    from dvc.repo import Repo

    run(project, "git", "rm", "-q", "--cached", SOURCE)
    with chdir(project), Repo() as repo:
        repo.add(SOURCE)
    (project / ".dvc/cache").rename(tmp_path / "storage")
    with served(tmp_path / "storage") as storage:
        (project / ".dvc/config").write_text(
            f"[core]\n    remote = store\n['remote \"store\"']\n    url = {storage.url}\n"
        )
        commit(project)
        run(tmp_path, "git", "clone", "-q", os.fspath(project), "clone")
        yield tmp_path / "clone", storage


def commit(root: Path) -> None:
    run(root, "git", "add", "-A")
    run(root, "git", "commit", "-q", "-m", "files")


def check(root: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    hidden = ("GITHUB_", "MERGELINE_DVC")
    plain = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    done = subprocess.run(
        [sys.executable, "-m", "mergeline", "check", *arguments],
        cwd=root,
        env={**plain, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert PASSWORD not in done.stdout + done.stderr
    assert not (root / ".dvc/config.local").exists()
    return done


def test_data_in_git_needs_no_credential(project: Path) -> None:
    done = check(project, "--only", "prepare")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["prepare", "ran"]


def test_a_branch_has_a_credential_that_reads(private: tuple[Path, Storage]) -> None:
    root, storage = private
    done = check(root, "--only", "prepare", MERGELINE_DVC_CONFIG=storage.settings())
    assert done.returncode == 0, done.stderr
    assert (root / SOURCE).is_file()


def test_a_fork_is_told_how_a_maintainer_starts_it(
    private: tuple[Path, Storage], tmp_path: Path
) -> None:
    root, storage = private
    sides = {"head": "eve/credit", "base": "acme/credit"}
    repos = {side: {"repo": {"full_name": name}} for side, name in sides.items()}
    event, summary = tmp_path / "event.json", tmp_path / "summary.md"
    event.write_text(json.dumps({"pull_request": {"number": 7, **repos}}))
    done = check(
        root,
        GITHUB_EVENT_PATH=os.fspath(event),
        GITHUB_REF="refs/pull/7/merge",
        GITHUB_STEP_SUMMARY=os.fspath(summary),
        MERGELINE_DVC_CONFIG="",  # as GitHub gives a secret to a fork
    )
    assert done.returncode == 4, done.stderr
    said, then = done.stdout.splitlines()
    assert said.startswith(f"DATA_UNAVAILABLE: The data {SOURCE} cannot be had: ")
    assert f"'store' ({storage.url}) refuses access" in said
    assert "This is the run of a fork" in said
    assert "git fetch origin pull/7/head && git push origin FETCH_HEAD:refs/heads/from-" in then
    assert "running" not in done.stderr
    assert summary.read_text().startswith("**DATA_UNAVAILABLE** The data")
    assert not (root / "reports/prepare.json").exists()


def test_a_wrong_password_is_called_one(private: tuple[Path, Storage]) -> None:
    root, storage = private
    wrong = storage.settings(password="guessed")  # noqa: S106
    done = check(root, "--json", MERGELINE_DVC_CONFIG=wrong)
    assert done.returncode == 4, done.stderr
    answer = json.loads(done.stdout)
    assert answer["name"] == "DATA_UNAVAILABLE"
    assert "refuses access: 401" in answer["reason"]
    assert "fork" not in answer["reason"]
    assert "MERGELINE_DVC_CONFIG" in answer["next_step"]
    assert "guessed" not in done.stdout + done.stderr


def test_a_credential_that_is_none(private: tuple[Path, Storage]) -> None:
    root, _ = private
    done = check(root, MERGELINE_DVC_CONFIG=f"password = {PASSWORD}")
    assert done.returncode == 3
    assert done.stderr.startswith("ERROR MERGELINE_DVC_CONFIG: entry 1 of it")
