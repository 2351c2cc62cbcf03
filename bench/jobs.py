"""The jobs that `job_kills` and `faults` disturb, each on a line where it is due."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lines import Builds, Ended, Follower, Job, Line, Name, began, files_of, merged

from mergeline.rehearsal.faults import Fault
from promote.scenario import AUTHOR, Scenario, git

# MLflow in several threads of one process is not to be trusted.
ONE = threading.Lock()


@dataclass
class Task:
    """A job that is due on a line, again and again.

    Attributes:
        start: Starts it.
        good: The answer that it ends with when nothing disturbs it; empty for no named one.
        kinds: What stands in the ledger then.
    """

    line: Line
    start: Callable[[], Job]
    good: str
    kinds: tuple[str, ...]

    def run(self, fault: Fault | None = None) -> Ended:
        """Do it, while a follower follows."""
        faults = self.line.scenario.world.world.faults
        if fault is not None:
            faults.add(fault)
        with Follower(self.line, random.Random(1)) as follower:
            ended = self.start().ended()
        faults.clear()
        assert not follower.trouble, follower.trouble
        return ended

    def is_good(self, ended: Ended) -> bool:
        """Return whether it ended as it does undisturbed."""
        return (ended.code, ended.name) == (0, self.good)

    def undisturbed(self) -> tuple[float, dict[str, Any]]:
        """Do it undisturbed; return how long it took, and what it left."""
        self.again()
        start = time.monotonic()
        ended = self.run()
        seconds = time.monotonic() - start
        assert self.is_good(ended), ended
        state = self.state()
        assert not ended.wrong, ended
        assert tuple(entry["kind"] for entry in state["ledger"]) == self.kinds, state["ledger"]
        assert len({version[1] for version in state["versions"]}) == len(state["versions"])
        with ONE:
            assert self.line.disagreements() == []
        return seconds, state

    def again(self) -> None:
        """Put everything back."""
        with ONE:
            self.line.again()

    def state(self) -> dict[str, Any]:
        """Return what there is."""
        with ONE:
            return self.line.state()


_LIVE = ("reviewed", "promoted", "live")


@contextmanager
def promotion(folder: Path, builds: Builds) -> Iterator[Task]:
    """A merge that was reviewed and approved."""
    with Line.start(folder, builds, (1.0, 0.5)) as line:
        yield Task(line, line.promote, "LIVE", _LIVE * 2)


@contextmanager
def promotion_over_http(folder: Path, builds: Builds) -> Iterator[Task]:
    """The same, by a clone whose remote is an address of the stand-in, as on GitHub."""
    with merged(folder, builds, (1.0, 0.5)) as scenario:
        token, address = scenario.environ["GITHUB_TOKEN"], scenario.world.clone_url
        address = address.replace("://", f"://x-access-token:{token}@")
        git(scenario.clone, "remote", "set-url", "origin", address)
        line = Line.at(scenario)
        yield Task(line, line.promote, "LIVE", _LIVE * 2)


@contextmanager
def comment(folder: Path, builds: Builds) -> Iterator[Task]:
    """A pull request whose build has ended."""
    with _first_live(folder, builds) as scenario:
        run = scenario.run(scenario.open(files_of(0.5, folder, first=False)))
        yield _task(Line.at(scenario), "", (*_LIVE, "reviewed"), "comment", "--run", str(run))


@contextmanager
def edit(folder: Path, builds: Builds) -> Iterator[Task]:
    """A pull request that has its comment, and was pushed to and built again."""
    with _first_live(folder, builds) as scenario:
        branch = scenario.push(files_of(0.5, folder, first=False))
        number = scenario.world.open_pull(branch, login=AUTHOR)
        scenario.check(number)
        scenario.push_again(branch, files_of(0.25, folder, first=False))
        run, kinds = scenario.run(number), (*_LIVE, "reviewed", "reviewed")
        yield _task(Line.at(scenario), "", kinds, "comment", "--run", str(run))


@contextmanager
def rollback(folder: Path, builds: Builds) -> Iterator[Task]:
    """Two models were live, one after the other."""
    with _first_live(folder, builds) as scenario:
        scenario.merged(files_of(0.5, folder, first=False))
        assert scenario.promote().name is Name.LIVE
        kinds = (*_LIVE * 2, "rolled_back", "live")
        arguments = ("rollback", "--reason", "it is worse", "--json")
        yield _task(Line.at(scenario), "LIVE", kinds, *arguments)


@contextmanager
def _first_live(folder: Path, builds: Builds) -> Iterator[Scenario]:
    """A line whose first model is live."""
    with began(folder, builds) as scenario:
        scenario.merged(files_of(1.0, folder, first=True))
        assert scenario.promote().name is Name.LIVE
        yield scenario


def _task(line: Line, good: str, kinds: tuple[str, ...], *arguments: str) -> Task:
    return Task(line, lambda: line.start_job(*arguments), good, kinds)


JOBS: dict[str, Callable[[Path, Builds], AbstractContextManager[Task]]] = {
    "promote": promotion,
    "git": promotion_over_http,
    "comment": comment,
    "edit": edit,
    "rollback": rollback,
}
