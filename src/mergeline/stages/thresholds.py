"""What other thresholds would come to: few points of the curves, with what each would cost."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import FEWEST_TOLD, CurvePoint, ThresholdPoint
from mergeline.model.predictions import Predictions
from mergeline.stats.thresholds import selected, spread_thresholds

if TYPE_CHECKING:
    import numpy as np

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]

_POINTS = 50
_POINTS_OF_CLASS = 40
_MOST_CLASSES = 20


def threshold_points(
    predictions: Predictions, costs: Mapping[str, float]
) -> tuple[ThresholdPoint, ...]:
    """Return what a model of two classes would decide at about 50 thresholds and at its own.

    Args:
        predictions: Of the held-out rows.
        costs: Of a row by what is decided, in terms of `Confusion`; empty for none.
    """
    positive, score = predictions.actual, predictions.score
    thresholds = spread_thresholds(score, most=_POINTS, deciding=predictions.threshold)
    points = []
    for threshold, caught, wrong in _counts(positive, score, thresholds):
        n, positives = len(positive), int(positive.sum())
        counts = {
            "true_positive": caught,
            "false_positive": wrong,
            "true_negative": n - positives - wrong,
            "false_negative": positives - caught,
        }
        spent = sum(costs[name] * rows for name, rows in counts.items()) / n if costs else None
        points.append(
            ThresholdPoint(
                threshold=threshold,
                **_rates(caught, wrong, positives, n),
                **counts,
                selection_rate=(caught + wrong) / n,
                cost=spent,
            )
        )
    return tuple(points)


def cheapest(points: Sequence[ThresholdPoint], deciding: float | None) -> float | None:
    """Return the threshold of the least cost, of several the nearest to the one that decides.

    None where nothing costs anything.
    """
    best = min(
        (
            (point.cost, abs(point.threshold - (deciding or 0.0)), point.threshold)
            for point in points
            if point.cost is not None
        ),
        default=None,
    )
    return best[2] if best else None


def class_curves(predictions: Predictions) -> dict[int, tuple[CurvePoint, ...]]:
    """Return points of the curves of the most frequent classes, each against the others.

    Classes of fewer than `FEWEST_TOLD` rows, or with fewer others, have none.

    Args:
        predictions: Of several classes.
    """
    import numpy as np

    counts = np.bincount(predictions.actual, minlength=len(predictions.classes))
    frequent = np.argsort(-counts, kind="stable")[:_MOST_CLASSES].tolist()
    found = {}
    for number in frequent:
        if min(counts[number], len(predictions) - counts[number]) < FEWEST_TOLD:
            continue
        positive, score = predictions.actual == number, predictions.score[:, number]
        thresholds = spread_thresholds(score, most=_POINTS_OF_CLASS)
        found[number] = tuple(
            CurvePoint(
                threshold=threshold,
                **_rates(caught, wrong, int(positive.sum()), len(positive)),
            )
            for threshold, caught, wrong in _counts(positive, score, thresholds)
        )
    return found


def _counts(
    positive: "Bools", score: "Floats", thresholds: list[float]
) -> list[tuple[float, int, int]]:
    """Return how many positive and other rows reach each threshold."""
    sides = [selected(score[side], thresholds).tolist() for side in (positive, ~positive)]
    return list(zip(thresholds, *sides, strict=True))


def _rates(caught: int, wrong: int, positives: int, n: int) -> dict[str, Any]:
    said = caught + wrong
    return {
        "false_positive_rate": wrong / max(n - positives, 1),
        "recall": caught / max(positives, 1),
        "precision": caught / said if said else None,
    }
