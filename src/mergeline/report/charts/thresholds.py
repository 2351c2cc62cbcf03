"""Charts of what other thresholds would do: rates, and what errors cost."""

from typing import TYPE_CHECKING, Any

from mergeline.core.plan import Plan
from mergeline.report.charts.chart import Chart, finished, or_none, values
from mergeline.report.charts.curves import series, unit
from mergeline.report.numbers import number

if TYPE_CHECKING:
    import altair as alt

_MIDDLE = 0.6  # beyond it a label has more room on the left
_RATES = (("recall", "recall"), ("precision", "precision"), ("selection_rate", "share flagged"))


def threshold_chart(plan: Plan) -> Chart | None:
    """Draw recall, precision and the share flagged by threshold."""
    import altair as alt

    evaluate = plan.evidence.evaluate
    if evaluate is None or not evaluate.content.thresholds:
        return None
    content = evaluate.content
    rows = [
        {"x": each.threshold, "y": getattr(each, name), "series": said}
        for name, said in _RATES
        for each in content.thresholds
        if getattr(each, name) is not None
    ]
    y = unit("y", "share of rows")
    lines = (
        alt.Chart(values(rows))
        .mark_line()
        .encode(
            x=alt.X("x:Q", title="threshold"),
            y=alt.Y(**y),
            tooltip=[
                alt.Tooltip("series:N", title="series"),
                alt.Tooltip("x:Q", title="threshold", format=".3f"),
                alt.Tooltip("y:Q", title="share", format=".3f"),
            ],
            **series([said for _, said in _RATES]),
        )
    )
    return Chart(
        name="thresholds",
        title="What each threshold would do",
        description=f"Recall, precision and share flagged at {len(content.thresholds)} measured "
        "thresholds; the dashed upright line is the one that decides.",
        spec=finished(alt.layer(lines, *upright(content.threshold))),
        header=("Threshold", "Recall", "Precision", "Share flagged"),
        rows=tuple(
            (
                number(each.threshold),
                number(each.recall),
                or_none(each.precision),
                number(each.selection_rate),
            )
            for each in content.thresholds
        ),
    )


def cost_chart(plan: Plan) -> Chart | None:
    """Draw the mean cost of a row by threshold, where the settings say what errors cost."""
    import altair as alt

    evaluate = plan.evidence.evaluate
    points = (
        [each for each in evaluate.content.thresholds if each.cost is not None] if evaluate else []
    )
    if evaluate is None or not points:
        return None
    content = evaluate.content
    rows = [{"x": each.threshold, "y": each.cost} for each in points]
    encoded: dict[str, Any] = {
        "x": alt.X("x:Q", title="threshold"),
        "y": alt.Y("y:Q", title="mean cost of a row", scale=alt.Scale(zero=False)),
    }
    line = (
        alt.Chart(values(rows))
        .mark_line(style="model")
        .encode(
            tooltip=[
                alt.Tooltip("x:Q", title="threshold", format=".3f"),
                alt.Tooltip("y:Q", title="cost", format=",.4~f"),
            ],
            **encoded,
        )
    )
    layers = [line, *upright(content.threshold)]
    least = next((each for each in points if each.threshold == content.cheapest), None)
    if least is not None:
        data = values([{"x": least.threshold, "y": least.cost, "text": "cheapest"}])
        base = alt.Chart(data).encode(**encoded)
        layers += [
            base.mark_point(style="decides", shape="diamond"),
            base.mark_text(style="said", dy=-14).encode(text="text:N"),
        ]
    said = (
        f"The cheapest of the measured thresholds is {number(least.threshold)}. " if least else ""
    )
    return Chart(
        name="costs",
        title="Cost by threshold",
        description=f"{said}The dashed upright line is the threshold that decides.",
        spec=finished(alt.layer(*layers), 200),
        header=("Threshold", "Mean cost of a row"),
        rows=tuple((number(each.threshold), or_none(each.cost)) for each in points),
    )


def upright(threshold: float | None) -> "list[alt.Chart]":
    """Return the upright line of the threshold that decides, by its name; none without one."""
    import altair as alt

    if threshold is None:
        return []
    data = values([{"x": threshold, "text": f"decides: {number(threshold)}"}])
    base = alt.Chart(data).encode(x=alt.X("x:Q"))
    right = threshold < _MIDDLE
    return [
        base.mark_rule(style="limit"),
        base.mark_text(
            style="said", align="left" if right else "right", dx=6 if right else -6, dy=8
        ).encode(y=alt.value(0), text="text:N"),
    ]
