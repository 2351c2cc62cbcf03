"""SIGKILL of the line's jobs at random moments: run once more, all is as if undisturbed.

    python bench/job_kills.py [--job promote] [--rounds 200] [--seed N] [--only ROUND]

A round begins with a merge to `promote` (or a pull request to `comment`, a comment to `edit`,
a release to `rollback`; `git` is `promote` in a clone whose remote is an address, not a path).
The job is killed after a random part of the time that it takes undisturbed, and run again.
Then there must be what an undisturbed one leaves: one version per key, one declaration and one
`live` in the ledger, aliases, deployment, comment, pull request. Every tenth round of `promote`
and `git` has a real model server, the others a follower that says LIVE after a moment. Git
programs that the killed process had started live on.

Prints tables; ends with 1 when something is not as it should be, and keeps the folder.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from jobs import JOBS, Task
from lines import PRODUCTION, Builds, Follower, differences, note, set_apart, table, workshop

if TYPE_CHECKING:
    from serve.test_supervise import Server

REAL = 10  # every how manieth round has a real server
MEASURED = 3  # undisturbed runs that tell how long one takes, but no more than rounds
EARLY = ("start", "identify", "approvals")
CLOSE = 1e-12


@dataclass
class Seen:
    """What was seen in all rounds.

    Attributes:
        expected: What an undisturbed job leaves.
        taken: Seconds of the last jobs: the machine may have other things to do too.
        killed: How often in which step.
        answers: What the second run ended with.
        violations: What was not as it should be, with the round.
    """

    expected: dict[str, Any]
    taken: list[float]
    killed: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    @property
    def usual(self) -> float:
        """How long a job takes at the moment."""
        return median(self.taken[-2 * MEASURED :])


def undisturbed(task: Task, times: int) -> Seen:
    """Do the job without a disturbance, several times."""
    task.undisturbed()  # everything is imported for it
    taken = [task.undisturbed() for _ in range(times)]
    return Seen(taken[-1][1], [seconds for seconds, _ in taken])


def disturb(task: Task, part: float, seen: Seen) -> list[str]:
    """Kill a job after a part of the usual time, and run it once more."""
    first = task.start()
    time.sleep(part * seen.usual)
    first.kill()
    killed = first.ended()
    step = "over" if killed.code >= 0 else killed.step
    seen.killed[step] += 1
    start = time.monotonic()
    again = task.start().ended()
    if step in EARLY:
        seen.taken.append(time.monotonic() - start)
    seen.answers[again.name or f"exit code {again.code}"] += 1
    problems = [] if task.is_good(again) else [f"run again it ended with {again}"]
    wrong = again.wrong or (killed.wrong if killed.code >= 0 else "")
    return problems + ([wrong] if wrong else [])


def simulated(task: Task, chance: random.Random, seen: Seen) -> list[str]:
    """Do a round with a follower that says LIVE after a moment."""
    with Follower(task.line, chance) as follower:
        problems = disturb(task, chance.random(), seen)
    return problems + ([follower.trouble] if follower.trouble else [])


def with_server(task: Task, number: int, chance: random.Random, seen: Seen) -> list[str]:
    """Do a round with a real server, which answers with the new model at the end."""
    from serve.test_supervise import serving

    scenario = task.line.scenario
    folder = scenario.folder / f"server-{number}"
    folder.mkdir()
    with serving(scenario, folder / "state") as server:
        server.until_live(scenario.history.declared(PRODUCTION)[-1].number)
        problems = disturb(task, 2 * chance.random(), seen)
        desired = scenario.history.desired(PRODUCTION)
        assert desired is not None
        server.until_live(desired.number)
        problems += answers(server, desired.release.version, desired.release.model)
        server.kill()
    return problems


def answers(server: "Server", version: str, model: str) -> list[str]:
    """Return what is wrong with what answers: its name, and its scores of the probe rows."""
    current = server.log.parent / "state" / "current"
    probes = json.loads((current / "probes.json").read_bytes())
    split = {"columns": probes["columns"], "data": probes["rows"]}
    request = json.dumps({"dataframe_split": split}).encode()
    status, body, label = server.get("/invocations", request)
    expected = (200, f"{version} {model[:12]}")
    if (status, label) != expected:
        return [f"{(status, label)} answers, expected {expected}"]
    found = [row["probability"] for row in json.loads(body)["predictions"]]
    wanted = [score for (score,) in probes["scores"]]
    worst = max(abs(a - b) for a, b in zip(found, wanted, strict=True))
    return [f"the probe rows score differently, by {worst}"] if worst > CLOSE else []


def kill(task: Task, rounds: Sequence[int], real: bool, seed: int) -> Seen:
    """Do the rounds, up to the first that goes wrong: its folder is to be looked at."""
    seen = undisturbed(task, min(MEASURED, len(rounds)))
    note(f"undisturbed it takes {seen.usual:.1f} s")
    for number in rounds:
        chance = random.Random(f"{seed}-{number}")
        task.again()
        if real and number % REAL == 0:
            problems = with_server(task, number, chance, seen)
        else:
            problems = simulated(task, chance, seen)
        problems += differences(task.state(), seen.expected) + task.line.disagreements()
        seen.violations += [f"round {number}: {problem}" for problem in problems]
        note(f"round {number}: {'; '.join(problems) or 'as undisturbed'}")
        if problems:
            break
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--job", choices=tuple(JOBS), default="promote")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", type=int, help="one round, as it was with the same seed")
    chosen = parser.parse_args()
    rounds = [chosen.only] if chosen.only else range(1, chosen.rounds + 1)
    set_apart()
    with workshop("kills") as folder:
        with JOBS[chosen.job](folder / "line", Builds(folder / "builds")) as task:
            seen = kill(task, rounds, chosen.job in ("promote", "git"), chosen.seed)
        print(table([f"{chosen.job}: killed in", "times"], seen.killed.most_common()))
        print(table(["then it ended with", "times"], sorted(seen.answers.items())))
        kills = sum(seen.killed.values())
        print(f"{kills} rounds, {len(seen.violations)} violations, seed {chosen.seed}")
        if seen.violations:
            print("\n".join(seen.violations) + f"\nSee {folder}")
            sys.exit(1)


if __name__ == "__main__":
    main()
