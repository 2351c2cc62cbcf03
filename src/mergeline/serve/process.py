"""One model process: fresh, without credentials, and spoken to over a socket pair."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from mergeline.errors import ModelError, WorkerGone
from mergeline.serve.protocol import SCRATCH, Decoder, Frame

# What a model process may know of the world around it; everything else, a token too, is
# left out.
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")
# One request at a time in each process: threads inside it would only wait for each other.
_FIXED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}
# Kernels of the machine that whoever starts the server chose.
_KERNELS = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")
_LAST_SECONDS = 5.0  # for a process that was asked to end


class Worker:
    """A model process that is ready to score.

    Attributes:
        pid: Its process id.
    """

    def __init__(
        self, process: "subprocess.Popen[bytes]", channel: "_Channel", scratch: Path
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._channel = channel
        self._scratch = scratch

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._channel.lost

    async def ask(self, frame: Frame) -> Frame:
        """Send a request and return the answer; one at a time.

        Raises:
            WorkerGone: The process ended, or what it says is no answer.
        """
        return await self._channel.ask(frame)

    def on_end(self, tell: Callable[[], None]) -> None:
        """Have `tell` called once, when the process is gone."""
        self._channel.on_lost = tell

    def kill(self) -> None:
        """End it at once, in whatever it is doing."""
        self._channel.abort()
        self._process.kill()

    async def end(self) -> str:
        """Ask it to end, see that it did, and return how."""
        self._channel.close()
        await asyncio.to_thread(self._reap)
        code = self._process.returncode
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _reap(self) -> None:
        try:
            self._process.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)


class _Channel(asyncio.Protocol):
    """Our end of the socket pair."""

    def __init__(self) -> None:
        self.lost = False
        self.on_lost: Callable[[], None] | None = None
        self._decoder = Decoder()
        self._answer: asyncio.Future[Frame] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def expect(self) -> "asyncio.Future[Frame]":
        """Return what will hold the next frame."""
        self._answer = asyncio.get_running_loop().create_future()
        return self._answer

    async def ask(self, frame: Frame) -> Frame:
        if self.lost or self._transport is None:
            raise _gone()
        answer = self.expect()
        self._transport.writelines(frame.pieces())
        return await answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        try:
            frame = self._decoder.feed(data)
        except ValueError:
            self.abort()
            return
        if frame is None:
            return
        answer, self._answer = self._answer, None
        if answer is None:  # it speaks without being asked
            self.abort()
        elif not answer.done():
            answer.set_result(frame)

    def connection_lost(self, _: Exception | None) -> None:
        self.lost = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(_gone())
        if self.on_lost is not None:
            self.on_lost()


def _gone() -> WorkerGone:
    return WorkerGone(
        "the model process ended before it answered",
        hint="send the request again; the server's log says how the process ended",
    )


async def start_worker(arguments: list[str]) -> Worker:
    """Start a model process and wait until it says that it is ready.

    It inherits its end of the socket pair and standard error, an environment that is
    allow-listed, and a HOME of its own; no module is looked for in the working directory.

    Args:
        arguments: What `mergeline.serve.worker` gets after the number of its socket.

    Raises:
        ModelError: It cannot load the model or failed the smoke test, or ended.
    """
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH))
    ours, theirs = socket.socketpair()
    module = "mergeline.serve.worker"
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(theirs.fileno()), *arguments],
            pass_fds=[theirs.fileno()],
            env=environment(scratch),
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # Ctrl-C at the terminal is for the front process, which lets requests end first.
            process_group=0,
        )
    channel = _Channel()
    worker = Worker(process, channel, scratch)
    ready = channel.expect()
    ours.setblocking(False)
    try:
        await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=ours)
        _require_ready(await ready)
    except WorkerGone as error:
        raise ModelError(
            f"the model process ended while it loaded the model ({await worker.end()})",
            hint="look at the server's log and at the memory of the machine",
        ) from error
    except BaseException:
        worker.kill()
        await worker.end()
        raise
    return worker


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a model process.

    Args:
        home: A folder of its own.
    """
    kept = {name: os.environ[name] for name in (*_KEPT, *_KERNELS) if name in os.environ}
    return {**kept, **_FIXED, "HOME": os.fspath(home), "TMPDIR": os.fspath(home)}


def _require_ready(frame: Frame) -> None:
    if frame.number == 200:  # noqa: PLR2004 -- HTTP's OK
        return
    try:
        said = json.loads(frame.data)
        message, hint = str(said["message"]), str(said["hint"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "the model process failed and did not say why", hint="look at the server's log"
        ) from error
    raise ModelError(message, hint=hint)
