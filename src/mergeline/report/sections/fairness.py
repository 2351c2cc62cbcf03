"""Fairness by group: which gap is the largest, between whom, and what would close it."""

from mergeline.core.base import Estimate
from mergeline.core.evidence import FairnessBy, FairnessContent, Gap, Group
from mergeline.core.plan import Plan
from mergeline.core.verdict import Paired
from mergeline.report.against import COMPARED
from mergeline.report.markdown import Section, code, listing, table, text
from mergeline.report.numbers import bar, change, estimate, number, plural
from mergeline.report.sections.gates import helpful, remedy_line

_GROUPS, _BY, _REMEDIES = 30, 8, 4
_MEANING = {
    "selection_rate": "share of rows predicted as {noun}",
    "true_positive_rate": "share of actual {noun} rows predicted so",
    "false_positive_rate": "share of all other rows predicted as {noun}",
    "false_negative_rate": "share of actual {noun} rows predicted otherwise",
    "true_negative_rate": "share of all other rows predicted so",
    "accuracy": "share of rows predicted rightly",
    "precision": "share of rows predicted as {noun} that are",
}


def fairness(plan: Plan) -> Section:
    """Return rates by group with intervals, the gaps, and their change."""
    if plan.evidence.fairness is None:
        return Section(_NAME, "not measured", "There is no evidence of the stage fairness.")
    content = plan.evidence.fairness.content
    if not content.by:
        return Section(_NAME, "no sensitive column is set", "Nothing was measured by group.")
    parts = [_how(content, plan.noun), *(_by(found, plan) for found in content.by[:_BY])]
    if len(content.by) > _BY:
        rest = listing([found.by for found in content.by[_BY:]], _BY)
        parts.append(f"Also measured, in the evidence: {rest}.")
    return Section(_NAME, _worst_of_all(content), "\n\n".join(parts))


_NAME = "Fairness by group"


def _how(content: FairnessContent, noun: str) -> str:
    known = [
        f"{code(name)}: {_MEANING[name].format(noun=text(noun, 40))}"
        for name in content.metrics
        if name in _MEANING
    ]
    meaning = f" {'; '.join(known)}." if known else ""
    return (
        f"{content.n:,} held-out rows at the threshold {content.threshold:g}.{meaning} "
        f"Groups of fewer than {content.min_group:,} rows are shown, not judged. "
        "Under each rate: a bar, and the change against the baseline's evidence."
    )


def _worst_of_all(content: FairnessContent) -> str:
    worst = [(found.by, *most) for found in content.by if (most := _largest(found)) is not None]
    if not worst:
        return "no gap could be measured"
    by, name, gap = max(worst, key=lambda item: _value_of(item[2]))
    return f"largest gap {number(_value_of(gap))} ({text(name, 60)} by {text(by, 60)})"


def _largest(found: FairnessBy) -> tuple[str, Gap] | None:
    measured = [item for item in found.gaps.items() if item[1].difference.value is not None]
    return max(measured, key=lambda item: _value_of(item[1]), default=None)


def _value_of(gap: Gap) -> float:
    return gap.difference.value or 0.0


def _by(found: FairnessBy, plan: Plan) -> str:
    parts = [f"#### By {code(found.by)}", _worst(found)]
    if found.gaps:
        parts.append(_gap_table(found, plan))
    if found.groups:
        parts.append(_group_table(found, plan))
    lines = [f"- {remedy_line(remedy)}" for remedy in helpful(found)[:_REMEDIES]]
    if lines:
        parts.append("\n".join(("What would close the gap:", "", *lines)))
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
    return (
        f"{said}. {code(gap.rate)} is lowest for {code(gap.lowest)}{_rate(found, gap, gap.lowest)} "
        f"and highest for {code(gap.highest)}{_rate(found, gap, gap.highest)}."
    )


def _rate(found: FairnessBy, gap: Gap, name: str) -> str:
    group = next((group for group in found.groups if group.name == name), None)
    measured = group.metrics.get(gap.rate or "") if group is not None else None
    return f" ({number(measured.value)})" if measured and measured.value is not None else ""


def _gap_table(found: FairnessBy, plan: Plan) -> str:
    rows = [
        (
            code(name),
            _value(gap.difference),
            "" if gap.ratio is None else number(gap.ratio),
            "" if gap.lowest is None else code(gap.lowest),
            "" if gap.highest is None else code(gap.highest),
            _gap_change(name, gap, found.by, plan),
        )
        for name, gap in found.gaps.items()
    ]
    header = ("Gap", "Difference (95 % interval)", "Ratio", "Lowest", "Highest", "Change")
    return table(header, rows, numeric=(1, 2, 5))


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


def _group_table(found: FairnessBy, plan: Plan) -> str:
    before = _found_before(found.by, plan)
    old = {group.name: group for group in before.groups} if before is not None else {}
    shown = _shown(found)
    names = list(dict.fromkeys(name for group in shown for name in group.metrics))
    rows = [
        (_group_name(group), f"{group.n:,}", _positives(group), *_cells(group, old, names))
        for group in shown
    ]
    header = ("Group", "n", "Positives", *(f"{code(name)}" for name in names))
    more = len(found.groups) - len(shown)
    end = f"\n\n{plural(more, 'more group')} in the evidence." if more else ""
    return table(header, rows, numeric=(1, 2)) + end


def _shown(found: FairnessBy) -> tuple[Group, ...]:
    """All groups; where there are too many, the ends of the gaps and then the largest."""
    if len(found.groups) <= _GROUPS:
        return found.groups
    ends = {name for gap in found.gaps.values() for name in (gap.lowest, gap.highest)}
    ranked = sorted(found.groups, key=lambda group: (group.name not in ends, -group.n))
    return tuple(ranked[:_GROUPS])


def _positives(group: Group) -> str:
    return "" if group.positives is None else f"{group.positives:,}"


def _group_name(group: Group) -> str:
    return code(group.name) if group.judged else f"{code(group.name)} (shown, not judged)"


def _cells(group: Group, old: dict[str, Group], names: list[str]) -> list[str]:
    before = old[group.name].metrics if group.name in old else {}
    return [_cell(group.metrics.get(name), before.get(name)) for name in names]


def _cell(measured: Estimate | None, before: Estimate | None) -> str:
    if measured is None:
        return ""
    if measured.value is None:
        return _value(measured)
    moved = change(measured.value, before.value if before is not None else None)
    end = f" {moved}" if moved else ""
    return f"{estimate(measured)}<br>{bar(measured.value)}{end}"


def _found_before(by: str, plan: Plan) -> FairnessBy | None:
    if plan.baseline_evidence.fairness is None:
        return None
    content = plan.baseline_evidence.fairness.content
    return next((found for found in content.by if found.by == by), None)
