"""Tools, disks and servers that are not as they should be."""

import shutil
import sys
from dataclasses import replace

import pytest

from cli.conftest import SECOND_MODEL, Project
from failures.case import Case, edit, nothing
from failures.conftest import Holder
from mergeline.adapters.deepchecks import SOCKET

# The check is whole and told; what fails is what comes after it.
WRITTEN = (
    *("reports/comment.md", "reports/report.html", "reports/card.md"),
    *("reports/verdict.json", "reports/candidate.json"),
)
LIMITED = f"ulimit -f 4 && {sys.executable} -m mergeline stage"


def full(project: Project) -> None:
    project.edit("cmd: mergeline stage train", f"cmd: {LIMITED} train", "dvc.yaml")
    project.edit(SECOND_MODEL, "{C: 0.3}")


def a_file_for_a_folder(project: Project) -> None:
    shutil.rmtree(project.root / ".mergeline")
    project.write(".mergeline", "")
    project.edit("at_most: 0.5", "at_most: 0.6")


@pytest.fixture
def project(project: Project) -> Project:
    """One that nobody has started deepchecks for."""
    return replace(project, env={**project.env, SOCKET: ""})


CASES = [
    Case(
        "No deepchecks there",
        edit("sample: 1000", "sample: 900"),
        4,
        env={"MERGELINE_DEEPCHECKS_PYTHON": "/nonexistent/python"},
    ),
    Case(
        "A Python without deepchecks",
        edit("sample: 1000", "sample: 900"),
        4,
        env={"MERGELINE_DEEPCHECKS_PYTHON": sys.executable},
    ),
    Case("The disk is full while training", full, 4, apart=True),
    Case(
        "The disk is full for the job's summary",
        nothing,
        4,
        env={"GITHUB_STEP_SUMMARY": "/dev/full"},
        made=WRITTEN,
    ),
    Case(
        "A folder for the summary that is not there",
        nothing,
        4,
        env={"GITHUB_STEP_SUMMARY": "/nonexistent/summary.md"},
        made=WRITTEN,
    ),
    Case("No git program", nothing, 4, env={"PATH": "/nonexistent"}),
    Case("A file where a folder is needed", a_file_for_a_folder, 4),
    Case(
        "A tracking server of an unknown kind",
        edit("at_most: 0.5", "at_most: 0.6"),
        4,
        env={"MLFLOW_TRACKING_URI": "ftp://example.invalid"},
        made=WRITTEN,
    ),
    Case("Nothing is released", nothing, 4, command="mergeline predict data/loans.csv"),
    Case("No server for the registry", nothing, 4, command="mergeline log --remote /nonexistent"),
    Case("A release that there is not", nothing, 4, command="mergeline audit 7"),
    Case(
        "A folder that is no release",
        nothing,
        3,
        command="mergeline serve --release data",
        apart=True,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_one_message(case: Case, holds: Holder) -> None:
    holds(case, "environment")
