"""Resampling and intervals.

The bootstrap draws *units* with replacement: rows, or ids or groups where those repeat,
because rows of the same person are not independent (Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, chapters 6 and 13; Field and Welsh, JRSS-B 2007, for
the clustered form). Intervals are at 95 %: of one measurement BCa intervals (Efron, Better
Bootstrap Confidence Intervals, JASA 82, 1987), which hold near the ends of a scale and on few
rows where percentiles do not; of a difference percentile intervals, since what skews either
side of it cancels. `bench/coverage.py` counts how often they hold the truth.
"""

from collections.abc import Iterator
from math import sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

# The normal distribution's 97.5 % point.
Z = 1.959963984540054
# And its 80 % point: how often a difference that is there is to be told.
Z_OF_POWER = 0.8416212335729143
# Counts held at once: 2 MB of doubles stay in a core's cache, which is twice as fast as 32 MB.
_CHUNK = 250_000
# An interval needs nearly all replicates; fewer would hide that the sample is too small.
_MOST_UNDEFINED = 0.05
# Groups of units that are left out in turn: their third moment is noisy to 1 in so many.
_JACKKNIFE_GROUPS = 200


def resample_counts(units: int, replicates: int, seed: int) -> "Iterator[Floats]":
    """Yield how often each unit is drawn, chunk by chunk.

    Args:
        units: How many units there are to draw from.
        replicates: How many samples to draw, each of `units` units with replacement.
        seed: Of NumPy's PCG64; equal arguments give equal draws.

    Yields:
        Arrays of shape (b, units), float64; the b add up to `replicates`.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    size = max(1, min(replicates, _CHUNK // max(units, 1)))
    for start in range(0, replicates, size):
        rows = min(size, replicates - start)
        drawn = random.integers(0, units, size=(rows, units))
        drawn += np.arange(rows)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=rows * units)
        yield counts.reshape(rows, units).astype(np.float64)


def interval(values: "Floats", tail: float = 2.5) -> tuple[float, float] | None:
    """Return the 2.5 and 97.5 percentiles of bootstrap replicates, shape (replicates,).

    A replicate can be undefined (NaN), e.g. when it drew no positive row. Up to 5 % of
    those are left out; with more the sample is too small, and there is no interval.

    Args:
        values: The replicates.
        tail: Percent of them beyond either end.
    """
    import numpy as np

    defined = values[np.isfinite(values)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(values):
        return None
    low, high = np.percentile(defined, [tail, 100 - tail])
    return float(low), float(high)


def jackknife_counts(units: int, seed: int) -> "Iterator[Floats]":
    """Yield weightings that leave out one part of the units each, chunk by chunk.

    The delete-a-group jackknife (Efron and Tibshirani 1993, chapter 11; Shao and Wu, Annals of
    Statistics 17, 1989): sums of cubes and squares of the parts' influences are those of
    single units up to noise, and it costs as much for a million rows as for a thousand.

    Args:
        units: How many units there are.
        seed: Of who belongs to which part.

    Yields:
        Arrays of shape (b, units), 0 where a unit is left out and 1 elsewhere; the b add up
        to the number of parts, at most 200.
    """
    import numpy as np

    parts = min(units, _JACKKNIFE_GROUPS)
    part = np.random.default_rng(seed).permutation(units) % parts
    size = max(1, min(parts, _CHUNK // max(units, 1)))
    for start in range(0, parts, size):
        chosen = np.arange(start, min(start + size, parts))
        # Of one unit alone nothing can be left out.
        yield (part != chosen[:, None]).astype(np.float64) if parts > 1 else np.ones((1, units))


def bca_interval(values: "Floats", point: float, left_out: "Floats") -> tuple[float, float] | None:
    """Return the bias-corrected and accelerated interval (Efron 1987; 1993, chapter 14).

    Args:
        values: Replicates, shape (replicates,); a few may be NaN, as for `interval`.
        point: The value on the rows as they are.
        left_out: The value with each part of `jackknife_counts` left out, shape (parts,).

    Returns:
        None where too many replicates are undefined, and where all of them are equal, or on
        one side of the value: rows that show no error at all do not tell how rare errors are.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    defined = values[np.isfinite(values)]
    if len(defined) < (1 - _MOST_UNDEFINED) * len(values):
        return None
    # Half of the ties: counts make many replicates equal to the value.
    below = ((defined < point).mean() + (defined <= point).mean()) / 2
    if defined.min() == defined.max() or not 0 < below < 1:
        return None
    bias = ndtri(below)
    pulls = left_out[np.isfinite(left_out)]
    pulls = pulls.mean() - pulls
    squares = float((pulls**2).sum())
    skew = float((pulls**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    ends = bias + np.array([-Z, Z])
    low, high = np.percentile(defined, 100 * ndtr(bias + ends / (1 - skew * ends)))
    return float(low), float(high)


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion (Wilson, JASA 22, 1927).

    Args:
        successes: How many of `n`.
        n: At least 1.
    """
    rate = successes / n
    spread = Z * sqrt(rate * (1 - rate) / n + Z**2 / (4 * n**2))
    centre = rate + Z**2 / (2 * n)
    scale = 1 + Z**2 / n
    low, high = (centre - spread) / scale, (centre + spread) / scale
    # At 0 and 1 the interval ends there, and rounding must not leave the rate outside.
    return min(rate, max(0.0, low)), max(rate, min(1.0, high))
