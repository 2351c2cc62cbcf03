"""Jobs, done one after another in a thread, each with a log that can be read meanwhile."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from mergeline.errors import MergelineError
from mergeline.project.process import Watch

State = Literal["waits", "runs", "passed", "failed"]
Kind = Literal["build", "comment", "promote", "rollback", "story"]
_MOST_LOG = 200_000  # bytes that are shown, the last ones


@dataclass(frozen=True)
class Ended:
    """How a job came to its end: whether as one wishes, and in which words."""

    well: bool
    said: str


@dataclass
class Job:
    """One job of the line.

    Attributes:
        title: What it does, for people.
        pull: The pull request that it belongs to.
        run: The stand-in's run; of builds only.
        said: Its last word; empty before.
    """

    number: int
    kind: Kind
    title: str
    work: Callable[[Watch], Ended]
    watch: Watch
    pull: int | None = None
    run: int | None = None
    state: State = "waits"
    said: str = ""
    began: datetime | None = None
    ended: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it is still to come to an end."""
        return self.state in ("waits", "runs")

    @property
    def seconds(self) -> int:
        """How long it has run, so far."""
        if self.began is None:
            return 0
        return round(((self.ended or _now()) - self.began).total_seconds())

    def log(self) -> str:
        """Return what its programs said, of a long log the end."""
        try:
            data = self.watch.log.read_bytes()
        except FileNotFoundError:
            return ""
        more = len(data) - _MOST_LOG
        head = f"[{more:,} bytes before this are left out]\n" if more > 0 else ""
        return head + data[-_MOST_LOG:].decode(errors="replace")

    def last_line(self) -> str:
        """Return the last line of its log so far."""
        return next(reversed(self.log().strip().splitlines()), "")


@dataclass
class Lane:
    """One thread, and the jobs that wait for it.

    Attributes:
        then: Called after each job; it may add others.
    """

    name: str
    then: Callable[[], None] = lambda: None
    _waiting: deque[Job] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _running: Job | None = None
    _stopped: bool = False
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._thread.start()

    def add(self, job: Job) -> None:
        """Let a job wait for its turn."""
        with self._changed:
            self._waiting.append(job)
            self._changed.notify_all()

    def stop(self) -> None:
        """End the program that runs, take no further job, and wait for the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            running = self._running
        if running is not None:
            running.watch.stop()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            _do(job, self.then)
            with self._changed:
                self._running = None

    def _next(self) -> Job | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting)
            if self._stopped:
                return None
            self._running = self._waiting.popleft()
            return self._running


def _do(job: Job, then: Callable[[], None]) -> None:
    job.began, job.state = _now(), "runs"
    try:
        ended = job.work(job.watch)
        # Before this one counts as ended: who waits for all jobs must not see a gap.
        then()
    except MergelineError as error:
        job.watch.say(f"{error.message}\nTIP   {error.hint}")
        ended = Ended(well=False, said=_gist(error.message))
    except Exception as error:  # noqa: BLE001 -- the thread goes on; the page says it
        job.watch.say(f"{type(error).__name__}: {error}")
        ended = Ended(well=False, said=f"{type(error).__name__}: {error}"[:300])
    job.ended, job.said = _now(), ended.said
    job.state = "passed" if ended.well else "failed"


def _gist(message: str) -> str:
    """Return the line that says what is wrong: of a program's failure what it said itself."""
    first, *others = message.splitlines() or [""]
    return others[0] if others and first.endswith(":") else first


@dataclass
class Jobs:
    """All jobs since the start.

    Builds have a lane of their own: an approval need not wait for somebody's training.

    Attributes:
        logs: The folder of their logs.
    """

    logs: Path
    builds: Lane = field(default_factory=lambda: Lane("builds"))
    trusted: Lane = field(default_factory=lambda: Lane("trusted"))
    _all: list[Job] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin to work."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for lane in (self.builds, self.trusted):
            lane.start()

    def stop(self) -> None:
        """End all that runs, side by side: a program may take its time."""
        lanes = (self.builds, self.trusted)
        with ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(Lane.stop, lanes))

    def add(
        self,
        kind: Kind,
        title: str,
        work: Callable[[Watch], Ended],
        *,
        pull: int | None = None,
        run: int | None = None,
    ) -> Job:
        """Let a job wait for its turn; return it."""
        with self._lock:
            number = len(self._all) + 1
            watch = Watch(self.logs / f"{number}.log")
            job = Job(number, kind, title, work, watch, pull=pull, run=run)
            self._all.append(job)
        lane = self.builds if kind in ("build", "story") else self.trusted
        lane.add(job)
        return job

    def all(self) -> tuple[Job, ...]:
        """Return all of them, the newest first."""
        with self._lock:
            return tuple(reversed(self._all))

    def get(self, number: int) -> Job | None:
        """Return a job by its number."""
        return next((job for job in self.all() if job.number == number), None)

    def open(self, *kinds: Kind, pull: int | None = None) -> Job | None:
        """Return a job of these kinds that waits or runs, of a pull request or of any."""
        found = (job for job in reversed(self.all()) if job.open)
        return next(
            (job for job in found if (not kinds or job.kind in kinds) and pull in (None, job.pull)),
            None,
        )


def _now() -> datetime:
    return datetime.now(UTC)
