"""Gaps between groups: differences of rates or means, with bootstrap intervals.

The gaps are fairlearn's: demographic parity and equalized odds in the terms of Agarwal et
al., A Reductions Approach to Fair Classification, ICML 2018; equalized odds and equal
opportunity of Hardt, Price and Srebro, Equality of Opportunity in Supervised Learning,
NeurIPS 2016. Each is the largest minus the smallest rate over the judged groups; of several
classes each is held against the others, and the largest difference over the classes counts.
For a regression they are the differences of the groups' means.

A gap is a largest difference, so it overstates: groups that are alike still differ in a
sample, and more so the more groups there are. The replicates of a gap overstate once more,
and their percentiles would leave the truth below the interval. So the interval is made of
deviations: in each replicate the largest error of any difference of two groups, and of any
class. A gap is never further from the truth than the largest of these errors (|max x - max y|
is at most max |x - y|), hence value plus and minus their 95th percentile holds the true gap
in at least about 95 of 100 samples, and reaches down to 0 where there may be no gap at all.
So it holds for all pairs of groups and all classes at once, as simultaneous intervals do that
are made of the distribution of the largest deviation (Hsu, Multiple Comparisons, 1996,
chapter 5), and needs no further correction for their number.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from mergeline.core.base import Estimate
from mergeline.core.evidence import FEWEST_TOLD, Gap
from mergeline.core.task import GAPS, Task
from mergeline.stats.bootstrap import interval
from mergeline.stats.sums import Kind, Measures, group_rows
from mergeline.stats.units import FEW_ROWS, too_few_units

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]
    Labels = np.ndarray[Any, np.dtype[np.str_]]

# The rates or means whose difference makes a gap: the largest difference counts.
GAP_RATES: Mapping[str, tuple[str, ...]] = {
    "demographic_parity_difference": ("selection_rate",),
    "equalized_odds_difference": ("true_positive_rate", "false_positive_rate"),
    "equal_opportunity_difference": ("true_positive_rate",),
    "accuracy_difference": ("accuracy",),
    "mean_prediction_difference": ("mean_prediction",),
    "mean_error_difference": ("mean_error",),
    "mean_absolute_error_difference": ("mean_absolute_error",),
}
_MOST_NAMED = 3


def judged_groups(groups: "Labels", min_group: int) -> tuple[str, ...]:
    """Return the groups of at least `min_group` rows, sorted by name."""
    import numpy as np

    names, counts = np.unique(groups, return_counts=True)
    return tuple(str(name) for name in names[counts >= min_group])


def measure_gaps(
    actual: "Array",
    predicted: "Array",
    groups: "Labels",
    *,
    task: Task = "binary",
    classes: Sequence[str] = (),
    min_group: int,
    units: "Ints | None" = None,
    replicates: int,
    seed: int,
) -> dict[str, Gap]:
    """Return every gap of the task with its 95 % bootstrap interval.

    A gap has no value, and says why, when fewer than two groups are judged or when a rate
    of a judged group is undefined: a group without positive rows has no true positive
    rate. Of several classes only the rates count for which every judged group has at least
    `FEWEST_TOLD` rows; the gap says which were left out. A replicate in which a rate is
    undefined counts as undefined; `interval` leaves out a few of those and gives no interval
    when there are many.

    Args:
        actual: Whether a row is positive, the number of its class, or its value, shape (n,).
        predicted: What is predicted, in the same terms, shape (n,).
        groups: Its group, shape (n,).
        task: What is predicted.
        classes: The classes by number; multiclass only.
        min_group: Smaller groups are left out.
        units: The number of its unit, shape (n,), where ids or groups repeat; None draws
            rows.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    import numpy as np

    names = judged_groups(groups, min_group)
    rows = np.isin(groups, np.array(names, dtype=str))
    n = int(rows.sum())
    if len(names) < 2:  # noqa: PLR2004
        return dict.fromkeys(GAPS[task], _not_judged(names, min_group, n))
    measures = Measures(task, tuple(classes))
    table = group_rows(measures, names, groups[rows], actual[rows], [predicted[rows]])
    (whole,) = table.whole()
    values = measures.values(whole)
    kept = None if units is None else units[rows]
    drawn = table.draw(kept, replicates, seed)
    errors = np.concatenate([spread_of(measures.values(part[:, 0]) - values) for part in drawn])
    few = too_few_units(kept)
    found = {}
    for name in GAPS[task]:
        places, left_out = gap_kinds(name, measures, names, measures.rows(whole))
        if not places:
            found[name] = _no_gap(left_out, n)
            continue
        around = None if few else percentile_95(errors[:, places].max(axis=-1))
        value = float(spread_of(values[places]).max())
        why = f"{few or FEW_ROWS if around is None else ''} {left_out}".strip()
        difference = _estimate(value, around, largest_gap(task), n, why)
        kinds = [measures.kinds[place] for place in places]
        found[name] = _gap(difference, names, kinds, values[places])
    return found


def gap_kinds(
    gap: str, measures: Measures, names: Sequence[str], rows: "Floats"
) -> tuple[list[int], str]:
    """Return which of the measures' kinds make a gap, and in words what is missing.

    Of two classes every rate is needed, so there are none when one is undefined.

    Args:
        gap: A key of `GAP_RATES`.
        measures: What is measured.
        names: The groups.
        rows: The rows that each rate is a share of, shape (kinds, groups).
    """
    several = measures.task == "multiclass"
    fewest = FEWEST_TOLD if several else 1
    wanted = [place for place, kind in enumerate(measures.kinds) if kind.rate in GAP_RATES[gap]]
    good = [place for place in wanted if rows[place].min() >= fewest]
    if several:
        bad = dict.fromkeys(measures.kinds[place].of for place in wanted if place not in good)
        return good, _left_out([str(name) for name in bad]) if bad else ""
    if len(good) == len(wanted):
        return good, ""
    parts = [
        f"{name} has no {measures.kinds[place].lacks}, so no {measures.kinds[place].rate}"
        for place in wanted
        for name, n in zip(names, rows[place], strict=True)
        if not n
    ]
    return [], f"{'; '.join(parts)}."


def _left_out(classes: Sequence[str]) -> str:
    named = ", ".join(map(repr, classes[:_MOST_NAMED]))
    more = f" and {len(classes) - _MOST_NAMED} more" if len(classes) > _MOST_NAMED else ""
    return (
        f"Left out: {named}{more}, because a group has fewer than {FEWEST_TOLD} rows to take a "
        "rate of."
    )


def gap_values(values: "Floats", measures: Measures, gaps: Iterable[str]) -> "dict[str, Floats]":
    """Return gaps over all classes; NaN where a rate is undefined.

    Args:
        values: Of the measures, shape (..., kinds, groups).
        measures: What is measured.
        gaps: Keys of `GAP_RATES`.

    Returns:
        By gap, shape (...).
    """
    spread = spread_of(values)
    rates = [kind.rate for kind in measures.kinds]
    return {
        gap: spread[..., [rate in GAP_RATES[gap] for rate in rates]].max(axis=-1) for gap in gaps
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


def largest_gap(task: Task) -> float:
    """Return what no gap of the task exceeds."""
    return inf if task == "regression" else 1.0


def _not_judged(names: Sequence[str], min_group: int, n: int) -> Gap:
    found = f"only {names[0]} has" if names else "none has"
    return _no_gap(f"Fewer than two groups can be judged: {found} {min_group} rows or more.", n)


def _no_gap(reason: str, n: int) -> Gap:
    nothing = Estimate(value=None, n=n, reason=reason)
    return Gap(difference=nothing, ratio=None, lowest=None, highest=None, rate=None)


def _gap(
    difference: Estimate, names: Sequence[str], kinds: Sequence[Kind], values: "Floats"
) -> Gap:
    worst = int(spread_of(values).argmax())
    # Of groups that are all alike none is lowest: naming one would accuse it by its place.
    ends = (values[worst].argmin(), values[worst].argmax()) if difference.value else None
    lowest, highest = (names[int(end)] for end in ends) if ends else (None, None)
    return Gap(
        difference=difference,
        # Of errors around 0 a ratio says nothing.
        ratio=None if kinds[worst].rate == "mean_error" else _ratio(values),
        lowest=lowest,
        highest=highest,
        rate=kinds[worst].rate,
        of=kinds[worst].of,
    )


def _estimate(value: float, around: float | None, largest: float, n: int, reason: str) -> Estimate:
    if around is None:
        return Estimate(value=value, n=n, reason=reason)
    low, high = max(0.0, value - around), min(largest, value + around)
    return Estimate(value=value, low=low, high=high, n=n, reason=reason)


def _ratio(values: "Floats") -> float | None:
    """Return the smallest of smallest over largest; None where that says nothing."""
    if (values.min(axis=-1) < 0).any() or (values.max(axis=-1) == 0).any():
        return None
    return float((values.min(axis=-1) / values.max(axis=-1)).min())
