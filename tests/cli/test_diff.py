"""`mergeline diff`: two commits of a real project, by branch, tag, id and version."""

import json
import shutil
import sys
from functools import partial

import pytest

from ledger.made import PRODUCTION, bare, promoted
from mergeline.adapters.git import Git
from mergeline.core.plan import Plan
from mergeline.ledger.entries import Promoted
from mergeline.ledger.history import History
from mergeline.ledger.store import Ledger

from .conftest import Done, Project


def diff(project: Project, *arguments: str) -> Done:
    return project.run(sys.executable, "-m", "mergeline", "diff", *arguments)


def plan_of(project: Project, a: str, b: str) -> tuple[Plan, Done]:
    done = diff(project, a, b, "--format", "json")
    assert done.code in (0, 10, 11), done.err
    return Plan.model_validate_json(done.out), done


def test_it_says_what_the_check_of_the_same_two_said(project: Project) -> None:
    project.write("notes.txt", "mine")
    project.edit("params: {C: 0.01}", "params: {C: 100}")
    files, status = project.written(), project.git("status", "--porcelain")
    plan, done = plan_of(project, "main", "simpler")
    checked = project.json("verdict")
    found = json.loads(plan.model_dump_json())
    for name in ("comparison", "baseline_evidence", "card"):
        assert found[name] == checked[name], name
    assert found["judgement"]["verdict"] == checked["judgement"]["verdict"]
    assert found["candidate"] | {"dirty": []} == checked["candidate"] | {"dirty": []}
    assert set(project.actions()) == {stage.name for stage in plan.stages}

    # It says what it is, and leaves all as it was.
    (banner,) = [each for each in plan.judgement.banners if each.kind == "diff"]
    assert "It is no review" in banner.text
    assert "Not looked at: 2 files here that differ from HEAD." in banner.text
    assert plan.command == "mergeline diff main simpler"
    assert "A is main (" in done.err
    assert project.written() == files
    assert project.git("status", "--porcelain") == status
    assert len(project.git("worktree", "list").splitlines()) == 1


def test_both_ways_round_are_two_questions(project: Project) -> None:
    project.git("tag", "first", "main")
    head = project.git("rev-parse", "HEAD")
    there, _ = plan_of(project, "first", head[:12])
    back, _ = plan_of(project, head, "first")
    one, other = (each.comparison.metrics["roc_auc"] for each in (there, back))
    assert one.delta.value == pytest.approx(-other.delta.value)
    assert (there.candidate.commit, back.candidate.base) == (head, head)
    assert back.candidate.commit == there.candidate.base == project.git("rev-parse", "main")


def _promoted(number: str, commit: str, _: History) -> Promoted:
    entry = promoted(f"model {number}", number, commit)
    release = entry.release.model_copy(update={"commit": commit})
    return entry.model_copy(update={"release": release})


def test_registered_versions(project: Project) -> None:
    origin = bare(project.root.parent / "origin.git")
    project.git("remote", "add", "origin", str(origin))
    first, second = project.git("rev-parse", "main"), project.git("rev-parse", "simpler")
    ledger = Ledger(Git(project.root))
    for number, commit in (("1", first), ("2", second)):
        ledger.append(partial(_promoted, number, commit))
    done = diff(project, "v1", "version:2", "--format", "md")
    assert done.code == 0, done.err
    assert f"A is version 1 ({first[:12]}), B is version 2 ({second[:12]})" in done.err
    assert "> [!NOTE]\n> This compares B, version 2" in done.out
    done = diff(project, "1", "3")
    assert done.code == 2
    assert f"never declared version '3' for {PRODUCTION}" in done.error()[0]


def test_a_commit_that_nothing_holds(project: Project) -> None:
    shutil.rmtree(project.root / ".dvc/cache")
    shutil.rmtree(project.root / ".mergeline")
    project.write("requirements/mergeline.txt", "mergeline==9.9.9\n")
    done = diff(project, "main", "simpler")
    message, hint = done.error()
    assert done.code == 4
    assert message.startswith("A, main (")
    assert "it pins another environment: requirements/mergeline.txt changed" in message
    assert "dvc push --run-cache" in hint
    assert "git switch --detach" in hint


def test_a_pipeline_that_dvc_refuses(project: Project) -> None:
    project.git("switch", "--quiet", "--force-create", "broken", "main")
    project.write("dvc.yaml", "stages: {train: {cmd: '${nobody} knows'}}\n")
    project.git("commit", "--quiet", "--all", "--message", "broken")
    message = diff(project, "broken", "main").error()[0]
    project.git("switch", "--quiet", "--force", "-")
    assert message.startswith("A, broken (")
    assert "cannot be restored: The pipeline cannot be used: " in message


def test_a_name_that_nothing_has(project: Project) -> None:
    done = diff(project, "main", "nope")
    assert done.code == 2
    message, hint = done.error()
    assert "there is no commit 'nope'" in message
    assert "`git fetch --tags`" in hint


def test_a_commit_without_settings(project: Project) -> None:
    project.git("switch", "--quiet", "--force", "--orphan", "empty")
    project.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    done = diff(project, "main", "empty")
    assert done.code == 3
    assert "has no params.yaml" in done.error()[0]
