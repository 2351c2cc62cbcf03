"""Curves of a score: ROC, precision and recall, calibration."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import EvaluateContent
from mergeline.core.plan import Plan
from mergeline.report.charts.chart import BOTH, Chart, finished, or_none, values
from mergeline.report.numbers import number, plural

if TYPE_CHECKING:
    import altair as alt

    from mergeline.core.evidence.evaluate import CurvePoint, ThresholdPoint

_MIDDLE = 0.7  # beyond it a label has more room on the left
_CLASSES = 4  # curves that one chart can hold and an eye can follow


def _contents(plan: Plan) -> list[tuple[str, EvaluateContent]]:
    """Return what was measured, the model's before the baseline's."""
    found = (plan.evidence.evaluate, plan.baseline_evidence.evaluate)
    return [
        (who, each.content)
        for who, each in zip(BOTH, found, strict=True)
        if each is not None and each.content.task == "binary"
    ]


def series(domain: Sequence[str]) -> dict[str, Any]:
    """Return channels that tell series apart by colour and by dash."""
    import altair as alt

    scale = alt.Scale(domain=list(domain))
    dashes = alt.Scale(domain=list(domain), range=[[1, 0], [6, 4], [2, 2], [8, 3, 2, 3]])
    return {
        "color": alt.Color("series:N", scale=scale, sort=None),
        "strokeDash": alt.StrokeDash("series:N", scale=dashes, sort=None),
    }


def unit(name: str, title: str) -> dict[str, Any]:
    """Return a channel from 0 to 1."""
    import altair as alt

    return {"shorthand": f"{name}:Q", "title": title, "scale": alt.Scale(domain=[0, 1])}


def roc_chart(plan: Plan) -> Chart | None:
    """Draw how much more is found for how much more false alarm."""
    import altair as alt

    curves = _curves(plan)
    if not curves:
        return None
    rows = [
        {"x": point.false_positive_rate, "y": point.recall, "series": who, "at": point.threshold}
        for who, points in curves
        for point in sorted(points, key=lambda each: (each.false_positive_rate, each.recall))
    ]
    x, y = unit("x", "false positive rate"), unit("y", "recall (true positive rate)")
    layers = [
        alt.Chart(values([{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
        .mark_line(style="reference")
        .encode(x=alt.X(**x), y=alt.Y(**y)),
        _line(rows, x, y, curves),
        *_deciding(plan, "false_positive_rate", "recall", x, y, 12),
    ]
    return Chart(
        name="roc",
        title="ROC: recall by false positive rate",
        description=_said(
            plan, "roc_auc", "Further up and to the left is better; the dotted diagonal is chance."
        ),
        spec=finished(alt.layer(*layers)),
        header=("Series", "Threshold", "False positive rate", "Recall"),
        rows=tuple(
            (who, number(each.threshold), number(each.false_positive_rate), number(each.recall))
            for who, points in curves
            for each in points
        ),
    )


def precision_recall_chart(plan: Plan) -> Chart | None:
    """Draw how right the found ones are, by how many are found."""
    import altair as alt

    curves = _curves(plan)
    if not curves:
        return None
    rows = [
        {"x": point.recall, "y": point.precision, "series": who, "at": point.threshold}
        for who, points in curves
        for point in sorted(points, key=lambda each: each.threshold)
        if point.precision is not None
    ]
    x, y = unit("x", "recall"), unit("y", "precision")
    layers = [_line(rows, x, y, curves), *_deciding(plan, "recall", "precision", x, y, -10)]
    return Chart(
        name="precision-recall",
        title="Precision by recall",
        description=_said(plan, "average_precision", "Further up and to the right is better."),
        spec=finished(alt.layer(*layers)),
        header=("Series", "Threshold", "Recall", "Precision"),
        rows=tuple(
            (who, number(each.threshold), number(each.recall), or_none(each.precision))
            for who, points in curves
            for each in points
        ),
    )


def _curves(plan: Plan) -> "list[tuple[str, Sequence[CurvePoint]]]":
    """Return measured curves by series; of several classes those of the most frequent."""
    evaluate = plan.evidence.evaluate
    if evaluate is None:
        return []
    if evaluate.content.task == "multiclass":
        from mergeline.report.charts.chart import fitting

        found = sorted(
            (each for each in evaluate.content.classes if each.curve), key=lambda each: -each.n
        )[:_CLASSES]
        return [
            (name, each.curve)
            for name, each in zip(fitting([each.name for each in found]), found, strict=True)
        ]
    return [(who, each.thresholds) for who, each in _contents(plan) if each.thresholds]


def _line(
    rows: list[dict[str, Any]],
    x: dict[str, Any],
    y: dict[str, Any],
    curves: "list[tuple[str, Sequence[CurvePoint]]]",
) -> "alt.Chart":
    import altair as alt

    chart: alt.Chart = (
        alt.Chart(values(rows))
        .mark_line(interpolate="linear")
        .encode(
            x=alt.X(**x),
            y=alt.Y(**y),
            order=alt.Order("at:Q"),
            tooltip=[
                alt.Tooltip("series:N", title="series"),
                alt.Tooltip("at:Q", title="threshold", format=".3f"),
                alt.Tooltip("x:Q", title=x["title"], format=".3f"),
                alt.Tooltip("y:Q", title=y["title"], format=".3f"),
            ],
            **series([who for who, _ in curves]),
        )
    )
    return chart


def deciding_point(content: EvaluateContent) -> "ThresholdPoint | None":
    """Return the measured point of the threshold that decides."""
    return next((each for each in content.thresholds if each.threshold == content.threshold), None)


def _deciding(
    plan: Plan, across: str, up: str, x: dict[str, Any], y: dict[str, Any], down: int
) -> "list[alt.Chart]":
    import altair as alt

    evaluate = plan.evidence.evaluate
    point = deciding_point(evaluate.content) if evaluate else None
    if point is None or getattr(point, up) is None:
        return []
    row = {"x": getattr(point, across), "y": getattr(point, up), "at": point.threshold}
    data = values([row | {"text": f"decides: {number(point.threshold)}"}])
    base = alt.Chart(data).encode(x=alt.X(**x), y=alt.Y(**y))
    right = row["x"] < _MIDDLE
    beside: dict[str, Any] = {
        "align": "left" if right else "right",
        "dx": 9 if right else -9,
        "dy": down,
    }
    return [
        base.mark_point(style="decides", shape="circle"),
        base.mark_text(style="said", **beside).encode(text="text:N"),
    ]


def _said(plan: Plan, metric: str, how: str) -> str:
    evaluate = plan.evidence.evaluate
    found = evaluate.content.metrics.get(metric) if evaluate else None
    if found is None or found.value is None:
        return how
    before = plan.baseline_evidence.evaluate
    old = before.content.metrics.get(metric) if before else None
    beside = f", of the baseline {number(old.value)}" if old and old.value is not None else ""
    return f"{metric} of this model is {number(found.value)}{beside}. {how}"


def calibration_chart(plan: Plan) -> Chart | None:
    """Draw observed rates by predicted probability."""
    import altair as alt

    found = [(who, each.calibration) for who, each in _contents(plan) if each.calibration]
    if not found:
        return None
    rows = [
        {"x": each.score, "y": each.observed, "n": each.n, "series": who}
        for who, bins in found
        for each in bins
    ]
    x, y = unit("x", "mean predicted probability"), unit("y", "observed rate")
    names = [who for who, _ in found]
    measured = alt.Chart(values(rows)).encode(x=alt.X(**x), y=alt.Y(**y), **series(names))
    layers = (
        alt.Chart(values([{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
        .mark_line(style="reference")
        .encode(x=alt.X(**x), y=alt.Y(**y)),
        measured.mark_line(),
        measured.mark_point(filled=True, size=45).encode(
            shape=alt.Shape("series:N", scale=alt.Scale(domain=names), sort=None),
            strokeDash=alt.value([1, 0]),
            tooltip=[
                alt.Tooltip("series:N", title="series"),
                alt.Tooltip("x:Q", title="predicted", format=".3f"),
                alt.Tooltip("y:Q", title="observed", format=".3f"),
                alt.Tooltip("n:Q", title="rows", format=","),
            ],
        ),
    )
    return Chart(
        name="calibration",
        title="Calibration: what was predicted, and what came true",
        description="On the dotted diagonal a probability says how often it comes true; below "
        f"it the model promises too much. {plural(len(found[0][1]), 'bin')} of held-out rows.",
        spec=finished(alt.layer(*layers)),
        header=("Series", "Predicted", "Observed", "Rows"),
        rows=tuple(
            (who, number(each.score), number(each.observed), f"{each.n:,}")
            for who, bins in found
            for each in bins
        ),
    )
