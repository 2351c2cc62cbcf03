"""Each call to GitHub fails in each way: then the job is run again, and nothing is amiss.

    python bench/faults.py [--jobs promote,git,...] [--sample N] [--lanes 4]

A job is first done undisturbed, and the calls that GitHub's stand-in got are written down. Then,
for each of these calls and each fault that the stand-in knows, everything is put back, the job
is run with the fault and once more without. With the fault it must end in 0 or 4 ("run it
again") with a message, and never with a refusal; afterwards all must be as if undisturbed, and
no write may have been done twice. A fault strikes once, or (`on`) from that call on.

Jobs: `promote` a merge; `git`, the same in a clone whose remote is an address of the stand-in,
with Git's own calls failing; `comment` a pull request; `edit` the comment of one that was pushed
to again; `rollback`. Prints a table each of how the job with the fault ended. Ends with 1 when
something is amiss.
"""

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs import JOBS, ONE, Task
from lines import Builds, Ended, differences, note, set_apart, table, timeless, workshop

from mergeline.rehearsal.faults import Fault

READS = {
    "503": {"status": 503},
    "403, wait": {"status": 403, "retry_after": 1},
    "429, wait": {"status": 429, "retry_after": 1},
    "422": {"status": 422},
    "cut": {"kind": "cut"},
    "half JSON": {"kind": "truncate"},
    "slow": {"kind": "slow", "seconds": 1.5},
    "closed": {"kind": "close"},
}
# Done, and not told.
WRITES = READS | {
    "done, 502": {"status": 502, "after": True},
    "done, closed": {"kind": "close", "after": True},
}
_ON = {"times": 999}
READS_ON = {
    "503 on": {"status": 503, **_ON},
    "403, wait long on": {"status": 403, "retry_after": 3600, **_ON},
    "429, wait long on": {"status": 429, "retry_after": 3600, **_ON},
    "half JSON on": {"kind": "truncate", **_ON},
    "closed on": {"kind": "close", **_ON},
}
WRITES_ON = READS_ON | {"done, closed on": {"kind": "close", "after": True, **_ON}}
# Git asks for another thing each time, and asks once.
GIT = ("503", "403, wait", "cut", "half JSON", "closed", "503 on", "closed on")
GIT_PUSH = (*GIT, "done, 502", "done, closed")
# What is another one each time: secrets, and ids of what the job itself made.
_PASSING = re.compile(r"(?<=/downloads/)[^/]+|(?<=/deployments/)[0-9]+|(?<=#issuecomment-)[0-9]+")
# Of several statuses of a commit the last one counts: one may be set again.
_AGAIN = re.compile(r"POST .*/statuses/[0-9a-f]{40}")

Call = tuple[str, str, int]  # method, pattern of the path, the how manieth such call


@dataclass(frozen=True)
class Case:
    """One fault at one call."""

    call: Call
    kind: str

    def fault(self) -> Fault:
        """Return it as the stand-in takes it."""
        method, path, nth = self.call
        return Fault(method, path, nth=nth, **(WRITES | WRITES_ON)[self.kind])


def calls_of(task: Task) -> tuple[list[Call], Counter[str], dict[str, Any]]:
    """Do a job undisturbed; return its calls, its writes, and what it left."""
    state = task.undisturbed()[1]
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for request in task.line.scenario.world.requests:
        what = (request.method, _PASSING.sub("*", request.path))
        seen[what] += 1
        found.append((*what, seen[what]))
    return found, writes_of(task), state


def writes_of(task: Task) -> Counter[str]:
    """Return what was written since everything was put back, how often."""
    # What Git pushed is seen in the ledger.
    writes = task.line.scenario.world.writes
    done = (one for one in writes if one.done and not _is_git(one.path))
    return Counter(
        _PASSING.sub("*", f"{one.method} {one.path} {timeless(str(one.body))}") for one in done
    )


def cases_of(job: str, calls: Sequence[Call]) -> list[Case]:
    """Return every fault of every call; of Git's calls where a job is about those."""
    if job != "git":
        return [Case(call, kind) for call in calls for kind in _kinds(call)]
    return [
        Case(call, kind)
        for call in calls
        if _is_git(call[1])
        for kind in (GIT_PUSH if call[1].endswith("git-receive-pack") else GIT)
    ]


def _kinds(call: Call) -> tuple[str, ...]:
    return (*READS, *READS_ON) if call[0] == "GET" else (*WRITES, *WRITES_ON)


def _is_git(path: str) -> bool:
    return ".git/" in path


def strike(
    task: Task, case: Case, expected: Mapping[str, Any], writes: Counter[str]
) -> tuple[Ended, list[str]]:
    """Do a job with a fault and once more without; return how it ended and what is amiss."""
    task.again()
    struck = task.run(case.fault())
    problems = [struck.wrong] if struck.wrong else []
    if struck.code not in (0, 4):
        problems.append(f"it ended with {struck.code}")
    if any(token in struck.out + struck.err for token in task.line.scenario.world.world.tokens):
        problems.append("it tells the token")
    again = task.run()
    if not task.is_good(again):
        problems.append(f"run again it ended with {again}")
    problems += differences(task.state(), expected)
    found = writes_of(task)
    for what in found.keys() | writes.keys():
        may = found[what] >= 1 if _AGAIN.match(what) else found[what] == writes[what]
        if not may:
            problems.append(f"written {found[what]} times, expected {writes[what]}: {what[:300]}")
    return struck, [f"{problem}\n   {struck}" for problem in problems]


# --- the script ------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """What one lane found of one job."""

    job: str
    calls: Sequence[Call]
    ended: Mapping[Case, str]
    problems: Sequence[str]


def lane(job: str, part: int, parts: int, folder: Path, builds: Builds, sample: int) -> Share:
    """Do a share of a job's cases on a line of its own."""
    ended: dict[Case, str] = {}
    problems: list[str] = []
    with ExitStack() as stack:
        with ONE:
            task = stack.enter_context(JOBS[job](folder / f"{job}-{part}", builds))
        calls, writes, expected = calls_of(task)
        cases = cases_of(job, calls)
        if sample:
            cases = random.Random(job).sample(cases, min(sample, len(cases)))
        for case in cases[part::parts]:
            struck, amiss = strike(task, case, expected, writes)
            unnamed = "error" if struck.code else "done"
            ended[case] = f"{struck.name or unnamed} {struck.code}"
            what = f"{job}, {case.kind} at {label(case.call)}"
            problems += [f"{what}: {problem}" for problem in amiss]
            note("\n".join([f"{what}: {ended[case]}", *(f"AMISS {one}" for one in amiss)]))
    return Share(job, calls, ended, problems)


def label(call: Call) -> str:
    method, path, nth = call
    short = re.sub(r"^/repos/[^/]+/[^/]+/|^/_rehearsal/", "", path)
    short = re.sub(r"[0-9a-f]{40}", "SHA", short)
    return f"{method} {short}" + (f" ({nth})" if nth > 1 else "")


def print_table(job: str, shares: Sequence[Share], kinds: Sequence[str]) -> None:
    calls = shares[0].calls
    ended = {case: how for share in shares for case, how in share.ended.items()}
    rows = [(label(call), *(ended.get(Case(call, kind), "") for kind in kinds)) for call in calls]
    if any(any(row[1:]) for row in rows):
        print(table([job, *kinds], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", default=",".join(JOBS), help="separated by commas")
    parser.add_argument("--sample", type=int, default=0, help="so many cases of each job only")
    parser.add_argument("--lanes", type=int, default=4, help="cases at the same time")
    chosen = parser.parse_args()
    set_apart()
    jobs = chosen.jobs.split(",")
    parts = {job: max(1, chosen.lanes // len(jobs)) for job in jobs}
    with workshop("faults") as folder:
        builds = Builds(folder / "builds")
        with ThreadPoolExecutor(chosen.lanes) as pool:
            work = [
                pool.submit(lane, job, part, parts[job], folder, builds, chosen.sample)
                for job in jobs
                for part in range(parts[job])
            ]
            shares = [one.result() for one in work]
        for job in jobs:
            ours = [share for share in shares if share.job == job]
            print_table(f"{job}, once", ours, tuple(WRITES))
            print_table(f"{job}, from then on", ours, tuple(WRITES_ON))
        problems = [problem for share in shares for problem in share.problems]
        cases = sum(len(share.ended) for share in shares)
        print(f"{cases} faults, {len(problems)} amiss")
        if problems:
            print("\n".join(problems))
            sys.exit(1)


if __name__ == "__main__":
    main()
