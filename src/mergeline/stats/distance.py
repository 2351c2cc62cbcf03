"""How far two samples of one column lie from each other, and what chance alone explains.

Numbers: the largest difference of the two distribution functions (Kolmogorov 1933, Smirnov 1939).
Categories: half the sum of the differences of all shares, the total variation distance. Both are
0 for equal shares and 1 for nothing in common. A missing value is a value, below all numbers.

One side is kept as a sketch, so that the other can be held against it without its rows. Numbers
of more than `CUTS` values are kept at quantiles: their distance is at most 1 / `CUTS` too small.
More than 1,000 categories are put together by a hash of their names, so that which are told apart
has nothing to do with how often they were drawn: the most frequent of one sample are less frequent
in the next one by that choice alone.
"""

from collections.abc import Mapping
from hashlib import sha256
from math import log, sqrt
from typing import TYPE_CHECKING, Any, Literal

from pydantic import FiniteFloat

from mergeline.core.base import Frozen
from mergeline.core.labels import category_text, plain

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Floats = np.ndarray[Any, np.dtype[np.float64]]

CUTS = 500
# Categories that are kept by name; more of them are put together into as many parts.
_NAMED = 1000


class Sketch(Frozen):
    """One column, as much as a distance needs.

    Attributes:
        kind: What it is taken for.
        rows: All of them.
        missing: Rows without a value.
        cuts: Of numbers: values in rising order, the smallest and the largest among them.
        below: Rows with a number below each cut.
        up_to: Rows with a number up to each cut.
        counts: Of categories: rows by name, or by part.
        parts: Whether categories are put together into parts.
    """

    kind: Literal["number", "category"]
    rows: int
    missing: int
    cuts: tuple[FiniteFloat, ...] = ()
    below: tuple[int, ...] = ()
    up_to: tuple[int, ...] = ()
    counts: dict[str, int] = {}
    parts: bool = False


def sketch_numbers(numbers: "Floats", cuts: "Floats | None" = None) -> Sketch:
    """Return a sketch of numbers, NaN for a missing one.

    Args:
        numbers: Shape (n,).
        cuts: Where to count; at all values, or at quantiles, where none are given.
    """
    import numpy as np

    most = np.finfo(np.float64).max
    known = np.sort(np.clip(numbers[~np.isnan(numbers)], -most, most))
    if cuts is None:
        cuts = np.unique(known)
        if len(cuts) > CUTS:
            cuts = np.unique(known[np.linspace(0, len(known) - 1, CUTS + 1).astype(np.int64)])
    return Sketch(
        kind="number",
        rows=len(numbers),
        missing=len(numbers) - len(known),
        cuts=tuple(cuts.tolist()),
        below=tuple(np.searchsorted(known, cuts, side="left").tolist()),
        up_to=tuple(np.searchsorted(known, cuts, side="right").tolist()),
    )


def sketch_categories(values: "pd.Series[Any]") -> Sketch:
    """Return a sketch of categories, by their text."""
    counts: dict[str, int] = {}
    for value, count in values.value_counts().items():
        name = category_text(plain(value))
        counts[name] = counts.get(name, 0) + int(count)
    many = len(counts) > _NAMED
    ordered = sorted((_in_parts(counts) if many else counts).items())
    return Sketch(
        kind="category",
        rows=len(values),
        missing=int(values.isna().sum()),
        counts=dict(ordered),
        parts=many,
    )


def _in_parts(counts: Mapping[str, int]) -> dict[str, int]:
    """Put categories together by a hash of their names, which other rows do not change."""
    found: dict[str, int] = {}
    for name, count in counts.items():
        digest = sha256(name.encode(errors="surrogatepass")).digest()
        part = str(int.from_bytes(digest[:8], "big") % _NAMED)
        found[part] = found.get(part, 0) + count
    return found


def distance(before: Sketch, after: Sketch) -> float:
    """Return the distance of two sketches of one kind; numbers counted at the same cuts."""
    if before.rows == 0 or after.rows == 0:
        return 0.0
    if before.kind == "number":
        found = max((abs(old - new) for old, new in zip(*_steps(before, after), strict=True)))
    else:
        shares = zip(*_shares(before, after), strict=True)
        found = sum(abs(old - new) for old, new in shares) / 2
    return min(1.0, found)


def _steps(before: Sketch, after: Sketch) -> tuple[list[float], list[float]]:
    """Return both distribution functions at the missing values, and at and just below each cut."""
    before_at, after_at = (
        [(side.missing + count) / side.rows for count in (0, *side.below, *side.up_to)]
        for side in (before, after)
    )
    return before_at, after_at


def _shares(before: Sketch, after: Sketch) -> tuple[list[float], list[float]]:
    """Return the shares of the categories of either side, and of the missing."""
    sides = [(before.counts, before), (after.counts, after)]
    if before.parts != after.parts:
        sides = [(side.counts if side.parts else _in_parts(side.counts), side) for _, side in sides]
    names = dict.fromkeys(name for counts, _ in sides for name in counts)
    old, new = (
        [*(counts.get(name, 0) / side.rows for name in names), side.missing / side.rows]
        for counts, side in sides
    )
    return old, new


def noise(before: Sketch, after: Sketch, comparisons: int) -> float:
    """Return what the distance of two samples of one table stays under in 95 of 100 pairs.

    For all comparisons at once (Bonferroni). Numbers: the first term of the limiting
    distribution (Smirnov, Annals of Mathematical Statistics 19, 1948), an upper bound where
    values repeat. Categories: the mean, bounded by Jensen's inequality, and the bounded
    differences of McDiarmid (Surveys in Combinatorics, 1989) above it. Rows are taken to be
    independent, and the samples too: rows that both hold make the truth smaller, several rows
    of one person larger.

    Args:
        before: One side.
        after: The other.
        comparisons: How many columns are compared, at least 1.
    """
    if before.rows == 0 or after.rows == 0:
        return 1.0
    spread, rare = 1 / before.rows + 1 / after.rows, 0.05 / comparisons
    if before.kind == "number":
        return min(1.0, sqrt(log(2 / rare) / 2 * spread))
    old, new = _shares(before, after)
    weight = before.rows / (before.rows + after.rows)
    pooled = [max(0.0, weight * p + (1 - weight) * q) for p, q in zip(old, new, strict=True)]
    mean = sum(sqrt(max(0.0, p * (1 - p)) * spread) for p in pooled) / 2
    return min(1.0, mean + sqrt(log(1 / rare) / 2 * spread))
