"""Metrics of a classifier of several classes, over many weightings of the same rows at once.

Averages over the classes are plain means (`macro`), of which a class without a row has none:
such rows give them no value. The definitions are scikit-learn's where every class has rows, a
precision or F1 of a class that is never predicted being 0; `roc_auc_ovr` is the mean AUC of each
class against the others (Provost and Domingos, Well-trained PETs, 2000, without the weights by
class), `brier_score` the sum over the classes of squared differences (Brier, Monthly Weather
Review 78, 1950), 0 to 2. The tests hold them against scikit-learn's own numbers. A binary
metric of one class against the others has a name by `of_class`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mergeline.stats import binary
from mergeline.stats.ratios import divide
from mergeline.stats.weighting import RowsWeighed

if TYPE_CHECKING:
    import numpy as np

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

_MOST_NAMED = 3


def of_class(metric: str, number: int) -> str:
    """Return the name of a binary metric of one class against the others."""
    return f"{metric} {number}"


def _parted(metric: str) -> tuple[str, int]:
    name, _, number = metric.rpartition(" ")
    return name, int(number)


class Rows:
    """Classes and probabilities of n rows.

    Args:
        actual: The number of each row's class, shape (n,).
        score: The probability of each class, shape (n, classes); the first of the largest is
            predicted.
        classes: What the classes are called.
    """

    def __init__(self, actual: "Ints", score: "Floats", classes: Sequence[str]) -> None:
        self.actual = actual
        self.score = score
        self.classes = tuple(classes)
        self.predicted = score.argmax(axis=1)

    def __len__(self) -> int:
        return len(self.actual)

    def weigh(self, weights: "Floats") -> "Weighting":
        """Return the rows under weightings, shape (b, n)."""
        return Weighting(self, weights)

    def undefined(self, metric: str) -> str:
        """Say why a metric has no value on these rows."""
        if metric not in METRICS:
            name, number = _parted(metric)
            return self.one_by_one[number].undefined(name)
        lacking = [
            name for number, name in enumerate(self.classes) if not (self.actual == number).any()
        ]
        named = ", ".join(repr(name[:60]) for name in lacking[:_MOST_NAMED])
        more = f" and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
        return f"{metric} needs rows of every class; none of {len(self)} is {named}{more}."

    def share(self, metric: str) -> "tuple[Bools, Bools] | None":
        """Return which rows the accuracy counts as right, and of which, shape (n,)."""
        import numpy as np

        if metric != "accuracy":
            return None
        return self.actual == self.predicted, np.full(len(self), True)

    @cached_property
    def one_by_one(self) -> tuple[binary.Rows, ...]:
        """Each class against the others, in the order of the classes."""
        return tuple(
            binary.Rows(
                self.actual == number, self.score[:, number].copy(), self.predicted == number
            )
            for number in range(len(self.classes))
        )

    @cached_property
    def squared_error(self) -> "Floats":
        """The squared differences of probabilities and truth, added over the classes."""
        import numpy as np

        right = self.score[np.arange(len(self)), self.actual]
        error: Floats = (self.score**2).sum(axis=1) - 2 * right + 1
        return error

    @cached_property
    def log_loss(self) -> "Floats":
        """The negative log-likelihood, probabilities clipped as scikit-learn clips them."""
        import numpy as np

        tiny = np.finfo(np.float64).eps
        right = self.score[np.arange(len(self)), self.actual]
        return -np.log(np.clip(right, tiny, 1 - tiny))

    @cached_property
    def cells(self) -> "Ints":
        """Where each row stands in the table of actual and predicted classes."""
        cells: Ints = self.actual * len(self.classes) + self.predicted
        return cells


class Weighting(RowsWeighed[Rows]):
    """Weights of the rows, shape (b, n), and the sums that metrics share."""

    def _compute(self, metric: str) -> "Floats":
        if metric in METRICS:
            return METRICS[metric](self)
        name, number = _parted(metric)
        return self.one_by_one[number].value(name)

    @cached_property
    def one_by_one(self) -> tuple[binary.Weighting, ...]:
        """Each class against the others, in the order of the classes."""
        return tuple(rows.weigh(self.weights) for rows in self.rows.one_by_one)

    @cached_property
    def matrix(self) -> "Floats":
        """Weight by actual and predicted class, shape (b, classes, classes)."""
        import numpy as np

        classes = len(self.rows.classes)
        counts = np.empty((len(self.weights), classes**2))
        for place, row in enumerate(self.weights):
            counts[place] = np.bincount(self.rows.cells, weights=row, minlength=classes**2)
        return counts.reshape(-1, classes, classes)

    @cached_property
    def right(self) -> "Floats":
        """Weight of rows predicted right by class, shape (b, classes)."""
        import numpy as np

        return np.diagonal(self.matrix, axis1=1, axis2=2)

    @cached_property
    def actual(self) -> "Floats":
        """Weight of rows by their class, shape (b, classes)."""
        found: Floats = self.matrix.sum(axis=2)
        return found

    @cached_property
    def predicted(self) -> "Floats":
        """Weight of rows by predicted class, shape (b, classes)."""
        found: Floats = self.matrix.sum(axis=1)
        return found


def _macro(values: "Floats", w: Weighting) -> "Floats":
    """Return the mean over the classes, shape (b, classes) to (b,); NaN where one has no row."""
    import numpy as np

    return np.where((w.actual > 0).all(axis=1), values.mean(axis=1), np.nan)


def _recall(w: Weighting) -> "Floats":
    return _macro(divide(w.right, w.actual, 0.0), w)


def _precision(w: Weighting) -> "Floats":
    return _macro(divide(w.right, w.predicted, 0.0), w)


def _f1(w: Weighting) -> "Floats":
    return _macro(divide(2 * w.right, w.actual + w.predicted, 0.0), w)


def _roc_auc(w: Weighting) -> "Floats":
    import numpy as np

    parts = [alone.value("roc_auc") for alone in w.one_by_one]
    mean: Floats = np.mean(parts, axis=0)
    return mean


METRICS: Mapping[str, Callable[[Weighting], "Floats"]] = {
    "balanced_accuracy": _recall,
    "accuracy": lambda w: divide(w.right.sum(axis=1), w.total),
    "f1_macro": _f1,
    "precision_macro": _precision,
    "recall_macro": _recall,
    "roc_auc_ovr": _roc_auc,
    "brier_score": lambda w: divide(w.weights @ w.rows.squared_error, w.total),
    "log_loss": lambda w: divide(w.weights @ w.rows.log_loss, w.total),
}
