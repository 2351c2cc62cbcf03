"""Charts of a plan as Vega-Lite: data values and fixed field names, no colours, no scripts.

`chart` has the type, the look and what the kinds share; the other modules draw one kind each. A
name out of data or a pull request is only ever a value in a chart's data.
"""

from mergeline.core.plan import Plan
from mergeline.report.charts.chart import Chart, config, svg
from mergeline.report.charts.columns import drift_chart, importance_chart
from mergeline.report.charts.curves import (
    calibration_chart,
    precision_recall_chart,
    roc_chart,
)
from mergeline.report.charts.groups import gap_by_threshold_charts, group_charts
from mergeline.report.charts.scores import (
    class_chart,
    error_chart,
    matrix_chart,
    predicted_chart,
    slice_charts,
)
from mergeline.report.charts.thresholds import cost_chart, threshold_chart

__all__ = ["Chart", "charts", "config", "svg"]


def charts(plan: Plan) -> tuple[Chart, ...]:
    """Return every chart that the plan has numbers for, in the order of a report."""
    alone = (
        roc_chart(plan),
        precision_recall_chart(plan),
        class_chart(plan),
        matrix_chart(plan),
        predicted_chart(plan),
        error_chart(plan),
        calibration_chart(plan),
        threshold_chart(plan),
        cost_chart(plan),
    )
    return (
        *(chart for chart in alone if chart is not None),
        *slice_charts(plan),
        *group_charts(plan),
        *gap_by_threshold_charts(plan),
        *(chart for chart in (importance_chart(plan), drift_chart(plan)) if chart is not None),
    )
