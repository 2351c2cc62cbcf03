import itertools
from typing import Any

import pytest

from mergeline.core.evidence import Confusion, ResidualBin, Residuals
from mergeline.core.limits import judge_fairness, judge_metric, rows_to_decide
from mergeline.core.policy import FairnessGate, MetricGate
from mergeline.core.verdict import Baseline, Comparison, Outcome, Paired

from .cases import (
    AVAILABLE,
    FIRST,
    NOT_AVAILABLE,
    ODDS,
    UNREADABLE,
    case,
    compared,
    compared_gap,
    estimate,
    evaluated,
    fairness,
    paired,
    sealed,
)

FLOOR = MetricGate(metric="roc_auc", at_least=0.75)
CEILING = MetricGate(metric="brier_score", at_most=0.2)
NO_WORSE = MetricGate(metric="roc_auc", no_worse_than_baseline_by=0.01)
GAP = FairnessGate(fairness=ODDS, by="sex", at_most=0.1)
NO_NEW_GAP = FairnessGate(fairness=ODDS, by="sex", no_worse_than_baseline_by=0.02)


# --- floors and ceilings ---------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "value", "outcome"),
    [
        (FLOOR, 0.7500001, Outcome.PASSED),
        (FLOOR, 0.75, Outcome.PASSED),
        (FLOOR, 0.7499999, Outcome.FAILED),
        (FLOOR, None, Outcome.ERRORED),
        (CEILING, 0.1999999, Outcome.PASSED),
        (CEILING, 0.2, Outcome.PASSED),
        (CEILING, 0.2000001, Outcome.FAILED),
        (CEILING, None, Outcome.ERRORED),
    ],
)
@pytest.mark.parametrize("baseline", [AVAILABLE, FIRST, NOT_AVAILABLE, UNREADABLE])
def test_the_point_estimate_decides_whatever_the_baseline(
    gate: MetricGate, value: float | None, outcome: Outcome, baseline: Baseline
) -> None:
    result = judge_metric("g", gate, case(baseline, evaluate=evaluated(**{gate.metric: value})))
    assert result.outcome is outcome
    if value is not None:
        assert result.measured is not None
        assert result.measured.value == value
        assert result.limit == (gate.at_least or gate.at_most)
    else:
        assert result.reason == "all one class"


def test_the_rule_is_said_in_words() -> None:
    evidence = evaluated(roc_auc=0.8, brier_score=0.1)
    assert judge_metric("g", FLOOR, case(evaluate=evidence)).rule == "roc_auc at least 0.75"
    assert judge_metric("g", CEILING, case(evaluate=evidence)).rule == "brier_score at most 0.2"
    assert (
        judge_metric("g", NO_WORSE, case(evaluate=evidence)).rule
        == "roc_auc no worse than the baseline by 0.01"
    )
    fine = MetricGate(metric="roc_auc", at_least=0.123456789)
    assert judge_metric("g", fine, case(evaluate=evidence)).rule == "roc_auc at least 0.123456789"


@pytest.mark.parametrize("gate", [FLOOR, NO_WORSE])
@pytest.mark.parametrize("baseline", [AVAILABLE, FIRST, NOT_AVAILABLE, UNREADABLE])
def test_what_the_candidate_did_not_measure_is_errored_first(
    gate: MetricGate, baseline: Baseline
) -> None:
    comparison = compared(roc_auc=paired(0.1, 0.2))
    for evidence in ({}, {"evaluate": evaluated(f1=0.5)}, {"evaluate": evaluated(roc_auc=None)}):
        result = judge_metric("g", gate, case(baseline, comparison, **evidence))
        assert result.outcome is Outcome.ERRORED
        assert result.reason


def test_a_metric_that_was_not_measured_names_those_that_were() -> None:
    result = judge_metric("g", FLOOR, case(evaluate=evaluated(f1=0.5, recall=0.5)))
    assert result.reason == "roc_auc was not measured; measured: f1, recall."


# --- gaps ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "outcome"),
    [
        (0.0999, Outcome.PASSED),
        (0.1, Outcome.PASSED),
        (0.1001, Outcome.FAILED),
        (0.0, Outcome.PASSED),
    ],
)
def test_a_gap_against_a_ceiling(gap: float, outcome: Outcome) -> None:
    result = judge_fairness("g", GAP, case(fairness=fairness(gap)))
    assert result.outcome is outcome
    assert result.rule == f"{ODDS} by sex at most 0.1"


@pytest.mark.parametrize("gate", [GAP, NO_NEW_GAP])
def test_a_gap_that_passes_says_which_classes_it_leaves_out(gate: FairnessGate) -> None:
    content = fairness(0.05).content
    gap = content.by[0].gaps[ODDS]
    left_out = "Left out: 'Enrolled', because a group has fewer than 10 rows to take a rate of."
    known = gap.model_copy(
        update={"difference": gap.difference.model_copy(update={"reason": left_out})}
    )
    by = content.by[0].model_copy(update={"gaps": {ODDS: known}})
    evidence = sealed("fairness", content.model_copy(update={"by": (by,)}))
    comparison = compared_gap(paired(-0.2, -0.1, higher=False))
    result = judge_fairness("g", gate, case(AVAILABLE, comparison, fairness=evidence))
    assert (result.outcome, result.reason) == (Outcome.PASSED, left_out)


def test_a_failed_gap_names_the_groups_and_their_rates() -> None:
    result = judge_fairness("g", GAP, case(fairness=fairness(0.5)))
    assert result.reason == "true_positive_rate is 0.500 for f and 0.500 for m."
    result = judge_fairness("g", GAP, case(fairness=fairness(0.5, rate=False)))
    assert result.reason == "true_positive_rate is lowest for f and highest for m."


@pytest.mark.parametrize("gate", [GAP, NO_NEW_GAP])
@pytest.mark.parametrize("baseline", [AVAILABLE, FIRST, NOT_AVAILABLE, UNREADABLE])
def test_a_gap_that_is_not_known_is_errored(gate: FairnessGate, baseline: Baseline) -> None:
    comparison = compared_gap(paired(-0.2, -0.1, higher=False))
    for evidence, reason in (
        ({}, "There is no evidence of the stage fairness."),
        ({"fairness": fairness(0.1, by="age")}, "It was not measured by sex; measured by: age."),
        ({"fairness": fairness(None)}, "only f has 50 rows"),
    ):
        result = judge_fairness("g", gate, case(baseline, comparison, **evidence))
        assert (result.outcome, result.reason) == (Outcome.ERRORED, reason)


NOBODY = Confusion(true_positive=0, false_positive=0, true_negative=800, false_negative=200)
EVERYBODY = Confusion(true_positive=200, false_positive=800, true_negative=0, false_negative=0)


@pytest.mark.parametrize(("confusion", "who"), [(NOBODY, "Nobody"), (EVERYBODY, "Everybody")])
@pytest.mark.parametrize("gate", [GAP, NO_NEW_GAP])
def test_a_model_that_says_the_same_of_everybody_does_not_pass_as_fair(
    gate: FairnessGate, confusion: Confusion, who: str
) -> None:
    comparison = compared_gap(paired(-0.2, -0.1, higher=False))
    stages = {"fairness": fairness(0.0), "evaluate": evaluated(confusion)}
    result = judge_fairness("g", gate, case(AVAILABLE, comparison, **stages))
    assert result.outcome is Outcome.WARNED
    assert result.reason == (
        f"{who} is predicted positive at the threshold 0.5, so a gap says nothing."
    )
    stages["evaluate"] = evaluated()
    result = judge_fairness("g", gate, case(AVAILABLE, comparison, **stages))
    assert (result.outcome, result.reason) == (Outcome.PASSED, "")


def test_a_gap_that_fails_is_not_softened_by_a_model_that_says_the_same_of_everybody() -> None:
    stages = {"fairness": fairness(0.5), "evaluate": evaluated(NOBODY)}
    assert judge_fairness("g", GAP, case(**stages)).outcome is Outcome.FAILED


def of_task(gap: str, value: float, rate: str, *, of: str | None, group: float, **evaluate: Any):
    """Both evidences of a task: one gap of groups with one rate each, and what was predicted."""
    made, content = fairness(value), evaluated()
    (by,) = made.content.by
    found = by.gaps[ODDS].model_copy(update={"rate": rate, "of": of})
    measured = {rate: estimate(group)}
    groups = tuple(
        each.model_copy(
            update={"metrics": {} if of else measured, "classes": {of: measured} if of else {}}
        )
        for each in by.groups
    )
    by = by.model_copy(update={"gaps": {gap: found}, "groups": groups})
    update = {"confusion": None, "threshold": None, **evaluate}
    return {
        "fairness": made.model_copy(
            update={"content": made.content.model_copy(update={"by": (by,)})}
        ),
        "evaluate": content.model_copy(
            update={"content": content.content.model_copy(update=update)}
        ),
    }


def residuals(low: float, high: float) -> Residuals:
    each = ResidualBin(low=low, high=high, n=50, predicted=low, actual=low)
    return Residuals(bins=(each,), quantiles={})


@pytest.mark.parametrize(
    ("gap", "evaluate", "reason"),
    [
        (
            "demographic_parity_difference",
            {"matrix": ((5, 0), (4, 0))},
            "Everybody is predicted to be of one class, so a gap says nothing.",
        ),
        ("demographic_parity_difference", {"matrix": ((5, 1), (4, 0))}, ""),
        ("accuracy_difference", {"matrix": ((5, 0), (4, 0))}, ""),
        (
            "mean_prediction_difference",
            {"residuals": residuals(3.0, 3.0)},
            "The same number is predicted for everybody, so a gap says nothing.",
        ),
        ("mean_prediction_difference", {"residuals": residuals(3.0, 4.0)}, ""),
        ("mean_absolute_error_difference", {"residuals": residuals(3.0, 3.0)}, ""),
    ],
)
def test_all_alike_is_said_of_gaps_that_a_constant_model_hides(
    gap: str, evaluate: dict[str, Any], reason: str
) -> None:
    stages = of_task(gap, 0.0, "any", of=None, group=0.5, **evaluate)
    gate = FairnessGate(fairness=gap, by="sex", at_most=0.1)
    result = judge_fairness("g", gate, case(**stages))
    outcome = Outcome.WARNED if reason else Outcome.PASSED
    assert (result.outcome, result.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("gap", "rate", "of", "group", "said"),
    [
        (
            "equal_opportunity_difference",
            "true_positive_rate",
            "Dropout",
            0.5,
            "true_positive_rate of Dropout is 0.500 for f and 0.500 for m.",
        ),
        (
            "mean_error_difference",
            "mean_error",
            None,
            -13270.4,
            "mean_error is -13,270 for f and -13,270 for m.",
        ),
    ],
)
def test_the_groups_of_a_gap_are_named_with_their_class_and_units(
    gap: str, rate: str, of: str | None, group: float, said: str
) -> None:
    stages = of_task(gap, 0.5, rate, of=of, group=group)
    gate = FairnessGate(fairness=gap, by="sex", at_most=0.1)
    result = judge_fairness("g", gate, case(**stages))
    assert (result.outcome, result.reason) == (Outcome.FAILED, said)


# --- against the baseline --------------------------------------------------------

# Intervals of candidate minus baseline for a metric of which more is better.
INTERVALS = [
    (0.02, 0.05, Outcome.PASSED),
    (-0.005, 0.03, Outcome.PASSED),
    (-0.01, -0.001, Outcome.PASSED),
    (-0.0101, 0.0, Outcome.WARNED),
    (-0.05, -0.01, Outcome.WARNED),
    (-0.05, -0.0101, Outcome.FAILED),
    (-0.5, -0.2, Outcome.FAILED),
    (0.0, 0.0, Outcome.PASSED),
]


@pytest.mark.parametrize(("low", "high", "outcome"), INTERVALS)
def test_the_whole_interval_decides(low: float, high: float, outcome: Outcome) -> None:
    evidence = evaluated(roc_auc=0.8)
    result = judge_metric(
        "g", NO_WORSE, case(AVAILABLE, compared(roc_auc=paired(low, high)), evaluate=evidence)
    )
    assert result.outcome is outcome
    assert result.limit == -0.01
    assert (result.rows_to_decide is not None) == (outcome is Outcome.WARNED)
    # The mirror image, for a metric of which less is better: same outcome, other sign.
    mirror = compared(roc_auc=paired(-high, -low, higher=False))
    other = judge_metric("g", NO_WORSE, case(AVAILABLE, mirror, evaluate=evidence))
    assert other.outcome is outcome
    assert other.limit == 0.01
    assert other.rows_to_decide == result.rows_to_decide


@pytest.mark.parametrize(("low", "high", "outcome"), INTERVALS)
def test_a_gap_is_better_when_smaller(low: float, high: float, outcome: Outcome) -> None:
    gate = FairnessGate(fairness=ODDS, by="sex", no_worse_than_baseline_by=0.01)
    comparison = compared_gap(paired(-high, -low, higher=False))
    result = judge_fairness("g", gate, case(AVAILABLE, comparison, fairness=fairness(0.3)))
    assert result.outcome is outcome


def test_the_same_model_is_no_worse_by_nothing() -> None:
    gate = MetricGate(metric="roc_auc", no_worse_than_baseline_by=0)
    comparison = compared(roc_auc=paired(0.0, 0.0))
    result = judge_metric("g", gate, case(AVAILABLE, comparison, evaluate=evaluated(roc_auc=0.8)))
    assert result.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("baseline", "outcome", "said"),
    [
        (FIRST, Outcome.SKIPPED, "There is no baseline yet."),
        (NOT_AVAILABLE, Outcome.WARNED, "The baseline is not available: no cache"),
        (UNREADABLE, Outcome.ERRORED, "The base cannot be read: bad YAML"),
    ],
)
def test_without_a_baseline(baseline: Baseline, outcome: Outcome, said: str) -> None:
    evidence = {"evaluate": evaluated(roc_auc=0.8), "fairness": fairness(0.1)}
    for result in (
        judge_metric("g", NO_WORSE, case(baseline, **evidence)),
        judge_fairness("g", NO_NEW_GAP, case(baseline, **evidence)),
    ):
        assert (result.outcome, result.reason) == (outcome, said)


@pytest.mark.parametrize(
    ("comparison", "outcome", "said"),
    [
        (None, Outcome.ERRORED, "It was not compared with the baseline."),
        (compared(), Outcome.ERRORED, "It was not compared with the baseline."),
        (
            Comparison(n=12, unit="row", status="too_few", reason="Cannot tell: only 12 rows."),
            Outcome.WARNED,
            "Cannot tell: only 12 rows.",
        ),
        (
            Comparison(n=0, unit="row", status="impossible", reason="Rows cannot be matched."),
            Outcome.ERRORED,
            "Rows cannot be matched. To make this change, first merge a pull request that "
            "changes only the policy",
        ),
        (compared(roc_auc=paired(None, None)), Outcome.WARNED, "Cannot tell: "),
        (
            compared(roc_auc=paired(None, None, baseline=None, candidate=None)),
            Outcome.WARNED,
            "Cannot tell: ",
        ),
        (compared(roc_auc=paired(None, None, baseline=None)), Outcome.WARNED, "Cannot tell: "),
        (
            compared(roc_auc=paired(None, None, candidate=None)),
            Outcome.ERRORED,
            "The candidate has no value on the common rows: ",
        ),
    ],
)
def test_without_a_difference(comparison: Comparison | None, outcome: Outcome, said: str) -> None:
    evidence = evaluated(roc_auc=0.8)
    result = judge_metric("g", NO_WORSE, case(AVAILABLE, comparison, evaluate=evidence))
    assert result.outcome is outcome
    assert result.reason.startswith(said)


def test_a_gap_is_not_known_either_where_rows_cannot_be_matched() -> None:
    comparison = Comparison(n=0, unit="row", status="impossible", reason="Not matched.")
    result = judge_fairness("g", NO_NEW_GAP, case(AVAILABLE, comparison, fairness=fairness(0.1)))
    assert result.outcome is Outcome.ERRORED
    assert result.reason.startswith("Not matched. ")
    # A limit needs no baseline.
    result = judge_fairness("g", GAP, case(AVAILABLE, comparison, fairness=fairness(0.1)))
    assert result.outcome is Outcome.PASSED


# --- monotone --------------------------------------------------------------------


def outcome_of(delta: Paired, allowed: float) -> Outcome:
    gate = MetricGate(metric="roc_auc", no_worse_than_baseline_by=allowed)
    evidence = evaluated(roc_auc=0.8)
    return judge_metric(
        "g", gate, case(AVAILABLE, compared(roc_auc=delta), evaluate=evidence)
    ).outcome


def test_a_better_measurement_never_worsens_an_outcome() -> None:
    grid = [step / 100 for step in range(-5, 6)]
    intervals = [(low, high) for low in grid for high in grid if low <= high]
    for allowed in (0.0, 0.01, 0.03):
        for (low, high), (up, more) in itertools.product(intervals, intervals):
            if up < low or more < high:
                continue
            assert outcome_of(paired(up, more), allowed) <= outcome_of(paired(low, high), allowed)
            assert outcome_of(paired(-more, -up, higher=False), allowed) <= outcome_of(
                paired(-high, -low, higher=False), allowed
            )


def test_a_wider_allowance_never_worsens_an_outcome() -> None:
    grid = [step / 100 for step in range(-5, 6)]
    for low, high in ((low, high) for low in grid for high in grid if low <= high):
        outcomes = [outcome_of(paired(low, high), allowed / 100) for allowed in range(7)]
        assert outcomes == sorted(outcomes, reverse=True)


def test_a_higher_value_never_worsens_a_floor_and_a_lower_one_never_a_ceiling() -> None:
    values = [step / 20 for step in range(1, 21)]
    floor = [judge_metric("g", FLOOR, case(evaluate=evaluated(roc_auc=v))).outcome for v in values]
    assert floor == sorted(floor, reverse=True)
    ceiling = [
        judge_metric("g", CEILING, case(evaluate=evaluated(brier_score=v))).outcome for v in values
    ]
    assert ceiling == sorted(ceiling)
    gaps = [judge_fairness("g", GAP, case(fairness=fairness(v))).outcome for v in values]
    assert gaps == sorted(gaps)
    assert {Outcome.PASSED, Outcome.FAILED} == set(floor) == set(ceiling) == set(gaps)


# --- rows_to_decide --------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "limit", "rows"),
    [
        # Half width 0.04, 0.02 from the limit: twice too wide, so four times the rows.
        (-0.02, 0.06, 0.0, 4000),
        (-0.06, 0.02, 0.0, 4000),
        (-0.02, 0.06, -0.02, 1000),
        (-0.04, 0.04, 0.0, None),
        (0.0, 0.0, 0.0, None),
        (0.01, 0.02, 0.0, 1000),
    ],
)
def test_rows_to_decide(low: float, high: float, limit: float, rows: int | None) -> None:
    assert rows_to_decide(low, high, limit, 1000) == rows


def test_with_that_many_rows_the_interval_clears_the_limit() -> None:
    low, high, limit, n = -0.03, 0.05, -0.01, 700
    rows = rows_to_decide(low, high, limit, n)
    assert rows is not None
    half = (high - low) / 2 * (n / rows) ** 0.5
    assert (low + high) / 2 - half == pytest.approx(limit, abs=1e-4)
