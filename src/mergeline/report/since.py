"""What is new since the last push of the same pull request: one line."""

from collections.abc import Iterator

from mergeline.core.plan import GateSeen, Plan, Push
from mergeline.core.verdict import GateResult
from mergeline.ledger.seen import gates_seen, kept_name
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


def _gates(plan: Plan, before: Push) -> Iterator[str]:
    now = gates_seen(plan.judgement)
    if before.gates is None:
        if before.outcome is not plan.judgement.outcome:
            yield f"{WORD[before.outcome]} → {WORD[plan.judgement.outcome]}"
        return
    names = {kept_name(gate.name): gate for gate in plan.judgement.verdict.gates}
    both = [name for name in now if name in before.gates]
    turned = [name for name in both if now[name].outcome is not before.gates[name].outcome]
    for name in turned[:_GATES]:
        yield _turned(names[name], before.gates[name], now[name])
    if len(turned) > _GATES:
        yield f"{plural(len(turned) - _GATES, 'more gate')} came out otherwise"
    moved = [n for n in both if n not in turned and now[n].value != before.gates[n].value]
    for name in moved[:_GATES] if not turned else ():
        yield _turned(names[name], before.gates[name], now[name])
    more = len(moved) if turned else len(moved) - _GATES
    if more > 0:
        yield f"{plural(more, 'gate')} came out the same with another value"
    new = sum(name not in before.gates for name in now)
    gone = sum(name not in names for name in before.gates)
    if new:
        yield f"{plural(new, 'new gate')}"
    if gone:
        yield f"{plural(gone, 'gate')} gone"


def _turned(gate: GateResult, old: GateSeen, new: GateSeen) -> str:
    same = old.outcome is new.outcome
    outcomes = WORD[new.outcome] if same else f"{WORD[old.outcome]} → **{WORD[new.outcome]}**"
    values = [number(each.value, limit=gate.limit) for each in (old, new) if each.value is not None]
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
