"""What answers requests: releases are started beside the old one, watched, settled or undone."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mergeline.bundle.release_files import verify
from mergeline.errors import MergelineError, ModelError, ToolError
from mergeline.ledger.entries import Declared, utc_now
from mergeline.serve.front import Front
from mergeline.serve.memory import Memory
from mergeline.serve.pool import Pool
from mergeline.serve.releases import Releases
from mergeline.serve.report import Answering, Say, declared_file, one_line
from mergeline.serve.request_log import LogSettings
from mergeline.serve.standing import ReleaseFile, Standing, read_release_file
from mergeline.serve.steps import Served, Trial
from mergeline.serve.waiting import in_thread


@dataclass(frozen=True)
class FollowSettings:
    """What a follower is told when it is started.

    Attributes:
        remote: The Git remote that holds the ledger.
        state: The folder of its own.
        interval: Seconds between two looks at the ledger.
        workers: Model processes of a release.
        start_seconds: The longest time for loading and the smoke test.
        fetch_seconds: The longest time for one download.
        log: Where requests are logged; None for nowhere.
    """

    remote: str
    state: Path
    environment: str = "production"
    interval: float = 10.0
    workers: int = 2
    start_seconds: float = 120.0
    fetch_seconds: float = 900.0
    log: LogSettings | None = None


@dataclass(frozen=True)
class _Watch:
    """A new release that answers: its processes, and until when they are watched."""

    answering: Answering
    pool: Pool
    until: float

    @property
    def failed(self) -> bool:
        return self.pool.failures > 0 or not self.pool.alive


class Serving:
    """The releases of one follower, on disk and in front of the clients.

    Attributes:
        releases: On disk.
        memory: What outlives the process.
        served: What passed its watch last, and is loaded.
    """

    def __init__(
        self, settings: FollowSettings, front: Front, standing: Callable[[], Standing], say: Say
    ) -> None:
        """Begin with nothing.

        Args:
            settings: Where releases lie, and how they are started.
            front: Where requests come in.
            standing: Returns what `GET /release` is to show now.
            say: Is told what happened, a line each.
        """
        self.releases = Releases(settings.state)
        self.memory = Memory()
        self.served: Answering | None = None
        self._watch: _Watch | None = None
        self._front, self._settings = front, settings
        self._standing, self._say = standing, say

    @property
    def tried(self) -> Answering | None:
        """What answers and is watched."""
        return self._watch.answering if self._watch else None

    @property
    def trial(self) -> Trial | None:
        """What the watch has come to; None without one."""
        watch = self._watch
        if watch is None:
            return None
        over = time.monotonic() >= watch.until
        return Trial(watch.answering.entry, failed=watch.failed, over=over)

    @property
    def complaint(self) -> str:
        """What is held against a release that is watched."""
        failures = self._watch.pool.failures if self._watch else 0
        return f"while it was watched, requests failed or model processes ended: {failures} in all"

    @property
    def as_served(self) -> Served | None:
        """What passed its watch last, as the next step is decided from it."""
        served = self.served
        return Served(served.entry, served.file.release) if served else None

    def remember(self, memory: Memory) -> None:
        """Keep what is to outlive the process.

        Raises:
            OSError: It cannot be written; this process remembers it all the same.
        """
        changed, self.memory = memory != self.memory, memory
        if changed:
            memory.write(self.releases.state)

    # --- from disk ---------------------------------------------------------------------

    @property
    def on_disk(self) -> bool:
        """Whether there is a release that passed its watch once."""
        return any(self.releases.linked(link) for link in ("current", "previous"))

    async def revive(self) -> None:
        """Serve the last release that passed its watch, else the one before, from disk alone.

        Raises:
            ToolError: Neither can be served.
            OSError: The disk is full; a release is served.
        """
        for link in ("current", "previous"):
            folder = self.releases.linked(link)
            if folder is None:
                continue
            try:
                file = self._ours(folder)
                await in_thread(partial(verify, folder, file.release))
                pool = await self._start(folder)
            except (MergelineError, OSError) as error:
                self._say(f"{link}, {folder.name}, cannot be served: {error}")
                continue
            entry = file.entry or 0
            since = self.memory.since(entry) or utc_now()
            self.served = Answering(entry, file, folder, since)
            self._front.replace(pool, self._standing())
            self._front.settle(self._standing())
            self._say(f"version {file.release.version} answers again, from disk ({link})")
            if self.memory.attempts(entry):  # killed between the link and what is remembered
                self.remember(self.memory.settling(entry, since))
            return
        raise ToolError(
            "no release on disk can be served",
            hint="see the lines above; a release is fetched again when the ledger can be read",
        )

    def _ours(self, folder: Path) -> ReleaseFile:
        file = read_release_file(folder)
        if file.environment != self._settings.environment:
            raise ModelError(
                f"it is a release for {file.environment!r}, not {self._settings.environment!r}",
                hint="give each environment a state folder of its own",
            )
        return file

    # --- a new release -----------------------------------------------------------------

    async def begin(self, declared: Declared, watch: float) -> None:
        """Start a release that is on disk beside the old one, and let it answer.

        Args:
            declared: What the ledger asks for.
            watch: Seconds until it has proved itself.

        Raises:
            BytesMismatch: What is on disk is not the release.
            ModelError: It cannot be loaded, or failed the smoke test.
            ToolError: It took too long.
            OSError: The system refused; nothing changed.
        """
        folder, file = self.releases.folder(declared.release), declared_file(declared)
        await in_thread(partial(verify, folder, declared.release))
        if not self.releases.describes(folder, file):
            self.releases.describe(folder, file)
        self.remember(self.memory.begun(declared.number))
        try:
            pool = await self._start(folder)
        except (asyncio.CancelledError, OSError):  # that says nothing of the release
            self.remember(self.memory.ended())
            raise
        answering = Answering(declared.number, file, folder, utc_now())
        self._watch = _Watch(answering, pool, time.monotonic() + watch)
        self._front.replace(pool, self._standing())
        self._say(f"version {file.release.version} answers and is watched for {watch:g} seconds")

    async def _start(self, folder: Path) -> Pool:
        how = self._settings
        return await Pool.start(folder, workers=how.workers, seconds=how.start_seconds, log=how.log)

    def settle(self) -> None:
        """Keep what is watched: it has proved itself.

        Raises:
            OSError: The disk is full; it answers, and is still watched.
        """
        watch = self._watch
        if watch is None:
            return
        before = self.served.folder if self.served else None
        self._become(watch.answering, before)
        self._watch = None
        self._front.settle(self._standing())
        self.releases.prune([watch.answering.folder, before])
        self._say(f"version {watch.answering.file.release.version} is live")

    def adopt(self, declared: Declared) -> None:
        """Take what is served for what another entry declares: the bytes are the same.

        Raises:
            OSError: The disk is full.
        """
        if self.served is None:
            return
        file = declared_file(declared)
        self._become(Answering(declared.number, file, self.served.folder, utc_now()), None)
        self._say(f"version {file.release.version} is live: entry {declared.number} names it too")

    def _become(self, answering: Answering, before: Path | None) -> None:
        self.releases.settle(answering.folder, answering.file, before)
        self.remember(self.memory.settling(answering.entry, answering.since))
        self.served = answering

    def undo(self, why: str) -> None:
        """Go back to what passed its watch last, without holding it against the new one.

        Raises:
            OSError: It cannot be remembered; the old release answers.
        """
        self._back(self.memory.ended())
        self._say(f"back to {self._name()}: {why}")

    def reject(self, entry: int, reason: str) -> None:
        """Go back to what passed its watch last, and do not try this entry again.

        Raises:
            OSError: It cannot be remembered; the old release answers.
        """
        self._say(f"REJECTED entry {entry}, {self._name()} answers: {one_line(reason)}")
        self._back(self.memory.rejecting(entry, one_line(reason)))
        self.releases.prune([])

    def _back(self, memory: Memory) -> None:
        watched, self._watch = self._watch, None
        try:
            self.remember(memory)
        finally:
            if watched is not None:
                self._front.restore(self._standing())

    def _name(self) -> str:
        return f"version {self.served.file.release.version}" if self.served else "no release"
