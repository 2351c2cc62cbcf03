"""From evidence and policy to a verdict. Pure: the day is an argument."""

from datetime import date

from mergeline.core.case import Case, errored
from mergeline.core.costs import judge_latency, judge_size
from mergeline.core.findings import judge_check, judge_explain
from mergeline.core.limits import judge_fairness, judge_metric, rows_to_decide
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
from mergeline.core.slices import judge_slice
from mergeline.core.tables import judge_data
from mergeline.core.verdict import Answer, Banner, GateResult, Judgement, Outcome, Verdict

__all__ = ["Case", "judge", "judge_change", "rows_to_decide"]

# The row that stands for a base whose policy cannot be known.
BASE_POLICY = "policy-of-the-base"


def judge(policy: Policy, case: Case, *, today: date) -> Verdict:
    """Judge every gate of a policy; a policy without gates is ERRORED.

    Args:
        policy: The gates and waivers to judge by.
        case: Evidence and comparison.
        today: The day on which waivers are held against their expiry.
    """
    results = (_judge_gate(name, gate, case) for name, gate in policy.gates.items())
    return _verdict(tuple(_waived(result, policy, today) for result in results))


def judge_change(
    base: Policy | None,
    head: Policy,
    case: Case,
    *,
    inputs_changed: bool,
    today: date,
    dirty: bool = False,
) -> Judgement:
    """Judge a change by the base's policy and, where it changes the policy, by its own too.

    A loosening counts from the next change on, a tightening at once; a change of the
    policy alone promotes nothing, and what fails on the base already only warns.

    Args:
        base: The policy of the base; None when the base has none (a first pull request)
            or cannot be read.
        head: The policy of the head.
        case: Evidence and comparison.
        inputs_changed: Whether I differs from the base's I.
        today: The day on which waivers are held against their expiry.
        dirty: Whether what was measured is not what is committed: nothing to promote.
    """
    proposed = None if base is None or base == head else judge(head, case, today=today)
    verdict = judge(base or head, case, today=today)
    if base is None and case.baseline.status != "none":
        verdict = _unreadable_base(verdict, case)
    banners = _policy_banners(base, head, inputs_changed=inputs_changed)
    if proposed is not None and not inputs_changed:
        verdict, proposed = _as_on_base(verdict), _as_on_base(proposed)
        answer: Answer = "POLICY_ONLY"
    else:
        answer = _answer(verdict, proposed or verdict)
    return Judgement(
        outcome=max(verdict.outcome, proposed.outcome) if proposed else verdict.outcome,
        verdict=verdict,
        proposed=proposed,
        answer="NOT_PROMOTABLE" if dirty else answer,
        banners=banners,
    )


def _answer(verdict: Verdict, proposed: Verdict) -> Answer:
    """Say what a merge that changes inputs would get: both policies must let it pass."""
    if proposed.outcome.blocks:
        return "POLICY_FAILED"
    return "POLICY_WEAKENED" if verdict.outcome.blocks else "PROMOTE"


def _verdict(gates: tuple[GateResult, ...]) -> Verdict:
    return Verdict(
        outcome=max((gate.outcome for gate in gates), default=Outcome.ERRORED), gates=gates
    )


# --- one gate --------------------------------------------------------------------


def _judge_gate(name: str, gate: Gate, case: Case) -> GateResult:
    match gate:
        case MetricGate():
            result = judge_metric(name, gate, case)
        case FairnessGate():
            result = judge_fairness(name, gate, case)
        case CheckGate():
            result = judge_check(name, gate, case)
        case ExplainGate():
            result = judge_explain(name, gate, case)
        case SliceGate():
            result = judge_slice(name, gate, case)
        case LatencyGate():
            result = judge_latency(name, gate, case)
        case SizeGate():
            result = judge_size(name, gate, case)
        case DataGate():
            result = judge_data(name, gate, case)
    if result.outcome is Outcome.FAILED and gate.level == "warn":
        return result.model_copy(update={"outcome": Outcome.WARNED})
    return result


def _waived(result: GateResult, policy: Policy, today: date) -> GateResult:
    """A waiver covers FAILED only, up to and with its last day."""
    ours = [waiver for waiver in policy.waivers if waiver.gate == result.name]
    if result.outcome is not Outcome.FAILED or not ours:
        return result
    last = max(ours, key=lambda waiver: waiver.expires)
    day = last.expires.isoformat()
    if today <= last.expires:
        word = f"{last.reason} ({last.owner}, until {day})"
        return result.model_copy(update={"outcome": Outcome.WAIVED, "waiver": word})
    reason = f"{result.reason} Its waiver expired on {day}.".strip()
    return result.model_copy(update={"reason": reason})


# --- a change of the policy ------------------------------------------------------


def _as_on_base(verdict: Verdict) -> Verdict:
    """The inputs are the base's, so what fails here fails there: warned, not failed."""
    return _verdict(tuple(_warned_as_on_base(gate) for gate in verdict.gates))


def _warned_as_on_base(gate: GateResult) -> GateResult:
    if gate.outcome is not Outcome.FAILED:
        return gate
    reason = f"{gate.reason} It is so on the base already.".strip()
    return gate.model_copy(update={"outcome": Outcome.WARNED, "reason": reason})


def _unreadable_base(verdict: Verdict, case: Case) -> Verdict:
    """The head's own policy must not stand in for one that is there and not known."""
    reason = case.baseline.reason or "The policy of the base is not known."
    row = errored(BASE_POLICY, "the policy of the base is known", reason)
    return _verdict((row, *verdict.gates))


def _policy_banners(
    base: Policy | None, head: Policy, *, inputs_changed: bool
) -> tuple[Banner, ...]:
    if base is None or base == head:
        return ()
    what = _what_changed(base, head)
    if inputs_changed:
        text = (
            f"This pull request changes the policy: it {what}. It is judged by the policy of "
            "the base and by its own: a loosening counts from the next pull request on, "
            "a tightening at once."
        )
        return (Banner(kind="policy-changed", text=text),)
    text = (
        f"This pull request changes the policy: it {what}. It changes nothing that a model is "
        "made from, so it promotes nothing; its policy counts from the next pull request on."
    )
    return (Banner(kind="policy-only", text=text),)


def _what_changed(base: Policy, head: Policy) -> str:
    both = base.gates.keys() & head.gates.keys()
    changed = {name for name in both if base.gates[name] != head.gates[name]}
    parts = [
        f"{verb} the {'gate' if len(names) == 1 else 'gates'} {', '.join(sorted(names))}"
        for verb, names in (
            ("removes", base.gates.keys() - both),
            ("changes", changed),
            ("adds", head.gates.keys() - both),
        )
        if names
    ]
    parts += ["changes waivers"] if base.waivers != head.waivers else []
    parts += ["changes the rules of promotion"] if base.promotion != head.promotion else []
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
