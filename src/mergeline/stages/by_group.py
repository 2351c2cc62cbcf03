"""Rates and means of each group on the held-out rows, with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mergeline.core.base import Estimate
from mergeline.core.evidence import FEWEST_TOLD, UNTOLD, Group
from mergeline.model.predictions import Predictions
from mergeline.stats.bootstrap import interval, wilson
from mergeline.stats.sums import Measures, group_rows
from mergeline.stats.units import FEW_ROWS, too_few_units

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Asked:
    """What is measured by group.

    Attributes:
        metrics: Names of rates or means.
        judged: The groups of enough rows; a set, as there may be thousands.
        units: The number of its unit of each row; None where every row is one.
        replicates: Bootstrap samples, for means.
        seed: Of the draws.
    """

    metrics: Sequence[str]
    judged: frozenset[str]
    units: "Array | None"
    replicates: int
    seed: int


def measure_groups(held: Predictions, labels: "Array", asked: Asked) -> tuple[Group, ...]:
    """Return the rates or means of every group, sorted by name.

    Rates have Wilson's intervals, which take rows for independent of each other; means have
    percentile intervals of the bootstrap.

    Args:
        held: The held-out rows.
        labels: The group of each row, shape (n,).
        asked: What is measured.
    """
    if held.task == "regression":
        return _means(held, labels, asked)
    return _rates(held, labels, asked)


# --- rates -----------------------------------------------------------------------


def _rates(held: Predictions, labels: "Array", asked: Asked) -> tuple[Group, ...]:
    import numpy as np

    names, codes = np.unique(labels, return_inverse=True)
    size = max(2, len(held.classes))
    cell = (codes * size + held.actual) * size + held.predicted
    cells = np.bincount(cell, minlength=len(names) * size**2).reshape(len(names), size, size)
    groups = []
    for name, counts in zip(map(str, names), cells, strict=True):
        judged = name in asked.judged
        told = judged or int(counts.sum()) >= FEWEST_TOLD
        binary = held.task == "binary"
        groups.append(
            Group(
                name=name,
                n=int(counts.sum()),
                positives=int(counts[1].sum()) if binary and told else None,
                judged=judged,
                metrics=_of_group(name, counts, asked.metrics, told=told, binary=binary),
                classes={
                    of: _of_class(name, counts, number, asked.metrics, told=told)
                    for number, of in enumerate(held.classes)
                },
            )
        )
    return tuple(groups)


def _of_group(
    name: str, counts: "Array", metrics: Sequence[str], *, told: bool, binary: bool
) -> dict[str, Estimate]:
    n = int(counts.sum())
    shares = rate_counts(counts, 1) if binary else {"accuracy": (int(counts.trace()), n, "row")}
    return {
        metric: _rate(name, metric, *shares[metric])
        if told
        else Estimate(value=None, n=n, reason=UNTOLD)
        for metric in metrics
        if metric in shares
    }


def _of_class(
    name: str, counts: "Array", number: int, metrics: Sequence[str], *, told: bool
) -> dict[str, Estimate]:
    """Return the rates of one of several classes; none that would tell of single rows."""
    shares = rate_counts(counts, number)
    return {
        metric: _rate(name, metric, *shares[metric])
        if told and shares[metric][1] >= FEWEST_TOLD
        else Estimate(value=None, n=shares[metric][1] if told else int(counts.sum()), reason=UNTOLD)
        for metric in metrics
        if metric != "accuracy"
    }


def rate_counts(counts: "Array", number: int) -> dict[str, tuple[int, int, str]]:
    """Return how many rows of how many each rate is, and what those are called.

    Args:
        counts: Rows of a group by actual and predicted class, shape (classes, classes).
        number: Of the class that is held against the others.
    """
    n, true, said = (int(part.sum()) for part in (counts, counts[number], counts[:, number]))
    both = int(counts[number, number])
    other, wrong = n - true, said - both
    return {
        "selection_rate": (said, n, "row"),
        "accuracy": (n - (true - both) - wrong, n, "row"),
        "true_positive_rate": (both, true, "positive row"),
        "false_negative_rate": (true - both, true, "positive row"),
        "false_positive_rate": (wrong, other, "negative row"),
        "true_negative_rate": (other - wrong, other, "negative row"),
        "precision": (both, said, "row predicted positive"),
    }


def _rate(group: str, metric: str, hits: int, n: int, of: str) -> Estimate:
    if n == 0:
        return Estimate(value=None, n=0, reason=f"{group} has no {of}, so no {metric}.")
    low, high = wilson(hits, n)
    return Estimate(value=hits / n, low=low, high=high, n=n)


# --- means -----------------------------------------------------------------------


def _means(held: Predictions, labels: "Array", asked: Asked) -> tuple[Group, ...]:
    import numpy as np

    names, counts = (found.tolist() for found in np.unique(labels, return_counts=True))
    measures = Measures("regression")
    table = group_rows(measures, names, labels, held.actual, [held.predicted])
    values = _with_outcomes(measures.values(table.whole()[0]))
    drawn = np.concatenate(
        [
            _with_outcomes(measures.values(part[:, 0]))
            for part in table.draw(asked.units, asked.replicates, asked.seed)
        ]
    )
    few = too_few_units(asked.units)
    groups = []
    for place, (name, n) in enumerate(zip(names, counts, strict=True)):
        told = name in asked.judged or n >= FEWEST_TOLD
        metrics = {
            metric: _mean(float(values[row, place]), drawn[:, row, place], n, few)
            if told
            else Estimate(value=None, n=n, reason=UNTOLD)
            for metric in asked.metrics
            for row in [_MEANS.index(metric)]
        }
        judged = name in asked.judged
        groups.append(Group(name=name, n=n, positives=None, judged=judged, metrics=metrics))
    return tuple(groups)


_MEANS = ("mean_prediction", "mean_error", "mean_absolute_error", "mean_actual")


def _with_outcomes(values: "Array") -> "Array":
    """Add the mean outcome, which is the mean prediction less the mean error."""
    import numpy as np

    outcomes = values[..., 0:1, :] - values[..., 1:2, :]
    return np.concatenate([values, outcomes], axis=-2)


def _mean(value: float, drawn: "Array", n: int, few: str) -> Estimate:
    ends = None if few else interval(drawn)
    if ends is None:
        return Estimate(value=value, n=n, reason=few or FEW_ROWS)
    return Estimate(value=value, low=ends[0], high=ends[1], n=n)
