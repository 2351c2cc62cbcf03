"""The model processes of one release: they load it, prove it, and score."""

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mergeline.errors import MergelineError, ToolError, WorkerGone, first_line
from mergeline.serve.process import Worker, start_worker
from mergeline.serve.protocol import Frame
from mergeline.serve.replies import JSON, Reply, problem
from mergeline.serve.request_log import LogSettings
from mergeline.serve.standing import read_release_file

REQUEST_SECONDS = 30.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 30.0
_STATUSES = (200, 400, 415, 500)  # that a model process may answer with
_MOST_LOGGED = 1000
_LONG_LIFE = 60.0  # after it a death is not one of a series


@dataclass(frozen=True)
class PoolSettings:
    """How a pool works.

    Attributes:
        folder: The release folder.
        workers: How many processes.
        seconds: The longest time for loading and the smoke test.
        request_seconds: The longest time for one request, waiting for a process included.
        log: Where the processes write the requests; None for nowhere.
    """

    folder: Path
    workers: int
    seconds: float
    request_seconds: float = REQUEST_SECONDS
    log: LogSettings | None = None


class Pool:
    """The processes that hold one release.

    Attributes:
        label: Version and start of M, for the header of an answer.
        failures: Answers of 5xx, requests that hung, and processes that died.
        restarts: Processes that were started in place of one that died.
    """

    def __init__(self, settings: PoolSettings) -> None:
        self.settings = settings
        self.release = read_release_file(settings.folder)
        self.label = self.release.label
        self.failures = 0
        self.restarts = 0
        self._workers: set[Worker] = set()
        self._idle: deque[Worker] = deque()
        self._waiting: deque[asyncio.Future[Worker]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()
        self._pause = _FIRST_PAUSE
        self._closing = False

    @classmethod
    async def start(
        cls,
        folder: Path,
        *,
        workers: int,
        seconds: float,
        request_seconds: float = REQUEST_SECONDS,
        log: LogSettings | None = None,
    ) -> Self:
        """Start processes that load a release and score its probe rows.

        Args:
            folder: The release folder, verified.
            workers: How many processes; each scores one request at a time.
            seconds: The longest time for all of it.
            request_seconds: The longest time for one request.
            log: Where the processes write the requests; None for nowhere.

        Raises:
            ModelError: The model cannot be loaded, or scores the probe rows otherwise than
                evaluation did; the message says which.
            ToolError: It took longer than `seconds`.
        """
        pool = cls(PoolSettings(folder, workers, seconds, request_seconds, log))
        starts = [asyncio.ensure_future(pool._start_one()) for _ in range(workers)]
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*starts)
        except BaseException as error:
            for start in starts:
                start.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            await pool.close(0)
            if isinstance(error, TimeoutError):
                raise ToolError(
                    f"release {pool.label} was not ready after {seconds:g} seconds",
                    hint="look at the load of the machine, or allow more time",
                ) from error
            raise
        return pool

    @property
    def alive(self) -> bool:
        """Whether a process is ready to score, or scoring."""
        return any(worker.alive for worker in self._workers)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the model processes."""
        return tuple(worker.pid for worker in self._workers)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the pool from being closed while a request may need it."""
        self._users += 1
        self._unused.clear()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    async def score(self, content_type: str, body: bytes) -> Reply:
        """Have a process parse and score the body of a request.

        Raises:
            WorkerGone: The process died, or none is left.
        """
        worker: Worker | None = None
        try:
            async with asyncio.timeout(self.settings.request_seconds):
                worker = await self._borrow()
                answer = await worker.ask(Frame(0, content_type, body))
        except TimeoutError:
            return self._too_late(worker)
        except BaseException:
            if worker is not None:  # its answer would be taken for that of the next request
                worker.kill()
            raise
        reply = Reply(answer.number, JSON, answer.data)
        if reply.status not in _STATUSES:
            worker.kill()
            return problem(500, "the model process gave no answer", "the server's log says more")
        self._give_back(worker)
        if reply.failed:
            self.failures += 1
            said = reply.body[:_MOST_LOGGED].decode(errors="replace")
            _say(f"release {self.label}: {reply.status} {said}")
        return reply

    def _too_late(self, worker: Worker | None) -> Reply:
        seconds = f"{self.settings.request_seconds:g} seconds"
        if worker is None:
            return problem(
                504,
                f"no model process was free for {seconds}",
                "send fewer requests at once, or start the server with more workers",
            )
        _say(f"release {self.label}: model process {worker.pid} hung for {seconds}")
        worker.kill()
        return problem(
            504,
            f"the model did not answer within {seconds}",
            "send fewer rows in one request",
        )

    async def _borrow(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()  # the one that was busy last has its caches warm
            if worker.alive:
                return worker
        if not self.alive:
            raise self._none_left()
        waiter: asyncio.Future[Worker] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._give_back(waiter.result())
            raise

    def _give_back(self, worker: Worker) -> None:
        if not worker.alive:
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(worker)
                return
        self._idle.append(worker)

    # --- processes ---------------------------------------------------------------------

    async def _start_one(self) -> None:
        log = self.settings.log
        arguments = [os.fspath(self.settings.folder.absolute())]
        arguments += [log.model_dump_json()] if log is not None else []
        worker = await start_worker(arguments)
        started = time.monotonic()
        self._workers.add(worker)
        worker.on_end(lambda: self._lost(worker, time.monotonic() - started))
        if not worker.alive:  # it ended between being ready and now
            self._lost(worker, 0.0)
        self._give_back(worker)

    def _lost(self, worker: Worker, lived: float) -> None:
        self._workers.discard(worker)
        if self._closing:
            return
        self.failures += 1
        if lived > _LONG_LIFE:
            self._pause = _FIRST_PAUSE
        if not self.alive:
            self._tell_waiting()
        self._do(self._replace(worker))

    def _tell_waiting(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(self._none_left())

    def _none_left(self) -> WorkerGone:
        return WorkerGone(
            f"no model process of release {self.label} is running",
            hint="send the request again in a moment: the server starts another one",
        )

    async def _replace(self, worker: Worker) -> None:
        ending = await worker.end()
        _say(f"release {self.label}: model process {worker.pid} ended ({ending})")
        while True:
            await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            try:
                async with asyncio.timeout(self.settings.seconds):
                    await self._start_one()
            except (MergelineError, OSError, TimeoutError) as error:
                _say(f"release {self.label}: no model process in its place: {first_line(error)}")
                continue
            self.restarts += 1
            return

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, grace: float) -> None:
        """End the processes, after the requests that use them.

        Args:
            grace: How many seconds to wait for those at most.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._unused.wait()
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.end() for worker in tuple(self._workers)))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 -- the server's log
