"""evaluate: the model on the held-out rows."""

from pydantic import FiniteFloat

from mergeline.core.base import Estimate, Stated
from mergeline.core.evidence.envelope import Count
from mergeline.core.task import Task


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

    Attributes:
        precision: None where no row would be predicted positive.
    """

    threshold: FiniteFloat
    false_positive_rate: FiniteFloat
    recall: FiniteFloat
    precision: FiniteFloat | None


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
    selection_rate: FiniteFloat
    cost: FiniteFloat | None = None


class ClassReport(Stated):
    """One class against all others.

    Attributes:
        n: Held-out rows that are of it.
        predicted: Held-out rows that are predicted to be.
        metrics: `precision`, `recall`, `f1`, `roc_auc`; without a value for a class of fewer
            than `FEWEST_TOLD` rows.
        calibration: Of its probability.
        curve: ROC and precision-recall of its probability, for the 20 most frequent classes.
    """

    name: str
    n: Count
    predicted: Count
    metrics: dict[str, Estimate]
    calibration: tuple[CalibrationBin, ...] = ()
    curve: tuple[CurvePoint, ...] = ()


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

    bins: tuple[ResidualBin, ...]
    quantiles: dict[str, FiniteFloat]


class EvaluateContent(Stated):
    """The model on the held-out rows.

    Attributes:
        positives: Rows of the positive class; binary only, as are `threshold`, `confusion` and
            `calibration`.
        thresholds: By rising threshold, the one that decides among them; binary only. Between two
            of them, and outside, lie no rows or at least `FEWEST_TOLD`.
        costs: What a row costs by what was decided, in units of the settings' choosing:
            `true_positive`, `false_positive`, `true_negative`, `false_negative`.
        cost_unit: What costs are counted in; empty where nobody said.
        cheapest: The threshold of the least cost; None without costs.
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
    calibration: tuple[CalibrationBin, ...]
    thresholds: tuple[ThresholdPoint, ...] = ()
    costs: dict[str, FiniteFloat] = {}
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
