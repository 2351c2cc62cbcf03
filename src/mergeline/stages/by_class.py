"""What a classifier gets right and wrong: confusion, calibration, each class by itself."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mergeline.core.base import Estimate
from mergeline.core.evidence import FEWEST_TOLD, UNTOLD, CalibrationBin, ClassReport, Confusion
from mergeline.model.predictions import Predictions
from mergeline.stages.thresholds import class_curves
from mergeline.stats.multiclass import of_class

if TYPE_CHECKING:
    import numpy as np

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]

_BINS = 10
_BY_CLASS = ("precision", "recall", "f1", "roc_auc")


def confusion(positive: "Bools", predicted: "Bools") -> Confusion:
    """Count right and wrong predictions of two classes, shape (n,) each."""
    return Confusion(
        true_positive=int((positive & predicted).sum()),
        false_positive=int((~positive & predicted).sum()),
        true_negative=int((~positive & ~predicted).sum()),
        false_negative=int((positive & ~predicted).sum()),
    )


def matrix(predictions: Predictions) -> tuple[tuple[int, ...], ...]:
    """Count rows by actual and predicted class, in the order of the classes."""
    import numpy as np

    many = len(predictions.classes)
    cells = predictions.actual * many + predictions.predicted
    counts = np.bincount(cells, minlength=many**2).reshape(many, many)
    return tuple(tuple(row) for row in counts.tolist())


def calibration(positive: "Bools", score: "Floats") -> tuple[CalibrationBin, ...]:
    """Hold scores against what came true, in ten bins of equal width.

    A bin of fewer than `FEWEST_TOLD` rows is joined with its neighbours; one without a row between
    two others is left out.

    Args:
        positive: Whether a row is of the class, shape (n,).
        score: Its probability to be, shape (n,).
    """
    import numpy as np

    edges = np.linspace(0, 1, _BINS + 1)
    number = np.clip(np.digitize(score, edges[1:-1]), 0, _BINS - 1)
    bins = []
    for first, last in _joined(np.bincount(number, minlength=_BINS).tolist()):
        inside = (number >= first) & (number <= last)
        bins.append(
            CalibrationBin(
                low=float(edges[first]),
                high=float(edges[last + 1]),
                n=int(inside.sum()),
                score=float(score[inside].mean()),
                observed=float(positive[inside].mean()),
            )
        )
    return tuple(bins)


def _joined(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Return first and last of the bins that are told together, each of enough rows."""
    found: list[tuple[int, int]] = []
    start, rows = 0, 0
    for place, n in enumerate(counts):
        if not rows:
            start = place
        rows += n
        if rows >= FEWEST_TOLD:
            found.append((start, place))
            rows = 0
    if rows and found:  # what is left of the last ones goes to the one before
        found[-1] = (found[-1][0], max(place for place, n in enumerate(counts) if n))
    return found


def class_metrics(predictions: Predictions) -> tuple[str, ...]:
    """Return what is measured of single classes: names of `stats.multiclass`; none of two."""
    if predictions.task != "multiclass":
        return ()
    return tuple(of_class(name, number) for number in _told(predictions) for name in _BY_CLASS)


def _told(predictions: Predictions) -> list[int]:
    """Return the numbers of the classes of enough rows."""
    import numpy as np

    counts = np.bincount(predictions.actual, minlength=len(predictions.classes))
    return np.flatnonzero(counts >= FEWEST_TOLD).tolist()


def class_reports(
    predictions: Predictions, measured: Mapping[str, Estimate]
) -> tuple[ClassReport, ...]:
    """Report each class against all others, in the order of the classes.

    Args:
        predictions: Of several classes.
        measured: At least what `class_metrics` names.
    """
    actual, predicted, score = predictions.actual, predictions.predicted, predictions.score
    told, points = _told(predictions), class_curves(predictions)
    untold = Estimate(value=None, n=len(predictions), reason=UNTOLD)
    return tuple(
        ClassReport(
            name=name,
            n=int((actual == number).sum()),
            predicted=int((predicted == number).sum()),
            metrics={
                metric: measured[of_class(metric, number)] if number in told else untold
                for metric in _BY_CLASS
            },
            calibration=calibration(actual == number, score[:, number]) if number in told else (),
            curve=points.get(number, ()),
        )
        for number, name in enumerate(predictions.classes)
    )
