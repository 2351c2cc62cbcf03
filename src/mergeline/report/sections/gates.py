"""The gate table, a line a gate, and what would close a gap that failed one."""

from collections.abc import Collection

from mergeline.core.evidence import FairnessBy, Remedy
from mergeline.core.plan import Plan
from mergeline.core.verdict import GateResult, Judgement, Outcome, Verdict
from mergeline.report.markdown import code, table, text
from mergeline.report.numbers import number, plural
from mergeline.report.plainly import is_judged
from mergeline.report.words import WORD, measured, worst_first

ICON = {
    Outcome.PASSED: "✅",
    Outcome.SKIPPED: "⏭️",
    Outcome.WAIVED: "📝",
    Outcome.WARNED: "⚠️",
    Outcome.FAILED: "❌",
    Outcome.ERRORED: "❓",
}
_REMEDIES = 6


def badge(outcome: Outcome) -> str:
    """Return an outcome by icon and word."""
    word = f"**{WORD[outcome]}**" if outcome.blocks else WORD[outcome]
    return f"{ICON[outcome]} {word}"


def gate_counts(judgement: Judgement) -> str:
    """Return how many gates came out how, worst first; of both policies where there are two."""
    if judgement.proposed is None:
        return _counts(judgement.verdict.gates)
    base, head = _counts(judgement.verdict.gates), _counts(judgement.proposed.gates)
    return f"{base} by the rules in force; {head} by those of this pull request"


def _counts(gates: Collection[GateResult]) -> str:
    found = [gate.outcome for gate in gates]
    outcomes = sorted(set(found), reverse=True)
    return ", ".join(f"{found.count(each)} {WORD[each]}" for each in outcomes) or "none"


def gate_table(judgement: Judgement, *, width: int, most: int | None) -> str:
    """Return the table of gates, worst first.

    Args:
        judgement: One verdict, or two where the pull request changes the policy.
        width: Characters of a reason or a waiver, at most.
        most: Rows, at most; None for all.
    """
    if judgement.proposed is None:
        return _one(judgement.verdict, width, most)
    return _two(judgement.verdict, judgement.proposed, width, most)


def _one(verdict: Verdict, width: int, most: int | None) -> str:
    if not verdict.gates:
        return "The policy has no gates, so nothing can pass."
    gates = worst_first(verdict.gates)
    rows = [
        (
            badge(gate.outcome),
            code(gate.name),
            measured(gate),
            text(gate.rule, width),
            _why(gate, width),
        )
        for gate in gates[:most]
    ]
    # What a phone shows without scrolling comes first; the rule names the limit.
    header = ("Outcome", "Gate", "Measured (95 % interval)", "Rule", "Why")
    return table(header, rows, numeric=(2,)) + _more(gates[len(rows) :])


def _two(base: Verdict, head: Verdict, width: int, most: int | None) -> str:
    old = {gate.name: gate for gate in base.gates}
    new = {gate.name: gate for gate in head.gates}
    names = sorted(dict.fromkeys((*old, *new)), key=lambda name: -_worst(old, new, name))
    if not names:
        return "Neither policy has gates, so nothing can pass."
    rows = [_both(name, old.get(name), new.get(name), width) for name in names[:most]]
    header = ("Gate", "Rules in force (base)", "Rules of this pull request", "Measured", "Why")
    rest = [old.get(name) or new[name] for name in names[len(rows) :]]
    return table(header, rows, numeric=(3,)) + _more(rest)


def _worst(old: dict[str, GateResult], new: dict[str, GateResult], name: str) -> int:
    return max(gates[name].outcome for gates in (old, new) if name in gates)


def _both(name: str, old: GateResult | None, new: GateResult | None, width: int) -> tuple[str, ...]:
    same = old is not None and new is not None and old.rule == new.rule
    there = [gate for gate in (old, new) if gate is not None]
    return (
        code(name),
        "no such gate" if old is None else f"{badge(old.outcome)}: {text(old.rule, width)}",
        "gate removed"
        if new is None
        else f"{badge(new.outcome)}: {'the same' if same else text(new.rule, width)}",
        "<br>".join(dict.fromkeys(measured(gate) for gate in there)),
        "<br>".join(dict.fromkeys(why for gate in there if (why := _why(gate, width)))),
    )


def _why(gate: GateResult, width: int) -> str:
    parts = [text(gate.reason, width)] if gate.reason else []
    if gate.rows_to_decide is not None:
        parts.append(f"About {gate.rows_to_decide:,} common rows would decide.")
    if gate.waiver:
        parts.append(f"Waived: {text(gate.waiver, width)}.")
    return " ".join(parts)


def _more(gates: Collection[GateResult]) -> str:
    if not gates:
        return ""
    more = plural(len(gates), "more gate")
    return f"\n\n{more}, none worse than these: {_counts(gates)}."


# --- remedies --------------------------------------------------------------------


# A remedy that leaves more of the gap than this is no remedy.
_WORTH_SAYING = 0.8
# Another gap is told where it grows by a tenth, and by more than this: of the mean absolute error
# where a number is predicted.
_MUCH_LARGER, _SMALL, _OTHERS = 1.1, 0.02, 4


def remedies(plan: Plan) -> str:
    """Return what would close the gaps that did not pass a gate, a line each; else empty."""
    verdicts = [plan.judgement.verdict, plan.judgement.proposed]
    rules = {
        gate.rule
        for verdict in verdicts
        if verdict is not None
        for gate in verdict.gates
        if gate.outcome is not Outcome.PASSED and gate.measured is not None
    }
    aimed = [item for item in _all_remedies(plan) if is_judged(item[1].gap, item[0], rules)][
        :_REMEDIES
    ]
    if not aimed:
        return ""
    lines = [f"- {code(remedy.gap)} by {code(by)}: {remedy_line(remedy)}" for by, remedy in aimed]
    said = "**What would close the gap**, measured on held-out rows that it was not fitted on:"
    return "\n".join((said, "", *lines))


def remedy_line(remedy: Remedy) -> str:
    """Return one remedy with what it costs."""
    gap = f"{number(remedy.gap_before)} → {number(remedy.gap_after)}"
    return f"{text(remedy.setting, 160)}: gap {gap}, {remedy_cost(remedy)} (n = {remedy.n:,})"


def remedy_cost(remedy: Remedy) -> str:
    """Return what a remedy does to the accuracy, or the mean absolute error, and to other gaps."""
    what, sides = "accuracy", (remedy.accuracy_before, remedy.accuracy_after)
    if None in sides:
        what, sides = "mean absolute error", (remedy.error_before, remedy.error_after)
    said = f"{what} {' → '.join(number(side) for side in sides if side is not None)}"
    opened = [
        f"{code(name)} {number(before)} → {number(after)}"
        for name, before, after in opened_gaps(remedy)
    ]
    return f"{said}; **opens** {' and '.join(opened)}" if opened else said


def opened_gaps(remedy: Remedy) -> list[tuple[str, float, float]]:
    """Return other gaps that a remedy makes much larger, before and after."""
    return [
        (name, before, after)
        for name, (before, after) in list(remedy.others.items())[:_OTHERS]
        if after > _MUCH_LARGER * before and after - before > _SMALL * (remedy.error_before or 1)
    ]


def _all_remedies(plan: Plan) -> list[tuple[str, Remedy]]:
    if plan.evidence.fairness is None:
        return []
    return [
        (found.by, remedy)
        for found in plan.evidence.fairness.content.by
        for remedy in helpful(found)
    ]


def helpful(found: FairnessBy) -> tuple[Remedy, ...]:
    """Return the remedies that took at least a fifth off their gap where they were measured."""
    return tuple(r for r in found.remedies if r.gap_after <= _WORTH_SAYING * r.gap_before)
