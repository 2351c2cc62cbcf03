"""Processes of the demo: each ends with everything that it started, however it comes to its end."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mergeline.adapters.git_process import clean_environment
from mergeline.errors import ToolError

_SECONDS = 1200
_END_SECONDS = 20
_HIDDEN = ("GITHUB_", "MLFLOW_", "RUNNER_", "MERGELINE_TOKEN")


def environment() -> dict[str, str]:
    """Return the variables of the demo's processes: the surrounding job says nothing to them."""
    kept = {k: v for k, v in clean_environment(os.environ).items() if not k.startswith(_HIDDEN)}
    return kept | {"DVC_NO_ANALYTICS": "1"}


def start(
    command: list[str], folder: Path, env: Mapping[str, str], *, log: int
) -> "subprocess.Popen[str]":
    """Start a command in a session of its own: a signal reaches it through `end` only.

    Args:
        command: With its arguments.
        folder: Where it runs.
        env: Its variables besides those of `environment`.
        log: A file descriptor or `subprocess.PIPE`, for output and errors.
    """
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment() | dict(env),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def end(process: "subprocess.Popen[str]") -> None:
    """End a process as Ctrl-C does, so that it ends what it started; kill it when it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def finished(
    command: list[str], folder: Path, env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, whatever its exit code.

    Raises:
        ToolError: It takes too long.
    """
    with start(command, folder, env or {}, log=subprocess.PIPE) as process:
        try:
            output, errors = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired as error:
            end(process)
            raise ToolError(
                f"{_shown(command)} did not end within {_SECONDS} seconds",
                hint=f"look into {folder}",
            ) from error
        except BaseException:
            end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def run(
    command: list[str], folder: Path, env: Mapping[str, str] | None = None, *, code: int = 0
) -> str:
    """Run a command that must end with an exit code; return what it prints.

    Raises:
        ToolError: It ended with another one, or takes too long.
    """
    done = finished(command, folder, env)
    if done.returncode != code:
        raise failure(done, folder, f"not with {code}")
    return done.stdout


def failure(done: "subprocess.CompletedProcess[str]", folder: Path, expected: str) -> ToolError:
    """Return the error of a command that ended in another way than it should."""
    said = "\n".join(filter(None, (done.stdout.strip(), done.stderr.strip())))
    return ToolError(
        f"{_shown(done.args)} ended with {done.returncode}, {expected}:\n{said[-3000:]}",
        hint=f"look into {folder}",
    )


def _shown(command: list[str]) -> str:
    """Return the end of a command line, which is what tells it from others."""
    return f"`{' '.join(command[-6:])}`"
