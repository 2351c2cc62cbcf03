"""How often the same held-out rows were judged on, and how much luck the best of many has."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ledger.made import chained, git, reviewed
from mergeline.adapters.git import Git
from mergeline.core.base import Estimate
from mergeline.core.evidence import EvidenceSet
from mergeline.ledger.chain import line_of, read_lines
from mergeline.ledger.history import History
from mergeline.ledger.reuse import history_here, reuse_of
from mergeline.ledger.store import BRANCH, FILE
from report import plans

ROWS, OTHERS = "d" * 64, "e" * 64  # the rows of the plans for tests, and others
EVIDENCE = plans.better().evidence
HISTORY = History(
    (
        reviewed(1, held_out=ROWS),
        reviewed(2, held_out=ROWS),
        reviewed(2, model="B", held_out=ROWS),
        reviewed(3, held_out=OTHERS),
        reviewed(4),
    )
)


def test_each_pull_request_that_was_judged_on_these_rows_counts_once() -> None:
    assert HISTORY.judged_on(ROWS) == {1, 2}
    for number, count in ((None, 2), (2, 2), (3, 3), (9, 3)):
        found = reuse_of(HISTORY, EVIDENCE, number)
        assert found is not None
        assert (found.pull_requests, found.included) == (count, number is not None)


def test_without_a_table_there_is_no_answer() -> None:
    assert reuse_of(HISTORY, EvidenceSet()) is None


@pytest.mark.parametrize("count", [2, 10, 50])
def test_the_best_of_many_has_no_more_luck_than_is_said(count: int) -> None:
    history = History(tuple(reviewed(number, held_out=ROWS) for number in range(1, count + 1)))
    found = reuse_of(history, EVIDENCE)
    assert found is not None
    assert found.optimism is not None
    content = EVIDENCE.evaluate.content  # type: ignore[union-attr]
    auc = content.metrics["roc_auc"]
    error = ((auc.high or 0) - (auc.low or 0)) / (2 * 1.96)
    luck = np.random.default_rng(0).normal(0, error, (20_000, count)).max(axis=1).mean()
    assert luck <= found.optimism <= 2.2 * luck


def with_primary(estimate: Estimate) -> EvidenceSet:
    sealed: Any = EVIDENCE.evaluate
    content = sealed.content.model_copy(update={"metrics": {"roc_auc": estimate}})
    return EVIDENCE.model_copy(update={"evaluate": sealed.model_copy(update={"content": content})})


@pytest.mark.parametrize(
    "evidence",
    [
        with_primary(Estimate(value=0.8, n=10)),
        with_primary(Estimate(value=None, n=10, reason="one class")),
        EVIDENCE.model_copy(update={"evaluate": None}),
    ],
)
def test_without_an_interval_the_count_alone_is_said(evidence: EvidenceSet) -> None:
    found = reuse_of(HISTORY, evidence)
    assert found is not None
    assert (found.pull_requests, found.optimism) == (2, None)


def test_nothing_was_chosen_from_one() -> None:
    found = reuse_of(History(), EVIDENCE, 5)
    assert found is not None
    assert (found.pull_requests, found.optimism) == (1, None)


# --- the ledger --------------------------------------------------------------------


def test_a_line_of_before_rows_were_noted_is_what_it_was() -> None:
    old, new = reviewed(), reviewed(held_out=ROWS)
    assert "held_out" not in json.loads(line_of(old))
    assert json.loads(line_of(new))["held_out"] == ROWS
    assert [getattr(e, "held_out", "") for e in read_lines(chained(old, new)).entries] == [
        None,
        ROWS,
    ]


AUTHOR = ("-c", "user.name=Ada", "-c", "user.email=ada@example.invalid")


def repository(folder: Path, ledger: bytes | None) -> Git:
    git(folder, "init", "--quiet")
    if ledger is not None:
        blob = git(folder, "hash-object", "-w", "--stdin", given=ledger)
        tree = git(folder, "mktree", given=f"100644 blob {blob}\t{FILE}\n".encode())
        made = git(folder, *AUTHOR, "commit-tree", tree, "-m", "ledger")
        git(folder, "update-ref", f"refs/remotes/origin/{BRANCH}", made)
    return Git(folder)


def test_a_clone_tells_what_it_has_of_the_ledger(tmp_path: Path) -> None:
    history = history_here(repository(tmp_path, chained(*HISTORY.entries)))
    assert history is not None
    assert history.judged_on(ROWS) == {1, 2}


@pytest.mark.parametrize("ledger", [None, b"{}\n", b"cut"])
def test_without_a_ledger_that_can_be_believed_nothing_is_told(
    tmp_path: Path, ledger: bytes | None
) -> None:
    assert history_here(repository(tmp_path, ledger)) is None
