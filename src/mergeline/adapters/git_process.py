"""Git's own program, started so that nothing around it steers it elsewhere."""

import base64
import os
import re
import select
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mergeline.errors import ToolError

# Variables that point Git at another repository, index or object store than the one of
# the folder it is started in; a Git hook that runs Mergeline has them set.
_STEERING = re.compile(
    "GIT_(DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|PREFIX|NAMESPACE|(GRAFT|SHALLOW)_FILE"
    "|(ALTERNATE_)?OBJECT_DIRECTOR(Y|IES)|IMPLICIT_WORK_TREE|INTERNAL_SUPER_PREFIX)"
)
# Without replacement objects a commit is what its id says.
_ALWAYS = dict.fromkeys(("GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT"), "0")
_ALWAYS |= {"GIT_NO_REPLACE_OBJECTS": "1", "LC_ALL": "C"}
SECONDS = 120
_WHOLE_ID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
NO_HOOKS = ("-c", "core.hooksPath=/dev/null")


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what would point Git at another repository."""
    return {key: value for key, value in environ.items() if not _STEERING.fullmatch(key)}


def job_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what lets Git use the token of a job of GitHub Actions, for GitHub's host alone.

    Its checkouts keep no credentials. The line's own key (`MERGELINE_TOKEN`), which may pass
    the rule that protects the ledger, goes before the job's. Nothing is written to a file,
    and no argument shows it.

    Args:
        environ: Of the process; elsewhere than in a job nothing is given, so that people's
            own credentials count.
    """
    names = ("MERGELINE_TOKEN", "GITHUB_TOKEN")
    token = next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")
    if environ.get("GITHUB_ACTIONS") != "true" or not token:
        return {}
    server = environ.get("GITHUB_SERVER_URL", "").rstrip("/") or "https://github.com"
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    given = environ.get("GIT_CONFIG_COUNT", "")
    count = int(given) if given.isdecimal() else 0
    return {
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"http.{server}/.extraHeader",
        f"GIT_CONFIG_VALUE_{count}": f"Authorization: Basic {basic}",
    }


def run_git(
    folder: Path,
    *arguments: str,
    given: bytes = b"",
    seconds: int = SECONDS,
    environ: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `git` in a folder to its end, whatever its exit code.

    Args:
        folder: Of the repository, with a working tree or bare.
        arguments: After `git`.
        given: For its standard input.
        seconds: Until it is stopped.
        environ: Variables beside those of this process.

    Raises:
        ToolError: It did not end in time, or it is not installed.
    """
    command = ["git", *arguments]
    # Files instead of pipes: a program that Git started and that outlives it, e.g. ssh
    # on a dead connection, would keep a pipe open and the wait for its end with it.
    with (
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        asked.write(given)
        asked.seek(0)
        try:
            with subprocess.Popen(
                command,
                cwd=folder,
                env=_environment(environ or {}),
                stdin=asked,
                stdout=out,
                stderr=err,
            ) as process:
                code = _ended(process, seconds)
        except subprocess.TimeoutExpired as error:
            said = without_credentials(" ".join(arguments))
            message = f"`git {said}` did not end within {seconds} seconds"
            hint = "look for another Git process, a slow disk or a slow network"
            raise ToolError(message, hint=hint) from error
        except FileNotFoundError as error:
            missing = "git" if folder.is_dir() else os.fspath(folder)
            hint = "install Git and put it on PATH" if missing == "git" else "check its name"
            raise ToolError(f"{missing} is not there", hint=hint) from error
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


def _ended(process: "subprocess.Popen[bytes]", seconds: int) -> int:
    """Wait for the end of a process, and kill it where that does not come; return its exit code.

    `Popen.wait` with a limit looks in ever longer pauses: it would take twice as long as Git.
    """
    try:
        try:
            handle = os.pidfd_open(process.pid)
        except (AttributeError, OSError):  # Linux alone has these
            return process.wait(seconds)
        try:
            ends = select.poll()
            ends.register(handle, select.POLLIN)
            if not ends.poll(seconds * 1000):
                raise subprocess.TimeoutExpired(process.args, seconds)
        finally:
            os.close(handle)
        return process.wait()
    except BaseException:
        process.kill()
        raise


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    given = clean_environment(os.environ)
    return given | _ALWAYS | job_credentials(given) | dict(more)


def without_credentials(text: str) -> str:
    """Return text without user and password in the addresses that it names."""
    return re.sub("//[^/@\\s]*@", "//", text)


def last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the last line of what Git complained of, else its exit code."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def _output(root: Path, *arguments: str, given: str = "", seconds: int = SECONDS) -> bytes:
    done = run_git(root, *arguments, given=given.encode(), seconds=seconds)
    if done.returncode != 0:
        raise ToolError(
            f"`git {' '.join(arguments)}` failed: {last_line(done)}",
            hint="run that command by hand; `git fsck` shows a damaged repository",
        )
    return done.stdout


@lru_cache(maxsize=64)
def _remembered(root: Path, *arguments: str) -> bytes:
    return _output(root, *arguments)


@dataclass(frozen=True)
class GitProgram:
    """Git, in one repository.

    Attributes:
        root: The top folder of its working tree; of a bare repository, its own folder.
    """

    root: Path

    def _run(self, *arguments: str, given: str = "", seconds: int = SECONDS) -> bytes:
        return _output(self.root, *arguments, given=given, seconds=seconds)

    def _run_once(self, commit: str, *arguments: str) -> bytes:
        """Run what has one answer for a commit for ever; a commit's whole id is asked once."""
        return (_remembered if _WHOLE_ID.fullmatch(commit) else _output)(self.root, *arguments)

    def _text(self, *arguments: str) -> str:
        return self._run(*arguments).decode(errors="replace").strip()

    def _ask(self, *arguments: str) -> str | None:
        """Return what Git answers, None for "no"."""
        done = run_git(self.root, *arguments)
        return None if done.returncode != 0 else done.stdout.decode(errors="replace").strip()
