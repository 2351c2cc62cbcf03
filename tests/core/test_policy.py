import pytest
from pydantic import TypeAdapter, ValidationError

from mergeline.core.policy import CheckGate, ExplainGate, FairnessGate, Gate, MetricGate, Policy

GATE: TypeAdapter[Gate] = TypeAdapter(Gate)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"metric": "roc_auc", "at_least": 0.5}, MetricGate),
        ({"fairness": "equalized_odds_difference", "by": "sex", "at_most": 0.1}, FairnessGate),
        ({"check": "data"}, CheckGate),
        ({"explain": "sex", "at_most_rank": 3}, ExplainGate),
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
