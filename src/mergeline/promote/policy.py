"""What the gates of a plan that was judged again come to, in words."""

from mergeline.config.problem import printable
from mergeline.core.answers import Answer, Name, answer
from mergeline.core.plan import Plan
from mergeline.core.verdict import GateResult, Outcome, Verdict
from mergeline.promote.line import CARRY

_LOOSENED = "the loosened policy counts from the next pull request on, which carries the model"
_SHOWN, _LONGEST = 3, 300


def refused_by_policy(plan: Plan) -> Answer | None:
    """Return what the gates refuse, or POLICY_ONLY; None for a plan that may be promoted."""
    judgement = plan.judgement
    match judgement.answer:
        case "PROMOTE":
            return None
        case "POLICY_ONLY":
            reason = "The pull request changed the policy and nothing that a model is made from."
            return answer(Name.POLICY_ONLY, reason)
        case "POLICY_FAILED":
            blocking = _blocking(judgement.proposed or judgement.verdict)
            return answer(Name.POLICY_FAILED, blocking, "mend the model, or the gate in the open")
        case "POLICY_WEAKENED":
            blocking = _blocking(judgement.verdict)
            reason = f"Only the new policy lets this pass; by the old one: {blocking}"
            return answer(Name.POLICY_WEAKENED, reason, _LOOSENED)
        case "NOT_PROMOTABLE":
            reason = "The reviewed build was made from files that are not committed."
            return answer(Name.EVIDENCE_INVALID, reason, CARRY)


def _blocking(verdict: Verdict) -> str:
    """Name the gates that block, and those of which nothing is known."""
    gates = [gate for gate in verdict.gates if gate.outcome.blocks]
    told = "; ".join(_gate(gate) for gate in gates[:_SHOWN]) or "there is no gate at all"
    return told + (f"; and {len(gates) - _SHOWN} more." if len(gates) > _SHOWN else ".")


def _gate(gate: GateResult) -> str:
    unknown = ", that is, we do not know" if gate.outcome is Outcome.ERRORED else ""
    why = printable(gate.reason)[:_LONGEST].rstrip(".")
    return f"{gate.name} ({gate.rule}) {gate.outcome.name}{unknown}" + (f": {why}" if why else "")


def gates_unlike(one: Plan, other: Plan) -> list[str]:
    """Name the gates with another outcome in a second build."""
    first, second = _outcomes(one), _outcomes(other)
    return [
        f"the gate {name} of the {policy} is {was} in one build and {second.get((policy, name))} "
        "in the other"
        for (policy, name), was in first.items()
        if second.get((policy, name)) != was
    ]


def _outcomes(plan: Plan) -> dict[tuple[str, str], str]:
    verdicts = {"old policy": plan.judgement.verdict, "new policy": plan.judgement.proposed}
    return {
        (policy, gate.name): gate.outcome.name
        for policy, verdict in verdicts.items()
        for gate in (verdict.gates if verdict else ())
    }
