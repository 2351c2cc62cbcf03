"""Gates on what a model costs to serve: time and bytes."""

from mergeline.core.base import Estimate
from mergeline.core.case import Case, errored, no_evidence
from mergeline.core.policy import LatencyGate, SizeGate
from mergeline.core.verdict import GateResult, Outcome

_WHERE = "Measured in the build, on its machine; no digest covers it."


def judge_latency(name: str, gate: LatencyGate, case: Case) -> GateResult:
    """Judge the median time of a call, in milliseconds.

    It is the build's word and differs from run to run: the same model can pass here and fail
    there. With fewer than 1000 held-out rows a call of all of them stands for it.
    """
    rows = "1 row" if gate.latency == 1 else f"{gate.latency} rows"
    rule = f"scoring {rows} takes at most {gate.at_most:.12g} ms"
    if case.evidence.evaluate is None:
        return errored(name, rule, no_evidence("evaluate"))
    evaluate = case.evidence.evaluate
    size = min(gate.latency, evaluate.content.n)
    spent = evaluate.timing.latency_ms.get(str(size))
    if spent is None:
        return errored(name, rule, f"No call of {rows} was timed.")
    few = "" if size == gate.latency else f" There are only {size} held-out rows to score."
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if spent <= gate.at_most else Outcome.FAILED,
        measured=Estimate(value=spent, n=size),
        limit=gate.at_most,
        reason=f"{_WHERE}{few}",
    )


def judge_size(name: str, gate: SizeGate, case: Case) -> GateResult:
    """Judge the bytes of the model's directory."""
    rule = f"the model has at most {gate.at_most} bytes"
    if case.evidence.evaluate is None:
        return errored(name, rule, no_evidence("evaluate"))
    content = case.evidence.evaluate.content
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if content.model_bytes <= gate.at_most else Outcome.FAILED,
        measured=Estimate(value=content.model_bytes, n=content.n),
        limit=gate.at_most,
    )
