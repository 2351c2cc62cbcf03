"""What is new since the last push of the same pull request: one line."""

from collections.abc import Iterator

from mergeline.core.plan import GateSeen, Plan, Push
from mergeline.core.verdict import GateResult
from mergeline.ledger.seen import GATES, kept_name
from mergeline.report.markdown import code
from mergeline.report.numbers import number, plural
from mergeline.report.words import WORD

_GATES = 4  # in one line, at most


def since_push(plan: Plan) -> str:
    """Return it as Markdown: gates that came out otherwise first; empty for a first push."""
    before = plan.previous
    if before is None:
        return ""
    said = [*_gates(plan, before), *_made(plan, before)]
    told = "; ".join(said) if said else "nothing that is measured changed"
    return f"**Since the last push** ({code(before.commit[:12])}): {told}."


def gates_again(plan: Plan) -> list[tuple[GateResult, GateSeen]]:
    """Return the gates that the last review judged too, the worst first, with what it saw."""
    seen = (plan.previous.gates if plan.previous is not None else None) or {}
    found = [(gate, seen.get(kept_name(gate.name))) for gate in plan.judgement.verdict.gates]
    both = [(gate, before) for gate, before in found if before is not None]
    return sorted(both, key=lambda pair: -pair[0].outcome)


def _gates(plan: Plan, before: Push) -> Iterator[str]:
    if before.gates is None:
        if before.outcome is not plan.judgement.outcome:
            yield f"{WORD[before.outcome]} → {WORD[plan.judgement.outcome]}"
        return
    both = gates_again(plan)
    turned = [(gate, old) for gate, old in both if gate.outcome is not old.outcome]
    yield from (_turned(gate, old) for gate, old in turned[:_GATES])
    if len(turned) > _GATES:
        yield f"{plural(len(turned) - _GATES, 'more gate')} came out otherwise"
    moved = [
        (gate, old)
        for gate, old in both
        if gate.outcome is old.outcome and _value(gate) != old.value
    ]
    yield from (_turned(gate, old) for gate, old in moved[:_GATES] if not turned)
    more = len(moved) if turned else len(moved) - _GATES
    if more > 0:
        yield f"{plural(more, 'gate')} came out the same with another value"
    gone = before.gates.keys() - {kept_name(gate.name) for gate in plan.judgement.verdict.gates}
    new = len(plan.judgement.verdict.gates) - len(both)
    # Of more gates than are kept nobody knows which are new.
    if new and len(before.gates) < GATES:
        yield f"{plural(new, 'new gate')}"
    if gone:
        yield f"{plural(len(gone), 'gate')} gone"


def _value(gate: GateResult) -> float | None:
    return gate.measured.value if gate.measured is not None else None


def _turned(gate: GateResult, old: GateSeen) -> str:
    same = old.outcome is gate.outcome
    outcomes = WORD[gate.outcome] if same else f"{WORD[old.outcome]} → **{WORD[gate.outcome]}**"
    found = (old.value, _value(gate))
    values = [number(each, limit=gate.limit) for each in found if each is not None]
    shown = f" ({' → '.join(dict.fromkeys(values))})" if values else ""
    return f"{code(gate.name)} {'still ' if same else ''}{outcomes}{shown}"


def _made(plan: Plan, before: Push) -> Iterator[str]:
    """Say what was made anew; what gates measure follows from it."""
    now = plan.candidate
    if now.model != before.model:
        yield "the model is another one"
    elif now.inputs != before.inputs:
        yield "what it is made from changed, the model did not"
    elif now.evidence != before.evidence:
        yield "the same model was measured otherwise"
