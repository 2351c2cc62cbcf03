"""What goes wrong at the worst moment leaves files as they were; `tests/failures` has the rest."""

import os
import resource
import sys
import time
from pathlib import Path

import pytest

from cli.conftest import SECOND_MODEL, Project, environment
from mergeline.adapters.deepchecks import SOCKET
from mergeline.project.template import IGNORED, PINS
from promote.scenario import first_files, params

# Enough for what the shell and Python write besides.
LIMITED = f"ulimit -f 4 && {sys.executable} -m mergeline stage"
LIMITED_REPORT = """
import resource, sys
from mergeline.report import comment
from mergeline.cli import main

render = comment.render_comment

def render_and_limit(plan):
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return render(plan)

comment.render_comment = render_and_limit
sys.argv = ["mergeline", "check"]
main()
"""


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_deepchecks_is_missing(project: Project) -> None:
    """Said before any stage runs that would be in vain."""
    before = project.written()
    project.edit("sample: 1000", "sample: 900")
    done = project.check(env={"MERGELINE_DEEPCHECKS_PYTHON": "/nonexistent/python", SOCKET: ""})
    message, hint = done.error()
    assert done.code == 4
    assert "MERGELINE_DEEPCHECKS_PYTHON is '/nonexistent/python'" in message
    assert "mergeline doctor --build" in hint
    assert "running" not in done.err
    assert project.written() == before


def test_a_metric_without_a_value_is_not_known(tmp_path: Path) -> None:
    """Nobody is predicted positive, so precision is 0 / 0: neither passed nor failed."""
    project = Project(tmp_path / "project", environment(tmp_path / "empty"))
    strict = "evaluate: {threshold: 1.0, metrics: [roc_auc, precision], bootstrap: 100}"
    settings = params(gates="gates:\n  precise: {metric: precision, at_least: 0.1}\n")
    settings = settings.replace("evaluate: {bootstrap: 100}", strict)
    files = {**first_files(), "params.yaml": settings, PINS: "scikit-learn==1.9.1\n"}
    # No more than the three stages that it takes.
    files |= {name: "\n".join(lines) for name, lines in IGNORED.items()}
    for name, text in files.items():
        project.write(name, text)
    project.git("init", "--quiet", "--initial-branch=main")
    project.dvc("init", "--quiet")
    project.commit("Strict")
    done = project.check()
    assert done.code == 11, done.err
    gate = project.gates()["precise"]
    assert gate["outcome"] == "ERRORED"
    assert gate["measured"]["value"] is None
    assert "precision divides by zero" in gate["reason"]
    verdict = project.json("verdict")["judgement"]
    assert (verdict["outcome"], verdict["answer"]) == ("ERRORED", "POLICY_FAILED")
    comment = project.read("reports/comment.md")
    assert "Not known whether it is good enough" in comment
    assert "divides by zero" in comment


class TestNoRoom:
    """Files cannot be written: the process may make none larger than a few kilobytes."""

    def test_for_a_stage(self, project: Project) -> None:
        """Every stage has its turn without DVC, in the tests of stages."""
        project.edit("cmd: mergeline stage train", f"cmd: {LIMITED} train", "dvc.yaml")
        project.edit(SECOND_MODEL, "{C: 0.3}")
        before = project.written()
        done = project.check("--only", "train")
        message, hint = done.error()
        assert done.code == 4, done.err
        assert "stage train: the disk is full or a size limit is reached" in message
        assert "free some space" in hint
        assert project.written() == before

    def test_for_dvc(self, project: Project) -> None:
        before = project.written()
        done = project.check(preexec_fn=limit_files)
        message, hint = done.error()
        assert done.code == 4
        assert "DVC cannot use its records of this project: " in message
        assert "space" in hint
        assert project.written() == before

    def test_for_the_comment(self, project: Project) -> None:
        """The comment, the verdict and the candidate are those of one check, or of the last one."""
        project.edit("at_most: 0.5", "at_most: 0.6")
        before = project.written()
        done = project.run(sys.executable, "-c", LIMITED_REPORT)
        message, hint = done.error()
        assert done.code == 4, done.err
        assert "the disk is full or a size limit is reached" in message
        assert "free some space" in hint
        assert project.written() == before

    def test_for_the_summary_of_the_job(self, project: Project) -> None:
        done = project.check(env={"GITHUB_STEP_SUMMARY": "/dev/full"})
        message, _ = done.error()
        assert done.code == 4
        assert "No space left on device" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders")
def test_a_folder_that_may_not_be_written(project: Project) -> None:
    project.edit("at_most: 0.5", "at_most: 0.6")
    before = project.written()
    (project.root / "reports").chmod(0o555)
    try:
        done = project.check()
    finally:
        (project.root / "reports").chmod(0o755)
    message, hint = done.error()
    assert done.code == 4
    assert "reports" in message
    assert "written" in hint
    assert project.written() == before


def test_a_tracking_server_that_does_not_answer(project: Project) -> None:
    """The verdict is shown and the comment written all the same; the job fails, and says why."""
    project.edit("at_most: 0.5", "at_most: 0.6")
    start = time.monotonic()
    done = project.check(env={"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"})
    assert time.monotonic() - start < 60
    message, hint = done.error()
    assert done.code == 4
    assert "http://127.0.0.1:9" in message
    assert hint
    assert "NOT_PROMOTABLE" in done.out
    assert "**NOT_PROMOTABLE**" in project.read("reports/comment.md")
