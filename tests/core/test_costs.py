from typing import Any

import pytest

from mergeline.core.costs import judge_latency, judge_size
from mergeline.core.policy import LatencyGate, SizeGate
from mergeline.core.verdict import Outcome

from .cases import case, evaluated

ONE, MANY = LatencyGate(latency=1, at_most=20), LatencyGate(latency=1000, at_most=20)
SAID = "Measured in the build, on its machine; no digest covers it."


def timed(n: int = 5000, **spent: float) -> Any:
    evidence = evaluated()
    timing = evidence.timing.model_copy(
        update={"latency_ms": {size[1:]: value for size, value in spent.items()}}
    )
    content = evidence.content.model_copy(update={"n": n, "model_bytes": 5000})
    return case(evaluate=evidence.model_copy(update={"timing": timing, "content": content}))


@pytest.mark.parametrize(
    ("gate", "spent", "outcome"),
    [
        (ONE, {"_1": 20.0, "_1000": 90.0}, Outcome.PASSED),
        (ONE, {"_1": 20.01, "_1000": 1.0}, Outcome.FAILED),
        (MANY, {"_1": 90.0, "_1000": 20.0}, Outcome.PASSED),
        (MANY, {"_1": 1.0, "_1000": 20.01}, Outcome.FAILED),
    ],
)
def test_the_median_call_decides(
    gate: LatencyGate, spent: dict[str, float], outcome: Outcome
) -> None:
    result = judge_latency("g", gate, timed(**spent))
    assert (result.outcome, result.limit, result.reason) == (outcome, 20, SAID)
    assert result.measured is not None
    assert result.measured.value == spent[f"_{gate.latency}"]
    assert result.rule == (f"scoring {'1 row' if gate is ONE else '1000 rows'} takes at most 20 ms")


def test_of_few_held_out_rows_all_are_one_call() -> None:
    result = judge_latency("g", MANY, timed(n=240, _1=1.0, _240=21.0))
    assert result.outcome is Outcome.FAILED
    assert result.reason == f"{SAID} There are only 240 held-out rows to score."
    assert result.measured is not None
    assert result.measured.n == 240


@pytest.mark.parametrize("gate", [ONE, MANY])
@pytest.mark.parametrize("spent", [{}, {"_0001": 1.0, "_9": 1.0, "_x": 1.0}])
def test_what_was_not_timed_is_not_known(gate: LatencyGate, spent: dict[str, float]) -> None:
    result = judge_latency("g", gate, timed(**spent))
    assert result.outcome is Outcome.ERRORED
    assert "was timed" in result.reason
    assert judge_latency("g", gate, case()).outcome is Outcome.ERRORED


@pytest.mark.parametrize(("most", "outcome"), [(5000, Outcome.PASSED), (4999, Outcome.FAILED)])
def test_the_bytes_of_the_model_decide(most: int, outcome: Outcome) -> None:
    gate = SizeGate(size="model", at_most=most)
    result = judge_size("g", gate, timed())
    assert (result.outcome, result.rule) == (outcome, f"the model has at most {most} bytes")
    assert judge_size("g", gate, case()).outcome is Outcome.ERRORED
