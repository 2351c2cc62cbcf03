"""How often 95 % intervals hold the truth, over simulated sets whose truth is known.

    python bench/coverage.py [--sets 1000] [--replicates 1000] [--cases binary,paired,...]

The truth of a metric is its value on two million rows drawn from the same model of the world.
An interval is good when it holds the truth in 93 to 97 of 100 sets, and when the sets where it
does not are on both sides. Gaps between groups are judged by deviations (`stats.gaps`), which
hold in at least about 95 of 100: they may hold more often, never less. No interval holds where
single rows decide a mean, as the largest of a very long tail do: those intervals must say so,
in most sets. Prints a Markdown table each; ends with 1 when an interval holds too seldom and
does not say so.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from cases import CASES, World

from check import table
from mergeline.core.base import Estimate
from mergeline.stats.studentised import SKEWED

POPULATION = 2_000_000
LEAST, MOST = 0.93, 0.97


@dataclass
class Held:
    """Of how many sets with an interval it held the truth, and on which side it did not.

    Attributes:
        warned: Sets in which it says that it holds less often.
    """

    sets: int = 0
    held: int = 0
    truth_below: int = 0
    none: int = 0
    warned: int = 0

    def add(self, found: Estimate, truth: float) -> None:
        if found.low is None or found.high is None:
            self.none += 1
            return
        self.sets += 1
        self.held += found.low <= truth <= found.high
        self.truth_below += truth < found.low
        self.warned += found.reason == SKEWED

    @property
    def share(self) -> float:
        return self.held / self.sets if self.sets else float("nan")


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
            too_often = held.share > MOST + max(slack, 0) and name not in self.world.at_least
            too_seldom = held.share < LEAST - max(slack, 0) and held.warned < held.sets / 2
            if too_seldom or too_often:
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
            f"{held.warned / max(held.sets, 1):.0%}" if held.warned else "",
            str(held.none),
        )
        for result in results
        for name, held in result.metrics.items()
    ]
    head = (case, "metric", "holds the truth", "truth below", "truth above", "says so", "none")
    # Where no interval says that it holds less often, or none is missing, that is no column.
    kept = [place for place in range(len(head)) if place < _ALWAYS or _any(rows, place)]
    return table([head[place] for place in kept], [[row[place] for place in kept] for row in rows])


_ALWAYS = 5


def _any(rows: Sequence[Sequence[str]], place: int) -> bool:
    return any(row[place] not in ("", "0") for row in rows)


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
