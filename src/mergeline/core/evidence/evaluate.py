"""evaluate: the model on the held-out rows."""

from typing import Annotated

from pydantic import Field, FiniteFloat

from mergeline.core.base import Estimate, Stated
from mergeline.core.evidence.envelope import Count, Share
from mergeline.core.task import Task

MOST_POINTS = 100
"""The most points that a curve has: they are for people to look at."""


class Slice(Stated):
    """Metrics on the held-out rows where a column has one value."""

    column: str
    value: str
    n: Count
    metrics: dict[str, Estimate]


class CalibrationBin(Stated):
    """At least `FEWEST_TOLD` held-out rows with a score in [low, high): its mean, observed rate."""

    low: FiniteFloat
    high: FiniteFloat
    n: Count
    score: FiniteFloat
    observed: FiniteFloat


class Confusion(Stated):
    """Counts at the threshold; the positive class is the one that the settings name."""

    true_positive: Count
    false_positive: Count
    true_negative: Count
    false_negative: Count


class CurvePoint(Stated):
    """What a threshold would come to; one of few points of the curves ROC and precision-recall.

    A threshold is a short number near a quantile of the scores, which tells no row's own.

    Attributes:
        false_positive_rate: 0 where all rows are positive.
        recall: 0 where no row is positive.
        precision: None where no row would be predicted positive.
    """

    threshold: FiniteFloat
    false_positive_rate: Share
    recall: Share
    precision: Share | None


class ThresholdPoint(CurvePoint):
    """What the model would decide at another threshold, on all held-out rows.

    Attributes:
        selection_rate: Share of rows that would be predicted positive.
        cost: Mean cost of a row, by `evaluate.costs`; None without them.
    """

    true_positive: Count
    false_positive: Count
    true_negative: Count
    false_negative: Count
    selection_rate: Share
    cost: FiniteFloat | None = None


class ClassReport(Stated):
    """One class against all others.

    Attributes:
        n: Held-out rows that are of it.
        predicted: Held-out rows that are predicted to be.
        metrics: `precision`, `recall`, `f1`, `roc_auc`; without a value for a class of fewer
            than `FEWEST_TOLD` rows.
        calibration: Of its probability.
        curve: By rising threshold, ROC and precision-recall of its probability, for the 20 most
            frequent classes. Between two points lie at least `FEWEST_TOLD` rows.
    """

    name: str
    n: Count
    predicted: Count
    metrics: dict[str, Estimate]
    calibration: Annotated[tuple[CalibrationBin, ...], Field(max_length=MOST_POINTS)] = ()
    curve: Annotated[tuple[CurvePoint, ...], Field(max_length=MOST_POINTS)] = ()


class ResidualBin(Stated):
    """Held-out rows of neighbouring predictions: means of prediction and outcome."""

    low: FiniteFloat
    high: FiniteFloat
    n: Count
    predicted: FiniteFloat
    actual: FiniteFloat


class Residuals(Stated):
    """The errors of a regression, prediction minus outcome.

    Attributes:
        bins: By tenths of the predictions, each of at least `FEWEST_TOLD` rows.
        quantiles: Of the errors, by percent: 5, 25, 50, 75, 95.
    """

    bins: Annotated[tuple[ResidualBin, ...], Field(max_length=MOST_POINTS)]
    quantiles: dict[str, FiniteFloat]


class EvaluateContent(Stated):
    """The model on the held-out rows.

    Attributes:
        positives: Rows of the positive class; binary only, as are `threshold`, `confusion` and
            `calibration`.
        thresholds: By rising threshold, the one that decides among them; binary only. The first
            would select all rows and the last none, where a probability can. Between two others
            lie at least `FEWEST_TOLD` rows, and outside of them as many or none; only beyond the
            one that decides may lie fewer, which `confusion` tells as well.
        costs: What a row costs by what was decided, in units of the settings' choosing:
            `true_positive`, `false_positive`, `true_negative`, `false_negative`.
        cost_unit: What costs are counted in; empty where nobody said.
        cheapest: The one of `thresholds` with the least cost on these rows, of several the
            nearest to the one that decides; None without costs.
        classes: Each class against the others, in the model's order; multiclass only.
        matrix: Rows by actual and predicted class, in the model's order; multiclass only.
        residuals: Regression only.
        in_no_slice: Rows whose value is not among the 20 most frequent, by sliced column.
        primary: The name of the metric that the report leads with.
        higher_is_better: By metric.
        predictions_sha256: SHA-256 of `predictions.parquet`.
        probes_sha256: SHA-256 of `probes.json`: drawn rows, none of the data's, with scores.
    """

    task: Task = "binary"
    n: Count
    positives: Count | None
    primary: str
    threshold: FiniteFloat | None
    metrics: dict[str, Estimate]
    higher_is_better: dict[str, bool]
    confusion: Confusion | None
    calibration: Annotated[tuple[CalibrationBin, ...], Field(max_length=MOST_POINTS)]
    thresholds: Annotated[tuple[ThresholdPoint, ...], Field(max_length=MOST_POINTS)] = ()
    costs: Annotated[dict[str, FiniteFloat], Field(max_length=4)] = {}
    cost_unit: str = ""
    cheapest: FiniteFloat | None = None
    classes: tuple[ClassReport, ...] = ()
    matrix: tuple[tuple[Count, ...], ...] = ()
    residuals: Residuals | None = None
    slices: tuple[Slice, ...]
    in_no_slice: dict[str, Count] = {}
    model_bytes: Count
    predictions_sha256: str
    probes_sha256: str
    probes: Count
    bootstrap: Count
    seed: int

    @property
    def matrix_shares(self) -> tuple[tuple[float, ...], ...]:
        """`matrix` as shares of the rows of each actual class; 0 of a class without rows."""
        totals = [sum(row) or 1 for row in self.matrix]
        return tuple(
            tuple(count / total for count in row)
            for row, total in zip(self.matrix, totals, strict=True)
        )
