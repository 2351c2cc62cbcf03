"""The follower: it brings what answers requests to what the ledger declares, step by step.

Three loops look at levels, not at events: one reads the ledger, one takes the next step
(`steps.decide`), one keeps the report on the remote as it should be. None waits for the
others, so that a Git remote that hangs does not keep a failing release in place.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress

from mergeline.core.answers import Name
from mergeline.errors import (
    BytesMismatch,
    MergelineError,
    ModelError,
    ToolError,
    first_line,
)
from mergeline.ledger.entries import Declared
from mergeline.ledger.report import FollowerReport
from mergeline.ledger.store import Ledger
from mergeline.serve.clones import Clones
from mergeline.serve.fetch import Request, fetch_release
from mergeline.serve.front import Front
from mergeline.serve.memory import read_memory
from mergeline.serve.report import (
    Outlook,
    Reporter,
    Troubles,
    declared_file,
    report_of,
    standing_of,
)
from mergeline.serve.serving import FollowSettings, Serving
from mergeline.serve.standing import Standing
from mergeline.serve.steps import MOST_ATTEMPTS, Step, View, Wanted, decide
from mergeline.serve.waiting import TICK, Pause, in_thread, jittered

_WATCH_SECONDS = 30.0
_SETTINGS_SECONDS = 15.0
_DOING = {
    Step.FETCH: "fetching",
    Step.TRY: "starting",
    Step.REVIVE: "starting",
    Step.WATCH: "watching",
}


class Follower:
    """The follower of one environment."""

    def __init__(self, settings: FollowSettings, front: Front, say: Callable[[str], None]) -> None:
        """Begin with nothing.

        Args:
            settings: What to follow, and how.
            front: Where requests come in.
            say: Is told what happened and why, a line each.
        """
        self._settings, self._front, self._say = settings, front, say
        self._serving = Serving(settings, front, self._standing, say)
        self._clones = Clones(settings.state, settings.remote)
        self._desired: Declared | None = None
        self._troubles = Troubles(say)
        self._reporter = Reporter(self._clones, self._wanted_report, say)
        self._pause = Pause(settings.interval)
        self._revival = Pause(settings.interval)
        self._awake = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        serving = self._serving
        serving.releases.clean()
        try:
            serving.memory = read_memory(self._settings.state)
        except (ToolError, OSError) as error:
            self._say(first_line(error))
        try:
            async with asyncio.TaskGroup() as loops:
                for loop in (self._observe, self._act, self._report):
                    loops.create_task(self._kept_up(loop))
        finally:
            # Ended in peace: that says nothing against the release that was tried.
            with suppress(OSError):
                serving.remember(serving.memory.ended())

    async def _kept_up(self, loop: Callable[[], Awaitable[None]]) -> None:
        """Begin a loop again: a bug in the follower must not end what answers requests."""
        while True:
            try:
                await loop()
            except Exception as error:  # noqa: BLE001 -- whatever a bug raises
                self._troubles.note("a bug in Mergeline", f"{loop.__name__}: {error!r}")
                await asyncio.sleep(self._settings.interval)

    async def _report(self) -> None:
        await self._reporter.run(self._troubles, Pause(self._settings.interval))

    # --- what there is to be told ------------------------------------------------------

    @property
    def outlook(self) -> Outlook:
        """All that there is to be told."""
        desired, memory = self._desired, self._serving.memory
        return Outlook(
            environment=self._settings.environment,
            desired=desired,
            served=self._serving.served,
            tried=self._serving.tried,
            rejection=memory.rejected.get(desired.number) if desired else None,
            troubles=self._troubles.texts,
        )

    def _standing(self) -> Standing:
        return standing_of(self.outlook)

    def _wanted_report(self) -> FollowerReport | None:
        # What is about to answer again is not reported as absent.
        return None if self._may_revive else report_of(self.outlook)

    @property
    def _may_revive(self) -> bool:
        return self._serving.served is None and self._serving.on_disk and self._revival.over

    # --- the ledger --------------------------------------------------------------------

    async def _observe(self) -> None:
        ledger: Ledger | None = None
        while True:
            try:
                if ledger is None:
                    ledger = Ledger(await self._clones.ledger())
                history = await in_thread(ledger.read)
                self._troubles.over("ledger")
                self._want(history.desired(self._settings.environment))
            except (MergelineError, OSError) as error:
                self._troubles.note("ledger", error)
            await asyncio.sleep(jittered(self._settings.interval))

    def _want(self, desired: Declared | None) -> None:
        before, self._desired = self._desired, desired
        if desired == before:
            return
        self._troubles.forget("release")
        self._pause.reset()
        if desired is not None:
            self._say(
                f"entry {desired.number} asks for version {desired.release.version} "
                f"({desired.kind}, model {desired.release.model[:12]})"
            )
        self._awake.set()

    # --- the next step -----------------------------------------------------------------

    async def _act(self) -> None:
        while True:
            step = decide(self._view())
            unwell = "unreachable" if self._troubles.texts else "idle"
            self._front.metrics.follower(_DOING.get(step, unwell))
            try:
                await self._do(step)
            except (MergelineError, OSError) as error:
                self._troubles.note("release", error)
                self._pause.failed()
                await asyncio.sleep(TICK)
            if (standing := self._standing()) != self._front.standing:
                self._front.show(standing)
            if step in (Step.KEEP, Step.WATCH):
                await asyncio.sleep(TICK)

    async def _unless_changed(self, work: Coroutine[None, None, None]) -> None:
        """Do work, but give it up as soon as the ledger asks for something else."""
        self._awake.clear()
        tasks = [asyncio.ensure_future(work), asyncio.ensure_future(self._awake.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            done, _ = await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(done, Exception):
            raise done

    def _view(self) -> View:
        serving, desired = self._serving, self._desired
        wanted = None
        if desired is not None:
            wanted = Wanted(
                entry=desired.number,
                release=desired.release,
                rejected=desired.number in serving.memory.rejected,
                attempts=serving.memory.attempts(desired.number),
                on_disk=serving.releases.has(desired.release),
                may_begin=self._pause.over,
            )
        return View(wanted, serving.as_served, serving.trial, self._may_revive)

    async def _do(self, step: Step) -> None:
        desired = self._desired
        if step is Step.REVIVE:
            await self._revive()
        elif step is Step.SETTLE:
            self._serving.settle()
        elif step is Step.UNDO:
            self._serving.undo("the ledger asks for something else")
        elif step is Step.REJECT:
            self._reject()
        elif desired is not None and step is Step.FETCH:
            await self._unless_changed(self._fetch(desired))
        elif desired is not None and step is Step.TRY:
            await self._unless_changed(self._try(desired))
        elif desired is not None and step is Step.ADOPT:
            self._serving.adopt(desired)

    async def _revive(self) -> None:
        try:
            await self._serving.revive()
            self._troubles.over("release")
        except ToolError as error:  # the ledger's release may do
            self._troubles.note("release", error)
            self._revival.failed()

    def _reject(self) -> None:
        trial, desired = self._serving.trial, self._desired
        if trial is not None:
            self._serving.reject(trial.entry, self._serving.complaint)
        elif desired is not None:
            reason = f"the server ended {MOST_ATTEMPTS} times while this release was tried"
            self._serving.reject(desired.number, reason)

    async def _fetch(self, desired: Declared) -> None:
        uri = await self._clones.registry(desired.release.commit)
        state = os.fspath(self._settings.state.resolve())
        self._say(f"fetches version {desired.release.version}")
        request = Request(state=state, uri=uri, file=declared_file(desired))
        try:
            outcome = await fetch_release(request, self._settings.fetch_seconds)
        finally:
            self._serving.releases.clean()  # a fetch that was killed leaves what it had
        match outcome.state:
            case "fetched":
                self._troubles.over("release")
                self._say(f"version {desired.release.version} is fetched and verified")
            case "refused":
                self._serving.reject(desired.number, f"{outcome.answer}: {outcome.message}")
            case _:
                raise ToolError(outcome.message, hint=outcome.hint)

    async def _try(self, desired: Declared) -> None:
        self._say(f"starts version {desired.release.version} beside what answers")
        watch = await self._watch_seconds(desired)
        try:
            await self._serving.begin(desired, watch)
        except BytesMismatch as error:
            folder, served = self._serving.releases.folder(desired.release), self._serving.served
            if served is not None and served.folder == folder:
                self._serving.reject(desired.number, f"{Name.BYTES_MISMATCH}: {error.message}")
                return
            self._serving.releases.drop(folder)
            self._troubles.note("release", f"it is damaged on disk and fetched again: {error}")
        except (ModelError, ToolError) as error:
            self._serving.reject(desired.number, error.message)
        else:
            self._troubles.over("release")

    async def _watch_seconds(self, desired: Declared) -> float:
        try:
            async with asyncio.timeout(_SETTINGS_SECONDS):
                project = await self._clones.settings(desired.release.commit)
        except (MergelineError, OSError, TimeoutError) as error:
            self._say(f"watched for {_WATCH_SECONDS:g} seconds: {first_line(error)}")
            return _WATCH_SECONDS
        return project.deploy.watch_seconds
