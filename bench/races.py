"""Two jobs at once on one line: in the end ledger, aliases, registry and server agree.

    python bench/races.py [--rounds 200] [--seed N] [--only ROUND]

In every second round two promotions of one merge start together, each in a clone of its own;
in the others a rollback starts at any moment of a promotion. Each must end in an answer that
is due then. Then what is desired is what the follower serves, every
key has one version, the aliases are those that the ledger makes, each declaration of the race
has its answer, and what is served is what the last declaration asked for.

Prints tables; ends with 1 when something disagrees, and keeps the folder.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from lines import (
    Builds,
    Ended,
    Follower,
    Job,
    Line,
    note,
    seconds_of,
    set_apart,
    table,
    workshop,
)

MODELS = (1.0, 0.5, 0.25)  # two were live, the third is merged
# What each verb may end with, when another one is at work.
TWICE = {"LIVE"}
PROMOTED = {"LIVE", "SUPERSEDED", "UNDECIDED"}
ROLLED_BACK = {"LIVE", "SUPERSEDED", "UNDECIDED"}


@dataclass
class Seen:
    """What was seen in all rounds.

    Attributes:
        ended: How often which answers met.
        ledgers: How often which entries the race appended, in which order.
        doubled: Rounds with a second version, deployment or comment, removed or not.
        violations: What disagreed, with the round.
    """

    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    ledgers: Counter[tuple[str, str]] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def race(line: Line, rounds: Sequence[int], seed: int, seen: Seen) -> None:
    """Do the rounds, up to the first that goes wrong: its folder is to be looked at."""
    chance = random.Random(seed)
    usual = median(seconds_of(line, chance)[0] for _ in range(min(3, len(rounds))))
    note(f"an undisturbed promotion takes {usual:.1f} s")
    for number in rounds:
        chance = random.Random(f"{seed}-{number}")
        line.again()
        other = line.another_clone("other")
        before = len(line.scenario.history.entries)
        with Follower(line, chance) as follower:
            if number % 2:
                title, problems = "promote, promote", promotions(line, other, chance, seen)
            else:
                later = chance.uniform(-0.2, 1.1) * usual
                title, problems = "promote, rollback", rollback(line, other, later, seen)
            problems += quiet(line)
        problems += [follower.trouble] if follower.trouble else []
        problems += line.disagreements()
        entries = line.scenario.history.entries[before:]
        seen.ledgers[title, ", ".join(entry.kind for entry in entries)] += 1
        problems += doubled(line, seen)
        seen.violations += [f"round {number}: {problem}" for problem in problems]
        note(f"round {number}: {'; '.join(problems) or 'they agree'}")
        if problems:
            break


def promotions(line: Line, other: Path, chance: random.Random, seen: Seen) -> list[str]:
    """Promote one merge twice."""
    jobs = [line.promote()]
    time.sleep(chance.uniform(0, 0.3))
    jobs.append(line.promote(clone=other))
    first, second = (job.ended() for job in jobs)
    seen.ended["promote, promote", answers(first, second)] += 1
    problems = wrong(first, TWICE) + wrong(second, TWICE)
    kinds = [entry.kind for entry in line.scenario.history.entries][-2:]
    return problems + ([] if kinds == ["promoted", "live"] else [f"the ledger ends with {kinds}"])


def rollback(line: Line, other: Path, later: float, seen: Seen) -> list[str]:
    """Promote, and roll back some seconds earlier or later."""

    def back() -> Job:
        return line.start_job("rollback", "--reason", "it is worse", "--json", clone=other)

    starts = [line.promote, back] if later > 0 else [back, line.promote]
    jobs = [starts[0]()]
    time.sleep(abs(later))
    jobs.append(starts[1]())
    promoted, rolled_back = jobs if later > 0 else jobs[::-1]
    first, second = promoted.ended(), rolled_back.ended()
    seen.ended["promote, rollback", answers(first, second)] += 1
    return wrong(first, PROMOTED) + wrong(second, ROLLED_BACK)


def answers(*ended: Ended) -> str:
    return ", ".join(one.name or f"exit code {one.code}" for one in ended)


def wrong(ended: Ended, expected: set[str]) -> list[str]:
    """Return what is wrong with how a job ended."""
    if ended.wrong or ended.name not in expected:
        return [f"{ended.wrong or 'an answer that is not expected'}: {ended}"]
    return []


def quiet(line: Line) -> list[str]:
    """Settle what a job that was overtaken left open, as the next job does."""
    last = line.promote().ended()
    return wrong(last, {"LIVE", "SUPERSEDED", "BARRED", "ALREADY_LIVE"})


def doubled(line: Line, seen: Seen) -> list[str]:
    """Count what there are two of; two comments on a pull request are wrong."""
    repo = line.scenario.world.repo
    numbers = [version.number for version in line.scenario.registry.versions()]
    seen.doubled["a version made twice, the later one deleted"] += numbers[-1] != str(len(numbers))
    places = [(one.sha, one.environment) for one in repo.deployments.values()]
    seen.doubled["a second deployment of one commit"] += len(places) != len(set(places))
    comments = Counter(one.number for one in repo.comments.values())
    return [f"{n} comments on #{number}" for number, n in comments.items() if n > 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", type=int, help="one round, as it was with the same seed")
    chosen = parser.parse_args()
    rounds = [chosen.only] if chosen.only else range(1, chosen.rounds + 1)
    set_apart()
    seen = Seen()
    with workshop("races") as folder:
        with Line.start(folder / "line", Builds(folder / "builds"), MODELS) as line:
            race(line, rounds, chosen.seed, seen)
        for title, found in (("ended with", seen.ended), ("appended", seen.ledgers)):
            rows = [(*key, count) for key, count in sorted(found.items())]
            print(table(["race", title, "times"], rows))
        print(table(["of two there was", "times"], sorted(seen.doubled.items())))
        count = sum(seen.ended.values())
        print(f"{count} rounds, {len(seen.violations)} violations, seed {chosen.seed}")
        if seen.violations:
            print("\n".join(seen.violations) + f"\nSee {folder}")
            sys.exit(1)


if __name__ == "__main__":
    main()
