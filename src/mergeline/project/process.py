"""Processes of the demo: each ends with everything that it started, however it comes to its end."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mergeline.adapters.git_process import clean_environment
from mergeline.errors import ToolError

_SECONDS = 1200
_END_SECONDS = 20
# Of this pipe others get the end to read from; the other one is closed when this process ends.
_LEASH, _HELD = os.pipe()
_HIDDEN = ("GITHUB_", "MLFLOW_", "RUNNER_", "MERGELINE_TOKEN")


def environment() -> dict[str, str]:
    """Return the variables of the demo's processes: the surrounding job says nothing to them."""
    kept = {k: v for k, v in clean_environment(os.environ).items() if not k.startswith(_HIDDEN)}
    return kept | {"DVC_NO_ANALYTICS": "1"}


def mergeline(*arguments: str) -> list[str]:
    """Return the command of a verb that ends when this process does, even if that is killed."""
    return [sys.executable, "-m", "mergeline.project.leash", str(_LEASH), *arguments]


@dataclass
class Watch:
    """Somebody who reads what a job's programs say while they run, and may end them.

    Attributes:
        log: The file that their errors are written to.
    """

    log: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: "subprocess.Popen[str] | None" = None
    _stopped: bool = False

    def say(self, text: str) -> None:
        """Add text to the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{text.rstrip()}\n")

    def stop(self) -> None:
        """End the program that runs, and each that is started from now on."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            end(process)

    @contextmanager
    def over(self, process: "subprocess.Popen[str]") -> Iterator[None]:
        """Watch one program until it has ended."""
        with self._lock:
            self._process, late = process, self._stopped
        if late:
            end(process)
        try:
            yield
        finally:
            with self._lock:
                self._process = None


def start(
    command: list[str],
    folder: Path,
    env: Mapping[str, str],
    *,
    log: int,
    errors: int | None = None,
) -> "subprocess.Popen[str]":
    """Start a command in a session of its own: a signal reaches it through `end` only.

    Args:
        command: With its arguments.
        folder: Where it runs.
        env: Its variables besides those of `environment`.
        log: A file descriptor or `subprocess.PIPE`, for output and errors.
        errors: Another one for errors.
    """
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment() | dict(env),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log if errors is None else errors,
        text=True,
        errors="replace",
        start_new_session=True,
        pass_fds=(_LEASH,),
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
    command: list[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    watch: Watch | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, whatever its exit code.

    Args:
        command: With its arguments.
        folder: Where it runs.
        env: Its variables besides those of `environment`.
        watch: Gets its errors as they come.

    Raises:
        ToolError: It takes too long.
    """
    if watch is not None:
        return _watched(command, folder, env or {}, watch)
    with start(command, folder, env or {}, log=subprocess.PIPE) as process:
        try:
            output, errors = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired as error:
            end(process)
            raise _too_long(command, folder) from error
        except BaseException:
            end(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _watched(
    command: list[str], folder: Path, env: Mapping[str, str], watch: Watch
) -> "subprocess.CompletedProcess[str]":
    with watch.log.open("a+", encoding="utf-8", errors="replace") as log:
        begin = log.seek(0, os.SEEK_END)
        pipe, errors = subprocess.PIPE, log.fileno()
        with start(command, folder, env, log=pipe, errors=errors) as process, watch.over(process):
            try:
                output, _ = process.communicate(timeout=_SECONDS)
            except subprocess.TimeoutExpired as error:
                end(process)
                raise _too_long(command, folder) from error
        log.seek(begin)
        return subprocess.CompletedProcess(command, process.returncode, output, log.read())


def run(
    command: list[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    *,
    code: int = 0,
    watch: Watch | None = None,
) -> str:
    """Run a command that must end with an exit code; return what it prints.

    Raises:
        ToolError: It ended with another one, or takes too long.
    """
    done = finished(command, folder, env, watch)
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


def _too_long(command: list[str], folder: Path) -> ToolError:
    return ToolError(
        f"{_shown(command)} did not end within {_SECONDS} seconds", hint=f"look into {folder}"
    )


def _shown(command: list[str]) -> str:
    """Return the end of a command line, which is what tells it from others."""
    return f"`{' '.join(command[-6:])}`"
