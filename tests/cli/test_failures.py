"""What goes wrong ends in one message, a hint and an exit code, and leaves files as they were."""

import os
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.conftest import SECOND_MODEL, Checked, Project, environment
from mergeline.project.template import IGNORED, PINS, write_pipeline
from promote.scenario import first_files, params

Files = dict[str, bytes]
NOT_A_NUMBER = '''\
"""A classifier that gives no numbers."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Broken(ClassifierMixin, BaseEstimator):
    def fit(self, rows, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, rows):
        return np.full((len(rows), 2), np.nan)


def make():
    return Broken()
'''
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
WAIVER = "waivers: [{gate: equal-odds, reason: r, owner: o, expires: 2027-03-31}]\n"


@dataclass(frozen=True)
class Case:
    """What a user does, and what the answer is.

    Attributes:
        break_it: Changes the project.
        code: The exit code.
        message: A pattern that the message holds.
        hint: A pattern that the hint holds.
        made: The paths of what stages made that ended before.
    """

    break_it: Callable[[Project], None]
    code: int
    message: str
    hint: str
    made: tuple[str, ...] = ()


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def edit(old: str, new: str, name: str = "params.yaml") -> Callable[[Project], None]:
    return lambda project: project.edit(old, new, name)


def write(name: str, text: str) -> Callable[[Project], None]:
    return lambda project: project.write(name, text)


def remove(name: str) -> Callable[[Project], None]:
    def do(project: Project) -> None:
        path = project.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return do


def header_only(project: Project) -> None:
    header = project.read("data/loans.csv").splitlines()[0]
    project.write("data/loans.csv", header + "\n")


def one_class(project: Project) -> None:
    lines = project.read("data/loans.csv").splitlines()
    project.write("data/loans.csv", "\n".join(line for line in lines if line[-1] != "1") + "\n")


def conflict(project: Project) -> None:
    lock = project.read("dvc.lock")
    project.write("dvc.lock", f"<<<<<<< HEAD\n{lock}=======\n{lock}>>>>>>> other\n")


def gives_nan(project: Project) -> None:
    project.write("broken.py", NOT_A_NUMBER)
    project.edit("estimator: sklearn.linear_model.LogisticRegression", "factory: broken:make")
    project.edit(f"params: {SECOND_MODEL}", "trusted_types: [broken.Broken]")
    write_pipeline(project.root)


CASES = {
    # Settings.
    "misspelt-key": Case(
        edit("at_least: 0.6", "at_leats: 0.6"),
        3,
        r"params\.yaml:\d+: gates\.auc-floor\.at_leats: .*did you mean at_least",
        "mergeline schema",
    ),
    "wrong-value": Case(
        edit("threshold: 0.4", "threshold: 4"),
        3,
        r"params\.yaml:\d+: evaluate\.threshold: found 4, expected .*1",
        "mergeline schema",
    ),
    "no-settings": Case(remove("params.yaml"), 3, r"params\.yaml: there is no such file", "folder"),
    "not-yaml": Case(
        write("params.yaml", "data: [source\nmodel: x\n"), 3, r"params\.yaml:\d+:\d+: ", "quote"
    ),
    "missing-section": Case(
        edit("split: {test: 0.2}\n", ""), 3, r"params\.yaml has no split", "split: {}"
    ),
    "bare-date": Case(
        edit("report:", WAIVER + "report:"), 3, r"'date' in 'params\.yaml:waivers\.0\.", "in quotes"
    ),
    # Data.
    "no-data": Case(remove("data/loans.csv"), 3, r"data/loans\.csv", "dvc pull"),
    "empty-data": Case(write("data/loans.csv", ""), 3, r"data/loans\.csv.*0 bytes", "header"),
    "header-only": Case(header_only, 3, r"data/loans\.csv has 0 rows and 13 columns", "table"),
    "one-class": Case(one_class, 3, r"'default' has 1 class.* \(.*0.*\)", "two classes"),
    "misspelt-target": Case(
        edit("target: default", "target: defualt"), 3, r"data\.target.*'defualt'.*'default'", "."
    ),
    "broken-contract": Case(
        edit("min_value: 18", "min_value: 30", "data/contract.yaml"),
        3,
        r"contract\.yaml.*age",
        ".",
    ),
    # Model.
    "unknown-estimator": Case(
        edit("LogisticRegression", "LogisticRegresion"),
        3,
        r"has no 'LogisticRegresion'; did you mean .*\.LogisticRegression\?",
        "spelling",
    ),
    "unknown-parameter": Case(
        edit(SECOND_MODEL, "{D: 1}"), 3, r"model\.params\.D: .* has no such parameter", "it takes: "
    ),
    "no-number": Case(
        gives_nan,
        3,
        r"gives no number as probability for \d+ of \d+ rows",
        "division by zero",
        ("reports/model/", "reports/train.json"),
    ),
    # Tools.
    "no-dvc": Case(remove(".dvc"), 4, "is not a DVC project", "dvc init"),
    "no-git": Case(remove(".git"), 4, "is not in a Git repository", "git init"),
    "conflict": Case(conflict, 4, r"dvc\.lock holds the marks of a merge conflict", "resolve"),
    "own-command-fails": Case(
        edit("cmd: mergeline stage train", "cmd: 'echo out of luck >&2; exit 7'", "dvc.yaml"),
        4,
        "stage train ended with exit code 7: .*out of luck",
        "dvc repro -s train",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_message(name: str, project: Project) -> None:
    case = CASES[name]
    before = project.written()
    case.break_it(project)
    done = project.check()
    message, hint = done.error()
    assert done.code == case.code, done.err
    assert re.search(case.message, message, re.DOTALL), message
    assert re.search(case.hint, hint), hint
    assert same(project.written(), before, case.made)
    assert done.out == ""
    assert not list(project.root.glob(".mergeline/worktrees/*"))


def same(now: Files, before: Files, made: tuple[str, ...] = ()) -> bool:
    """Whether files are as they were, byte for byte, and no others are there."""
    one, other = (
        {name: data for name, data in files.items() if not name.startswith(made)}
        for files in (now, before)
    )
    return one == other


def test_no_commit_yet(first: Checked, tmp_path: Path) -> None:
    project = first.project.copy(tmp_path / "project")
    shutil.rmtree(project.root / ".git")
    project.git("init", "--quiet")
    for options in ((), ("--only", "train")):
        done = project.check(*options)
        message, hint = done.error()
        assert done.code == 2
        assert "has no commit yet" in message
        assert "git commit" in hint


def test_deepchecks_is_missing(project: Project) -> None:
    """Said before any stage runs that would be in vain."""
    before = project.written()
    project.edit("sample: 1000", "sample: 900")
    done = project.check(env={"MERGELINE_DEEPCHECKS_PYTHON": "/nonexistent/python"})
    message, hint = done.error()
    assert done.code == 4
    assert "MERGELINE_DEEPCHECKS_PYTHON is '/nonexistent/python'" in message
    assert "mergeline doctor --build" in hint
    assert "running" not in done.err
    assert same(project.written(), before)


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
    assert "Not known whether this model is good enough" in comment
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
        assert same(project.written(), before)

    def test_for_dvc(self, project: Project) -> None:
        before = project.written()
        done = project.check(preexec_fn=limit_files)
        message, hint = done.error()
        assert done.code == 4
        assert "DVC cannot use its records of this project: " in message
        assert "space" in hint
        assert same(project.written(), before)

    def test_for_the_comment(self, project: Project) -> None:
        """The comment, the verdict and the candidate are those of one check, or of the last one."""
        project.edit("at_most: 0.5", "at_most: 0.6")
        before = project.written()
        done = project.run(sys.executable, "-c", LIMITED_REPORT)
        message, hint = done.error()
        assert done.code == 4, done.err
        assert "the disk is full or a size limit is reached" in message
        assert "free some space" in hint
        assert same(project.written(), before)

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
    assert same(project.written(), before)


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
