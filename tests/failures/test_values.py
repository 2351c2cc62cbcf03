"""Columns that are not there, and values that are not what they should be."""

import pytest

from failures.case import Case, edit, rows, write
from failures.conftest import Holder

STAGE = "mergeline stage prepare"
UNCHECKED = ("  contract: data/contract.yaml\n", "")


def without_contract(change):
    def do(project):
        rows(change)(project)
        project.edit(*UNCHECKED)

    return do


def comma(number):
    return f"{number:.2f}".replace(".", ",")


def spelt(frame):
    return frame.assign(
        default=["Yes" if n == 3 else "yes" if v else "no" for n, v in enumerate(frame.default)]
    )


CASES = [
    Case("The target is misspelt", edit("target: default", "target: defualt")),
    Case(
        "Outcomes are missing",
        rows(lambda frame: frame.assign(default=frame.default.mask(frame.index < 5))),
        command=STAGE,
    ),
    Case("One class only", rows(lambda frame: frame[frame.default == 0]), command=STAGE),
    Case(
        "Three classes where two are expected",
        rows(lambda frame: frame.assign(default=frame.index % 3)),
        command=STAGE,
    ),
    Case("A class in two spellings", rows(spelt), command=STAGE),
    Case("A positive class that there is not", edit("positive: 1", "positive: yes"), command=STAGE),
    Case(
        "Rows without an id",
        rows(lambda frame: frame.assign(application_id=None)),
        command=STAGE,
    ),
    Case(
        "An id in two groups",
        lambda project: project.edit("id: application_id", "id: purpose\n  group: region"),
        command=STAGE,
    ),
    Case(
        "Numbers for times",
        lambda project: project.edit("id: application_id", "time: late_payments"),
        command=STAGE,
    ),
    Case(
        "Texts that are no dates",
        lambda project: project.edit("id: application_id", "time: purpose"),
        command=STAGE,
    ),
    Case(
        "`?` in a column",
        without_contract(lambda f: f.assign(region=f.region.mask(f.index % 9 == 0, "?"))),
        command=STAGE,
    ),
    Case(
        "Decimal commas",
        without_contract(lambda f: f.assign(debt=[comma(n / 7) for n in f.index])),
        command=STAGE,
    ),
    Case(
        "A word among numbers",
        without_contract(lambda f: f.assign(debt=["much", *(f.index[1:] / 7)])),
        command=STAGE,
    ),
    Case(
        "The contract is broken",
        edit("min_value: 18", "min_value: 30", "data/contract.yaml"),
        command="mergeline check",
        apart=True,
    ),
    Case(
        "A contract that is none",
        write("data/contract.yaml", "columns: [age, sex]\n"),
        command=STAGE,
    ),
    Case(
        "Too few rows for two sides",
        rows(lambda frame: frame.iloc[:4].assign(default=[0, 1, 0, 1])),
        command=STAGE,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_one_message(case: Case, holds: Holder) -> None:
    holds(case, "values")
