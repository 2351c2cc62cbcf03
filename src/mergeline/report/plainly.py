"""The change against the baseline in plain terms: for whoever knows the product, not the model.

Names stand in these clauses as they are: a renderer escapes them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from mergeline.core.base import Estimate
from mergeline.core.plan import Plan
from mergeline.core.verdict import Outcome, Paired, Practical
from mergeline.report.against import primary_pair, same_model
from mergeline.report.markdown import plain
from mergeline.report.numbers import estimate, number, plural

_NAME = 40  # characters of a name within a clause
_POSITIVE = "positive"  # the noun where nobody gave one
_WELL = (Outcome.PASSED, Outcome.SKIPPED)
_WORDS = 2  # of more words the last one is rarely the noun

How = Literal["better", "worse", "cannot_tell"]


@dataclass(frozen=True)
class Change:
    """How a model compares with the baseline's.

    Attributes:
        said: A clause without its subject: `catches 3.1 (1.2 to 4.9) more of 100 defaulters`.
    """

    how: How
    said: str


def change_plainly(plan: Plan) -> Change | None:
    """Return the change in terms of what the model is for, else that of the primary metric.

    Returns:
        None where the models were not compared, or are the same.
    """
    primary = primary_pair(plan)
    if primary is None or same_model(plan):
        return None
    found = plan.comparison.practical if plan.comparison is not None else None
    if found is None or found.paired.delta.value is None:
        return _by_primary(plan, primary)
    how = found.paired.outcome
    said = _said(found, plan)
    if primary.outcome not in (how, "cannot_tell"):  # the gates are on the metric
        said += f" ({primary.outcome} by {_primary_name(plan)})"
    return Change(how, said)


def _by_primary(plan: Plan, primary: Paired) -> Change:
    moved = estimate(primary.delta, sign=True)
    return Change(primary.outcome, f"{_primary_name(plan)} moves by {moved}")


def _primary_name(plan: Plan) -> str:
    evaluate = plan.evidence.evaluate
    return plain(evaluate.content.primary, _NAME) if evaluate else ""


def _said(found: Practical, plan: Plan) -> str:
    delta = found.paired.delta
    match found.kind:
        case "caught":
            amount = _amount(delta, "more", "fewer", decimals=1)
            return f"catches {amount} of 100 {_several(plan.noun)} at the same share flagged"
        case "right":
            return f"gets {_amount(delta, 'more', 'fewer', decimals=1)} of 100 rows right"
        case "off":
            prepare = plan.evidence.prepare
            of = f" of {plain(prepare.content.target, _NAME)}" if prepare else ""
            return f"predictions{of} are off by {_amount(delta, 'more', 'less')} on average"


def _several(noun: str) -> str:
    """Return a noun's plural, where it is one that English knows how to make."""
    noun = plain(noun, _NAME)
    known = noun.isascii() and noun[-1:].isalpha() and len(noun.split()) <= _WORDS
    if noun == _POSITIVE or not known:
        return f"{noun} rows"
    if noun.endswith(("s", "x", "ch", "sh")):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def _amount(delta: Estimate, more: str, less: str, *, decimals: int | None = None) -> str:
    """Return a difference with its interval: `3.1 (1.2 to 4.9) more`, `1.2 less to 2 more`."""
    value = delta.value or 0.0
    if delta.low is None or delta.high is None:
        return f"{_short(abs(value), abs(value), decimals)} {more if value > 0 else less}"
    low, high = delta.low, delta.high
    among = max(abs(low), abs(high), abs(value))
    if low > 0 or high < 0:
        ends = sorted((abs(low), abs(high)))
        first, near, far = (_short(each, among, decimals) for each in (abs(value), *ends))
        return f"{first} ({near} to {far}) {more if value > 0 else less}"
    start = f"{_short(-low, among, decimals)} {less}" if low else "0"
    end = f"{_short(high, among, decimals)} {more}" if high else "0"
    return f"{start} to {end}"


def _short(value: float, among: float, decimals: int | None) -> str:
    """Return a number for a sentence: with fewer digits than in a table."""
    if decimals is None:
        return number(round(value) if among >= 10 else round(value, 3))  # noqa: PLR2004 -- digits
    shown = f"{value:,.{decimals + (among < 1)}f}"
    return shown if value == 0 or float(shown.replace(",", "")) else f"{value:.1g}"


# --- fairness ----------------------------------------------------------------------------


def judged_gaps(plan: Plan) -> list[tuple[str, str]]:
    """Return column and gap of each that a gate is on, in the evidence's order."""
    if plan.evidence.fairness is None:
        return []
    verdicts = (plan.judgement.verdict, plan.judgement.proposed)
    rules = {gate.rule for verdict in verdicts if verdict for gate in verdict.gates}
    return [
        (found.by, name)
        for found in plan.evidence.fairness.content.by
        for name in found.gaps
        if is_judged(name, found.by, rules)
    ]


def troubled_gaps(plan: Plan, *, blocking: bool = False) -> list[tuple[str, str]]:
    """Return column and gap of each that a gate did not simply pass, or that stands in the way."""
    verdicts = (plan.judgement.verdict, plan.judgement.proposed)
    rules = {
        gate.rule
        for verdict in verdicts
        if verdict is not None
        for gate in verdict.gates
        if (gate.outcome.blocks if blocking else gate.outcome not in _WELL)
    }
    return [(by, name) for by, name in judged_gaps(plan) if is_judged(name, by, rules)]


def is_judged(gap: str, by: str, rules: Collection[str]) -> bool:
    """Whether one of these rules is about the gap; a rule's words are the judge's."""
    start = f"{gap} by {by} "
    return any(rule.startswith((f"{start}at most ", f"{start}no worse ")) for rule in rules)


def gap_plainly(plan: Plan) -> str:
    """Return how a gap moved, a clause: of columns that a gate is on, the one that moved worst.

    A gap that no gate is on is named only where it got clearly worse, and the judged ones did not.
    """
    pairs = plan.comparison.fairness if plan.comparison is not None else {}
    judged = judged_gaps(plan)
    columns = {by for by, _ in judged}
    found = [
        (by, name, pair)
        for by in columns & pairs.keys()
        for name, pair in pairs[by].items()
        if pair.delta.value is not None and ((by, name) in judged or pair.outcome == "worse")
    ]
    if not found or same_model(plan):
        return ""
    by, name, pair = max(found, key=lambda item: (*_badness(item[2]), item[:2] in judged, item[:2]))
    moved = pair.delta.value or 0.0
    measured = len({by for by, _, _ in found})
    others = f", the worst of {plural(measured, 'column')}" if measured > 1 else ""
    what = plain(name, _NAME).removesuffix("_difference").replace("_", " ")
    gap = f"the {what} gap by {plain(by, _NAME)}"
    if moved == 0 and pair.outcome == "cannot_tell":
        return f"{gap} is unchanged{others}"
    if pair.outcome == "cannot_tell":
        return f"no clear change in {gap}{others}"
    rates = plan.evidence.evaluate is None or plan.evidence.evaluate.content.task != "regression"
    size = f"{100 * abs(moved):.1f} points" if rates else number(abs(moved))
    return f"{gap} {'grows' if moved > 0 else 'shrinks'} by {size}{others}"


def _badness(pair: Paired) -> tuple[int, float]:
    """Return by what changes are ordered, the worst last."""
    order = {"better": 0, "cannot_tell": 1, "worse": 2}
    return order[pair.outcome], pair.delta.value or 0.0
