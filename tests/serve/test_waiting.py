"""Pauses grow and have a bound; a thread that hangs keeps nobody."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mergeline.errors import ToolError, UsageError
from mergeline.serve.waiting import LONGEST_PAUSE, Pause, in_thread, jittered, only_one


def test_a_pause_is_over_until_something_failed() -> None:
    pause = Pause(3600)
    assert pause.over
    pause.failed()
    assert not pause.over
    pause.reset()
    assert pause.over


def test_pauses_grow_to_a_bound() -> None:
    pause = Pause(100)
    asked = []
    for _ in range(4):
        asked.append(pause.seconds)
        pause.failed()
    assert asked == [100, 200, LONGEST_PAUSE, LONGEST_PAUSE]
    pause.reset()
    assert pause.seconds == 100


def test_times_are_near_the_one_asked_for() -> None:
    times = {jittered(10) for _ in range(50)}
    assert len(times) > 1
    assert all(8 <= seconds <= 12 for seconds in times)


def test_what_blocks_gives_its_result_or_its_error() -> None:
    def fail() -> None:
        raise ToolError("no", hint="none")

    main = threading.main_thread()
    assert asyncio.run(in_thread(threading.current_thread)) is not main
    assert asyncio.run(in_thread(lambda: 7)) == 7
    with pytest.raises(ToolError, match="no"):
        asyncio.run(in_thread(fail))


HANGING = """
import asyncio, threading
from mergeline.serve.waiting import in_thread

async def main():
    task = asyncio.ensure_future(in_thread(threading.Event().wait))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

asyncio.run(main())
"""


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    subprocess.run([sys.executable, "-c", HANGING], check=True, timeout=60)


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    with only_one(tmp_path / "state"):
        with pytest.raises(UsageError, match="another follower"), only_one(tmp_path / "state"):
            pass
        with only_one(tmp_path / "other"):
            pass
    with only_one(tmp_path / "state"):
        pass
