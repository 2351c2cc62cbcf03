import pytest
from pydantic import TypeAdapter, ValidationError

from mergeline.core.policy import (
    CheckGate,
    DataGate,
    ExplainGate,
    FairnessGate,
    Gate,
    LatencyGate,
    MetricGate,
    Policy,
    SizeGate,
    SliceGate,
)

GATE: TypeAdapter[Gate] = TypeAdapter(Gate)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"metric": "roc_auc", "at_least": 0.5}, MetricGate),
        ({"fairness": "equalized_odds_difference", "by": "sex", "at_most": 0.1}, FairnessGate),
        ({"check": "data"}, CheckGate),
        ({"check": "data", "name": "mixed_nulls"}, CheckGate),
        ({"explain": "sex", "at_most_rank": 3}, ExplainGate),
        ({"slice": "purpose", "metric": "roc_auc", "at_least": 0.5}, SliceGate),
        ({"metric": "f1", "slice": "purpose", "value": "car", "at_most": 0.5}, SliceGate),
        ({"latency": 1000, "at_most": 20}, LatencyGate),
        ({"size": "model", "at_most": 5_000_000}, SizeGate),
        ({"data": "rows", "at_least": 1000}, DataGate),
        ({"data": "leak", "column": "x", "no_worse_than_baseline_by": 0.1}, DataGate),
        ({"data": "drift", "at_most": 0.2, "level": "warn"}, DataGate),
    ],
)
def test_the_key_that_names_what_is_judged_picks_the_kind(value: object, kind: type) -> None:
    gate = GATE.validate_python(value)
    assert type(gate) is kind
    assert GATE.validate_json(GATE.dump_json(gate)) == gate


@pytest.mark.parametrize(
    "value",
    [
        {},
        3,
        {"metric": "roc_auc"},
        {"metric": "roc_auc", "at_least": 0.5, "no_worse_than_baseline_by": 0.1},
        {"metric": "roc_auc", "no_worse_than_baseline_by": -0.1},
        {"metric": "roc_auc", "at_least": float("nan")},
        {"metric": "roc_auc", "fairness": "equalized_odds_difference", "at_most": 0.1},
        {"fairness": "equalized_odds_difference", "by": "sex", "at_least": 0.1},
        {"check": "data", "level": "ignore"},
        {"explain": "sex", "at_most_rank": 0},
        {"slice": "purpose", "metric": "roc_auc"},
        {"slice": "purpose", "at_least": 0.5},
        {"slice": "purpose", "metric": "f1", "at_least": 0.5, "min_rows": 9},
        {"slice": "purpose", "metric": "f1", "no_worse_than_baseline_by": 0.1},
        {"latency": 10, "at_most": 20},
        {"latency": 1, "at_most": 0},
        {"latency": 1},
        {"size": "data", "at_most": 5},
        {"size": "model", "at_most": 0},
        {"data": "rows", "at_least": 5, "column": "x"},
        {"data": "missing", "at_least": 0.1},
        {"data": "leak", "at_least": 0.1},
        {"data": "drift", "no_worse_than_baseline_by": 0.1},
        {"data": "rows"},
    ],
)
def test_other_gates_are_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        GATE.validate_python(value)


def test_a_policy_round_trips_and_knows_equal_ones() -> None:
    policy = Policy(
        gates={"a": MetricGate(metric="f1", at_least=0.5), "b": CheckGate(check="data")}
    )
    assert Policy.model_validate_json(policy.model_dump_json()) == policy


def test_a_value_cannot_be_changed() -> None:
    gate = CheckGate(check="data")
    with pytest.raises(ValidationError):
        gate.level = "warn"  # type: ignore[misc]
