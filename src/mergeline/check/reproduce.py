"""Bringing the candidate up to date: restored where a cache has it, run where none has."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from mergeline.adapters.dvc import Settled, read_pipeline, settle
from mergeline.adapters.dvc_run import RunningStage, StageOutcome, start_stage
from mergeline.adapters.git import Git
from mergeline.config.document import read_document
from mergeline.config.problem import did_you_mean
from mergeline.core import layout
from mergeline.core.verdict import Stage
from mergeline.errors import ConfigError, UsageError

Say = Callable[[str], None]
OnStale = Callable[[frozenset[str]], AbstractContextManager[Mapping[str, str]]]


def silent(_line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Reproduction:
    """The candidate's pipeline, up to date.

    Attributes:
        stages: What became of each, in topological order.
        notices: What a reader should know, one sentence each.
        modified: Data files that differ from their `.dvc` pointer: Git does not see that,
            but the candidate is not what its commit says.
    """

    stages: tuple[Stage, ...]
    notices: tuple[str, ...]
    modified: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ran:
    """What became of the stages that were left."""

    stages: Mapping[str, Stage]
    notices: tuple[str, ...] = ()


def reproduce(
    root: Path,
    *,
    only: str | None = None,
    jobs: int | None = None,
    env: Mapping[str, str] | None = None,
    fresh: bool = False,
    on_stale: OnStale | None = None,
    say: Say = silent,
) -> Reproduction:
    """Bring all stages up to date, or one with those that it needs.

    Stages that do not need each other run side by side. When one fails no other is
    started, those at work end, and then its error is raised.

    Args:
        root: The project's root.
        only: The one stage that is asked for.
        jobs: How many stages to run at a time; as many as there are cores when None.
        env: Variables for the stages, besides those of this process.
        fresh: Whether to run all stages, whatever a cache, a remote or `dvc.lock` holds:
            what is restored is some earlier build's word. Does not go with `only`.
        on_stale: Called with the stages that may have to run, before the first one does;
            its context is held while stages run, and gives them more variables.
        say: Is told, a line each, what is going on.

    Raises:
        UsageError: There is no stage `only`.
        DataUnavailable: Data that a stage would read cannot be had; nothing ran.
        MergelineError: The error of the first stage that failed.
    """
    root = root.resolve()
    if fresh:
        settled = settle(root, remote=True, fresh=True)
    else:
        settled = restore(root, None if only is None else read_needs(root, only), say=say)
    ran = Ran({})
    require_data(settled)
    if settled.left:
        context = on_stale(frozenset(settled.left)) if on_stale else nullcontext({})
        with context as more:
            variables = {**(env or {}), **more}
            ran = run_left(root, settled, jobs=jobs, env=variables, fresh=fresh, say=say)
    done = {**settled_stages(settled), **ran.stages}
    return Reproduction(
        stages=tuple(done[name] for name in settled.pipeline.needs if name in done),
        notices=settled.notices + ran.notices + lock_notices(root),
        modified=settled.modified,
    )


def read_needs(root: Path, name: str) -> frozenset[str]:
    """Return a stage and all that it needs.

    Raises:
        UsageError: There is no such stage.
    """
    pipeline = read_pipeline(root)
    if name not in pipeline.needs:
        meant = did_you_mean(name, pipeline.needs)
        every = f"the stages are: {', '.join(pipeline.needs)}"
        hint = f"did you mean {meant}?" if meant else every
        raise UsageError(f"{layout.PIPELINE} has no stage {name!r}", hint=hint)
    return pipeline.with_needs(name)


def require_data(settled: Settled) -> None:
    """See that the data of all stages that may have to run is here, before one does.

    Raises:
        DataUnavailable: Some is not.
    """
    if settled.missing is not None:
        raise settled.missing.error()


def restore(root: Path, names: frozenset[str] | None = None, *, say: Say = silent) -> Settled:
    """Restore what can be; the remote is asked only for what is in no cache here."""
    settled = settle(root, names)
    if settled.left and settled.has_remote:
        say("asking the DVC remote")
        there = settle(root, settled.left, remote=True, fetch=True)
        unchanged = settled.unchanged + there.unchanged
        restored = {**settled.restored, **there.restored}
        settled = replace(there, unchanged=unchanged, restored=restored)
    if settled.restored:
        say(f"restored: {', '.join(settled.restored)}")
    return settled


def settled_stages(settled: Settled) -> dict[str, Stage]:
    """Return what became of the stages that need no run."""
    unchanged = [Stage(name=name, action="unchanged", seconds=0.0) for name in settled.unchanged]
    restored = [
        Stage(name=name, action="restored", seconds=seconds)
        for name, seconds in settled.restored.items()
    ]
    return {stage.name: stage for stage in unchanged + restored}


def run_left(
    root: Path,
    settled: Settled,
    *,
    jobs: int | None,
    env: Mapping[str, str],
    fresh: bool = False,
    say: Say = silent,
) -> Ran:
    """Run the stages that are left, each as soon as those that it needs are up to date.

    `fresh` ones all run, also those with nothing to do.

    Raises:
        MergelineError: The error of the first stage that failed.
    """
    limit = jobs or os.cpu_count() or 1
    with ThreadPoolExecutor(limit) as pool:
        line = _Line(root, settled, env, fresh, say, pool)
        try:
            while line.waiting or line.running:
                line.start(limit)
                line.collect()
        finally:
            line.stop()
    return Ran(line.done, tuple(line.notices))


@dataclass
class _Line:
    """The stages that are left: waiting, running, done."""

    root: Path
    settled: Settled
    env: Mapping[str, str]
    fresh: bool
    say: Say
    pool: ThreadPoolExecutor
    running: dict[Future[StageOutcome], RunningStage] = field(default_factory=dict)
    done: dict[str, Stage] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        self.waiting = list(self.settled.left)

    def start(self, limit: int) -> None:
        """Start what is ready, as far as there is room."""
        unfinished = {*self.waiting, *self._names()}
        for name in list(self.waiting):
            ready = unfinished.isdisjoint(self.settled.pipeline.needs[name])
            if ready and len(self.running) < limit and self.failure is None:
                self.say(f"running {name}")
                self.waiting.remove(name)
                stage = start_stage(self.root, name, self.env, fresh=self.fresh)
                self.running[self.pool.submit(stage.outcome)] = stage

    def collect(self) -> None:
        """Wait until a stage ends; raise its error once no other is at work."""
        ended, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in ended:
            del self.running[future]
            self.failure = self.failure or future.exception()
            if future.exception() is None:
                self._finish(future.result())
        if self.failure is not None:
            if not self.running:
                raise self.failure
        elif self.waiting and not self.fresh:
            self._look_again()

    def _finish(self, outcome: StageOutcome) -> None:
        name, action, seconds = outcome.name, outcome.action, outcome.seconds
        self.say(f"{name} {action} in {seconds:.1f} s")
        self.done[name] = Stage(name=name, action=action, seconds=seconds)

    def _look_again(self) -> None:
        """Take out what has nothing to do, as its needs came out as they were before."""
        remote = self.settled.has_remote
        now = settle(self.root, self.waiting, running=self._names(), remote=remote)
        self.settled = replace(self.settled, has_remote=now.has_remote)
        self.waiting = list(now.left)
        self.notices += now.notices
        self.done |= settled_stages(now)

    def _names(self) -> list[str]:
        return [stage.name for stage in self.running.values()]

    def stop(self) -> None:
        """End what is still at work: only when something else went wrong than a stage."""
        for stage in self.running.values():
            stage.stop()


# --- dvc.lock --------------------------------------------------------------------


def lock_notices(root: Path) -> tuple[str, ...]:
    """Say what is wrong with the author's `dvc.lock`; a check never needs it."""
    git = Git(root)
    committed = git.read(git.head(), layout.LOCK)
    if committed is None:
        return ("dvc.lock is not committed: `dvc pull` and `dvc metrics diff` on a clone need it.",)
    path = root / layout.LOCK
    now = path.read_bytes() if path.is_file() else committed
    if now != committed and _stages_in(now) != _stages_in(committed):
        return ("The committed dvc.lock is behind: commit the one that this check wrote.",)
    return ()


def _stages_in(lock: bytes) -> object:
    """Return the stages that a `dvc.lock` names; None when it cannot be read."""
    try:
        return read_document(lock.decode(errors="replace"), origin=layout.LOCK).data.get("stages")
    except ConfigError:
        return None
