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

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, Protocol

from mergeline.core.task import GAPS, Task
from mergeline.stats.gaps import gap_kinds, judged_groups, largest_gap, percentile_95, spread_of
from mergeline.stats.sums import Measures, group_rows

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Array = np.ndarray[Any, Any]
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


_UNDEFINED = PairedGap(nan, nan, None)


class Predicted(Protocol):
    """Predictions of rows, as `model.predictions` has them: here nothing knows of models."""

    @property
    def task(self) -> Task:
        """What is predicted."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes by number; multiclass only."""
        ...

    @property
    def actual(self) -> "Array":
        """Whether a row is positive, the number of its class, or its value, shape (n,)."""
        ...

    @property
    def predicted(self) -> "Array":
        """What is predicted, in the same terms, shape (n,)."""
        ...


def paired_gaps_of(
    before: Predicted,
    after: Predicted,
    groups: "Labels",
    *,
    min_group: int,
    units: "Ints | None" = None,
    replicates: int,
    seed: int,
) -> dict[str, PairedGap]:
    """Compare the gaps of two models' predictions for the same rows; see `paired_gaps`.

    Args:
        before: Of the first model.
        after: Of the second, for the same rows in the same order: of the same task, and of
            the same classes by number.
        groups: The group of each row, shape (n,).
        min_group: Smaller groups are left out.
        units: As in `measure_gaps`.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    return paired_gaps(
        after.actual,
        before.predicted,
        after.predicted,
        groups,
        task=after.task,
        classes=after.classes,
        min_group=min_group,
        units=units,
        replicates=replicates,
        seed=seed,
    )


def paired_gaps(
    actual: "Array",
    before: "Array",
    after: "Array",
    groups: "Labels",
    *,
    task: Task = "binary",
    classes: Sequence[str] = (),
    min_group: int,
    units: "Ints | None" = None,
    replicates: int,
    seed: int,
) -> dict[str, PairedGap]:
    """Compare the gaps of two sets of predictions: every draw is judged by both.

    Args:
        actual: Whether a row is positive, the number of its class, or its value, shape (n,).
        before: What the first predicts, in the same terms, shape (n,).
        after: What the second predicts.
        groups: Its group, shape (n,).
        task: What is predicted.
        classes: The classes by number; multiclass only.
        min_group: Smaller groups are left out.
        units: As in `measure_gaps`.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    import numpy as np

    names = judged_groups(groups, min_group)
    if len(names) < 2:  # noqa: PLR2004
        return dict.fromkeys(GAPS[task], _UNDEFINED)
    rows = np.isin(groups, np.array(names, dtype=str))
    measures = Measures(task, tuple(classes))
    sides = [before[rows], after[rows]]
    table = group_rows(measures, names, groups[rows], actual[rows], sides)
    whole = table.whole()
    values = measures.values(whole)
    kept = None if units is None else units[rows]
    drawn = np.concatenate([measures.values(part) for part in table.draw(kept, replicates, seed)])
    found = {}
    for name in GAPS[task]:
        # Which rows there are is the same for both.
        places, _ = gap_kinds(name, measures, names, measures.rows(whole[0]))
        if places:
            old, new = values[:, places]
            most = largest_gap(task)
            found[name] = _paired_gap(old, new, drawn[:, 0, places], drawn[:, 1, places], most)
        else:
            found[name] = _UNDEFINED
    return found


def _paired_gap(
    before: "Floats",
    after: "Floats",
    drawn_before: "Floats",
    drawn_after: "Floats",
    largest: float,
) -> PairedGap:
    import numpy as np

    first, second = float(_widest(before)), float(_widest(after))
    errors, others = drawn_after - after, drawn_before - before
    low, high = _errors_of_gap(after, errors)
    other_low, other_high = _errors_of_gap(before, others)
    around = percentile_95(np.maximum(high - other_low, other_high - low))
    beyond = percentile_95(_widest(errors - others))
    if around is None or beyond is None:
        return PairedGap(first, second, None)
    change, most = second - first, min(largest, float(_widest(after - before)) + beyond)
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
