"""Gaps between groups: differences of rates, with bootstrap intervals.

Rows are counted into cells (group, actual, predicted) once. All rates are ratios of sums
of cells, so that a bootstrap replicate costs as much as there are cells, not rows: drawing
n rows with replacement is one multinomial draw over the cells (Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, chapter 6). Where an id or group repeats, whole units
are drawn instead.

The gaps are fairlearn's: demographic parity and equalized odds in the terms of Agarwal et
al., A Reductions Approach to Fair Classification, ICML 2018; equalized odds and equal
opportunity of Hardt, Price and Srebro, Equality of Opportunity in Supervised Learning,
NeurIPS 2016. Each is the largest minus the smallest rate over the judged groups.

A gap is a largest difference, so it overstates: groups that are alike still differ in a
sample, and more so the more groups there are. The replicates of a gap overstate once more,
and their percentiles would leave the truth below the interval. So the interval is made of
deviations: in each replicate the largest error of any difference of two groups. A gap is
never further from the truth than the largest of these errors (|max x - max y| is at most
max |x - y|), hence value plus and minus their 95th percentile holds the true gap in at
least about 95 of 100 samples, and reaches down to 0 where there may be no gap at all.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mergeline.core.base import Estimate
from mergeline.core.evidence import Gap
from mergeline.stats.bootstrap import interval, resample_counts

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]
    Labels = np.ndarray[Any, np.dtype[np.str_]]

# The rates whose difference makes a gap: the largest difference counts.
GAP_RATES: Mapping[str, tuple[str, ...]] = {
    "demographic_parity_difference": ("selection_rate",),
    "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "equal_opportunity_difference": ("true_positive_rate",),
}
_LACKS = {
    "selection_rate": "row",
    "true_positive_rate": "positive row",
    "false_positive_rate": "negative row",
}


def judged_groups(groups: "Labels", min_group: int) -> tuple[str, ...]:
    """Return the groups of at least `min_group` rows, sorted by name."""
    import numpy as np

    names, counts = np.unique(groups, return_counts=True)
    return tuple(str(name) for name in names[counts >= min_group])


def measure_gaps(
    actual: "Bools",
    predicted: "Bools",
    groups: "Labels",
    *,
    min_group: int,
    units: "Ints | None" = None,
    replicates: int,
    seed: int,
) -> dict[str, Gap]:
    """Return every gap with its 95 % bootstrap interval.

    A gap has no value, and says why, when fewer than two groups are judged or when a rate
    of a judged group is undefined: a group without positive rows has no true positive
    rate. A replicate in which a rate is undefined counts as undefined; `interval` leaves
    out a few of those and gives no interval when there are many.

    Args:
        actual: Whether a row is positive, shape (n,).
        predicted: Whether it is predicted positive, shape (n,).
        groups: Its group, shape (n,).
        min_group: Smaller groups are left out.
        units: The number of its unit, shape (n,), where ids or groups repeat; None draws
            rows.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    import numpy as np

    names = judged_groups(groups, min_group)
    rows = np.isin(groups, np.array(names, dtype=str))
    if len(names) < 2:  # noqa: PLR2004
        return dict.fromkeys(GAP_RATES, _not_judged(names, min_group, int(rows.sum())))
    cells = cell_of_row(names, groups[rows], actual[rows], predicted[rows])
    shape = (len(names), 2, 2)
    rates = group_rates(cell_counts(cells, shape))
    kept = None if units is None else units[rows]
    drawn = group_rates(draw_cells(cells, shape, kept, replicates, seed))
    errors = gap_values({name: drawn[name] - rates[name] for name in rates})
    return {name: _gap(name, names, rates, errors[name], n=int(rows.sum())) for name in GAP_RATES}


# --- cells -----------------------------------------------------------------------


def cell_of_row(names: Sequence[str], groups: "Labels", *sides: "Bools") -> "Ints":
    """Number the cell of each row: group, then each side as a binary digit."""
    import numpy as np

    cell = np.searchsorted(np.array(names, dtype=str), groups)
    for side in sides:
        cell = cell * 2 + side
    return cell


def cell_counts(cells: "Ints", shape: tuple[int, ...]) -> "Floats":
    """Return the rows in each cell, shape `shape`."""
    import numpy as np

    size = int(np.prod(shape))
    return np.bincount(cells, minlength=size).reshape(shape).astype(np.float64)


def draw_cells(
    cells: "Ints", shape: tuple[int, ...], units: "Ints | None", replicates: int, seed: int
) -> "Floats":
    """Return the cells of every replicate, shape (replicates, *shape)."""
    import numpy as np
    from scipy.sparse import csr_array

    size = int(np.prod(shape))
    if units is None:
        share = np.bincount(cells, minlength=size) / len(cells)
        drawn = np.random.default_rng(seed).multinomial(len(cells), share, size=replicates)
        return drawn.reshape(replicates, *shape).astype(np.float64)
    once = np.ones(len(cells))
    by_unit = csr_array((once, (units, cells)), shape=(int(units.max()) + 1, size))
    parts = [counts @ by_unit for counts in resample_counts(by_unit.shape[0], replicates, seed)]
    return np.concatenate(parts).reshape(replicates, *shape)


# --- rates and gaps --------------------------------------------------------------


def _divide(above: "Floats", below: "Floats") -> "Floats":
    import numpy as np

    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def group_rates(counts: "Floats") -> "dict[str, Floats]":
    """Return the rates by group; NaN where a group has no row of the kind.

    Args:
        counts: Rows in each cell, shape (..., groups, 2, 2): actual, then predicted.

    Returns:
        By rate, shape (..., groups).
    """
    selected = counts[..., 1]
    actual = counts.sum(axis=-1)
    return {
        "selection_rate": _divide(selected.sum(axis=-1), actual.sum(axis=-1)),
        "true_positive_rate": _divide(selected[..., 1], actual[..., 1]),
        "false_positive_rate": _divide(selected[..., 0], actual[..., 0]),
    }


def gap_values(rates: "Mapping[str, Floats]") -> "dict[str, Floats]":
    """Return the gaps; NaN where a rate is undefined.

    Args:
        rates: By rate, shape (..., groups).

    Returns:
        By gap, shape (...).
    """
    import numpy as np

    spread = {name: spread_of(rate) for name, rate in rates.items()}
    return {
        gap: np.max([spread[name] for name in names], axis=0) for gap, names in GAP_RATES.items()
    }


def spread_of(values: "Floats") -> "Floats":
    """Return the largest minus the smallest over the groups, shape (..., groups) to (...)."""
    spread: Floats = values.max(axis=-1) - values.min(axis=-1)
    return spread


def percentile_95(errors: "Floats") -> float | None:
    """Return the 95th percentile of errors, none negative; None where many are undefined."""
    import numpy as np

    # It is the 97.5 percentile of the errors and their negatives.
    ends = interval(np.concatenate([-errors, errors]))
    return None if ends is None else ends[1]


def _not_judged(names: Sequence[str], min_group: int, n: int) -> Gap:
    found = f"only {names[0]} has" if names else "none has"
    return _no_gap(f"Fewer than two groups can be judged: {found} {min_group} rows or more.", n)


def _no_gap(reason: str, n: int) -> Gap:
    nothing = Estimate(value=None, n=n, reason=reason)
    return Gap(difference=nothing, ratio=None, lowest=None, highest=None, rate=None)


def _gap(
    name: str, names: Sequence[str], rates: "Mapping[str, Floats]", errors: "Floats", *, n: int
) -> Gap:
    reason = _undefined(name, names, rates)
    if reason:
        return _no_gap(reason, n)
    chosen = {rate: rates[rate] for rate in GAP_RATES[name]}
    worst = max(chosen, key=lambda rate: float(spread_of(chosen[rate])))
    value = float(spread_of(chosen[worst]))
    # Of groups that are all alike none is lowest: naming one would accuse it by its place.
    lowest, highest = (chosen[worst].argmin(), chosen[worst].argmax()) if value else (None, None)
    return Gap(
        difference=_estimate(value, errors, n),
        ratio=_ratio(list(chosen.values())),
        lowest=None if lowest is None else names[int(lowest)],
        highest=None if highest is None else names[int(highest)],
        rate=worst,
    )


def _undefined(name: str, names: Sequence[str], rates: "Mapping[str, Floats]") -> str:
    import numpy as np

    parts = [
        f"{group} has no {_LACKS[rate]}, so no {rate}"
        for rate in GAP_RATES[name]
        for group, value in zip(names, rates[rate], strict=True)
        if np.isnan(value)
    ]
    return f"{'; '.join(parts)}." if parts else ""


def _estimate(value: float, errors: "Floats", n: int) -> Estimate:
    around = percentile_95(errors)
    if around is None:
        return Estimate(value=value, n=n, reason="Too few rows for an interval.")
    return Estimate(value=value, low=max(0.0, value - around), high=min(1.0, value + around), n=n)


def _ratio(rates: "Sequence[Floats]") -> float | None:
    """Return the smallest of the rates' smallest over largest; None where one is 0 over 0."""
    if any(rate.max() == 0 for rate in rates):
        return None
    return min(float(rate.min() / rate.max()) for rate in rates)
