"""What a classifier gets right and wrong: confusion, calibration, each class by itself."""

from typing import TYPE_CHECKING, Any

from mergeline.core.base import Estimate
from mergeline.core.evidence import FEWEST_TOLD, UNTOLD, CalibrationBin, ClassReport, Confusion
from mergeline.model.predictions import Predictions
from mergeline.stats.metrics import estimate_each
from mergeline.stats.multiclass import Rows

if TYPE_CHECKING:
    import numpy as np

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Units = np.ndarray[Any, np.dtype[np.int64]]

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


def calibration(
    positive: "Bools", score: "Floats", *, fewest: int = 1
) -> tuple[CalibrationBin, ...]:
    """Hold scores against what came true, in ten bins of equal width.

    Args:
        positive: Whether a row is of the class, shape (n,).
        score: Its probability to be, shape (n,).
        fewest: Bins of fewer rows are left out.
    """
    import numpy as np

    edges = np.linspace(0, 1, _BINS + 1)
    number = np.clip(np.digitize(score, edges[1:-1]), 0, _BINS - 1)
    bins = []
    for index in range(_BINS):
        inside = number == index
        if inside.sum() >= fewest:
            bins.append(
                CalibrationBin(
                    low=float(edges[index]),
                    high=float(edges[index + 1]),
                    n=int(inside.sum()),
                    score=float(score[inside].mean()),
                    observed=float(positive[inside].mean()),
                )
            )
    return tuple(bins)


def class_reports(
    predictions: Predictions, *, units: "Units | None", replicates: int, seed: int
) -> tuple[ClassReport, ...]:
    """Measure each class against all others, in the order of the classes.

    Args:
        predictions: Of several classes.
        units: As in `stats.metrics.estimate_metrics`.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    rows = Rows(predictions.actual, predictions.score, predictions.classes)
    counts = [int((predictions.actual == number).sum()) for number in range(len(rows.classes))]
    told = [number for number, n in enumerate(counts) if n >= FEWEST_TOLD]
    measured = estimate_each(
        _BY_CLASS,
        [rows.one_by_one[number] for number in told],
        units=units,
        replicates=replicates,
        seed=seed,
    )
    metrics = dict(zip(told, measured, strict=True))
    untold = Estimate(value=None, n=len(rows), reason=UNTOLD)
    return tuple(
        ClassReport(
            name=name,
            n=counts[number],
            predicted=int((rows.predicted == number).sum()),
            metrics=metrics.get(number, dict.fromkeys(_BY_CLASS, untold)),
            calibration=calibration(
                predictions.actual == number, predictions.score[:, number], fewest=FEWEST_TOLD
            )
            if number in metrics
            else (),
        )
        for number, name in enumerate(rows.classes)
    )
