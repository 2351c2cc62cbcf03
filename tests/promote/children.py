"""Promotions in processes of their own: killed where it hurts, or two at a time.

They are forked from a server that has imported everything and has no threads.
"""

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import connect
from mergeline.adapters.registry import Registry
from mergeline.ledger.store import Ledger
from promote.scenario import PATIENCE, REGISTRY, Scenario, follow

TODAY = date(2026, 11, 20)
LONGEST = 120
# What a promotion imports on the way.
_PRELOADED = (
    "github",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.tracking",
    "sqlalchemy.dialects.sqlite",
)


@dataclass(frozen=True)
class Task:
    """A promotion of a commit, and where it is to die.

    Attributes:
        folder: Of the scenario, which the registry lies in.
        after: The function that is the last one to return, by its qualified name; empty
            for none.
        time: Its how manieth return.
    """

    clone: Path
    commit: str
    folder: Path
    environ: Mapping[str, str]
    after: str = ""
    time: int = 1


def task_of(scenario: Scenario, clone: Path | None = None, **about: Any) -> Task:
    """Return the promotion of main's tip."""
    scenario.fetch()
    return Task(
        clone=clone or scenario.clone,
        commit=scenario.main,
        folder=scenario.folder,
        environ=scenario.environ,
        **about,
    )


def start(task: Task) -> BaseProcess:
    """Start a promotion."""
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, *_PRELOADED])
    process = context.Process(target=_promote, args=(task,))
    process.start()
    return process


def ended(process: BaseProcess) -> int:
    """Wait for a promotion; return its exit code, negative for a signal."""
    process.join(LONGEST)
    if process.exitcode is None:
        process.kill()
        process.join()
    return int(process.exitcode or 0)


def _promote(task: Task) -> None:
    from mergeline.promote.run import Job, promote

    repository = Git(task.clone)
    job = Job(
        git=repository,
        remote=Remote(repository, "origin"),
        github=connect(task.environ, PATIENCE),
        commit=task.commit,
        environment=None,
        by="run 2 of acme/credit",
        url="",
        today=TODAY,
        open_registry=lambda settings: Registry(REGISTRY, task.folder, settings.project),
        render_card=lambda plan: f"# {plan.project}\n",
        interval=0.02,
    )

    def say(line: str) -> None:
        if line.startswith("confirm:"):
            follow(Ledger(repository, "origin"), "live")

    if task.after:
        sys.setprofile(_Killer(task.after, task.time))
    ended = promote(job, say)
    sys.exit(ended.name.exit_code)


class _Killer:
    """Kills the process when a function returns for the n-th time."""

    def __init__(self, name: str, time: int) -> None:
        self.name, self.left = name, time

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "return" or frame.f_code.co_qualname != self.name:
            return
        if "mergeline" in frame.f_code.co_filename:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
