"""Running one stage: a DVC process, which starts the stage's command and saves its outputs."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mergeline.adapters.git_process import clean_environment
from mergeline.errors import ConfigError, MergelineError, ToolError, UsageError

# A stage of Mergeline ends with the exit code of its error.
_KINDS: Mapping[int, type[MergelineError]] = {
    kind.exit_code: kind for kind in (MergelineError, UsageError, ConfigError, ToolError)
}
_OWN = re.compile(r"^ERROR (?!.*^ERROR )(.*?)\nTIP +([^\n]*)", re.MULTILINE | re.DOTALL)
_KILLED = ("-9", "137")  # how the system ends a process that takes too much memory
_BUSY = "it is being blocked by"  # DVC, of files that another process holds
_LINES = 5


@dataclass(frozen=True)
class StageOutcome:
    """What became of one stage.

    Attributes:
        seconds: Wall time, with DVC's start.
        output: What DVC and the stage printed.
    """

    name: str
    action: Literal["unchanged", "restored", "ran"]
    seconds: float
    output: str


@dataclass(frozen=True)
class RunningStage:
    """A stage at work."""

    name: str
    process: subprocess.Popen[str]
    started: float

    def outcome(self) -> StageOutcome:
        """Wait for the end of the stage.

        Raises:
            MergelineError: The stage's own error, of the kind of its exit code, or DVC's.
        """
        output, errors = self.process.communicate()
        if self.process.returncode != 0:
            raise _failure(self.name, errors)
        seconds = round(time.perf_counter() - self.started, 3)
        return StageOutcome(self.name, _action(self.name, output), seconds, output + errors)

    def stop(self) -> None:
        """End DVC and everything that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)


def start_stage(
    root: Path, name: str, env: Mapping[str, str], *, fresh: bool = False
) -> RunningStage:
    """Start one stage of a project, whose needs are up to date.

    Args:
        root: The project's root.
        name: The stage.
        env: Variables of the stage's environment besides those of this process.
        fresh: Whether to run it even if it is unchanged, or DVC keeps such a run.
    """
    # -P: modules in the project's folder must not come before those of DVC.
    command = [sys.executable, "-P", "-m", "dvc", "--wait-for-lock", "repro", "-s", name]
    command += ["--force"] if fresh else []
    process = subprocess.Popen(
        command,
        cwd=root,
        env=child_environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,  # so that it can be stopped with its children
    )
    return RunningStage(name, process, time.perf_counter())


def run_stage(root: Path, name: str, env: Mapping[str, str]) -> StageOutcome:
    """Run one stage to its end; see `start_stage` and `RunningStage.outcome`."""
    return start_stage(root, name, env).outcome()


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of stages: this installation's programs come first on PATH."""
    inherited = clean_environment(os.environ)
    path = os.pathsep.join([sysconfig.get_path("scripts"), inherited.get("PATH", os.defpath)])
    ours = {"PATH": path, "DVC_NO_ANALYTICS": "1"}
    return inherited | ours | dict(extra)


def _action(name: str, output: str) -> Literal["unchanged", "restored", "ran"]:
    if f"Running stage '{name}':" in output.splitlines():
        return "ran"
    return "restored" if f"Stage '{name}' is cached - skipping run" in output else "unchanged"


def _failure(name: str, errors: str) -> MergelineError:
    """Make an error of what a stage, or DVC before it, wrote to its error output."""
    stages, _, dvcs = errors.rpartition(f"ERROR: failed to reproduce '{name}': ")
    code = re.search(r"exited with (-?\d+)", dvcs)
    if code is None:
        said = " ".join((dvcs or errors.rpartition("ERROR: ")[2]).split())
        hint = f"try `dvc repro -s {name}`; data that is missing comes with `dvc pull`"
        if _BUSY in said:
            hint = "another check is at work here: wait until it has ended, then run this again"
        return ToolError(f"stage {name}: DVC failed: {said or 'it was ended'}", hint=hint)
    if own := _OWN.search(stages):
        kind = _KINDS.get(int(code[1]), ToolError)
        return kind(f"stage {name}: {own[1].strip()}", hint=own[2].strip())
    last = "\n".join(stages.strip().splitlines()[-_LINES:]) or "it printed no error"
    hint = f"run it alone to see all that it prints: `dvc repro -s {name}`"
    if code[1] in _KILLED:
        hint = "it was killed: give it more memory, or less data"
    return ToolError(f"stage {name} ended with exit code {code[1]}: {last}", hint=hint)
