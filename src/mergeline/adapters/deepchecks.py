"""deepchecks, which cannot live beside today's NumPy and pandas: its environment and its process.

The environment lies inside the installation's own. One process (see
`mergeline.adapters.deepchecks_worker`) imports deepchecks once and serves every stage that finds
its socket in the variable `MERGELINE_DEEPCHECKS_SOCKET`; a stage run alone starts its own.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from mergeline.adapters.deepchecks_accounts import RawAnswer, account_for, reason_of
from mergeline.adapters.deepchecks_environment import build_environment, interpreter
from mergeline.core.evidence import ChecksContent
from mergeline.core.task import Task
from mergeline.errors import ToolError

__all__ = [
    "SOCKET",
    "Answer",
    "DeepchecksServer",
    "Request",
    "build_environment",
    "is_served",
    "run_suites",
]

SOCKET = "MERGELINE_DEEPCHECKS_SOCKET"
LONGEST_SECONDS = 600.0

_WORKER = Path(__file__).with_name("deepchecks_worker.py")
_LOG = "log.txt"
_GRACE_SECONDS = 2
# What a Python needs to start; credentials have no business there.
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_HINT = "run `mergeline doctor`; if the environment is fine, report the lines above"


@dataclass(frozen=True)
class Request:
    """What to run on which tables. JSON of it is what the worker reads.

    Attributes:
        suites: Names of deepchecks' own suites.
        train: Parquet file of the training table; the label is 0 or 1, the text of one of
            several classes, or a number.
        test: The same for the held-out rows.
        label: The target column.
        features: The columns that the model reads.
        categories: Those of them that are categories.
        index: The column that names a row's subject, None without one.
        datetime: The column of time, None without one.
        sample: Rows that estimating checks look at, a table, at most.
        task: What is predicted.
        scores: The columns that stand for the model: the positive class's probability, those
            of several classes, or the predicted value; none where there is no model.
        threshold: A score from here on is a positive prediction; binary only.
        classes: Texts of the classes in the order of `scores`, sorted; multiclass only.
        importance: Share of each feature in the model's scores, adding up to 1.
        leave_out: Checks that do not apply, with the reason.
    """

    suites: tuple[str, ...]
    train: str
    test: str
    label: str
    features: tuple[str, ...]
    categories: tuple[str, ...]
    index: str | None
    datetime: str | None
    sample: int
    task: Task = "binary"
    scores: tuple[str, ...] = ()
    threshold: float | None = None
    classes: tuple[str, ...] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    leave_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the suites found, and the seconds that each took."""

    content: ChecksContent
    seconds: Mapping[str, float]


def run_suites(request: Request, *, longest: float = LONGEST_SECONDS) -> Answer:
    """Run suites in the process that `mergeline check` started, else in one of our own.

    Args:
        request: What to run on which tables.
        longest: Seconds after which waiting ends, the import of deepchecks included.

    Raises:
        ToolError: The environment is missing, or the process failed, was too slow, or
            gave an answer that cannot be read.
    """
    shared = os.environ.get(SOCKET)
    connection = _connect(Path(shared)) if shared else None
    if shared and connection is not None:
        return _ask(connection, Path(shared), request, longest)
    with DeepchecksServer() as server:
        connection = _connect(server.socket)
        if connection is None:
            raise _failure("ended at once", server.socket)
        return _ask(connection, server.socket, request, longest)


def is_served() -> bool:
    """Return whether somebody around this process started one already."""
    return Path(os.environ.get(SOCKET, "")).is_socket()


class DeepchecksServer:
    """The process, from entering to leaving; it does not wait for deepchecks' import.

    Attributes:
        socket: Where it listens, exported to child processes.
    """

    socket: Path

    def __enter__(self) -> Self:
        """Start the process.

        Raises:
            ToolError: The environment is missing or out of date.
        """
        python = interpreter()
        folder = _private_folder()
        self.socket = folder / "socket"
        try:
            self._process = _start(python, self.socket)
        except OSError as error:
            shutil.rmtree(folder)
            raise ToolError(f"{python} cannot be started: {error}", hint=_HINT) from error
        self._before = os.environ.get(SOCKET)
        os.environ[SOCKET] = str(self.socket)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process and remove its folder."""
        if self._before is None:
            os.environ.pop(SOCKET, None)
        else:
            os.environ[SOCKET] = self._before
        _end(self._process)
        shutil.rmtree(self.socket.parent, ignore_errors=True)


def _private_folder() -> Path:
    """Make a folder that only we can enter. A socket's path holds about 100 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="mergeline-"))
    if len(os.fsencode(folder / "socket")) < 100:  # noqa: PLR2004 - macOS allows 103
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="mergeline-", dir="/tmp"))


def _start(python: Path, path: Path) -> subprocess.Popen[bytes]:
    """Start the worker on a socket that listens already, so that nobody can be too early."""
    folder = path.parent
    with socket.socket(socket.AF_UNIX) as listener, (folder / _LOG).open("wb") as log:
        listener.bind(str(path))
        listener.listen()
        descriptor = listener.fileno()
        return subprocess.Popen(
            [python, "-I", "-X", "utf8", _WORKER, folder, str(descriptor)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[descriptor],
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )


def _environment(folder: Path) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "MPLCONFIGDIR": str(folder),
        "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY": "1",
        # Else joblib starts processes of its own, which takes longer than the work.
        "LOKY_MAX_CPU_COUNT": "1",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end by closing its standard input; kill it when it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(timeout=_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _connect(path: Path) -> socket.socket | None:
    """Connect to a worker; None when there is none any more."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _ask(connection: socket.socket, path: Path, request: Request, longest: float) -> Answer:
    try:
        with connection:
            line = _exchange(connection, json.dumps(asdict(request)).encode(), longest)
    except TimeoutError as error:
        raise _failure(f"did not answer within {longest:.0f} seconds", path) from error
    except OSError as error:
        raise _failure(f"broke the connection ({error})", path) from error
    if not line.endswith(b"\n"):
        raise _failure("ended without an answer", path)
    try:
        answer = RawAnswer.model_validate_json(line)
    except ValidationError as error:
        raise _failure(
            f"gave an answer that cannot be read ({error.error_count()} errors)", path
        ) from error
    if answer.error is not None:
        raise _failure(f"could not run the suites: {reason_of(answer.error)}", path)
    return _accounted(answer, request)


def _exchange(connection: socket.socket, question: bytes, longest: float) -> bytes:
    """Send a line and read until the other end closes."""
    deadline = time.monotonic() + longest
    connection.settimeout(longest)
    connection.sendall(question + b"\n")
    parts: list[bytes] = []
    while True:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        part = connection.recv(1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _accounted(answer: RawAnswer, request: Request) -> Answer:
    checks = [check for suite in answer.suites for check in account_for(suite, request.leave_out)]
    content = ChecksContent(
        suites=request.suites,
        deepchecks=answer.deepchecks,
        sampled=request.sample,
        checks=tuple(checks),
    )
    return Answer(content, {suite.name: suite.seconds for suite in answer.suites})


def _failure(what: str, path: Path) -> ToolError:
    log = path.with_name(_LOG)
    text = log.read_text(errors="replace") if log.exists() else ""
    absent = re.search(r"^ModuleNotFoundError: No module named '([\w.]+)'", text, re.MULTILINE)
    if absent:
        return ToolError(
            f"the Python for deepchecks has no {absent[1]}",
            hint="run `mergeline doctor --build`, or let MERGELINE_DEEPCHECKS_PYTHON name a "
            "Python that has it",
        )
    last = " | ".join(text.strip().splitlines()[-4:])[-600:]
    return ToolError(f"the deepchecks process {what}" + (f": {last}" if last else ""), hint=_HINT)
