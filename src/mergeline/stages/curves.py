"""Curves for `dvc plots`, thinned to what a plot can show.

Two classes have `roc.csv` and `precision_recall.csv`; of several each has curves against the
others in the same files, with a column `class`, but for those of few rows. A regression has
`predicted_actual.csv`, means by tenths of the predictions, and `error_quantiles.csv`.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import Any

from mergeline.config.problem import printable
from mergeline.core.evidence import FEWEST_TOLD, Residuals
from mergeline.model.predictions import Predictions
from mergeline.stats import binary, multiclass

ROC, PRECISION_RECALL = "roc.csv", "precision_recall.csv"
PREDICTED_ACTUAL, ERROR_QUANTILES = "predicted_actual.csv", "error_quantiles.csv"
_MOST_POINTS = 200
_RATES = ("false_positive_rate", "true_positive_rate")
_PRECISION = ("recall", "precision")


def curves(predictions: Predictions, residuals: Residuals | None) -> dict[str, bytes]:
    """Return the files of the task, by name.

    Of one class only, the rate that needs the other one is 0 throughout.

    Args:
        predictions: Of the held-out rows.
        residuals: Of a regression.
    """
    if predictions.task == "binary":
        rows = binary.Rows(predictions.actual, predictions.score, predictions.predicted)
        roc, precision = _points(rows)
        return {ROC: _csv(_RATES, roc), PRECISION_RECALL: _csv(_PRECISION, precision)}
    if predictions.task == "multiclass":
        return _one_by_one(predictions)
    bins = residuals.bins if residuals else ()
    quantiles = residuals.quantiles if residuals else {}
    return {
        PREDICTED_ACTUAL: _csv(
            ("predicted", "actual", "n"),
            ((tenth.predicted, tenth.actual, tenth.n) for tenth in bins),
        ),
        ERROR_QUANTILES: _csv(("percent", "error"), quantiles.items()),
    }


def _one_by_one(predictions: Predictions) -> dict[str, bytes]:
    rows = multiclass.Rows(predictions.actual, predictions.score, predictions.classes)
    roc: list[tuple[Any, ...]] = []
    precision: list[tuple[Any, ...]] = []
    for name, alone in zip(rows.classes, rows.one_by_one, strict=True):
        if alone.positive.sum() < FEWEST_TOLD:  # each step would be a single row
            continue
        first, second = _points(alone)
        roc += ((printable(name), *point) for point in first)
        precision += ((printable(name), *point) for point in second)
    return {
        ROC: _csv(("class", *_RATES), roc),
        PRECISION_RECALL: _csv(("class", *_PRECISION), precision),
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


def _csv(header: Sequence[str], points: Iterable[Sequence[Any]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(_written, points))
    return text.getvalue().encode()


def _written(point: Sequence[Any]) -> list[Any]:
    return [f"{value:.6f}" if isinstance(value, float) else value for value in point]
