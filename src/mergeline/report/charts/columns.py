"""Charts of columns: what moves the predictions, and what moved in the data."""

from mergeline.core.plan import Plan
from mergeline.report.charts.chart import BOTH, STEP, Chart, finished, fitting, values
from mergeline.report.numbers import number, percent

_SHOWN = 15


def importance_chart(plan: Plan) -> Chart | None:
    """Draw each column's share of what moves the predictions, beside the baseline's."""
    import altair as alt

    now, before = plan.evidence.explain, plan.baseline_evidence.explain
    if now is None or not now.content.features:
        return None
    features = now.content.features[:_SHOWN]
    old = {each.column: each.share for each in before.content.features} if before else {}
    names = fitting([each.column for each in features])
    rows = [
        {"name": name, "series": who, "share": share}
        for name, each in zip(names, features, strict=True)
        for who, share in zip(BOTH, (each.share, old.get(each.column)), strict=True)
        if share is not None
    ]
    series = list(BOTH) if old else [BOTH[0]]
    scale = alt.Scale(domain=series)
    chart = (
        alt.Chart(values(rows))
        .mark_bar()
        .encode(
            y=alt.Y("name:N", sort=None, title=None),
            yOffset=alt.YOffset("series:N", scale=scale),
            x=alt.X("share:Q", title="share of mean |SHAP|", axis=alt.Axis(format="%")),
            color=alt.Color("series:N", scale=scale),
            fillOpacity=alt.Opacity(
                "series:O",
                scale=alt.Scale(domain=series, range=[1.0, 0.35][: len(series)]),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("name:N", title="column"),
                alt.Tooltip("series:N", title="series"),
                alt.Tooltip("share:Q", title="share", format=".1%"),
            ],
        )
    )
    return Chart(
        name="importance",
        title="What moves the predictions",
        description=f"The column that moves them most is {features[0].column} with "
        f"{percent(features[0].share, 1)} of all.",
        spec=finished(chart, (STEP + 8 if old else STEP) * len(features)),
        header=("Column", "This model", "Baseline"),
        rows=tuple(
            (
                each.column,
                percent(each.share, 1),
                percent(old[each.column], 1) if each.column in old else "not read",
            )
            for each in features
        ),
    )


def drift_chart(plan: Plan) -> Chart | None:
    """Draw how far columns lie from the baseline's, beside what chance explains."""
    import altair as alt

    if plan.comparison is None or not plan.comparison.drift:
        return None
    drift = sorted(plan.comparison.drift.items(), key=lambda item: -item[1].distance)[:_SHOWN]
    rows = [
        {
            "name": name,
            "x": each.distance,
            "noise": each.noise,
            "text": "beyond chance" if each.distance > each.noise else "",
        }
        for name, (_, each) in zip(fitting([column for column, _ in drift]), drift, strict=True)
    ]
    base = alt.Chart(values(rows)).encode(y=alt.Y("name:N", sort=None, title=None))
    x = alt.X("x:Q", title="distance from the baseline's values, 0 to 1")
    layers = (
        base.mark_bar(style="model", height=12, fillOpacity=0.75).encode(
            x=x,
            tooltip=[
                alt.Tooltip("name:N", title="column"),
                alt.Tooltip("x:Q", title="distance", format=".3f"),
                alt.Tooltip("noise:Q", title="chance alone", format=".3f"),
            ],
        ),
        base.mark_tick(style="noise", height=20, thickness=2).encode(x="noise:Q"),
        base.mark_text(style="said", align="left", dx=6).encode(x=x, text="text:N"),
    )
    return Chart(
        name="drift",
        title="Columns that lie furthest from the baseline's",
        description="A bar is how far the values of a column moved; the upright mark what chance "
        "alone explains. A bar beyond it is said in words.",
        spec=finished(alt.layer(*layers), STEP * len(rows)),
        header=("Column", "Distance", "Chance alone explains"),
        rows=tuple((column, number(each.distance), number(each.noise)) for column, each in drift),
    )
