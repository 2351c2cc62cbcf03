"""Bias by group: rates, gaps, where they come from, what would close them."""

from collections.abc import Iterator, Sequence

from mergeline.core.evidence import FairnessBy, FairnessContent, Group, Remedy
from mergeline.core.plan import Plan
from mergeline.report.against import COMPARED
from mergeline.report.charts import Chart
from mergeline.report.numbers import estimate, number, plural
from mergeline.report.page.blocks import (
    Block,
    Cell,
    Figures,
    Fold,
    Heading,
    Note,
    Section,
    Table,
    Words,
    missing,
    name,
    told,
)
from mergeline.report.sections.fairness import caused
from mergeline.report.sections.gates import helpful, opened_gaps

_BY, _GROUPS, _REMEDIES = 24, 60, 24


def fairness(plan: Plan, charts: Sequence[Chart]) -> Section:
    """Return what was measured by group."""
    title = "Fairness"
    if plan.evidence.fairness is None:
        return Section("fairness", title, (missing("fairness"),))
    content = plan.evidence.fairness.content
    if not content.by:
        said = Words("No sensitive column is set, so nothing was measured by group.")
        return Section("fairness", title, (said,))
    blocks: list[Block] = [_how(content)]
    drawn = {chart.name: chart for chart in charts}
    for place, found in enumerate(content.by[:_BY], start=1):
        figures = [drawn[each] for each in (f"groups-{place}", f"gaps-{place}") if each in drawn]
        blocks += _by(plan, content, found, figures)
    more = len(content.by) - _BY
    if more > 0:
        blocks.append(Words(f"{more:,} more columns and intersections are in the evidence."))
    count = plural(
        len(content.by),
        "sensitive column or intersection",
        "sensitive columns and intersections",
    )
    return Section(
        id="fairness",
        title=title,
        lead=f"Bias by {count}, on {plural(content.n, 'held-out row')}.",
        blocks=blocks,
        data=content.as_json(),
    )


def _how(content: FairnessContent) -> Words:
    at = "" if content.threshold is None else f" at the threshold {number(content.threshold)}"
    return Words(
        f"Rates are measured{at}, with 95 % intervals. A group of fewer than {content.min_group:,} "
        "rows is shown and not judged. A gap is the largest rate minus the smallest over the "
        "judged groups; its interval holds for all pairs at once.",
        quiet=True,
    )


def _by(
    plan: Plan, content: FairnessContent, found: FairnessBy, figures: Sequence[Chart]
) -> Iterator[Block]:
    yield Heading(f"By {found.by}")
    if found.reason:
        yield Note(found.reason, "unknown")
    if found.gaps:
        yield _gaps(plan, found)
    if found.cause is not None:
        yield Words(f"{caused(found.cause)}. {found.cause.reason}")
    if figures:
        yield Figures(figures)
    if found.remedies:
        yield _remedies(found)
    if found.left_out:
        yield Words(found.left_out, quiet=True)
    yield Fold(
        f"{plural(len(found.groups), 'group')} by {found.by}", tuple(_groups(content, found))
    )


def _gaps(plan: Plan, found: FairnessBy) -> Table:
    compared = plan.comparison.fairness.get(found.by, {}) if plan.comparison else {}
    rows = []
    for gap, each in found.gaps.items():
        paired = compared.get(gap)
        between = f"{each.lowest} and {each.highest}" if each.lowest and each.highest else ""
        of = f" of {each.of}" if each.of else ""
        value = estimate(each.difference)
        rows.append(
            (
                name(gap),
                value if each.difference.value is not None else each.difference.reason or value,
                "" if each.ratio is None else number(each.ratio),
                ": ".join(
                    part for part in (f"{each.rate}{of}" if each.rate else "", between) if part
                ),
                "" if paired is None else estimate(paired.delta, sign=True),
                "" if paired is None else COMPARED[paired.outcome],
            )
        )
    return Table(
        caption=f"Gaps by {found.by}; the change is that against the baseline on common rows",
        header=("Gap", "Difference", "Ratio", "Where", "Change", "Outcome"),
        rows=rows,
        numeric=frozenset({1, 2, 4}),
        cards=True,
    )


def _groups(content: FairnessContent, found: FairnessBy) -> Iterator[Block]:
    rates = [rate for rate in content.metrics if any(rate in each.metrics for each in found.groups)]
    more = len(found.groups) - _GROUPS
    yield Table(
        caption=f"Groups by {found.by}",
        header=("Group", "Rows", "Positive", "Judged", *rates),
        rows=[_group(each, rates) for each in found.groups[:_GROUPS]],
        numeric=frozenset({1, 2, *range(4, 4 + len(rates))}),
        more=f"{more:,} more groups in the evidence." if more > 0 else "",
    )


def _group(group: Group, rates: Sequence[str]) -> tuple[str | Cell, ...]:
    return (
        name(group.name),
        f"{group.n:,}",
        "" if group.positives is None else f"{group.positives:,}",
        "yes" if group.judged else "too few rows",
        *(told(group.metrics, rate) for rate in rates),
    )


def _remedies(found: FairnessBy) -> Table:
    worth, more = helpful(found), len(found.remedies) - _REMEDIES
    return Table(
        caption="What was tried to close a gap, on held-out rows that it was not fitted on",
        header=("Gap", "Setting", "Now → then", "Quality, now → then", "Rows", "Outcome"),
        rows=[_remedy(each, closes=each in worth) for each in found.remedies[:_REMEDIES]],
        numeric=frozenset({2, 4}),
        cards=True,
        more=f"{more:,} more in the evidence." if more > 0 else "",
    )


def _remedy(remedy: Remedy, *, closes: bool) -> tuple[str | Cell, ...]:
    what, sides = "accuracy", (remedy.accuracy_before, remedy.accuracy_after)
    if None in sides:
        what, sides = "mean absolute error", (remedy.error_before, remedy.error_after)
    quality = " → ".join(number(each) for each in sides if each is not None)
    outcome = [] if closes else ["does not close it"]
    outcome += [
        f"opens {gap}, {number(before)} → {number(after)}"
        for gap, before, after in opened_gaps(remedy)
    ]
    return (
        name(remedy.gap),
        remedy.setting,
        f"{number(remedy.gap_before)} → {number(remedy.gap_after)}",
        f"{what} {quality}",
        f"{remedy.n:,}",
        "; ".join(outcome),
    )
