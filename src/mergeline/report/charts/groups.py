"""Charts of fairness: rates by group with intervals, and gaps by threshold."""

from typing import Any

from mergeline.core.evidence import FairnessBy, FairnessContent
from mergeline.core.plan import Plan
from mergeline.report.charts.chart import HEIGHT, Chart, finished, fitting, or_none, values
from mergeline.report.charts.thresholds import upright
from mergeline.report.numbers import estimate, number

_GROUPS, _BY, _RATES = 12, 12, 4
_ROW = 15  # pixels of one rate of one group


def _content(plan: Plan) -> FairnessContent | None:
    return plan.evidence.fairness.content if plan.evidence.fairness else None


def group_charts(plan: Plan) -> tuple[Chart, ...]:
    """Draw the rates of every group that is judged, a chart for each sensitive column."""
    content = _content(plan)
    if content is None:
        return ()
    found = (
        _rates(content, each, f"groups-{place}")
        for place, each in enumerate(content.by[:_BY], start=1)
    )
    return tuple(chart for chart in found if chart is not None)


def _rates(content: FairnessContent, found: FairnessBy, name: str) -> Chart | None:
    import altair as alt

    groups = [each for each in found.groups if each.judged][:_GROUPS]
    rates = [rate for rate in content.metrics if any(_has(each.metrics, rate) for each in groups)][
        :_RATES
    ]
    if not groups or not rates:
        return None
    shown = fitting([each.name for each in groups])
    series = dict(zip(rates, fitting(rates), strict=True))
    rows = [
        {
            "name": label,
            "series": series[rate],
            "x": each.metrics[rate].value,
            "low": _first(each.metrics[rate].low, each.metrics[rate].value),
            "high": _first(each.metrics[rate].high, each.metrics[rate].value),
            "n": each.metrics[rate].n,
        }
        for label, each in zip(shown, groups, strict=True)
        for rate in rates
        if _has(each.metrics, rate)
    ]
    scale = alt.Scale(domain=[*series.values()])
    base = alt.Chart(values(rows)).encode(
        y=alt.Y("name:N", sort=None, title=None, scale=alt.Scale(paddingInner=0.3)),
        # Without a sort it takes the colours', by an expression with all names in it, where one
        # such as `constructor` is more than a text.
        yOffset=alt.YOffset("series:N", scale=scale, sort="ascending"),
        color=alt.Color("series:N", scale=scale, legend=alt.Legend(columns=1)),
    )
    axis = "value" if content.task == "regression" else "rate"
    layers = (
        base.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q", title=axis), x2="high:Q"),
        base.mark_point(filled=True, size=55).encode(
            x=alt.X("x:Q", title=axis),
            shape=alt.Shape("series:N", scale=scale, legend=alt.Legend(columns=1)),
            tooltip=[
                alt.Tooltip("name:N", title="group"),
                alt.Tooltip("series:N", title="metric"),
                alt.Tooltip("x:Q", title="value", format=",.4~g"),
                alt.Tooltip("low:Q", title="from", format=",.4~g"),
                alt.Tooltip("high:Q", title="to", format=",.4~g"),
                alt.Tooltip("n:Q", title="rows", format=","),
            ],
        ),
    )
    return Chart(
        name=name,
        title=f"Rates by {found.by}",
        description="Each group's rates with their 95 % intervals; a gap is how far marks of one "
        "shape are apart.",
        spec=finished(alt.layer(*layers), max(_ROW * len(rates) * len(groups) * 1.3, 80)),
        header=("Group", "Rows", *rates),
        rows=tuple(
            (
                each.name,
                f"{each.n:,}",
                *(estimate(each.metrics[rate]) if rate in each.metrics else "" for rate in rates),
            )
            for each in groups
        ),
    )


def _has(metrics: dict[str, Any], rate: str) -> bool:
    return rate in metrics and metrics[rate].value is not None


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def gap_by_threshold_charts(plan: Plan) -> tuple[Chart, ...]:
    """Draw what the gaps would be at other thresholds, a chart for each sensitive column."""
    content = _content(plan)
    if content is None:
        return ()
    return tuple(
        _gaps(content, each, f"gaps-{place}")
        for place, each in enumerate(content.by[:_BY], start=1)
        if each.thresholds
    )


def _gaps(content: FairnessContent, found: FairnessBy, name: str) -> Chart:
    import altair as alt

    gaps = list(dict.fromkeys(gap for each in found.thresholds for gap in each.gaps))[:_RATES]
    series = dict(zip(gaps, fitting(gaps), strict=True))
    rows = [
        {"x": each.threshold, "y": each.gaps[gap], "series": series[gap]}
        for gap in gaps
        for each in found.thresholds
        if each.gaps.get(gap) is not None
    ]
    scale = alt.Scale(domain=[*series.values()])
    dashes = alt.Scale(domain=[*series.values()], range=[[1, 0], [6, 4], [2, 2], [8, 3, 2, 3]])
    lines = (
        alt.Chart(values(rows))
        .mark_line(point={"filled": True, "size": 30})
        .encode(
            x=alt.X("x:Q", title="threshold"),
            y=alt.Y("y:Q", title="gap"),
            color=alt.Color("series:N", scale=scale, legend=alt.Legend(columns=1)),
            strokeDash=alt.StrokeDash("series:N", scale=dashes, legend=alt.Legend(columns=1)),
            tooltip=[
                alt.Tooltip("series:N", title="gap"),
                alt.Tooltip("x:Q", title="threshold", format=".3f"),
                alt.Tooltip("y:Q", title="difference", format=".3f"),
            ],
        )
    )
    return Chart(
        name=name,
        title=f"Gaps by {found.by}, at other thresholds",
        description="Lower is fairer; the dashed upright line is the threshold that decides.",
        spec=finished(alt.layer(lines, *upright(content.threshold)), HEIGHT - 40),
        header=("Threshold", *gaps),
        rows=tuple(
            (number(each.threshold), *(or_none(each.gaps.get(gap)) for gap in gaps))
            for each in found.thresholds
        ),
    )
