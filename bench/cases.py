"""What is simulated, and how it is measured: metrics, differences, gaps, and changes of gaps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from worlds import (
    Random,
    groups,
    groups_of_classes,
    groups_of_numbers,
    long_tail,
    normal,
    repeated,
    three_classes,
    three_classes_twice,
    twice_by_group,
    two_classes,
    two_models,
    two_predictions,
    two_scores,
)

from mergeline.core.base import Estimate
from mergeline.core.task import GAPS, METRICS
from mergeline.stats import binary, multiclass, regression
from mergeline.stats.gap_changes import paired_gaps
from mergeline.stats.gaps import measure_gaps
from mergeline.stats.metrics import Rows, estimate_metrics, point_values
from mergeline.stats.paired import pair_metrics

Intervals = Mapping[str, Estimate]


@dataclass(frozen=True)
class World:
    """A way to draw rows, and a way to measure them.

    Attributes:
        name: What it is.
        n: Rows of a set.
        draw: From a generator and a number to that many rows.
        truth: The true values, from the rows of a population.
        measure: From rows, replicates and a seed to estimates with intervals.
        at_least: The metrics whose intervals may hold more often than 97 of 100.
    """

    name: str
    n: int
    draw: Callable[[Random, int], Any]
    truth: Callable[[Any], Mapping[str, float]]
    measure: Callable[[Any, int, int], Intervals]
    at_least: tuple[str, ...] = ()


CLASSES = ("a", "b", "c")


def rows_of(task: str, threshold: float, drawn: Any) -> Rows:
    if task == "binary":
        return binary.Rows(drawn[0], drawn[1], threshold)
    if task == "multiclass":
        return multiclass.Rows(drawn[0], drawn[1], CLASSES)
    return regression.Rows(drawn[0], drawn[1])


def values(task: str, threshold: float, drawn: Any) -> Mapping[str, float]:
    return point_values(METRICS[task], rows_of(task, threshold, drawn))  # type: ignore[index]


def estimates(task: str, threshold: float, drawn: Any, replicates: int, seed: int) -> Intervals:
    how: dict[str, Any] = {"replicates": replicates, "seed": seed}
    if len(drawn) > 2:  # noqa: PLR2004 -- outcome, score, and whose row
        how["units"] = drawn[2]
    rows = rows_of(task, threshold, drawn)
    return estimate_metrics(METRICS[task], rows, **how)  # type: ignore[index]


def changes(task: str, threshold: float, drawn: Any) -> Mapping[str, float]:
    before, after = (
        point_values(METRICS[task], rows_of(task, threshold, (drawn[0], score)))  # type: ignore[index]
        for score in drawn[1:3]
    )
    # Of a mean error it is the distance from 0 that changes.
    sizes = {name: abs if name == "mean_error" else float for name in before}
    return {name: size(after[name]) - size(before[name]) for name, size in sizes.items()}


def paired_estimates(
    task: str, threshold: float, drawn: Any, replicates: int, seed: int
) -> Intervals:
    before, after = (rows_of(task, threshold, (drawn[0], score)) for score in drawn[1:3])
    how: dict[str, Any] = {"replicates": replicates, "seed": seed}
    if len(drawn) > 3:  # noqa: PLR2004 -- outcome, two scores, and whose row
        how["units"] = drawn[3]
    found = pair_metrics(METRICS[task], before, after, **how)  # type: ignore[index]
    return {name: one.delta for name, one in found.items()}


def of_task(task: str) -> dict[str, Any]:
    return {"task": task, "classes": CLASSES if task == "multiclass" else (), "min_group": 1}


def true_gaps(task: str, drawn: Any) -> Mapping[str, float]:
    found = measure_gaps(*drawn, **of_task(task), replicates=2, seed=0)
    return {name: float(gap.difference.value or 0.0) for name, gap in found.items()}


def gap_estimates(task: str, drawn: Any, replicates: int, seed: int) -> Intervals:
    found = measure_gaps(*drawn, **of_task(task), replicates=replicates, seed=seed)
    return {name: gap.difference for name, gap in found.items()}


def true_gap_changes(task: str, drawn: Any) -> Mapping[str, float]:
    actual, before, after, group = drawn
    old, new = true_gaps(task, (actual, before, group)), true_gaps(task, (actual, after, group))
    return {name: new[name] - old[name] for name in old}


def gap_changes(task: str, drawn: Any, replicates: int, seed: int) -> Intervals:
    found = paired_gaps(*drawn, **of_task(task), replicates=replicates, seed=seed)
    n = len(drawn[0])
    return {
        name: Estimate(value=gap.after - gap.before, n=n)
        if gap.ends is None
        else Estimate(value=gap.after - gap.before, low=gap.ends[0], high=gap.ends[1], n=n)
        for name, gap in found.items()
    }


def _metrics(name: str, task: str, n: int, threshold: float, draw: Any) -> World:
    truth, measure = partial(values, task, threshold), partial(estimates, task, threshold)
    return World(name, n, draw, truth, measure)


def _paired(name: str, task: str, n: int, draw: Any) -> World:
    truth, measure = partial(changes, task, 0.25), partial(paired_estimates, task, 0.25)
    # Distances from 0 are judged by deviations, as gaps are.
    return World(name, n, draw, truth, measure, at_least=("mean_error",))


def _gaps(name: str, task: str, n: int, draw: Any) -> World:
    truth, measure = partial(true_gaps, task), partial(gap_estimates, task)
    return World(name, n, draw, truth, measure, at_least=GAPS[task])  # type: ignore[index]


def _gap_changes(name: str, task: str, n: int, draw: Any) -> World:
    truth, measure = partial(true_gap_changes, task), partial(gap_changes, task)
    return World(name, n, draw, truth, measure, at_least=GAPS[task])  # type: ignore[index]


four_times = partial(repeated, 4)

CASES: Mapping[str, Sequence[World]] = {
    "binary": (
        _metrics("half positive", "binary", 200, 0.5, partial(two_classes, 0.5, 1.5)),
        _metrics("a fifth positive", "binary", 1000, 0.25, partial(two_classes, 0.2, 1.5)),
        _metrics("nearly without error", "binary", 500, 0.5, partial(two_classes, 0.5, 3.0)),
        _metrics("one in 20 positive", "binary", 2000, 0.25, partial(two_classes, 0.05, 2.0)),
        _metrics(
            "each person four times",
            "binary",
            1200,
            0.5,
            partial(four_times, partial(two_classes, 0.4, 1.5)),
        ),
    ),
    "multiclass": (_metrics("three classes", "multiclass", 800, 0.0, three_classes),),
    "regression": (
        _metrics("a skewed target", "regression", 500, 0.0, partial(long_tail, 0.4)),
        _metrics("a skewed target", "regression", 100, 0.0, partial(long_tail, 0.4)),
        _metrics("a very long tail", "regression", 500, 0.0, partial(long_tail, 1.0)),
        _metrics("a very long tail", "regression", 100, 0.0, partial(long_tail, 1.0)),
        _metrics("normal errors", "regression", 500, 0.0, normal),
        _metrics("normal errors", "regression", 100, 0.0, normal),
        _metrics("normal errors", "regression", 30, 0.0, normal),
        _metrics("each person four times", "regression", 1200, 0.0, partial(four_times, normal)),
    ),
    "paired": (
        _paired("equally good", "binary", 400, partial(two_models, 0.3, 1.5, 0.0)),
        _paired("better", "binary", 400, partial(two_models, 0.3, 1.5, 0.3)),
        _paired("one in ten positive", "binary", 2000, partial(two_models, 0.1, 1.5, 0.1)),
        _paired(
            "each person four times",
            "binary",
            1600,
            partial(four_times, partial(two_models, 0.3, 1.5, 0.3)),
        ),
        _paired("three classes", "multiclass", 800, three_classes_twice),
        _paired("numbers", "regression", 400, partial(two_scores, 0.0)),
        _paired("a skewed target", "regression", 400, partial(two_scores, 0.4)),
    ),
    "gaps": (
        *(
            _gaps(
                f"{count} groups, {gap:g} apart", "binary", 600 * count, partial(groups, count, gap)
            )
            for count, gap in ((2, 0.0), (2, 0.1), (8, 0.0), (8, 0.1))
        ),
        _gaps("3 classes, 4 groups", "multiclass", 2400, partial(groups_of_classes, 4, 0.1)),
        _gaps("numbers, 4 groups", "regression", 2400, partial(groups_of_numbers, 4, 0.2)),
        _gaps("numbers, alike", "regression", 2400, partial(groups_of_numbers, 4, 0.0)),
    ),
    "gap changes": (
        *(
            _gap_changes(
                f"{count} groups, {gap:g} more",
                "binary",
                600 * count,
                partial(two_predictions, count, gap),
            )
            for count, gap in ((2, 0.0), (2, 0.3), (8, 0.3))
        ),
        _gap_changes(
            "3 classes, 4 groups",
            "multiclass",
            2400,
            partial(twice_by_group, partial(groups_of_classes, 4, 0.1)),
        ),
        _gap_changes(
            "numbers, 4 groups",
            "regression",
            2400,
            partial(twice_by_group, partial(groups_of_numbers, 4, 0.2)),
        ),
    ),
}
