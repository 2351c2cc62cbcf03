"""What goes wrong ends in one message, a hint and an exit code, and leaves files as they were."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from cli.conftest import SECOND_MODEL, Project

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
        edit("split: {test: 0.2}\n", ""), 3, r"'split' are missing from 'params\.yaml'", "split: {}"
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
