"""How good the model is on held-out rows, as a whole and by slice."""

from collections.abc import Iterator, Sequence

from mergeline.core.evidence import Confusion, EvaluateContent, ThresholdPoint
from mergeline.core.plan import Plan
from mergeline.report.against import COMPARED
from mergeline.report.charts import Chart
from mergeline.report.numbers import estimate, exact, joined, number, percent, plural
from mergeline.report.page.blocks import (
    Block,
    Cell,
    Explorer,
    Figures,
    Fold,
    Heading,
    Listing,
    Section,
    Table,
    Words,
    missing,
    name,
    told,
)
from mergeline.report.sections.metrics import BY_DISTANCE, by_reason

_CHARTS = frozenset(
    {
        *("roc", "precision-recall", "classes", "matrix", "predicted-actual", "errors"),
        *("calibration", "thresholds", "costs"),
    }
)
_CLASSES, _SLICES = 100, 240


def performance(plan: Plan, charts: Sequence[Chart]) -> Section:
    """Return metrics, curves, errors and what other thresholds would do."""
    if plan.evidence.evaluate is None:
        return Section("performance", "Performance", (missing("evaluate"),))
    content = plan.evidence.evaluate.content
    drawn = {chart.name: chart for chart in charts if chart.name in _CHARTS}
    costs = [drawn.pop(each) for each in ("costs",) if each in drawn]
    doubts = [f"{joined(names)}: {why}" for why, names in by_reason(content.metrics).items()]
    blocks: list[Block] = [_metrics(plan, content), *([Listing(doubts)] if doubts else [])]
    if content.task == "regression":
        blocks += _units(plan, content)
    if drawn:
        blocks.append(Figures(tuple(drawn.values())))
    if content.thresholds:
        blocks += [_explorer(plan, content), *_costs(content)]
        blocks += [Figures(costs)] if costs else []
    elif content.confusion is not None:
        blocks.append(_confusion(content.confusion))
    blocks += _classes(content)
    return Section(
        id="performance",
        title="Performance",
        lead=f"Measured on {plural(content.n, 'held-out row')} that the model was not trained on.",
        blocks=blocks,
        data=content.model_dump(mode="json", exclude={"slices", "in_no_slice"}),
    )


def _metrics(plan: Plan, content: EvaluateContent) -> Table:
    before = plan.baseline_evidence.evaluate
    compared = plan.comparison.metrics if plan.comparison else {}
    rows = []
    for metric, found in content.metrics.items():
        old = before.content.metrics.get(metric) if before else None
        paired = compared.get(metric)
        rows.append(
            (
                name(metric),
                estimate(found),
                "" if old is None else estimate(old),
                "" if paired is None else estimate(paired.delta, sign=True),
                "" if paired is None else COMPARED[paired.outcome],
            )
        )
    less = [
        each
        for each in content.metrics
        if not content.higher_is_better.get(each, True) and each != BY_DISTANCE
    ]
    best = f"; of {joined(less)} less is better" if less else ""
    if BY_DISTANCE in content.metrics:
        best += f"; of {BY_DISTANCE} nearest to 0, and its change is that of the distance"
    return Table(
        caption="Metrics with their 95 % intervals; each model on its own held-out rows, the "
        f"change on rows that both were scored on{best}",
        header=("Metric", "This model", "Baseline", "Change", "Outcome"),
        rows=rows,
        numeric=frozenset({1, 2, 3}),
        cards=True,
    )


def _units(plan: Plan, content: EvaluateContent) -> list[Block]:
    prepare = plan.evidence.prepare
    if prepare is None or content.residuals is None:
        return []
    return [Words(f"Errors are in the units of {prepare.content.target}.", quiet=True)]


def _explorer(plan: Plan, content: EvaluateContent) -> Explorer:
    marks: dict[int, list[str]] = {}
    for place, point in enumerate(content.thresholds):
        if point.threshold == content.threshold:
            marks.setdefault(place, []).append("decides")
        if content.cheapest is not None and point.threshold == content.cheapest:
            marks.setdefault(place, []).append("cheapest of the measured")
    said = {place: ", ".join(each) for place, each in marks.items()}
    start = next((place for place, each in marks.items() if "decides" in each), 0)
    return Explorer(
        points=[
            _point(point, said.get(place, "")) for place, point in enumerate(content.thresholds)
        ],
        start=start,
        marks=said,
        costs=any(point.cost is not None for point in content.thresholds),
        unit=content.cost_unit,
        noun=plan.noun or "positive",
    )


def _point(point: ThresholdPoint, mark: str) -> dict[str, str]:
    return {
        "threshold": number(point.threshold),
        "mark": mark,
        "recall": number(point.recall),
        "precision": "none is flagged" if point.precision is None else number(point.precision),
        "flagged": percent(point.selection_rate, 1),
        "cost": "" if point.cost is None else number(point.cost),
        "tp": f"{point.true_positive:,}",
        "fp": f"{point.false_positive:,}",
        "tn": f"{point.true_negative:,}",
        "fn": f"{point.false_negative:,}",
    }


def _costs(content: EvaluateContent) -> Iterator[Block]:
    if content.costs:
        unit = f" {content.cost_unit}" if content.cost_unit else ""
        said = ", ".join(
            f"{kind.replace('_', ' ')} {exact(cost)}{unit}" for kind, cost in content.costs.items()
        )
        yield Words(f"What a row costs, by the settings: {said}.", quiet=True)


def _confusion(found: Confusion) -> Table:
    return Table(
        caption="Held-out rows at the threshold that decides",
        header=("", "Predicted positive", "Predicted negative"),
        rows=(
            ("is positive", f"{found.true_positive:,}", f"{found.false_negative:,}"),
            ("is negative", f"{found.false_positive:,}", f"{found.true_negative:,}"),
        ),
        numeric=frozenset({1, 2}),
    )


def _classes(content: EvaluateContent) -> Iterator[Block]:
    if not content.classes:
        return
    names = list(dict.fromkeys(key for each in content.classes for key in each.metrics))
    rows: list[tuple[str | Cell, ...]] = [
        (
            name(each.name),
            f"{each.n:,}",
            f"{each.predicted:,}",
            *(told(each.metrics, key) for key in names),
        )
        for each in content.classes[:_CLASSES]
    ]
    more = len(content.classes) - _CLASSES
    table = Table(
        caption="Each class against all others",
        header=("Class", "Rows", "Predicted", *names),
        rows=rows,
        numeric=frozenset(range(1, 3 + len(names))),
        more=f"{more:,} more classes in the evidence." if more > 0 else "",
    )
    yield Fold(f"All {len(content.classes):,} classes", (table,))


def slices(plan: Plan, charts: Sequence[Chart]) -> Section:
    """Return the metrics of every slice."""
    if plan.evidence.evaluate is None:
        return Section("slices", "Slices", (missing("evaluate"),))
    content = plan.evidence.evaluate.content
    if not content.slices:
        return Section("slices", "Slices", (Words("No column is sliced by (evaluate.slices)."),))
    drawn = [chart for chart in charts if chart.name.startswith("slices-")]
    metrics = list(dict.fromkeys(key for each in content.slices for key in each.metrics))
    shown = content.slices[:_SLICES]
    more = len(content.slices) - _SLICES
    rows: list[tuple[str | Cell, ...]] = [
        (
            each.column,
            name(each.value),
            f"{each.n:,}",
            *(told(each.metrics, key) for key in metrics),
        )
        for each in shown
    ]
    table = Table(
        caption="Every slice with its 95 % intervals",
        header=("Column", "Value", "Rows", *metrics),
        rows=rows,
        numeric=frozenset(range(2, 3 + len(metrics))),
        search="slices",
        more=f"{more:,} more slices in the evidence." if more > 0 else "",
    )
    rest = [
        f"{plural(count, 'row')} in no slice by {column}: of rarer values."
        for column, count in content.in_no_slice.items()
        if count
    ]
    count = plural(len(content.slices), "slice")
    columns = plural(len({each.column for each in content.slices}), "column")
    return Section(
        id="slices",
        title="Slices",
        lead=f"{count} of {columns}: where the model is better and worse than as a whole.",
        blocks=(
            *([Figures(drawn)] if drawn else []),
            *(Words(each, quiet=True) for each in rest),
            Heading("All slices"),
            table,
        ),
        data=content.model_dump(mode="json", include={"slices", "in_no_slice"}),
    )
