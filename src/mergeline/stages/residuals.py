"""The errors of a regression: by tenths of the predictions, and their quantiles."""

from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import FEWEST_TOLD, ResidualBin, Residuals

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

_TENTHS = 10
_PERCENTS = (5, 25, 50, 75, 95)


def residuals(actual: "Floats", score: "Floats") -> Residuals:
    """Hold predictions against outcomes.

    Rows of equal predictions are in one bin, and a bin of too few rows is joined with the next.
    A quantile is told where at least `FEWEST_TOLD` rows lie on either side of it.

    Args:
        actual: What is true, shape (n,).
        score: What is predicted, shape (n,).
    """
    import numpy as np

    error, least = score - actual, FEWEST_TOLD / max(len(score), 1)
    percents = [p for p in _PERCENTS if min(p, 100 - p) / 100 >= least]
    return Residuals(
        bins=tuple(_bin(actual, score, rows) for rows in _tenths(score)),
        quantiles={str(p): float(np.percentile(error, p)) for p in percents},
    )


def _tenths(score: "Floats") -> "list[np.ndarray[Any, Any]]":
    """Return the places of the rows of each bin."""
    import numpy as np

    cuts = np.quantile(score, np.arange(1, _TENTHS) / _TENTHS)
    number = np.searchsorted(cuts, score, side="right")
    bins: list[np.ndarray[Any, Any]] = []
    for tenth in range(_TENTHS):
        rows = np.flatnonzero(number == tenth)
        if bins and len(bins[-1]) < FEWEST_TOLD:
            bins[-1] = np.concatenate([bins[-1], rows])
        elif len(rows):
            bins.append(rows)
    if len(bins) > 1 and len(bins[-1]) < FEWEST_TOLD:
        last = bins.pop()
        bins[-1] = np.concatenate([bins[-1], last])
    return [rows for rows in bins if len(rows) >= FEWEST_TOLD]


def _bin(actual: "Floats", score: "Floats", rows: Any) -> ResidualBin:
    return ResidualBin(
        low=float(score[rows].min()),
        high=float(score[rows].max()),
        n=len(rows),
        predicted=float(score[rows].mean()),
        actual=float(actual[rows].mean()),
    )
