"""What was measured on the held-out rows: the primary metric, all metrics, slices."""

from collections.abc import Mapping

from mergeline.core.base import Estimate
from mergeline.core.evidence import CalibrationBin, Confusion, EvaluateContent, Slice
from mergeline.core.plan import Plan
from mergeline.core.verdict import Paired
from mergeline.report.against import COMPARED, compared, is_same, primary_pair
from mergeline.report.markdown import Section, code, table, text
from mergeline.report.numbers import (
    bar,
    change,
    estimate,
    joined,
    number,
    percent,
    plural,
    size,
    sparkline,
)
from mergeline.report.sections.classes import class_calibration, class_table, confusion_matrix
from mergeline.report.sections.mermaid import chart
from mergeline.report.sections.residuals import in_units, residuals

_SLICES, _METRICS = 40, 20
_DEFAULT_NOUN = "positive"
# Of which the absolute values of two models are compared.
BY_DISTANCE = "mean_error"
_ARROW = {"better": "⬆️ **better**", "worse": "⬇️ **worse**", "cannot_tell": "↔️ **cannot tell**"}


def primary(plan: Plan) -> str:
    """Return the comparison that the comment leads with: in words, then in numbers."""
    said, how = compared(plan)
    words = f"**{text(said)}**" + (f" {text(how, 600)}" if how else "")
    words += f" {units}" if (units := in_units(plan)) else ""
    paired = primary_pair(plan)
    if plan.evidence.evaluate is None or paired is None:
        return words
    name = plan.evidence.evaluate.content.primary
    row = (
        f"{code(name)}, distance from 0" if name == BY_DISTANCE else code(name),
        "" if paired.baseline is None else number(paired.baseline, limit=paired.candidate),
        "" if paired.candidate is None else number(paired.candidate, limit=paired.baseline),
        estimate(paired.delta, sign=True),
        "**the same**" if is_same(plan, paired) else _ARROW[paired.outcome],
    )
    best = direction(name, higher=paired.higher_is_better)
    header = (best.capitalize(), "Baseline", "This model", "Change (95 % interval)", "")
    return f"{words}\n\n{table(header, [row], numeric=(1, 2, 3))}"


def direction(name: str, *, higher: bool) -> str:
    """Return which values of a metric are good."""
    if name == BY_DISTANCE:
        return "nearest to 0 is best"
    return "higher is better" if higher else "lower is better"


def metrics(plan: Plan, *, drawn: bool = True) -> Section:
    """Return all metrics, and what the task has besides: confusion, classes or residuals.

    Args:
        plan: The plan.
        drawn: Whether a chart is among it, which GitHub draws; elsewhere it would be code.
    """
    if plan.evidence.evaluate is None:
        return Section("Metrics", "not measured", "There is no evidence of the stage evaluate.")
    content = plan.evidence.evaluate.content
    said, more = _of_task(content, plan, chart(content) if drawn else "")
    parts = (
        f"{content.n:,} held-out rows{said}. Intervals: {content.bootstrap:,} bootstrap draws.",
        _metric_table(content, plan),
        _doubts(content),
        *more,
        _costs(content),
        _cost(plan),
    )
    count = len(content.metrics)
    summary = f"{plural(count, 'metric')} on {content.n:,} held-out rows"
    return Section("Metrics", summary, "\n\n".join(part for part in parts if part))


def _of_task(content: EvaluateContent, plan: Plan, drawing: str) -> tuple[str, tuple[str, ...]]:
    """Return what a task says of its rows, and its own parts of the section."""
    match content.task:
        case "binary":
            return _positives(content, plan), (
                _confusion(content.confusion),
                _calibration(content.calibration),
                drawing,
            )
        case "multiclass":
            return f" of {plural(len(content.classes), 'class', 'classes')}", (
                class_table(content),
                drawing,
                class_calibration(content),
                confusion_matrix(content),
            )
        case "regression":
            return "", (residuals(content), drawing)


def _positives(content: EvaluateContent, plan: Plan) -> str:
    if content.positives is None or content.threshold is None:
        return ""
    noun = "" if plan.noun == _DEFAULT_NOUN else f" ({text(plan.noun, 40)})"
    share = percent(content.positives, content.n)
    return (
        f", {content.positives:,} of them positive{noun}, {share}. Threshold {content.threshold:g}"
    )


def _metric_table(content: EvaluateContent, plan: Plan) -> str:
    before = plan.baseline_evidence.evaluate
    old = before.content.metrics if before is not None else {}
    pairs = plan.comparison.metrics if plan.comparison is not None else {}
    rows = [
        (
            code(name),
            direction(name, higher=content.higher_is_better.get(name, True)),
            estimate(value) + (f": {text(value.reason)}" if value.value is None else ""),
            estimate(old[name]) if name in old else "",
            _paired(name, pairs.get(name)),
        )
        for name, value in list(content.metrics.items())[:_METRICS]
    ]
    header = ("Metric", "", "This model", "Baseline", "Change on common rows")
    return table(header, rows, numeric=(2, 3, 4))


def _doubts(content: EvaluateContent) -> str:
    """Say which intervals are missing, or hold less often than they should."""
    shown = dict(list(content.metrics.items())[:_METRICS])
    said = by_reason({name: found for name, found in shown.items() if found.value is not None})
    return "\n".join(
        f"- {joined(map(code, names))}: {text(reason, 300)}" for reason, names in said.items()
    )


def by_reason(metrics: Mapping[str, Estimate]) -> dict[str, list[str]]:
    """Return metrics without a value or an interval, or with a doubtful one, by why that is."""
    said: dict[str, list[str]] = {}
    for name, found in metrics.items():
        if found.reason:
            said.setdefault(found.reason, []).append(name)
    return said


def _paired(name: str, paired: Paired | None) -> str:
    if paired is None:
        return ""
    if paired.delta.value is None:
        return text(paired.delta.reason) or "not measured"
    what = " in distance from 0" if name == BY_DISTANCE else ""
    return f"{estimate(paired.delta, sign=True)}{what}, {COMPARED[paired.outcome]}"


def _confusion(found: Confusion | None) -> str:
    if found is None:
        return ""
    return (
        f"At the threshold: {found.true_positive:,} true and {found.false_positive:,} false "
        f"positives, {found.true_negative:,} true and {found.false_negative:,} false negatives."
    )


def _cost(plan: Plan) -> str:
    evaluate = plan.evidence.evaluate
    if evaluate is None:
        return ""
    spent = [
        f"{spent:.3g} ms for {text(rows, 20)} {'row' if rows == '1' else 'rows'}"
        for rows, spent in list(evaluate.timing.latency_ms.items())[:4]
    ]
    latency = f" Scoring took {', '.join(spent)}." if spent else ""
    return f"Model size: {size(evaluate.content.model_bytes)}.{latency}"


def _calibration(bins: tuple[CalibrationBin, ...]) -> str:
    if not bins:
        return ""
    rows = [
        (
            f"{item.low:.2f} to {item.high:.2f}",
            f"{item.n:,}",
            number(item.score),
            number(item.observed),
            bar(item.observed),
        )
        for item in bins[:_METRICS]
    ]
    header = ("Scores", "n", "Mean score", "Observed rate", "")
    spread = sparkline([item.n for item in bins[:_METRICS]])
    said = f"Calibration (rows by score {spread}):"
    return f"{said}\n\n{table(header, rows, numeric=(1, 2, 3))}"


_POINTS = 24  # of a sparkline, at most


def _costs(content: EvaluateContent) -> str:
    """Say what a row costs at the threshold, and at which it would cost least."""
    points = [point for point in content.thresholds if point.cost is not None]
    here = next((each for each in points if each.threshold == content.threshold), None)
    if here is None or here.cost is None or content.cheapest is None:
        return ""
    unit = f" {text(content.cost_unit, 20)}" if content.cost_unit else ""
    said = (
        f"By the costs in the settings a row costs {number(here.cost)}{unit} on average at the "
        f"threshold {here.threshold:g}"
    )
    least = next((each for each in points if each.threshold == content.cheapest), None)
    if least is None or least.cost is None or least.threshold == here.threshold:
        return f"{said}, the least of all thresholds."
    every = max(1, -(-len(points) // _POINTS))
    drawn = sparkline([point.cost or 0.0 for point in points[::every]])
    return (
        f"{said}, and {number(least.cost)} at {least.threshold:g}, the cheapest (by rising "
        f"threshold: {drawn})."
    )


# --- slices ----------------------------------------------------------------------


def slices(plan: Plan) -> Section | None:
    """Return the primary metric by slice, or None where no slice is asked for."""
    if plan.evidence.evaluate is None or not plan.evidence.evaluate.content.slices:
        return None
    content = plan.evidence.evaluate.content
    old = _by_slice(plan)
    rows = [_slice_row(item, old, content.primary) for item in content.slices[:_SLICES]]
    header = ("Column", "Value", "n", f"{code(content.primary)} (95 % interval)", "Change")
    more = len(content.slices) - len(rows)
    end = f"\n\n{plural(more, 'more slice')} in the evidence." if more else ""
    for column, count in content.in_no_slice.items():
        end += f"\n\n{plural(count, 'row')} in no slice by {code(column)}: of rarer values."
    note = "The change is against the baseline's own held-out rows, so it is not paired."
    body = f"{table(header, rows, numeric=(2, 3, 4))}{end}\n\n{note}"
    columns = len({item.column for item in content.slices})
    summary = f"{plural(len(content.slices), 'slice')} of {plural(columns, 'column')}"
    return Section("Slices", summary, body)


def _slice_row(
    item: Slice, old: dict[tuple[str, str], Slice], primary_name: str
) -> tuple[str, ...]:
    value = item.metrics.get(primary_name)
    before = old.get((item.column, item.value))
    earlier = before.metrics.get(primary_name) if before is not None else None
    shown = "" if value is None else estimate(value)
    return (
        code(item.column),
        code(item.value),
        f"{item.n:,}",
        shown if value is None or value.value is not None else f"{shown}: {text(value.reason, 80)}",
        change(value.value if value else None, earlier.value if earlier else None),
    )


def _by_slice(plan: Plan) -> dict[tuple[str, str], Slice]:
    before = plan.baseline_evidence.evaluate
    if before is None:
        return {}
    return {(item.column, item.value): item for item in before.content.slices}
