"""Settings that say what is not allowed."""

import pytest

from failures.case import Case, edit, write
from failures.conftest import Holder

AUC = "auc-floor: {metric: roc_auc, at_least: 0.6}"
WAIVER = "waivers: [{gate: fast, reason: r, owner: o, expires: '2027-03-31'}]\nreport:"
BARE = "waivers: [{gate: equal-odds, reason: r, owner: o, expires: 2027-03-31}]\nreport:"

CASES = [
    Case("No params.yaml", lambda project: (project.root / "params.yaml").unlink()),
    Case("The file is empty", write("params.yaml", "")),
    Case("A bracket is left open", write("params.yaml", "data: [source\nmodel: x\n")),
    Case("A key is given twice", edit("  noun: defaulter", "  noun: defaulter\n  noun: payer")),
    Case("A key is misspelt", edit("at_least: 0.6", "at_leats: 0.6")),
    Case("A section is misspelt", edit("fairness: {min_group: 30}", "fairnes: {min_group: 30}")),
    Case("A value is out of its range", edit("threshold: 0.4", "threshold: 4")),
    Case("A text where a number is expected", edit("min_group: 30", "min_group: many")),
    Case("A section is missing", edit("split: {test: 0.2}\n", "")),
    Case("The target is missing", edit("  target: default\n", "")),
    Case("The data is outside of the project", edit("data/loans.csv", "../loans.csv")),
    Case("A metric that nobody measures", edit(AUC, "auc-floor: {metric: auc, at_least: 0.6}")),
    Case("A metric of another task", edit(AUC, "auc-floor: {metric: r2, at_least: 0.6}")),
    Case("Fairness by a column that is not sensitive", edit("by: sex", "by: age")),
    Case("A date without quotes", edit("report:", BARE)),
    Case("A waiver for a gate that there is not", edit("report:", WAIVER)),
    Case("A task without its positive class", edit("  positive: 1\n", "")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_one_message(case: Case, holds: Holder) -> None:
    holds(case, "settings")
