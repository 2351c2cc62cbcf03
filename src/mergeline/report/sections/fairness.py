"""Fairness by group: which gap is the largest, between whom, and what would close it."""

from mergeline.core.base import Estimate
from mergeline.core.evidence import Cause, FairnessBy, FairnessContent, Gap
from mergeline.core.plan import Plan
from mergeline.core.verdict import Paired
from mergeline.report.against import COMPARED
from mergeline.report.markdown import Section, code, listing, table, text
from mergeline.report.numbers import change, estimate, joined, number, plural
from mergeline.report.plainly import troubled_gaps
from mergeline.report.sections.gates import helpful, remedy_cost, remedy_line
from mergeline.report.sections.groups import group_tables

_BY, _REMEDIES, _WHY = 8, 6, 3
_MEANING = {
    "selection_rate": "share of rows predicted as {noun}",
    "true_positive_rate": "share of actual {noun} rows predicted so",
    "false_positive_rate": "share of all other rows predicted as {noun}",
    "false_negative_rate": "share of actual {noun} rows predicted otherwise",
    "true_negative_rate": "share of all other rows predicted so",
    "accuracy": "share of rows predicted rightly",
    "precision": "share of rows predicted as {noun} that are",
    "mean_error": "mean of prediction minus outcome",
}
_MEANING_OF_CLASS = {
    "selection_rate": "share of rows predicted as the class",
    "true_positive_rate": "share of the rows of the class predicted so",
    "false_positive_rate": "share of all other rows predicted as the class",
    "precision": "share of rows predicted as the class that are of it",
}
_CAUSES = {
    "base_rate": "Mostly from the base rates",
    "errors": "Mostly from the errors",
    "size": "Too few rows to tell",
    "none": "No gap to explain",
}


def fairness(plan: Plan, *, together: bool | None = None) -> Section:
    """Return rates by group with intervals, the gaps, and their change.

    Args:
        plan: The plan.
        together: Whether by several columns together alone, or by single ones alone.
    """
    if plan.evidence.fairness is None:
        return Section(_NAME, "not measured", "There is no evidence of the stage fairness.")
    content = plan.evidence.fairness.content
    if together is not None:
        by = tuple(each for each in content.by if (len(each.columns) > 1) is together)
        content = content.model_copy(update={"by": by})
    if not content.by:
        return Section(_NAME, "no sensitive column is set", "Nothing was measured by group.")
    troubled = {by for by, _ in troubled_gaps(plan)}
    # It is said below, or above the fold.
    alone = len(content.by) == 1 or any(found.by in troubled for found in content.by)
    parts = ["" if alone else _lead(content), *(_by(found, plan) for found in content.by[:_BY])]
    if len(content.by) > _BY:
        rest = listing([found.by for found in content.by[_BY:]], _BY)
        parts.append(f"Also measured, in the evidence: {rest}.")
    parts.append(_how(content, plan.noun))
    return Section(_NAME, _worst_of_all(content), "\n\n".join(filter(None, parts)))


_NAME = "Fairness by group"


def why_unfair(plan: Plan) -> str:
    """Return which gap is worst and why, by each column whose gate did not simply pass."""
    if plan.evidence.fairness is None:
        return ""
    troubled = {by for by, _ in troubled_gaps(plan)}
    found = [each for each in plan.evidence.fairness.content.by if each.by in troubled]
    stuck = {by for by, _ in troubled_gaps(plan, blocking=True)}
    lines = [
        f"**Why, by {code(each.by)}**: {_worst(each)}{_in_vain(each, told=each.by in stuck)}"
        for each in found[:_WHY]
    ]
    more = len(found) - _WHY
    return "\n\n".join(
        lines + ([f"By {plural(more, 'more column')}: see below."] if more > 0 else [])
    )


def _in_vain(found: FairnessBy, *, told: bool) -> str:
    """Say that nothing closes a gap; what does is listed with its cost.

    Args:
        found: The gaps by one column.
        told: Whether it matters here why nothing was tried; below it is said in any case.
    """
    if helpful(found):
        return ""
    if found.remedies:
        return " Nothing that was tried would close it."
    return f" {text(found.left_out, 200)}" if told and found.left_out else ""


def _lead(content: FairnessContent) -> str:
    """Return the worst gap of all, why it is there, and what would close it."""
    worst = max(
        (found for found in content.by if _largest(found) is not None),
        key=lambda found: _weight(most[1]) if (most := _largest(found)) else (False, 0.0),
        default=None,
    )
    if worst is None:
        return ""
    close = min(helpful(worst), key=lambda remedy: remedy.gap_after, default=None)
    said = f"**Worst, by {code(worst.by)}**: {_worst(worst)}"
    if close is None:
        return said
    return f"{said} What would close {code(close.gap)}: {remedy_line(close)}."


def _how(content: FairnessContent, noun: str) -> str:
    meanings = _MEANING | (_MEANING_OF_CLASS if content.task == "multiclass" else {})
    known = [
        f"{code(name)}: {meanings[name].format(noun=text(noun, 40))}"
        for name in content.metrics
        if name in meanings
    ]
    meaning = f" {'; '.join(known)}." if known else ""
    start = {
        "binary": f" at the threshold {content.threshold:g}"
        if content.threshold is not None
        else "",
        "multiclass": ", each class against the others",
        "regression": ", in the units of what is predicted",
    }[content.task]
    return (
        f"How this was measured: {content.n:,} held-out rows{start}.{meaning} "
        f"Groups of fewer than {content.min_group:,} rows are shown, not judged. "
        "Under each rate: a bar, and the change against the baseline's evidence. "
        f"{_compared(content)}"
    )


def _compared(content: FairnessContent) -> str:
    """Say once what many comparisons do to the intervals: they hold for all of them at once."""
    counts = [
        f"{plural(sum(group.judged for group in found.groups), 'group')} by {code(found.by)}"
        for found in content.by[:_BY]
    ]
    and_classes = ", and all classes," if content.task == "multiclass" else ""
    return (
        f"Compared: {joined(counts)}. A gap's interval holds for all pairs of these groups"
        f"{and_classes} at once, so nothing is left to correct for their number; the intervals "
        "of single groups hold each for itself."
    )


def _worst_of_all(content: FairnessContent) -> str:
    worst = [(found.by, *most) for found in content.by if (most := _largest(found)) is not None]
    if not worst:
        return "no gap could be measured"
    by, name, gap = max(worst, key=lambda item: _weight(item[2]))
    return f"largest gap {number(_value_of(gap))} ({text(name, 60)} by {text(by, 60)})"


def _largest(found: FairnessBy) -> tuple[str, Gap] | None:
    measured = [item for item in found.gaps.items() if item[1].difference.value is not None]
    return max(measured, key=lambda item: _weight(item[1]), default=None)


def _weight(gap: Gap) -> tuple[bool, float]:
    """Return by what gaps are ordered: one without an interval, of too few rows, comes last."""
    return gap.difference.low is not None, _value_of(gap)


def _value_of(gap: Gap) -> float:
    return gap.difference.value or 0.0


def _by(found: FairnessBy, plan: Plan) -> str:
    parts = [f"#### By {code(found.by)}", _worst(found)]
    if found.gaps:
        parts.append(_gap_table(found, plan))
    if found.groups:
        parts.append(group_tables(found, _found_before(found.by, plan)))
    parts += filter(None, (_costs(found), text(found.left_out, 200)))
    return "\n\n".join(parts)


def _worst(found: FairnessBy) -> str:
    largest = _largest(found)
    if largest is None:
        return f"No gap could be measured. {text(found.reason)}".strip()
    name, gap = largest
    said = f"The largest gap is {code(name)}: {estimate(gap.difference)}"
    if gap.rate is None or gap.lowest is None or gap.highest is None:
        same = gap.difference.value == 0
        return f"{said}. All judged groups are alike." if same else f"{said}."
    if found.cause is not None and found.cause.gap == name and found.cause.kind != "none":
        return f"{said}. {caused(found.cause)}: {text(found.cause.reason, 500)}"
    rate = code(gap.rate) if gap.of is None else f"{code(gap.rate)} of {code(gap.of)}"
    return (
        f"{said}. {rate} is lowest for {code(gap.lowest)}{_rate(found, gap, gap.lowest)} "
        f"and highest for {code(gap.highest)}{_rate(found, gap, gap.highest)}."
    )


def caused(cause: Cause) -> str:
    """Return where a gap comes from, a few words without a stop."""
    if cause.kind == "base_rate" and cause.gap == "mean_prediction_difference":
        return "Mostly from the outcomes"  # of a number there are no base rates
    return _CAUSES[cause.kind]


def _rate(found: FairnessBy, gap: Gap, name: str) -> str:
    group = next((group for group in found.groups if group.name == name), None)
    if group is None:
        return ""
    rates = group.metrics if gap.of is None else group.classes.get(gap.of, {})
    measured = rates.get(gap.rate or "")
    return f" ({number(measured.value)})" if measured and measured.value is not None else ""


def _gap_table(found: FairnessBy, plan: Plan) -> str:
    by_class = any(gap.of is not None for gap in found.gaps.values())
    rows = [
        (
            code(name),
            _value(gap.difference),
            "" if gap.ratio is None else number(gap.ratio),
            "" if gap.lowest is None else code(gap.lowest),
            "" if gap.highest is None else code(gap.highest),
            _gap_change(name, gap, found.by, plan),
            *([_class_of(gap)] if by_class else []),
        )
        for name, gap in found.gaps.items()
    ]
    header = ("Gap", "Difference (95 % interval)", "Ratio", "Lowest", "Highest", "Change")
    more = ("Of the class",) if by_class else ()
    return table((*header, *more), rows, numeric=(1, 2, 5)) + _notes(found)


def _class_of(gap: Gap) -> str:
    return "" if gap.of is None else code(gap.of)


def _notes(found: FairnessBy) -> str:
    """What gaps with a value leave out: a gap without one says why in its cell."""
    told = [gap.difference for gap in found.gaps.values() if gap.difference.value is not None]
    reasons = dict.fromkeys(each.reason for each in told if each.reason)
    return "".join(f"\n\n{text(reason, 200)}" for reason in reasons)


def _value(measured: Estimate) -> str:
    reason = f": {text(measured.reason, 120)}" if measured.reason else ""
    return estimate(measured) + (reason if measured.value is None else "")


def _gap_change(name: str, gap: Gap, by: str, plan: Plan) -> str:
    """The paired change on common rows where there is one, else that of the two evidences."""
    pairs = plan.comparison.fairness.get(by, {}) if plan.comparison is not None else {}
    paired: Paired | None = pairs.get(name)
    if paired is not None and paired.delta.value is not None:
        return f"{estimate(paired.delta, sign=True)}, {COMPARED[paired.outcome]}"
    before = _found_before(by, plan)
    old = before.gaps.get(name) if before is not None else None
    return change(gap.difference.value, old.difference.value if old is not None else None)


def _costs(found: FairnessBy) -> str:
    """Return what would close gaps, and what that costs; a reduction also where it did not."""
    worth = helpful(found)
    shown = [each for each in found.remedies if each in worth or each.method == "reduction"]
    if not shown:
        return ""
    rows = [
        (
            code(each.gap),
            text(each.setting, 160),
            f"{number(each.gap_before)} → {number(each.gap_after)}"
            + ("" if each in worth else ": **does not close it**"),
            remedy_cost(each),
            f"{each.n:,}",
        )
        for each in shown[:_REMEDIES]
    ]
    header = ("Gap", "What was tried", "Gap before → after", "Cost", "n")
    return f"What it would cost to close the gap:\n\n{table(header, rows, numeric=(2, 3, 4))}"


def _found_before(by: str, plan: Plan) -> FairnessBy | None:
    if plan.baseline_evidence.fairness is None:
        return None
    content = plan.baseline_evidence.fairness.content
    return next((found for found in content.by if found.by == by), None)
