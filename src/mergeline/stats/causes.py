"""Where a gap between two groups comes from: what they are like, or how the model errs.

A rate of a group is a sum of shares times rates within the share: its selection rate is

    base rate x true positive rate + (1 - base rate) x false positive rate

and its accuracy the sum over the classes of how often a class is true times how often it is
then found. The difference of two such sums is exactly the sum of two parts (Kitagawa,
Components of a Difference Between Two Rates, Journal of the American Statistical Association
50, 1955; Oaxaca and Blinder, both 1973, have the same for regressions): the difference of
the shares at the mean of the rates, and the difference of the rates at the mean of the
shares. The first follows from the base rates alone, the second from what the model does with
rows of the same outcome. A mean prediction is the mean outcome plus the mean error, so the
two parts of its difference are those of the outcomes and of the errors.

It is arithmetic and no proof: base rates can themselves come from how outcomes were recorded.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import Cause, Gap
from mergeline.core.task import Task
from mergeline.stats.bootstrap import Z, wilson
from mergeline.stats.gaps import judged_groups
from mergeline.stats.sums import Measures, group_rows

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Floats = np.ndarray[Any, np.dtype[np.float64]]

SMALLEST_GAP = 0.02
"""Smaller gaps need no explanation and no remedy; of the outcome's spread for a regression."""


def find_cause(
    gaps: Mapping[str, Gap],
    actual: "Array",
    predicted: "Array",
    groups: "Array",
    *,
    task: Task = "binary",
    classes: Sequence[str] = (),
    min_group: int,
) -> Cause | None:
    """Return where the largest of the gaps comes from; None where nothing could be judged.

    Args:
        gaps: As `measure_gaps` gives them for these rows.
        actual: As there.
        predicted: As there.
        groups: As there.
        task: What is predicted.
        classes: The classes by number; multiclass only.
        min_group: As there.
    """
    import numpy as np

    name = worst_gap(gaps)
    if name is None:
        return None
    gap = gaps[name]
    value = gap.difference.value or 0.0
    smallest = SMALLEST_GAP * (float(actual.std()) if task == "regression" else 1.0)
    if gap.lowest is None or gap.highest is None or gap.rate is None or value <= smallest:
        reason = f"No gap is larger than {_said(smallest, task)}."
        return Cause(gap=name, kind="none", reason=reason)
    names = judged_groups(groups, min_group)
    rows = np.isin(groups, np.array(names, dtype=str))
    measures = Measures(task, tuple(classes))
    table = group_rows(measures, names, groups[rows], actual[rows], [predicted[rows]])
    ends = [names.index(gap.highest), names.index(gap.lowest)]
    sums = table.whole()[0][ends]
    sides = _Ends(task, (gap.highest, gap.lowest), gap.rate, gap.of, sums, measures)
    few = sides.too_few(value, actual, predicted, groups) or sides.by_chance(gap)
    if few:
        return Cause(gap=name, kind="size", reason=few)
    return _explained(name, sides)


def worst_gap(gaps: Mapping[str, Gap]) -> str | None:
    """Return the name of the largest gap, the first of equal ones; None where none has a value."""
    found = {name: gap.difference.value for name, gap in gaps.items()}
    known = {name: value for name, value in found.items() if value is not None}
    return max(known, key=lambda name: known[name]) if known else None


def two_parts(
    shares: "tuple[Floats, Floats]", rates: "tuple[Floats, Floats]"
) -> tuple[float, float]:
    """Split the difference of two sums of shares times rates exactly in two (Kitagawa, 1955).

    A rate that is undefined, as its share is 0, is taken for that of the other side.

    Args:
        shares: Of the one and of the other, shape (k,) each, adding up to 1.
        rates: Within the shares, shape (k,) each.

    Returns:
        What the shares make, and what the rates make, of the first sum minus the second.
    """
    import numpy as np

    first, second = rates
    first = np.where(np.isnan(first), np.where(np.isnan(second), 0.0, second), first)
    second = np.where(np.isnan(second), first, second)
    of_shares = (shares[0] - shares[1]) * (first + second) / 2
    of_rates = (shares[0] + shares[1]) / 2 * (first - second)
    return float(of_shares.sum()), float(of_rates.sum())


class _Ends:
    """The two groups between which a gap is: the highest first."""

    def __init__(
        self,
        task: Task,
        names: tuple[str, str],
        rate: str,
        of: str | None,
        sums: "Floats",
        measures: Measures,
    ) -> None:
        self.task, self.names, self.rate, self.of, self.sums = task, names, rate, of, sums
        found = [(kind.rate, kind.of) for kind in measures.kinds]
        self.place = found.index((rate, of))
        self.values: Floats = measures.values(sums)
        self.rows: Floats = measures.rows(sums)
        self.class_at = 2 if of is None else 2 + 3 * measures.classes.index(of)

    @property
    def what(self) -> str:
        """The rate, and of which class."""
        return self.rate if self.of is None else f"{self.rate} of {self.of!r}"

    def value(self, rate: str, side: int) -> float:
        """Return another rate of the same class."""
        order = ("selection_rate", "true_positive_rate", "false_positive_rate")
        start = self.place - order.index(self.rate)
        return float(self.values[start + order.index(rate), side])

    def base(self, side: int) -> float:
        """Return how often the class is true."""
        return float(self.sums[side, self.class_at] / self.sums[side, 0])

    def too_few(self, gap: float, actual: "Array", predicted: "Array", groups: "Array") -> str:
        """Say that the smaller group's interval alone is wider than the gap; else empty."""
        import numpy as np

        side = int(np.argmin(self.rows[self.place]))
        n, value = int(self.rows[self.place, side]), float(self.values[self.place, side])
        if self.task == "regression":
            inside = groups == self.names[side]
            error = predicted[inside] - actual[inside]
            of = {"mean_prediction": predicted[inside], "mean_error": error}
            around = Z * float(of.get(self.rate, np.abs(error)).std(ddof=1)) / sqrt(n)
            low, high = value - around, value + around
        else:
            low, high = wilson(value * n, n)
        if not high - low > gap:
            return ""
        return (
            f"{self.names[side]} has only {n:,} rows for {self.what}: their 95 % interval alone, "
            f"{_said(low, self.task)} to {_said(high, self.task)}, is wider than the gap of "
            f"{_said(gap, self.task)}."
        )

    def by_chance(self, gap: Gap) -> str:
        """Say that groups which are alike could have such a gap; else empty."""
        difference = gap.difference
        if difference.value is None or difference.low is None or difference.low > 0:
            return ""
        values = " and ".join(_said(float(value), self.task) for value in self.values[self.place])
        n = " and ".join(f"{int(rows):,}" for rows in self.rows[self.place])
        return (
            f"{self.what} is {values} for {self.names[0]} and {self.names[1]} (n = {n}): the "
            f"interval of the gap of {_said(difference.value, self.task)} reaches 0, so chance "
            "alone could make it."
        )


def _explained(name: str, ends: _Ends) -> Cause:
    high, low = (_said(float(ends.values[ends.place, side]), ends.task) for side in (0, 1))
    start = f"{ends.what} is {high} for {ends.names[0]} and {low} for {ends.names[1]}"
    split = _split(ends)
    if split is None:
        n = " and ".join(f"{int(rows):,}" for rows in ends.rows[ends.place])
        reason = f"{start} (n = {n}): {_errs(ends)}."
        return Cause(gap=name, kind="errors", reason=reason)
    shares, errors, words = split
    both = _said(shares + errors, ends.task)
    reason = (
        f"{start}: of the {both} between them {_said(shares, ends.task)} "
        f"{words[0]}, and {_said(errors, ends.task)} {words[1]}."
    )
    return Cause(
        gap=name, kind="base_rate" if abs(shares) >= abs(errors) else "errors", reason=reason
    )


def _errs(ends: _Ends) -> str:
    if ends.task == "regression":
        return "the outcomes are taken out of it, so this is how the model errs"
    side = int(ends.rate == "true_positive_rate")
    base = " and ".join(f"{ends.base(place):.3f}" for place in (0, 1))
    return (
        f"among rows of the same outcome the model errs more for {ends.names[side]}; "
        f"the base rates are {base}"
    )


def _split(ends: _Ends) -> tuple[float, float, tuple[str, str]] | None:
    """Return the two parts in numbers and words; None of a gap that is one of errors only."""
    import numpy as np

    if ends.rate == "mean_prediction":
        errors = ends.values[ends.place + 1]
        outcomes = ends.values[ends.place] - errors
        said = [
            " and ".join(_said(float(value), ends.task) for value in values)
            for values in (outcomes, errors)
        ]
        words = (f"are in the outcomes (means {said[0]})", f"in the mean errors ({said[1]})")
        return float(outcomes[0] - outcomes[1]), float(errors[0] - errors[1]), words
    if ends.rate == "selection_rate":
        bases = [ends.base(side) for side in (0, 1)]
        rates = [np.array([ends.value(rate, side) for rate in _WITHIN[:2]]) for side in (0, 1)]
        shares = [np.array([base, 1 - base]) for base in bases]
        parts = two_parts((shares[0], shares[1]), (rates[0], rates[1]))
        said = [f"{rates[0][k]:.3f} and {rates[1][k]:.3f}" for k in (0, 1)]
        words = (
            f"follow from the base rates ({bases[0]:.3f} and {bases[1]:.3f})",
            "from what the model does with rows of the same outcome (true positive rates "
            f"{said[0]}, false positive rates {said[1]})",
        )
        return *parts, words
    if ends.rate == "accuracy":
        true, both = ends.sums[:, 2::3], ends.sums[:, 4::3]
        found = np.divide(both, true, out=np.full_like(both, np.nan), where=true > 0)
        true = true / ends.sums[:, :1]
        parts = two_parts((true[0], true[1]), (found[0], found[1]))
        words = (
            "follow from how often each class is true",
            "from how often each class is then found",
        )
        return *parts, words
    return None


_WITHIN = ("true_positive_rate", "false_positive_rate")
_THOUSAND = 1000


def _said(value: float, task: Task) -> str:
    if task != "regression":
        return f"{value:.3f}"
    return f"{value:,.0f}" if abs(value) >= _THOUSAND else f"{value:.4g}"
