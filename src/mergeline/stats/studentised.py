"""Bootstrap-t intervals of means of squares: the root mean squared error, and R².

A mean of squares is decided by a few rows where errors are skewed: samples without them have
both too small a mean and too small a spread, so that percentiles, BCa's too, end too low.
The bootstrap-t (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 12; Hall,
The Bootstrap and Edgeworth Expansion, 1992, chapter 3) divides each replicate's deviation by the
replicate's own standard error, and so takes the skewness into account. It depends on the scale,
therefore it is made of logarithms: of the mean squared error, and of 1 - R², which are the scales
on which their spread depends least on their size (1993, section 12.6); so an error stays above
0 and R² below 1. The standard errors are in closed form (delta method), of whole units where ids
or groups repeat, so there is no bootstrap within the bootstrap.

What is left of the skewness still costs coverage, the more the larger it is as the sample shows it
(Johnson, Modified t Tests, JASA 73, 1978, has the same quantity), so the ends are taken further
out by as much: at 2.5 percent times one minus the skewness of the mean. That factor is no theory
but was found by simulation, and `bench/coverage.py` counts what it does.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from math import exp, isfinite, sqrt
from typing import TYPE_CHECKING, Any

from mergeline.stats.bootstrap import interval
from mergeline.stats.ratios import divide
from mergeline.stats.regression import Rows

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

STUDENTISED = ("root_mean_squared_error", "r2")
# What holds less often where errors are skewed: the last two keep their BCa intervals.
DOUBTED = (*STUDENTISED, "mean_absolute_error", "mean_error")

SKEWED = (
    "A few rows make most of the squared errors: such an interval holds the truth less often "
    "than 95 in 100 times, 82 to 93 in simulations."
)
"""What is said of an interval where the squared errors are skewed."""
# In simulations intervals hold too seldom only where most samples have a larger skewness.
_MOST_SKEWED = 0.4
# The ends are at half a percent at most: further out there are too few replicates.
_MOST_MOVED = 0.8
# No end is further away than e to this power.
_LARGEST = 50.0
# A variance below is what rounding leaves of none, as a share of what it is computed from.
_NO_SPREAD = 1e-12


class LogErrors:
    """Logarithms of RMSE and of 1 - R² with their standard errors, under draws of units.

    Args:
        rows: Outcomes and predictions.
        units: The number of its unit of each row, shape (n,); None where every row is one.
    """

    def __init__(self, rows: Rows, units: "Ints | None") -> None:
        import numpy as np

        of_row = rows.order if units is None else units[rows.order]
        # Fourth powers are added, so everything is of the size of 1.
        error = rows.absolute / (rows.absolute.max() or 1.0)
        actual = rows.actual / (np.abs(rows.actual).max() or 1.0)
        parts = (np.ones(len(rows)), error**2, actual, actual**2)
        sums = np.stack([np.bincount(of_row, weights=part) for part in parts], axis=1)
        products = (sums[:, :, None] * sums[:, None, :]).reshape(len(sums), -1)
        self._columns = np.concatenate([sums, products], axis=1)
        self._sums = sums
        self._whole = self._under(np.ones((1, len(sums))))[..., 0]
        self._drawn: list[Floats] = []

    def watch(self, weightings: "Iterable[Floats]") -> "Iterator[Floats]":
        """Pass on weightings of the units, shape (b, units) each, and remember what they give."""
        for counts in weightings:
            self._drawn.append(self._under(counts))
            yield counts

    def interval(self, metric: str, value: float) -> tuple[float, float] | None:
        """Return the 95 % interval by the draws that were seen; None where too few are defined.

        Args:
            metric: One of `STUDENTISED`.
            value: The metric on the rows as they are.
        """
        import numpy as np

        place = STUDENTISED.index(metric)
        point, error = self._whole[place]
        drawn, errors = np.concatenate(self._drawn, axis=-1)[place]
        tail = 2.5 * (1 - min(max(self.skewness, 0.0), _MOST_MOVED))
        ends = interval((drawn - point) / errors, tail)
        if ends is None or not error > 0:
            return None
        low, high = (exp(min(max(-end * error, -_LARGEST), _LARGEST)) for end in ends[::-1])
        if metric == "r2":
            found = 1 - (1 - value) * high, 1 - (1 - value) * low
        else:
            found = value * sqrt(low), value * sqrt(high)
        return found if all(map(isfinite, found)) else None

    @cached_property
    def skewness(self) -> float:
        """Of the mean of squared errors: theirs, by the root of the number of units."""
        n, squared = self._sums[:, 0], self._sums[:, 1]
        pulls = squared - squared.sum() / n.sum() * n
        squares = float((pulls**2).sum())
        return float((pulls**3).sum()) / squares**1.5 if squares > 0 else 0.0

    @property
    def skewed(self) -> bool:
        """Whether so few units make the squared errors that no interval is to be relied on."""
        return self.skewness > _MOST_SKEWED

    def _under(self, counts: "Floats") -> "Floats":
        """Return logarithm and standard error of MSE and of 1 - R², shape (2, 2, b)."""
        import numpy as np

        found = counts @ self._columns
        n, squared, actual, outcome = found[:, :4].T
        moments = found[:, 4:].reshape(-1, 4, 4)
        mean = actual / n
        spread = outcome - mean * actual
        # What a unit adds to the logarithm, as factors of its sums (the influence function).
        none = np.zeros_like(n)
        by_error, by_spread = divide(np.ones_like(n), squared), divide(np.ones_like(n), spread)
        of_error = np.stack([-1 / n, by_error, none, none], axis=1)
        of_rest = np.stack(
            [-by_spread * mean**2, by_error, 2 * by_spread * mean, -by_spread], axis=1
        )
        return np.stack(
            [
                [_log(squared / n), _error(of_error, moments)],
                [_log(squared * by_spread), _error(of_rest, moments)],
            ]
        )


def _log(values: "Floats") -> "Floats":
    """Return logarithms; NaN of 0."""
    import numpy as np

    return np.log(np.where(values > 0, values, np.nan))


def _error(factors: "Floats", moments: "Floats") -> "Floats":
    """Return the root of the sum of squared influences, shape (b,); NaN where there is none."""
    import numpy as np

    terms = factors[:, :, None] * moments * factors[:, None, :]
    variance, size = terms.sum(axis=(1, 2)), np.abs(terms).sum(axis=(1, 2))
    return np.sqrt(np.where(variance > _NO_SPREAD * size, variance, np.nan))
