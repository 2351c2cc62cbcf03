"""Whether a name in `promotion.reinstate` is for this rollback or for an earlier one."""

from pathlib import Path

import pytest

from ledger.made import commit, git, sha
from mergeline.adapters.git import Git
from mergeline.ledger.reinstated import is_reinstated

MODEL = sha("B")
SETTINGS = """project: leavers
data: {source: a.csv, target: left, positive: 1}
model: {estimator: sklearn.linear_model.LogisticRegression}
"""
TEXTS = {
    "named": f"{SETTINGS}promotion: {{reinstate: [{MODEL}]}}\n",
    "other": f"{SETTINGS}promotion: {{reinstate: [{sha('A')}]}}\n",
    "plain": SETTINGS,
    "broken": "promotion: [",
}


@pytest.mark.parametrize(
    ("before", "then", "expected"),
    [
        ("plain", ["named"], True),
        ("other", ["plain", "named", "named"], True),
        ("plain", ["named", "plain"], False),
        ("plain", ["named", "broken"], False),
        ("plain", [], False),
        ("named", [], False),
        ("named", ["named"], False),
        ("named", ["plain", "named"], True),
        # Settings that nobody can read say nothing, and take nothing out.
        ("named", ["broken", "named"], False),
        ("broken", ["named"], False),
        ("broken", ["plain", "named"], True),
    ],
)
def test_it_is_named_since(tmp_path: Path, before: str, then: list[str], expected: bool) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "project")
    root = tmp_path / "project"
    tips = [
        commit(root, "params.yaml", f"{TEXTS[name]}# {number}\n")
        for number, name in enumerate([before, *then])
    ]
    assert is_reinstated(Git(root), MODEL, tips[0], tips[-1]) is expected


def test_after_a_rollback_that_this_clone_has_not_heard_of(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "project")
    tip = commit(tmp_path / "project", "params.yaml", TEXTS["named"])
    assert not is_reinstated(Git(tmp_path / "project"), MODEL, "0" * 40, tip)
