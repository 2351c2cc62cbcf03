from typing import Any

import pytest

from mergeline.core.case import Case
from mergeline.core.evidence import EvidenceSet, Feature, TrainContent
from mergeline.core.policy import DataGate
from mergeline.core.tables import judge_data
from mergeline.core.verdict import Baseline, Comparison, Drift, Outcome

from .cases import AVAILABLE, FIRST, NOT_AVAILABLE, UNREADABLE, case, prepared, sealed


def table(rows: int = 1000, read: str = "abc", **columns: Any) -> dict[str, Any]:
    """Evidence of prepare and train: by column the missing rows, or the score as a float."""
    content = prepared(*columns).content
    profiles = tuple(
        profile.model_copy(
            update={"alone": value} if isinstance(value, float) else {"missing": value}
        )
        for profile, value in zip(content.columns, columns.values(), strict=True)
    )
    made = content.model_copy(update={"rows": rows, "columns": profiles})
    train = TrainContent(
        estimator="a.B",
        params={},
        seed=0,
        rows=rows,
        features=tuple(Feature(name=name, kind="number") for name in columns if name in read),
        classes=(),
        positive=None,
        model_sha256="",
        model_bytes=1,
        libraries={},
        pinned={},
    )
    return {"prepare": sealed("prepare", made), "train": sealed("train", train)}


def against(before: dict[str, Any], now: dict[str, Any], baseline: Baseline = AVAILABLE) -> Case:
    return case(baseline, None, EvidenceSet(**before), **now)


def gate(kind: str, **limits: Any) -> DataGate:
    return DataGate(data=kind, **limits)


# --- limits ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("judged", "evidence", "outcome"),
    [
        (gate("rows", at_least=1000), table(1000), Outcome.PASSED),
        (gate("rows", at_least=1001), table(1000), Outcome.FAILED),
        (gate("rows", at_most=999), table(1000), Outcome.FAILED),
        (gate("missing", at_most=0.1), table(1000, a=100, b=3), Outcome.PASSED),
        (gate("missing", at_most=0.1), table(1000, a=3, b=101), Outcome.FAILED),
        (gate("missing", at_most=0.1, column="a"), table(1000, a=3, b=101), Outcome.PASSED),
        (gate("missing", at_most=0.1), table(0, a=0), Outcome.PASSED),
        (gate("leak", at_most=0.9), table(a=0.9, b=0.1), Outcome.PASSED),
        (gate("leak", at_most=0.9), table(a=0.1, b=0.91), Outcome.FAILED),
        (gate("leak", at_most=0.9), table(a=0.1, not_read=0.99), Outcome.PASSED),
        (gate("leak", at_most=0.9, column="a"), table(a=0.1, b=0.99), Outcome.PASSED),
    ],
)
@pytest.mark.parametrize("baseline", [AVAILABLE, FIRST, NOT_AVAILABLE, UNREADABLE])
def test_a_limit_holds_whatever_the_baseline(
    judged: DataGate, evidence: dict[str, Any], outcome: Outcome, baseline: Baseline
) -> None:
    result = judge_data("g", judged, case(baseline, **evidence))
    assert result.outcome is outcome
    assert result.limit == (judged.at_least or judged.at_most)


def test_the_worst_column_is_named_with_how_many_there_are() -> None:
    result = judge_data("g", gate("missing", at_most=0.1), case(**table(a=3, b=200, c=5)))
    assert result.reason == "The worst of 3 columns is b."
    assert result.measured is not None
    assert (result.measured.value, result.measured.n) == (0.2, 1000)
    assert result.rule == "share missing of any column at most 0.1"
    one = judge_data("g", gate("missing", at_most=0.1, column="b"), case(**table(a=3, b=200)))
    assert (one.rule, one.reason) == ("share missing of b at most 0.1", "")
    assert judge_data("g", gate("rows", at_least=1), case(**table())).reason == ""
    none = judge_data("g", gate("missing", at_most=0.1), case(**table(a=0, b=0)))
    assert none.reason == ""


@pytest.mark.parametrize("kind", ["missing", "leak", "drift"])
def test_a_column_that_is_not_there_is_not_known(kind: str) -> None:
    result = judge_data("g", gate(kind, at_most=0.1, column="incme"), case(**table(income=3)))
    assert result.outcome is Outcome.ERRORED
    assert result.reason == "The data has no column incme; did you mean income?"


@pytest.mark.parametrize("kind", ["rows", "missing", "leak", "drift"])
def test_without_evidence_it_is_not_known(kind: str) -> None:
    judged = gate(kind, at_most=0.5)
    assert judge_data("g", judged, case()).outcome is Outcome.ERRORED
    if kind == "leak":
        only = {"prepare": table(a=0.1)["prepare"]}
        assert judge_data("g", judged, case(**only)).outcome is Outcome.ERRORED


def test_a_score_that_was_not_measured_is_not_known() -> None:
    result = judge_data("g", gate("leak", at_most=0.9), case(**table(a=3)))
    assert result.outcome is Outcome.ERRORED
    assert "too few rows" in result.reason


def test_a_column_that_the_model_does_not_read_leaks_nothing() -> None:
    evidence = table(a=0.1, left_out=0.99)
    result = judge_data("g", gate("leak", at_most=0.9, column="left_out"), case(**evidence))
    assert (result.outcome, result.reason) == (
        Outcome.PASSED,
        "The model does not read left_out.",
    )


# --- against the baseline ----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "before", "now", "outcome", "change"),
    [
        ("rows", table(1000), table(950), Outcome.PASSED, -50),
        ("rows", table(1000), table(949), Outcome.FAILED, -51),
        ("rows", table(1000), table(2000), Outcome.PASSED, 1000),
        ("missing", table(a=100, b=500), table(a=150, b=500), Outcome.PASSED, 0.05),
        ("missing", table(a=850), table(a=900), Outcome.PASSED, 0.05),  # a bit more, rounded
        ("missing", table(a=100, b=500), table(a=151, b=400), Outcome.FAILED, 0.051),
        ("missing", table(a=100), table(a=100, new=900), Outcome.PASSED, 0),
        ("leak", table(a=0.5), table(a=0.75), Outcome.PASSED, 0.25),
        ("leak", table(a=0.5, b=0.8), table(a=0.76, b=0.1), Outcome.FAILED, 0.26),
        ("leak", table(a=0.5), table(a=0.5, b=0.9), Outcome.FAILED, 0.9),
        ("leak", table(a=0.5, b=0.9, read="a"), table(a=0.5, b=0.9), Outcome.FAILED, 0.9),
    ],
)
def test_how_much_worse_it_became(
    kind: str, before: dict[str, Any], now: dict[str, Any], outcome: Outcome, change: float
) -> None:
    allowed = {"rows": 50, "missing": 0.05, "leak": 0.25}[kind]
    judged = gate(kind, no_worse_than_baseline_by=allowed)
    result = judge_data("g", judged, against(before, now))
    assert result.outcome is outcome
    assert result.measured is not None
    assert result.measured.value == pytest.approx(change)
    assert result.limit == (-allowed if kind == "rows" else allowed)
    assert " no worse than the baseline by " in result.rule


@pytest.mark.parametrize(
    ("baseline", "outcome"),
    [
        (FIRST, Outcome.SKIPPED),
        (NOT_AVAILABLE, Outcome.WARNED),
        (UNREADABLE, Outcome.ERRORED),
        (AVAILABLE, Outcome.WARNED),  # its evidence is of an older version
    ],
)
def test_without_a_baseline(baseline: Baseline, outcome: Outcome) -> None:
    judged = gate("leak", no_worse_than_baseline_by=0.1)
    assert judge_data("g", judged, against({}, table(a=0.5), baseline)).outcome is outcome


def test_a_new_column_has_no_share_to_compare_with() -> None:
    judged = gate("missing", no_worse_than_baseline_by=0.1, column="b")
    result = judge_data("g", judged, against(table(a=1), table(a=1, b=900)))
    assert result.outcome is Outcome.SKIPPED


# --- drift -------------------------------------------------------------------------

DRIFT = gate("drift", at_most=0.2)


def drifted(baseline: Baseline = AVAILABLE, **distances: tuple[float, float]) -> Case:
    drift = {
        name: Drift(n=1000, distance=value, noise=noise)
        for name, (value, noise) in distances.items()
    }
    comparison = Comparison(n=0, unit="row", status="impossible", reason="x", drift=drift)
    before = EvidenceSet(**table(a=1, b=1, c=1))
    return case(baseline, comparison, before, **table(a=1, b=1, c=1, new=1))


@pytest.mark.parametrize(
    ("distances", "outcome", "reason"),
    [
        ({"a": (0.2, 0.1), "b": (0.1, 0.1)}, Outcome.PASSED, "The worst of 2 columns is a."),
        ({"a": (0.1, 0.1), "b": (0.21, 0.1)}, Outcome.FAILED, "The worst of 2 columns is b."),
        (
            {"a": (0.3, 0.4), "b": (0.1, 0.4)},
            Outcome.WARNED,
            "The worst of 2 columns is a. Cannot tell: chance alone explains 0.400 on so few rows.",
        ),
        # What is certain is named, though chance took another one further.
        ({"a": (0.3, 0.4), "b": (0.25, 0.1)}, Outcome.FAILED, "The worst of 2 columns is b."),
    ],
)
def test_a_distance_beyond_limit_and_chance_fails(
    distances: dict[str, tuple[float, float]], outcome: Outcome, reason: str
) -> None:
    result = judge_data("g", DRIFT, drifted(**distances))
    assert (result.outcome, result.reason) == (outcome, reason)
    assert result.rule == "drift of any column from the baseline at most 0.2"


def test_the_drift_of_one_column() -> None:
    one = gate("drift", at_most=0.2, column="b")
    result = judge_data("g", one, drifted(a=(0.9, 0.1), b=(0.1, 0.1)))
    assert (result.outcome, result.reason) == (Outcome.PASSED, "")


def test_another_type_is_drift() -> None:
    changed = Drift(n=1000, distance=1, noise=0, changed_type=True)
    comparison = Comparison(n=0, unit="row", drift={"a": changed})
    result = judge_data("g", DRIFT, case(AVAILABLE, comparison, **table(a=1)))
    assert result.outcome is Outcome.FAILED
    assert result.reason.startswith("Its type is another one")


@pytest.mark.parametrize(
    ("column", "distances", "outcome", "said"),
    [
        (None, {}, Outcome.ERRORED, "No column was compared"),
        ("a", {}, Outcome.ERRORED, "No column was compared"),
        ("a", {"b": (0.1, 0.1)}, Outcome.ERRORED, "a was not compared: it is an id"),
        ("new", {"b": (0.1, 0.1)}, Outcome.SKIPPED, "the baseline has no column new"),
    ],
)
def test_what_was_not_compared(
    column: str | None, distances: dict[str, tuple[float, float]], outcome: Outcome, said: str
) -> None:
    judged = gate("drift", at_most=0.2, column=column)
    result = judge_data("g", judged, drifted(**distances))
    assert result.outcome is outcome
    assert said in result.reason


@pytest.mark.parametrize(
    ("baseline", "outcome"),
    [
        (FIRST, Outcome.SKIPPED),
        (NOT_AVAILABLE, Outcome.WARNED),
        (UNREADABLE, Outcome.ERRORED),
    ],
)
def test_drift_needs_a_baseline(baseline: Baseline, outcome: Outcome) -> None:
    assert judge_data("g", DRIFT, drifted(baseline, a=(0.9, 0.1))).outcome is outcome
