"""Charts of slices, classes and errors."""

from typing import Any

from mergeline.core.evidence import EvaluateContent, Slice
from mergeline.core.plan import Plan
from mergeline.report.charts.chart import NAME, STEP, Chart, finished, fitting, values
from mergeline.report.markdown import plain
from mergeline.report.numbers import estimate, number, percent, signed

_SLICES, _COLUMNS = 20, 12
_CLASSES = 12
_SHARES = ("recall", "precision")


def _evaluated(plan: Plan) -> EvaluateContent | None:
    return plan.evidence.evaluate.content if plan.evidence.evaluate else None


def slice_charts(plan: Plan) -> tuple[Chart, ...]:
    """Draw the primary metric of every slice with its interval, a chart for each column."""
    content = _evaluated(plan)
    if content is None:
        return ()
    columns = list(dict.fromkeys(each.column for each in content.slices))
    found = (
        _slices(content, column, f"slices-{place}")
        for place, column in enumerate(columns[:_COLUMNS], start=1)
    )
    return tuple(chart for chart in found if chart is not None)


def _slices(content: EvaluateContent, column: str, name: str) -> Chart | None:
    import altair as alt

    metric = content.primary
    measured = [
        each
        for each in content.slices
        if each.column == column
        and each.metrics.get(metric) is not None
        and each.metrics[metric].value is not None
    ][:_SLICES]
    if not measured:
        return None
    rows = [
        _interval(shown, each, metric)
        for shown, each in zip(fitting([each.value for each in measured]), measured, strict=True)
    ]
    # Never the name alone: an axis whose title is `constructor` leaves a chart blank.
    title = f"{plain(metric, NAME)} with its 95 % interval"
    x = alt.X("x:Q", title=title, scale=alt.Scale(zero=False))
    y = alt.Y("name:N", sort=None, title=None)
    base = alt.Chart(values(rows)).encode(y=y)
    layers = [
        base.mark_rule(style="model").encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_point(style="model", size=60, filled=True).encode(
            x=x,
            tooltip=[
                alt.Tooltip("name:N", title="value"),
                # Titles of a tooltip become keys of an expression: none is a name of others.
                alt.Tooltip("x:Q", title="metric", format=",.4~g"),
                alt.Tooltip("n:Q", title="rows", format=","),
            ],
        ),
    ]
    whole = content.metrics.get(metric)
    if whole is not None and whole.value is not None:
        all_rows = alt.Chart(values([{"x": whole.value}])).mark_rule(style="reference")
        layers.insert(0, all_rows.encode(x=x))
    return Chart(
        name=name,
        title=f"{metric} by {column}",
        description=f"{metric} of each value of {column} with its 95 % interval; the dotted "
        "upright line is that of all held-out rows.",
        spec=finished(alt.layer(*layers), STEP * len(rows)),
        header=("Value", "Rows", metric),
        rows=tuple(
            (each.value, f"{each.n:,}", estimate(each.metrics[metric])) for each in measured
        ),
    )


def _interval(shown: str, item: Slice, metric: str) -> dict[str, Any]:
    found = item.metrics[metric]
    low = found.value if found.low is None else found.low
    high = found.value if found.high is None else found.high
    return {"name": shown, "x": found.value, "low": low, "high": high, "n": item.n}


def class_chart(plan: Plan) -> Chart | None:
    """Draw recall and precision of each class, the most frequent first."""
    import altair as alt

    content = _evaluated(plan)
    found = [] if content is None else sorted(content.classes, key=lambda each: -each.n)
    found = found[:_CLASSES]
    if not found:
        return None
    rows = [
        {"name": shown, "x": each.metrics[share].value, "series": share, "n": each.n}
        for shown, each in zip(fitting([each.name for each in found]), found, strict=True)
        for share in _SHARES
        if share in each.metrics and each.metrics[share].value is not None
    ]
    scale = alt.Scale(domain=list(_SHARES))
    chart = (
        alt.Chart(values(rows))
        .mark_point(filled=True, size=80)
        .encode(
            x=alt.X("x:Q", title="share", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("name:N", sort=None, title=None),
            color=alt.Color("series:N", scale=scale),
            shape=alt.Shape("series:N", scale=scale),
            tooltip=[
                alt.Tooltip("name:N", title="class"),
                alt.Tooltip("series:N", title="metric"),
                alt.Tooltip("x:Q", title="share", format=".3f"),
                alt.Tooltip("n:Q", title="rows", format=","),
            ],
        )
    )
    return Chart(
        name="classes",
        title="Recall and precision by class",
        description="Recall is how many of a class are found, precision how many of those "
        "named so are.",
        spec=finished(chart, STEP * len(found)),
        header=("Class", "Rows", *_SHARES),
        rows=tuple(
            (
                each.name,
                f"{each.n:,}",
                *(
                    estimate(each.metrics[share]) if share in each.metrics else ""
                    for share in _SHARES
                ),
            )
            for each in found
        ),
    )


def matrix_chart(plan: Plan) -> Chart | None:
    """Draw which class is taken for which: shares of the rows of each class."""
    import altair as alt

    content = _evaluated(plan)
    if content is None or not content.matrix:
        return None
    largest = sorted(range(len(content.classes)), key=lambda place: -content.classes[place].n)
    places = sorted(largest[:_CLASSES])
    names = fitting([content.classes[place].name for place in places])
    shares = content.matrix_shares
    rows: list[dict[str, Any]] = [
        {
            "actual": actual,
            "predicted": predicted,
            "n": content.matrix[row][column],
            "share": shares[row][column],
            "text": f"{content.matrix[row][column]:,}",
        }
        for row, actual in zip(places, names, strict=True)
        for column, predicted in zip(places, names, strict=True)
    ]
    base = alt.Chart(values(rows)).encode(
        x=alt.X("predicted:N", sort=None, title="predicted", axis=alt.Axis(labelAngle=-30)),
        y=alt.Y("actual:N", sort=None, title="actual"),
    )
    layers = (
        base.mark_rect(style="model", strokeWidth=0).encode(
            fillOpacity=alt.Opacity(
                "share:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.55]), legend=None
            )
        ),
        base.mark_text(style="said").encode(text="text:N"),
    )
    return Chart(
        name="matrix",
        title="Rows by actual and predicted class",
        description="The darker a cell, the larger its share of the rows of the actual class; "
        "the diagonal is right.",
        spec=finished(alt.layer(*layers), max(34 * len(places), 140)),
        header=("Actual", "Predicted", "Rows", "Share of the actual class"),
        rows=tuple(
            (each["actual"], each["predicted"], each["text"], percent(each["share"], 1))
            for each in rows
        ),
    )


def predicted_chart(plan: Plan) -> Chart | None:
    """Draw mean outcomes by mean predictions, by tenths of the predictions."""
    import altair as alt

    content = _evaluated(plan)
    if content is None or content.residuals is None or not content.residuals.bins:
        return None
    bins = content.residuals.bins
    rows = [{"x": each.predicted, "y": each.actual, "n": each.n} for each in bins]
    ends = (
        min(min(each.predicted, each.actual) for each in bins),
        max(max(each.predicted, each.actual) for each in bins),
    )
    x = alt.X("x:Q", title="mean predicted", scale=alt.Scale(zero=False))
    y = alt.Y("y:Q", title="mean actual", scale=alt.Scale(zero=False))
    base = alt.Chart(values(rows)).encode(x=x, y=y)
    layers = (
        alt.Chart(values([{"x": end, "y": end} for end in ends]))
        .mark_line(style="reference")
        .encode(x=x, y=y),
        base.mark_line(style="model"),
        base.mark_point(style="model", filled=True, size=60).encode(
            tooltip=[
                alt.Tooltip("x:Q", title="predicted", format=",.4~g"),
                alt.Tooltip("y:Q", title="actual", format=",.4~g"),
                alt.Tooltip("n:Q", title="rows", format=","),
            ]
        ),
    )
    return Chart(
        name="predicted-actual",
        title="Predicted and actual, by tenths of the predictions",
        description="On the dotted line predictions are right on average; above it outcomes are "
        "larger than predicted.",
        spec=finished(alt.layer(*layers)),
        header=("Predictions from", "to", "Rows", "Mean predicted", "Mean actual"),
        rows=tuple(
            (
                number(each.low),
                number(each.high),
                f"{each.n:,}",
                number(each.predicted),
                number(each.actual),
            )
            for each in bins
        ),
    )


def error_chart(plan: Plan) -> Chart | None:
    """Draw how large errors are: half of them, and nine in ten."""
    import altair as alt

    found = [
        (who, each.content.residuals.quantiles)
        for who, each in (
            ("this model", plan.evidence.evaluate),
            ("baseline", plan.baseline_evidence.evaluate),
        )
        if each is not None and each.content.residuals is not None
    ]
    wanted = ("5", "25", "50", "75", "95")
    found = [(who, each) for who, each in found if all(key in each for key in wanted)]
    if not found:
        return None
    rows = [{"name": who, **{f"q{key}": each[key] for key in wanted}} for who, each in found]
    base = alt.Chart(values(rows)).encode(y=alt.Y("name:N", sort=None, title=None))
    x = alt.X("q5:Q", title="prediction minus outcome")
    layers = (
        alt.Chart(values([{"x": 0}])).mark_rule(style="reference").encode(x="x:Q"),
        base.mark_rule(style="model").encode(x=x, x2="q95:Q"),
        base.mark_bar(style="model", height=14).encode(x="q25:Q", x2="q75:Q"),
        base.mark_tick(style="decides", height=20, thickness=3).encode(x="q50:Q"),
    )
    return Chart(
        name="errors",
        title="How far predictions are off",
        description="The bar holds half of the errors, the line nine in ten; the mark is the "
        "median.",
        spec=finished(alt.layer(*layers), 40 * len(rows)),
        header=("Series", "5 %", "25 %", "Median", "75 %", "95 %"),
        rows=tuple((who, *(signed(each[key]) for key in wanted)) for who, each in found),
    )
