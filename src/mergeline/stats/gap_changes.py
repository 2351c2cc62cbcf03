"""Changes of gaps between groups: two sets of predictions for the same rows.

The change of a gap is judged by deviations, as a gap is. A gap is wrong by no more than the
error of the difference of its ends as sampled, and no less than that of its true ends. Which
groups those may be is chosen by how far rates may be off (as the moments of Andrews and
Soares, Econometrica 78, 2010). The error of a change is that of the one gap minus that of
the other in the same draw, at its worst over such ends; so what both have in common
cancels where the ends are clear. And no gap changes by more than the changes of two
groups' rates differ, which keeps predictions that are nearly the same nearly unchanged.
The interval holds the true change in about 95 of 100 samples with two groups, in more with many,
where it errs towards "cannot tell". Percentiles of the replicates' changes would leave the
truth above the interval just where a gap opens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mergeline.stats.gaps import (
    GAP_RATES,
    cell_counts,
    cell_of_row,
    draw_cells,
    group_rates,
    judged_groups,
    percentile_95,
    spread_of,
)

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]
    Labels = np.ndarray[Any, np.dtype[np.str_]]


@dataclass(frozen=True)
class PairedGap:
    """One gap of two sets of predictions for the same rows.

    Attributes:
        before: The gap of the first; NaN where it is undefined.
        after: The gap of the second.
        ends: The 95 % interval of after minus before; None where a gap is undefined, or a
            rate is in too many replicates.
    """

    before: float
    after: float
    ends: tuple[float, float] | None


def paired_gaps(
    actual: "Bools",
    before: "Bools",
    after: "Bools",
    groups: "Labels",
    *,
    min_group: int,
    units: "Ints | None" = None,
    replicates: int,
    seed: int,
) -> dict[str, PairedGap]:
    """Compare the gaps of two sets of predictions: every draw is judged by both.

    Args:
        actual: Whether a row is positive, shape (n,).
        before: Whether the first predicts it positive, shape (n,).
        after: Whether the second does.
        groups: Its group, shape (n,).
        min_group: Smaller groups are left out.
        units: As in `measure_gaps`.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    import numpy as np

    names = judged_groups(groups, min_group)
    if len(names) < 2:  # noqa: PLR2004
        return dict.fromkeys(GAP_RATES, PairedGap(np.nan, np.nan, None))
    rows = np.isin(groups, np.array(names, dtype=str))
    cells = cell_of_row(names, groups[rows], actual[rows], before[rows], after[rows])
    shape = (len(names), 2, 2, 2)
    old, new = _both(cell_counts(cells, shape))
    kept = None if units is None else units[rows]
    drawn_old, drawn_new = _both(draw_cells(cells, shape, kept, replicates, seed))
    return {
        name: _paired_gap(*(_stack(side, name) for side in (old, new, drawn_old, drawn_new)))
        for name in GAP_RATES
    }


def _both(counts: "Floats") -> "tuple[dict[str, Floats], dict[str, Floats]]":
    """Return the rates of both predictions from cells (..., group, actual, before, after)."""
    return group_rates(counts.sum(axis=-1)), group_rates(counts.sum(axis=-2))


def _stack(rates: "Mapping[str, Floats]", gap: str) -> "Floats":
    """Return the rates of a gap, shape (..., rates, groups)."""
    import numpy as np

    return np.stack([rates[name] for name in GAP_RATES[gap]], axis=-2)


def _paired_gap(
    before: "Floats", after: "Floats", drawn_before: "Floats", drawn_after: "Floats"
) -> PairedGap:
    import numpy as np

    first, second = float(_widest(before)), float(_widest(after))
    if np.isnan(first) or np.isnan(second):
        return PairedGap(first, second, None)
    errors, others = drawn_after - after, drawn_before - before
    low, high = _errors_of_gap(after, errors)
    other_low, other_high = _errors_of_gap(before, others)
    around = percentile_95(np.maximum(high - other_low, other_high - low))
    beyond = percentile_95(_widest(errors - others))
    if around is None or beyond is None:
        return PairedGap(first, second, None)
    change, most = second - first, min(1.0, float(_widest(after - before)) + beyond)
    return PairedGap(first, second, (max(0.0 - most, change - around), min(most, change + around)))


def _errors_of_gap(rates: "Floats", errors: "Floats") -> "tuple[Floats, Floats]":
    """Return the smallest and the largest error that a gap may have, in each replicate.

    Those are the errors of the differences of any two groups that may truly be its ends.

    Args:
        rates: Shape (rates, groups).
        errors: Replicate minus rate, shape (replicates, rates, groups).
    """
    import numpy as np

    slack = np.nanpercentile(spread_of(errors), 95, axis=0)
    width = spread_of(rates)
    low, high = [], []
    for kind in np.flatnonzero(width + slack >= (width - slack).max()):
        rate, error = rates[kind], errors[:, kind]
        top = error[:, rate >= rate.max() - slack[kind]]
        bottom = error[:, rate <= rate.min() + slack[kind]]
        low.append(top.min(axis=-1) - bottom.max(axis=-1))
        high.append(top.max(axis=-1) - bottom.min(axis=-1))
    return np.min(low, axis=0), np.max(high, axis=0)


def _widest(values: "Floats") -> "Floats":
    """Return the largest spread, shape (..., rates, groups) to (...)."""
    widest: Floats = spread_of(values).max(axis=-1)
    return widest
