"""Curves for `dvc plots`, thinned to what a plot can show.

Two classes have `roc.csv`, `precision_recall.csv`, and, as the evidence has them,
`calibration.csv` and `thresholds.csv`; of several each has curves and calibration against the
others in the same files, with a column `class`, but for those of few rows. A regression has
`predicted_actual.csv`, means by tenths of the predictions, and `error_quantiles.csv`.
"""

from collections.abc import Iterator
from typing import Any

from mergeline.core.evidence import FEWEST_TOLD, CalibrationBin, EvaluateContent
from mergeline.model.predictions import Predictions
from mergeline.stages.plots import plot_csv
from mergeline.stats import binary, multiclass

ROC, PRECISION_RECALL = "roc.csv", "precision_recall.csv"
CALIBRATION, THRESHOLDS = "calibration.csv", "thresholds.csv"
PREDICTED_ACTUAL, ERROR_QUANTILES = "predicted_actual.csv", "error_quantiles.csv"
_MOST_POINTS = 200
_RATES = ("false_positive_rate", "true_positive_rate")
_PRECISION = ("recall", "precision")
_CALIBRATION = ("score", "observed", "n")
_AT_THRESHOLD = (
    *("threshold", "recall", "precision", "false_positive_rate", "selection_rate"),
    "cost",
)


def curves(predictions: Predictions, content: EvaluateContent) -> dict[str, bytes]:
    """Return the files of the task, by name.

    Of one class only, the rate that needs the other one is 0 throughout.

    Args:
        predictions: Of the held-out rows.
        content: What was measured on them.
    """
    if predictions.task == "binary":
        rows = binary.Rows(predictions.actual, predictions.score, predictions.predicted)
        roc, precision = _points(rows)
        return {
            ROC: plot_csv(_RATES, roc),
            PRECISION_RECALL: plot_csv(_PRECISION, precision),
            CALIBRATION: plot_csv(_CALIBRATION, map(_bin, content.calibration)),
            THRESHOLDS: _thresholds(content),
        }
    if predictions.task == "multiclass":
        return _one_by_one(predictions, content)
    bins = content.residuals.bins if content.residuals else ()
    quantiles = content.residuals.quantiles if content.residuals else {}
    return {
        PREDICTED_ACTUAL: plot_csv(
            ("predicted", "actual", "n"),
            ((tenth.predicted, tenth.actual, tenth.n) for tenth in bins),
        ),
        ERROR_QUANTILES: plot_csv(("percent", "error"), quantiles.items()),
    }


def _thresholds(content: EvaluateContent) -> bytes:
    columns = _AT_THRESHOLD if content.costs else _AT_THRESHOLD[:-1]
    rows = ([getattr(point, name) for name in columns] for point in content.thresholds)
    return plot_csv(columns, rows)


def _bin(found: CalibrationBin) -> tuple[float, float, int]:
    return found.score, found.observed, found.n


def _one_by_one(predictions: Predictions, content: EvaluateContent) -> dict[str, bytes]:
    rows = multiclass.Rows(predictions.actual, predictions.score, predictions.classes)
    roc: list[tuple[Any, ...]] = []
    precision: list[tuple[Any, ...]] = []
    for name, alone in zip(rows.classes, rows.one_by_one, strict=True):
        if alone.positive.sum() < FEWEST_TOLD:  # each step would be a single row
            continue
        first, second = _points(alone)
        roc += ((name, *point) for point in first)
        precision += ((name, *point) for point in second)
    bins = ((of.name, *_bin(found)) for of in content.classes for found in of.calibration)
    return {
        ROC: plot_csv(("class", *_RATES), roc),
        PRECISION_RECALL: plot_csv(("class", *_PRECISION), precision),
        CALIBRATION: plot_csv(("class", *_CALIBRATION), bins),
    }


def _points(rows: binary.Rows) -> tuple[Iterator[tuple[float, float]], ...]:
    """Return the points of both curves."""
    import numpy as np

    found = np.cumsum(rows.positive)
    seen = np.arange(1, len(found) + 1)
    ends = np.append(rows.tie_starts[1:], len(found)) - 1
    keep = ends[np.unique(np.linspace(0, len(ends) - 1, _MOST_POINTS).round().astype(int))]
    positives, negatives = found[-1], len(found) - found[-1]
    recall = found[keep] / max(positives, 1)
    false_rate = (seen[keep] - found[keep]) / max(negatives, 1)
    precision = found[keep] / seen[keep]
    return zip([0.0, *false_rate], [0.0, *recall], strict=True), zip(recall, precision, strict=True)
