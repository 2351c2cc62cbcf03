"""How often 95 % intervals hold the truth, over simulated sets whose truth is known.

    python bench/coverage.py [--sets 1000] [--replicates 1000] [--cases binary,paired,...]

The truth of a metric is its value on two million rows drawn from the same model of the world.
An interval is good when it holds the truth in 93 to 97 of 100 sets, and when the sets where it
does not are on both sides. Gaps between groups are judged by deviations (`stats.gaps`), which
hold in at least about 95 of 100: they may hold more often, never less. No interval holds where
single rows decide a mean, as the largest of a very long tail do. Prints a Markdown table each;
ends with 1 when an interval holds too seldom.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit, logit, softmax

from check import table
from mergeline.core.base import Estimate
from mergeline.core.task import METRICS
from mergeline.stats import binary, multiclass, regression
from mergeline.stats.gap_changes import paired_gaps
from mergeline.stats.gaps import measure_gaps
from mergeline.stats.metrics import Rows, estimate_metrics, point_values
from mergeline.stats.paired import pair_metrics

POPULATION = 2_000_000
LEAST, MOST = 0.93, 0.97
POSITIVES, CHANGED = 0.4, 0.1

Random = np.random.Generator
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
        at_least: Whether the intervals may hold more often than 97 of 100.
    """

    name: str
    n: int
    draw: Callable[[Random, int], Any]
    truth: Callable[[Any], Mapping[str, float]]
    measure: Callable[[Any, int, int], Intervals]
    at_least: bool = False


@dataclass
class Held:
    """Of how many sets with an interval it held the truth, and on which side it did not."""

    sets: int = 0
    held: int = 0
    truth_below: int = 0
    none: int = 0

    def add(self, found: Estimate, truth: float) -> None:
        if found.low is None or found.high is None:
            self.none += 1
            return
        self.sets += 1
        self.held += found.low <= truth <= found.high
        self.truth_below += truth < found.low

    @property
    def share(self) -> float:
        return self.held / self.sets if self.sets else float("nan")


# --- worlds ----------------------------------------------------------------------------


def two_classes(rate: float, apart: float, random: Random, n: int) -> Any:
    """Outcomes, and calibrated scores: normal evidence that lies `apart` for the classes."""
    positive = random.random(n) < rate
    evidence = random.normal(size=n) + apart * positive
    return positive, expit(logit(rate) + apart * evidence - apart**2 / 2)


def two_models(rate: float, apart: float, gain: float, random: Random, n: int) -> Any:
    """Outcomes, and the scores of two models whose evidence is much alike."""
    positive = random.random(n) < rate
    common = random.normal(size=n)
    other = 0.9 * common + np.sqrt(1 - 0.81) * random.normal(size=n)
    lean, more = common + apart * positive, other + (apart + gain) * positive
    return (
        positive,
        expit(logit(rate) + apart * lean - apart**2 / 2),
        expit(logit(rate) + (apart + gain) * more - (apart + gain) ** 2 / 2),
    )


def repeated(rows: int, draw: Callable[[Random, int], Any], random: Random, n: int) -> Any:
    """The same person several times: outcome and score alike, and whose row it is."""
    people = -(-n // rows)
    drawn = draw(random, people)
    units = np.repeat(np.arange(people), rows)[:n]
    return (*(part[units] for part in drawn), units)


def three_classes(random: Random, n: int) -> Any:
    actual = random.choice(3, size=n, p=[0.6, 0.3, 0.1])
    evidence = random.normal(size=(n, 3)) + 1.5 * np.eye(3)[actual]
    return actual, softmax(1.5 * evidence + np.log([0.6, 0.3, 0.1]), axis=1)


def numbers(random: Random, n: int) -> Any:
    """A skewed target, and predictions that err more where it is large."""
    actual = np.exp(0.4 * random.normal(size=n))
    return actual, actual * np.exp(0.3 * random.normal(size=n))


def groups(count: int, gap: float, random: Random, n: int) -> Any:
    """Outcome, prediction and group; the last group is predicted positive more often."""
    group = random.integers(0, count, size=n)
    positive = random.random(n) < POSITIVES
    rate = np.where(positive, 0.7, 0.2) + gap * (group == count - 1)
    names = np.array([f"group {number:02}" for number in range(count)])
    return positive, random.random(n) < rate, names[group]


def two_predictions(count: int, gap: float, random: Random, n: int) -> Any:
    positive, before, group = groups(count, 0.0, random, n)
    changed = random.random(n) < CHANGED
    more = group == f"group {count - 1:02}"
    after = np.where(changed, random.random(n) < np.where(more, 0.45 + gap, 0.45), before)
    return positive, before, after, group


# --- measuring -------------------------------------------------------------------------


def rows_of(task: str, threshold: float, drawn: Any) -> Rows:
    if task == "binary":
        return binary.Rows(drawn[0], drawn[1], threshold)
    if task == "multiclass":
        return multiclass.Rows(drawn[0], drawn[1], ("a", "b", "c"))
    return regression.Rows(drawn[0], drawn[1])


def values(task: str, threshold: float, drawn: Any) -> Mapping[str, float]:
    return point_values(METRICS[task], rows_of(task, threshold, drawn))  # type: ignore[index]


def estimates(task: str, threshold: float, drawn: Any, replicates: int, seed: int) -> Intervals:
    how: dict[str, Any] = {"replicates": replicates, "seed": seed}
    if task == "binary" and len(drawn) > 2:  # noqa: PLR2004 -- outcome, score, and whose row
        how["units"] = drawn[2]
    rows = rows_of(task, threshold, drawn)
    return estimate_metrics(METRICS[task], rows, **how)  # type: ignore[index]


def changes(threshold: float, drawn: Any) -> Mapping[str, float]:
    before, after = (
        point_values(METRICS["binary"], binary.Rows(drawn[0], score, threshold))
        for score in drawn[1:]
    )
    return {name: after[name] - before[name] for name in before}


def paired_estimates(threshold: float, drawn: Any, replicates: int, seed: int) -> Intervals:
    before, after = (binary.Rows(drawn[0], score, threshold) for score in drawn[1:])
    found = pair_metrics(METRICS["binary"], before, after, replicates=replicates, seed=seed)
    return {name: one.delta for name, one in found.items()}


def true_gaps(drawn: Any) -> Mapping[str, float]:
    found = measure_gaps(*drawn, min_group=1, replicates=100, seed=0)
    return {name: float(gap.difference.value or 0.0) for name, gap in found.items()}


def gap_estimates(drawn: Any, replicates: int, seed: int) -> Intervals:
    found = measure_gaps(*drawn, min_group=1, replicates=replicates, seed=seed)
    return {name: gap.difference for name, gap in found.items()}


def true_gap_changes(drawn: Any) -> Mapping[str, float]:
    positive, before, after, group = drawn
    old, new = true_gaps((positive, before, group)), true_gaps((positive, after, group))
    return {name: new[name] - old[name] for name in old}


def gap_changes(drawn: Any, replicates: int, seed: int) -> Intervals:
    found = paired_gaps(*drawn, min_group=1, replicates=replicates, seed=seed)
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


def _paired(name: str, n: int, threshold: float, draw: Any) -> World:
    return World(name, n, draw, partial(changes, threshold), partial(paired_estimates, threshold))


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
            partial(repeated, 4, partial(two_classes, 0.4, 1.5)),
        ),
    ),
    "multiclass": (_metrics("three classes", "multiclass", 800, 0.0, three_classes),),
    "regression": (_metrics("a skewed target", "regression", 500, 0.0, numbers),),
    "paired": (
        _paired("equally good", 400, 0.25, partial(two_models, 0.3, 1.5, 0.0)),
        _paired("better", 400, 0.25, partial(two_models, 0.3, 1.5, 0.3)),
        _paired("one in ten positive", 2000, 0.25, partial(two_models, 0.1, 1.5, 0.1)),
    ),
    "gaps": tuple(
        World(
            f"{count} groups, {gap:g} apart",
            600 * count,
            partial(groups, count, gap),
            true_gaps,
            gap_estimates,
            at_least=True,
        )
        for count, gap in ((2, 0.0), (2, 0.1), (8, 0.0), (8, 0.1))
    ),
    "gap changes": tuple(
        World(
            f"{count} groups, {gap:g} more",
            600 * count,
            partial(two_predictions, count, gap),
            true_gap_changes,
            gap_changes,
            at_least=True,
        )
        for count, gap in ((2, 0.0), (2, 0.3), (8, 0.3))
    ),
}


# --- the script ------------------------------------------------------------------------


@dataclass
class Result:
    world: World
    sets: int
    metrics: dict[str, Held] = field(default_factory=dict)

    def bad(self) -> Iterator[str]:
        """Name what holds too seldom, or too often, beyond what chance does to so many sets."""
        for name, held in self.metrics.items():
            # Three standard errors of a share near 95 %: with 1,000 sets 2 points.
            slack = 3 * np.sqrt(0.95 * 0.05 / max(held.sets, 1)) - 0.0207
            too_often = held.share > MOST + max(slack, 0) and not self.world.at_least
            if held.share < LEAST - max(slack, 0) or too_often:
                yield f"{self.world.name}: {name} holds the truth in {held.share:.1%}"


def simulate(case: str, place: int, sets: int, replicates: int, population: int) -> Result:
    """Draw sets of a world and count how often each interval holds the truth."""
    world = CASES[case][place]
    random = np.random.default_rng([7, place])
    truth = world.truth(world.draw(random, population))
    result = Result(world, sets, {name: Held() for name in truth})
    for seed in range(sets):
        found = world.measure(world.draw(random, world.n), replicates, seed)
        for name, held in result.metrics.items():
            held.add(found[name], truth[name])
    return result


def laid_out(case: str, results: Sequence[Result]) -> str:
    rows = [
        (
            f"{result.world.name}, n = {result.world.n:,}",
            name,
            f"{held.share:.1%}",
            f"{held.truth_below / max(held.sets, 1):.1%}",
            f"{1 - held.share - held.truth_below / max(held.sets, 1):.1%}",
            str(held.none),
        )
        for result in results
        for name, held in result.metrics.items()
    ]
    head = (case, "metric", "holds the truth", "truth below", "truth above", "no interval")
    return table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--population", type=int, default=POPULATION, help="rows of the truth")
    parser.add_argument("--cases", default=",".join(CASES), help="separated by commas")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    chosen = parser.parse_args()
    sizes = (chosen.sets, chosen.replicates, chosen.population)
    bad: list[str] = []
    with ProcessPoolExecutor(chosen.jobs) as pool:
        work = {
            case: [pool.submit(simulate, case, place, *sizes) for place in range(len(CASES[case]))]
            for case in chosen.cases.split(",")
        }
        for case, parts in work.items():
            results = [part.result() for part in parts]
            print(laid_out(case, results), flush=True)
            bad += [one for result in results for one in result.bad()]
    print("\n".join(bad) or "All intervals hold the truth as often as they should.")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
