from typing import Any

import pytest

from mergeline.core.evidence import Check, Condition, EvidenceSet
from mergeline.core.findings import judge_check, judge_explain
from mergeline.core.policy import CheckGate, ExplainGate
from mergeline.core.verdict import Baseline, Outcome

from .cases import (
    AVAILABLE,
    FIRST,
    NOT_AVAILABLE,
    UNREADABLE,
    case,
    checks,
    explained,
    of_checks,
    prepared,
)

ALL = CheckGate(check="data")
NEW = CheckGate(check="data", new_only=True)


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        ({"a": "passed"}, Outcome.PASSED),
        ({"a": "passed", "b": "not_applicable"}, Outcome.PASSED),
        ({"a": "passed", "b": "warned"}, Outcome.WARNED),
        ({"a": "warned", "b": "failed"}, Outcome.FAILED),
        ({"a": "failed", "b": "did_not_run"}, Outcome.ERRORED),
        ({"a": "passed", "b": "did_not_run"}, Outcome.ERRORED),
        ({"a": "not_applicable"}, Outcome.ERRORED),
        ({}, Outcome.ERRORED),
    ],
)
@pytest.mark.parametrize("kind", ["data", "model"])
def test_the_worst_check_decides(kind: str, outcomes: dict[str, str], outcome: Outcome) -> None:
    stage = f"check_{kind}"
    result = judge_check("g", CheckGate(check=kind), case(**{stage: checks(stage, **outcomes)}))
    assert result.outcome is outcome
    assert bool(result.reason) == (outcome is not Outcome.PASSED)


def test_a_check_without_evidence_is_errored() -> None:
    for gate in (ALL, NEW):
        result = judge_check("g", gate, case(check_model=checks("check_model", a="passed")))
        assert result.outcome is Outcome.ERRORED
        assert result.reason == "There is no evidence of the stage check_data."


def test_a_condition_that_did_not_run_is_errored_though_its_check_failed_before() -> None:
    conditions = (
        Condition(name="old", outcome="failed", details=""),
        Condition(name="silent", outcome="did_not_run", details=""),
    )
    now = of_checks(
        "check_data", Check(name="a", title="A", outcome="failed", conditions=conditions)
    )
    before = EvidenceSet(check_data=now)
    result = judge_check("g", NEW, case(AVAILABLE, None, before, check_data=now))
    assert result.outcome is Outcome.ERRORED


def test_a_failed_check_without_a_failed_condition_is_no_pass() -> None:
    now = of_checks("check_data", Check(name="a", title="A", outcome="failed", conditions=()))
    assert judge_check("g", ALL, case(check_data=now)).outcome is Outcome.FAILED


def test_those_that_did_not_run_are_named_with_the_first_reason() -> None:
    evidence = checks(a="did_not_run", b="did_not_run", c="passed")
    result = judge_check("g", ALL, case(check_data=evidence))
    assert result.reason == "2 checks did not run: A, B. it crashed"


# --- new_only --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        ({"a": "passed"}, {"a": "passed"}, Outcome.PASSED),
        ({"a": "failed"}, {"a": "passed"}, Outcome.PASSED),
        ({"a": "failed"}, {"a": "failed"}, Outcome.WARNED),
        ({"a": "failed"}, {"a": "warned"}, Outcome.WARNED),
        ({"a": "passed"}, {"a": "failed"}, Outcome.FAILED),
        ({"a": "warned"}, {"a": "failed"}, Outcome.FAILED),
        ({"a": "did_not_run"}, {"a": "failed"}, Outcome.FAILED),
        ({"a": "not_applicable"}, {"a": "failed"}, Outcome.FAILED),
        ({"b": "failed"}, {"a": "failed"}, Outcome.FAILED),
        ({"a": "failed"}, {"a": "failed", "b": "failed"}, Outcome.FAILED),
        ({"a": "failed"}, {"a": "did_not_run"}, Outcome.ERRORED),
    ],
)
def test_new_only_fails_on_what_did_not_fail_at_the_baseline(
    before: dict[str, str], now: dict[str, str], outcome: Outcome
) -> None:
    old = EvidenceSet(check_data=checks(**before))
    result = judge_check("g", NEW, case(AVAILABLE, None, old, check_data=checks(**now)))
    assert result.outcome is outcome


def test_another_condition_of_the_same_check_is_new() -> None:
    def one(condition: str) -> Check:
        failed = Condition(name=condition, outcome="failed", details="")
        return Check(name="a", title="A", outcome="failed", conditions=(failed,))

    old = EvidenceSet(check_data=of_checks("check_data", one("x")))
    now = of_checks("check_data", one("y"))
    assert (
        judge_check("g", NEW, case(AVAILABLE, None, old, check_data=now)).outcome is Outcome.FAILED
    )


@pytest.mark.parametrize(
    ("baseline", "outcome"),
    [
        (FIRST, Outcome.WARNED),
        (NOT_AVAILABLE, Outcome.WARNED),
        (UNREADABLE, Outcome.ERRORED),
        # A baseline from before the stage was there.
        (AVAILABLE, Outcome.WARNED),
    ],
)
def test_new_only_without_a_baseline(baseline: Baseline, outcome: Outcome) -> None:
    result = judge_check("g", NEW, case(baseline, check_data=checks(a="failed")))
    assert result.outcome is outcome
    passed = judge_check("g", NEW, case(baseline, check_data=checks(a="passed")))
    assert passed.outcome is Outcome.PASSED


def test_without_new_only_an_old_failure_fails() -> None:
    now = checks(a="failed")
    result = judge_check(
        "g", ALL, case(AVAILABLE, None, EvidenceSet(check_data=now), check_data=now)
    )
    assert (result.outcome, result.reason) == (Outcome.FAILED, "Failed: A.")


# --- explain ---------------------------------------------------------------------

RANKED = explained(("income", 0.9), ("age", 0.5), ("postcode", 0.5), ("purpose", 0.1))


@pytest.mark.parametrize(
    ("column", "most", "outcome", "rank"),
    [
        ("income", 1, Outcome.PASSED, 1),
        ("income", 2, Outcome.FAILED, 1),
        ("age", 2, Outcome.PASSED, 2),
        ("postcode", 2, Outcome.PASSED, 2),
        ("postcode", 3, Outcome.FAILED, 2),
        ("purpose", 4, Outcome.PASSED, 4),
        ("purpose", 5, Outcome.FAILED, 4),
    ],
)
def test_a_column_may_rank_no_higher(column: str, most: int, outcome: Outcome, rank: int) -> None:
    gate = ExplainGate(explain=column, at_most_rank=most)
    result = judge_explain("g", gate, case(explain=RANKED))
    assert result.outcome is outcome
    assert result.measured is not None
    assert result.measured.value == rank


def test_a_column_that_moves_nothing_passes_whatever_its_rank() -> None:
    evidence = case(explain=explained(("income", 0.9), ("age", 0.0), ("postcode", 0.0)))
    for column, outcome in (("postcode", Outcome.PASSED), ("income", Outcome.FAILED)):
        result = judge_explain("g", ExplainGate(explain=column, at_most_rank=10), evidence)
        assert result.outcome is outcome
    result = judge_explain("g", ExplainGate(explain="age", at_most_rank=10), evidence)
    assert result.reason == "age moves none of the 100 predictions that were explained."


def test_what_was_not_explained_is_errored() -> None:
    gate = ExplainGate(explain="income", at_most_rank=2)
    assert judge_explain("g", gate, case()).outcome is Outcome.ERRORED
    result = judge_explain("g", gate, case(explain=explained(outcome="not_explained")))
    assert result.outcome is Outcome.ERRORED
    assert "the budget of 60 s" in result.reason


def test_a_column_that_the_model_does_not_read_passes_and_a_misspelt_one_does_not() -> None:
    gate = ExplainGate(explain="sex", at_most_rank=2)
    read = judge_explain("g", gate, case(explain=RANKED, prepare=prepared("sex", "income")))
    assert (read.outcome, read.reason) == (Outcome.PASSED, "The model does not read sex.")
    other = judge_explain("g", gate, case(explain=RANKED, prepare=prepared("gender", "income")))
    assert (other.outcome, other.reason) == (Outcome.ERRORED, "The data has no column sex.")
    assert judge_explain("g", gate, case(explain=RANKED)).outcome is Outcome.ERRORED


# --- one check ---------------------------------------------------------------------


def named(**outcomes: str) -> Any:
    """Checks of a suite: their ids have its name first."""
    made = checks(**outcomes).content
    found = (
        check.model_copy(update={"name": f"data_integrity/{check.name}"}) for check in made.checks
    )
    return of_checks("check_data", *found)


@pytest.mark.parametrize("name", ["nulls", "data_integrity/nulls"])
@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        ({"nulls": "passed", "other": "failed"}, Outcome.PASSED),
        ({"nulls": "passed", "other": "did_not_run"}, Outcome.PASSED),
        ({"nulls": "warned", "other": "passed"}, Outcome.WARNED),
        ({"nulls": "failed", "other": "passed"}, Outcome.FAILED),
        ({"nulls": "did_not_run", "other": "passed"}, Outcome.ERRORED),
        ({"nulls": "not_applicable", "other": "passed"}, Outcome.ERRORED),
        ({"other": "passed"}, Outcome.ERRORED),
    ],
)
def test_one_check_by_its_name(name: str, outcomes: dict[str, str], outcome: Outcome) -> None:
    gate = CheckGate(check="data", name=name)
    result = judge_check("g", gate, case(check_data=named(**outcomes)))
    assert result.outcome is outcome
    assert result.rule == f"check {name} passes"


def test_a_check_that_is_not_there_is_not_known() -> None:
    gate = CheckGate(check="data", name="mixed_nuls")
    result = judge_check("g", gate, case(check_data=named(mixed_nulls="passed", other="failed")))
    assert result.outcome is Outcome.ERRORED
    assert result.reason == "No check mixed_nuls is recorded; did you mean mixed_nulls?"
    other = CheckGate(check="data", name="zzz")
    result = judge_check("g", other, case(check_data=named(mixed_nulls="passed")))
    assert result.reason == "No check zzz is recorded."


def test_one_check_is_new_where_it_did_not_fail_before() -> None:
    gate = CheckGate(check="data", name="nulls", new_only=True)
    old = EvidenceSet(check_data=named(nulls="passed", other="failed"))
    for now, expected in (
        ({"nulls": "failed", "other": "failed"}, Outcome.FAILED),
        ({"nulls": "passed", "other": "failed"}, Outcome.PASSED),
    ):
        result = judge_check("g", gate, case(AVAILABLE, None, old, check_data=named(**now)))
        assert result.outcome is expected
