"""Two models on the same rows: the difference of their metrics, with its interval."""

from collections.abc import Sequence
from math import isnan, sqrt
from typing import TYPE_CHECKING, Any, Literal

from mergeline.core.base import Estimate
from mergeline.core.judge import rows_to_decide
from mergeline.core.task import higher_is_better
from mergeline.core.verdict import Paired
from mergeline.stats.bootstrap import Z_OF_POWER, Z, interval
from mergeline.stats.metrics import Rows, point_values, replicate_metrics
from mergeline.stats.units import FEW_ROWS

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Units = np.ndarray[Any, np.dtype[np.int64]]


def pair_metrics(
    names: Sequence[str],
    baseline: Rows,
    candidate: Rows,
    *,
    units: "Units | None" = None,
    replicates: int,
    seed: int,
) -> dict[str, Paired]:
    """Compare two models on the same rows: every draw is scored by both.

    Of shares of rows (recall, accuracy) the few rows that only one model has right decide.
    Their draws leave the truth out too often when they are few, so where rows are drawn the
    interval also covers that of Agresti and Min (Statistics in Medicine 24, 2005).

    Of `mean_error` the absolute values are compared.

    Args:
        names: Of the metrics of the task.
        baseline: Labels and the baseline's scores.
        candidate: The same labels and the candidate's scores.
        units: As in `estimate_metrics`.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    import numpy as np

    before, after = point_values(names, baseline), point_values(names, candidate)
    old, new = replicate_metrics(
        names, [baseline, candidate], units=units, replicates=replicates, seed=seed
    )
    # Two that agree in every draw are one model: nothing is uncertain about that.
    alike = all(np.array_equal(old[name], new[name], equal_nan=True) for name in names)
    found = {}
    for name in names:
        first, second, ends = before[name], after[name], interval(new[name] - old[name])
        if name == "mean_error":
            ends = _ends_of_distance(first, second, old[name], new[name])
            first, second = abs(first), abs(second)
        elif units is None and ends is not None and not alike:
            ends = _wider(ends, _of_shares(baseline, candidate, name))
        better = higher_is_better(name)
        found[name] = paired(first, second, ends, n=len(baseline), higher_is_better=better)
    return found


def _wider(ends: tuple[float, float], others: tuple[float, float] | None) -> tuple[float, float]:
    if others is None:
        return ends
    return min(ends[0], others[0]), max(ends[1], others[1])


def _of_shares(baseline: Rows, candidate: Rows, name: str) -> tuple[float, float] | None:
    """Return the interval of a difference of paired shares: half a row added to each cell."""
    before, after = baseline.share(name), candidate.share(name)
    if before is None or after is None:
        return None
    (old, counted), (new, _) = before, after
    gained = float((new & ~old & counted).sum()) + 0.5
    lost = float((old & ~new & counted).sum()) + 0.5
    n = float(counted.sum()) + 2
    middle = (gained - lost) / n
    half = Z * sqrt(gained + lost - (gained - lost) ** 2 / n) / n
    return middle - half, middle + half


def _ends_of_distance(
    before: float, after: float, old: "Floats", new: "Floats"
) -> tuple[float, float]:
    """Return the interval of the change of a number's distance from 0.

    Percentiles would leave out the truth where a number is near 0: its distance as sampled is
    too large, and that of a replicate larger still. So, as for gaps (`stats.gap_changes`), the
    change is judged by deviations, at their worst over the signs that a number may truly have;
    and a distance changes by no more than the number does.

    Args:
        before: The first number.
        after: The second number.
        old: Replicates of the first, shape (replicates,).
        new: Replicates of the second under the same draws.
    """
    import numpy as np

    low_old, high_old = _errors_of_distance(before, old - before)
    low_new, high_new = _errors_of_distance(after, new - after)
    around = float(np.percentile(np.maximum(high_new - low_old, high_old - low_new), 95))
    beyond = float(np.percentile(np.abs((new - after) - (old - before)), 95))
    change, most = abs(after) - abs(before), abs(after - before) + beyond
    return max(0.0 - most, change - around), min(most, change + around)


def _errors_of_distance(value: float, errors: "Floats") -> "tuple[Floats, Floats]":
    """Return the smallest and the largest error of a number's distance from 0, by replicate."""
    import numpy as np

    sizes = np.abs(errors)
    if abs(value) > np.percentile(sizes, 95):
        turned = errors if value > 0 else -errors
        return turned, turned
    return -sizes, sizes


def paired(
    before: float,
    after: float,
    ends: tuple[float, float] | None,
    *,
    n: int,
    higher_is_better: bool,
) -> Paired:
    """Make the paired comparison of two values from the interval of their difference.

    Args:
        before: The baseline's value; NaN when undefined.
        after: The candidate's value; NaN when undefined.
        ends: Of the 95 % interval of candidate minus baseline; None when there is none.
        n: Common rows.
        higher_is_better: The metric's direction.
    """
    base = None if isnan(before) else before
    head = None if isnan(after) else after
    if base is None or head is None:
        delta = Estimate(value=None, n=n, reason="Undefined on the common rows.")
    elif ends is None:
        delta = Estimate(value=head - base, n=n, reason=FEW_ROWS)
    else:
        delta = Estimate(value=head - base, low=ends[0], high=ends[1], n=n)
    outcome = paired_outcome(delta, higher_is_better=higher_is_better)
    rows = None
    if outcome == "cannot_tell" and delta.low is not None and delta.high is not None:
        rows = rows_to_decide(delta.low, delta.high, 0.0, n)
        # An interval that ends at 0 is decided by the next row.
        rows = None if rows is None else max(rows, n + 1)
    return Paired(
        baseline=base,
        candidate=head,
        delta=delta,
        higher_is_better=higher_is_better,
        outcome=outcome,
        rows_to_decide=rows,
        minimum_detectable=_detectable(delta),
    )


def _detectable(delta: Estimate) -> float | None:
    """Return the smallest true difference that such a comparison would tell 80 times in 100.

    That is 1.96 + 0.84 standard errors (Cohen, Statistical Power Analysis, 1988, chapter 2), of
    which 2 times 1.96 are the width of the interval.
    """
    if delta.low is None or delta.high is None:
        return None
    return (delta.high - delta.low) / (2 * Z) * (Z + Z_OF_POWER)


def paired_outcome(
    delta: Estimate, *, higher_is_better: bool
) -> Literal["better", "worse", "cannot_tell"]:
    """Return what the interval of a difference says: that it lies on one side of zero, or not."""
    if delta.low is None or delta.high is None or delta.low <= 0 <= delta.high:
        return "cannot_tell"
    return "better" if (delta.low > 0) == higher_is_better else "worse"
