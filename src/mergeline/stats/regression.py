"""Metrics of a regression, over many weightings of the same rows at once.

An error is prediction minus outcome. The definitions are scikit-learn's, and the tests hold
them against scikit-learn's own numbers; `mean_error` is the mean of the errors themselves,
above 0 where predictions are too high.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mergeline.stats.ratios import divide
from mergeline.stats.weighting import RowsWeighed

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

# Of the outcomes' mean square: a spread below is what rounding leaves of none at all.
_NO_SPREAD = 1e-24


class Rows:
    """Outcomes and predictions of n rows, sorted by rising absolute error.

    Args:
        actual: What is true, shape (n,).
        score: What is predicted, shape (n,).
    """

    def __init__(self, actual: "Floats", score: "Floats") -> None:
        import numpy as np

        error = score - actual
        self.order = np.argsort(np.abs(error), kind="stable")
        self.error = error[self.order]
        self.absolute = np.abs(self.error)
        # From their mean: sums of squares of large numbers would leave nothing of a spread.
        self.actual = (actual - actual.mean())[self.order]

    def __len__(self) -> int:
        return len(self.error)

    def weigh(self, weights: "Floats") -> "Weighting":
        """Return the rows under weightings, shape (b, n), in the order that rows were given."""
        return Weighting(self, weights[:, self.order])

    def share(self, metric: str) -> None:
        """Return nothing: no metric of numbers is a share of rows."""

    def undefined(self, metric: str) -> str:
        """Say why a metric has no value on these rows."""
        if metric == "r2" and self.actual.min() == self.actual.max():
            return f"r2 needs outcomes that differ; those of all {len(self)} rows are equal."
        return f"{metric} of these {len(self)} rows is beyond the largest number."

    @cached_property
    def summed(self) -> "Floats":
        """What is added over the rows, shape (n, 6)."""
        import numpy as np

        one = np.ones(len(self))
        squares = (self.error**2, self.actual**2)
        return np.stack([one, self.error, self.absolute, self.actual, *squares], axis=1)


class Weighting(RowsWeighed[Rows]):
    """Weights of the sorted rows, shape (b, n), and the sums that metrics share."""

    def _compute(self, metric: str) -> "Floats":
        return METRICS[metric](self)

    @cached_property
    def sums(self) -> "Floats":
        """Of weight, error, absolute error, outcome and squares, shape (6, b)."""
        sums: Floats = (self.weights @ self.rows.summed).T
        return sums


def _root_mean_squared_error(w: Weighting) -> "Floats":
    import numpy as np

    return np.sqrt(divide(w.sums[4], w.sums[0]))


def _r2(w: Weighting) -> "Floats":
    """Return the share of the outcomes' spread that is explained; undefined without a spread."""
    import numpy as np

    total, actual, squares = w.sums[0], w.sums[3], w.sums[5]
    spread = squares - divide(actual**2, total)
    rounding = _NO_SPREAD * np.maximum(squares, 1e-300)
    return 1 - divide(w.sums[4], np.where(spread > rounding, spread, 0.0))


def _median_absolute_error(w: Weighting) -> "Floats":
    """Return the middle absolute error, the mean of the middle two of an even number."""
    import numpy as np

    seen = np.cumsum(w.weights, axis=1)
    half = seen[:, -1:] / 2
    low, high = (seen >= half).argmax(axis=1), (seen > half).argmax(axis=1)
    middle: Floats = (w.rows.absolute[low] + w.rows.absolute[high]) / 2
    return middle


METRICS: Mapping[str, Callable[[Weighting], "Floats"]] = {
    "mean_absolute_error": lambda w: divide(w.sums[2], w.sums[0]),
    "root_mean_squared_error": _root_mean_squared_error,
    "median_absolute_error": _median_absolute_error,
    "r2": _r2,
    "mean_error": lambda w: w.sums[1] / w.sums[0],
}
