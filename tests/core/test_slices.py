from random import Random
from statistics import NormalDist
from typing import Any

import pytest

from mergeline.core.base import Estimate
from mergeline.core.evidence import Slice
from mergeline.core.policy import SliceGate
from mergeline.core.slices import judge_slice, widened
from mergeline.core.verdict import Outcome

from .cases import case, evaluated, sealed

FLOOR = SliceGate(slice="purpose", metric="roc_auc", at_least=0.7)
CAR = SliceGate(slice="purpose", metric="roc_auc", at_least=0.7, value="car")
ERROR = SliceGate(slice="purpose", metric="mean_absolute_error", at_most=10)


def part(value: str, auc: float | None, half: float | None = 0.02, n: int = 500) -> Slice:
    reason = "" if auc is not None else "only one class"
    low, high = (None, None) if auc is None or half is None else (auc - half, auc + half)
    measured = Estimate(value=auc, low=low, high=high, n=n, reason=reason)
    metrics = {"roc_auc": measured, "mean_absolute_error": measured}
    return Slice(column="purpose", value=value, n=n, metrics=metrics)


def sliced(*slices: Slice) -> Any:
    content = evaluated().content.model_copy(update={"slices": slices})
    return case(evaluate=sealed("evaluate", content))


# --- several -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("worst", "half", "outcome"),
    [
        (0.7, 0.02, Outcome.PASSED),
        (0.699, 0.02, Outcome.WARNED),
        # The whole interval alone is below, and not when the worst of five was picked.
        (0.677, 0.02, Outcome.WARNED),
        (0.67, 0.02, Outcome.FAILED),
        (0.5, None, Outcome.WARNED),
    ],
)
def test_the_worst_of_several_fails_when_it_is_certain(
    worst: float, half: float | None, outcome: Outcome
) -> None:
    others = [part(name, 0.9) for name in ("car", "home", "boat", "other")]
    result = judge_slice("g", FLOOR, sliced(*others, part("trip", worst, half)))
    assert result.outcome is outcome
    assert result.reason.startswith("The worst of 5 slices is trip.")
    assert ("Bonferroni" in result.reason) == (outcome is Outcome.WARNED and half is not None)
    assert ("Cannot tell: it has no interval." in result.reason) == (half is None)
    assert result.rule == "roc_auc where purpose has any value at least 0.7"
    assert (result.limit, result.measured and result.measured.value) == (0.7, worst)


def test_a_ceiling_is_the_mirror_image() -> None:
    for worst, outcome in ((9.9, Outcome.PASSED), (11, Outcome.WARNED), (14, Outcome.FAILED)):
        result = judge_slice("g", ERROR, sliced(part("a", 1, 1), part("b", worst, 2)))
        assert result.outcome is outcome
        assert result.reason.startswith("The worst of 2 slices is b.")


def test_the_certain_one_is_named_though_another_lies_lower() -> None:
    wide, narrow, more = part("wide", 0.5, 0.4), part("narrow", 0.6, 0.01), part("more", 0.62, 0.01)
    result = judge_slice("g", FLOOR, sliced(wide, narrow, more))
    assert result.outcome is Outcome.FAILED
    assert result.reason == "The worst of 3 slices is narrow. Beyond the limit too: more."


def test_slices_of_few_rows_or_without_a_value_are_said_and_not_judged() -> None:
    slices = (part("car", 0.8), part("boat", 0.1, n=49), part("home", None))
    result = judge_slice("g", FLOOR, sliced(*slices))
    assert result.outcome is Outcome.PASSED
    assert result.reason == (
        "The one slice is car. Not judged, fewer than 50 rows or no value: boat, home."
    )
    low = SliceGate(slice="purpose", metric="roc_auc", at_least=0.7, min_rows=49)
    assert judge_slice("g", low, sliced(*slices)).outcome is Outcome.FAILED


def test_a_model_on_the_limit_seldom_fails_however_many_slices() -> None:
    """The worst of twenty estimates lies two standard deviations low by chance alone."""
    random = Random(1)  # noqa: S311
    failed = 0
    for _ in range(400):
        parts = [part(str(n), random.gauss(0.7, 0.02), 0.02 * 1.96) for n in range(20)]
        failed += judge_slice("g", FLOOR, sliced(*parts)).outcome is Outcome.FAILED
    assert failed <= 0.05 * 400


# --- one ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auc", "outcome"), [(0.7, Outcome.PASSED), (0.699, Outcome.FAILED), (0.9, Outcome.PASSED)]
)
def test_of_one_named_slice_the_point_estimate_decides(auc: float, outcome: Outcome) -> None:
    result = judge_slice("g", CAR, sliced(part("car", auc, 0.3), part("boat", 0.1)))
    assert (result.outcome, result.reason) == (outcome, "")
    assert result.rule == "roc_auc where purpose is car at least 0.7"
    assert result.measured is not None
    assert result.measured.low == auc - 0.3


# --- not known ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "slices", "said"),
    [
        (CAR, [part("cars", 0.9)], "purpose has no slice car; did you mean cars?"),
        (CAR, [part("x", 0.9), part("y", 1)], "purpose has no slice car; the slices are: x, y."),
        (FLOOR, [], "Nothing was measured by purpose; sliced by: nothing."),
        (FLOOR, [part("car", 0.9, n=12)], "No slice has 50 rows; the largest has 12."),
        (CAR, [part("car", 0.9, n=12)], "No slice has 50 rows; the largest has 12."),
        (FLOOR, [part("car", None)], "No slice has a value: only one class"),
        (
            SliceGate(slice="purpose", metric="f1", at_least=0.1),
            [part("car", 0.9)],
            "f1 was not measured by slice.",
        ),
        (
            SliceGate(slice="purpos", metric="roc_auc", at_least=0.1),
            [part("car", 0.9)],
            "Nothing was measured by purpos; sliced by: purpose; did you mean purpose?",
        ),
    ],
)
def test_where_no_slice_is_judged_it_is_not_known(
    gate: SliceGate, slices: list[Slice], said: str
) -> None:
    result = judge_slice("g", gate, sliced(*slices))
    assert (result.outcome, result.reason) == (Outcome.ERRORED, said)


def test_without_evidence_it_is_not_known() -> None:
    assert judge_slice("g", FLOOR, case()).outcome is Outcome.ERRORED


# --- intervals ---------------------------------------------------------------------


def test_an_interval_is_widened_by_bonferroni() -> None:
    estimate = Estimate(value=0.5, low=0.4, high=0.55, n=100)
    assert widened(estimate, 1, bounded=True) == estimate
    normal = NormalDist()
    factor = normal.inv_cdf(1 - 0.025 / 10) / normal.inv_cdf(0.975)
    wide = widened(estimate, 10, bounded=True)
    assert (wide.low, wide.high) == (
        pytest.approx(0.5 - 0.1 * factor),
        pytest.approx(0.5 + 0.05 * factor),
    )
    assert (wide.value, wide.n) == (0.5, 100)


def test_a_widened_interval_stays_where_the_number_can_be() -> None:
    high = Estimate(value=0.99, low=0.9, high=1.0, n=100)
    assert widened(high, 50, bounded=True).high == 1
    assert (widened(high, 50, bounded=False).high or 0) > 1
    none = Estimate(value=0.5, n=10)
    assert widened(none, 5, bounded=True) == none
