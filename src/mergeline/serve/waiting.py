"""How the follower waits: pauses that grow, threads that nobody waits for, one lock."""

import asyncio
import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from mergeline.errors import UsageError

_T = TypeVar("_T")
_LOCK = "lock"
TICK = 0.1  # seconds between two looks at what costs nothing to look at
LONGEST_PAUSE = 300.0


class Pause:
    """The time before something that failed is tried again: longer every time.

    Attributes:
        seconds: How long the next one is, about.
    """

    def __init__(self, first: float) -> None:
        """Begin without a pause.

        Args:
            first: Seconds after the first failure; later ones are longer.
        """
        self._first = first
        self.seconds = first
        self._until = 0.0

    @property
    def over(self) -> bool:
        """Whether it may be tried."""
        return time.monotonic() >= self._until

    def failed(self) -> None:
        """Begin the next pause."""
        self._until = time.monotonic() + jittered(self.seconds)
        self.seconds = min(2 * self.seconds, LONGEST_PAUSE)

    def reset(self) -> None:
        """Forget the failures."""
        self.seconds, self._until = self._first, 0.0


def jittered(seconds: float) -> float:
    """Return a time near the one given, so that many servers do not ask at once."""
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311


async def in_thread(work: Callable[[], _T]) -> _T:
    """Run what blocks in a thread of its own.

    Cancelled, the thread is left to itself: a Git remote that hangs does not keep the
    server from ending.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def finish(call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed, so nobody wants to know
            loop.call_soon_threadsafe(lambda: None if done.done() else call())

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 -- it belongs to whoever waits
            failure = error
            finish(lambda: done.set_exception(failure))
        else:
            finish(lambda: done.set_result(result))

    threading.Thread(target=run, daemon=True).start()
    return await done


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Hold the state folder of a follower; the system lets it go when the process ends.

    Raises:
        UsageError: Another follower holds it.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / _LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise UsageError(
                f"another follower (process {holder}) uses the state folder {state}",
                hint="end it first, or give this one a folder of its own: --state FOLDER",
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
