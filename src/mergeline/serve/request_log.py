"""Requests as Parquet files: bounded, rotated, and written beside the scoring.

Each row holds the columns that the model read, as it read them, and more: the time, the
version that answered, and what it said, in the columns of a batch (`DecisionRule.columns`).
"""

import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field

from mergeline.core.base import Frozen
from mergeline.errors import first_line
from mergeline.files import whole_file
from mergeline.model.decision import DecisionRule
from mergeline.model.direct import Columns, frame_of

if TYPE_CHECKING:
    import pandas as pd

TIME = "_mergeline_time"
RELEASE = "_mergeline_release"
SAID = "_mergeline_"

# Files' worth of rows that may wait for a slow disk; more are dropped, and counted.
_MOST_WAITING = 4
_PATTERN = "requests-*.parquet"


class LogSettings(Frozen):
    """Where requests are written, and how much of it is kept.

    Attributes:
        folder: An absolute path.
        rows: Of one file at most.
        files: That are kept; the oldest go first.
        seconds: How long a row may wait before it is in a file.
    """

    folder: str
    rows: Annotated[int, Field(ge=1)] = 10_000
    files: Annotated[int, Field(ge=1)] = 100
    seconds: Annotated[float, Field(gt=0)] = 10.0


class RequestLog:
    """Writes what it is given, from a thread of its own.

    Until a file is full it is replaced by a longer one, whole, every few seconds: a reader
    never sees a part of one, and a crash loses seconds.
    """

    def __init__(self, settings: LogSettings, version: str, rule: DecisionRule) -> None:
        self._settings = settings
        self._rule = rule
        self._folder = Path(settings.folder)
        self._version = version
        self._lock = threading.Lock()
        self._waiting: list[tuple[datetime, Columns, Any]] = []
        self._count = 0
        self._dropped = 0
        self._current: pd.DataFrame | None = None
        self._number = 0
        self._name = ""
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, columns: Columns, scores: Any) -> None:
        """Take columns and their scores; this writes nothing and waits for nothing."""
        most = _MOST_WAITING * self._settings.rows
        with self._lock:
            if self._count and self._count + len(scores) > most:
                self._dropped += len(scores)
                return
            self._waiting.append((datetime.now(UTC), columns, scores))
            self._count += len(scores)
            if self._count >= self._settings.rows:
                self._wake.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Write what there is, and end."""
        self._ending = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            self._wake.wait(self._settings.seconds)
            self._wake.clear()
            ended = self._ending
            try:
                self._write()
            except Exception as error:  # noqa: BLE001 -- a log that fails must not end the server
                _say(f"the request log cannot be written: {first_line(error)}")

    def _write(self) -> None:
        import pandas as pd

        with self._lock:
            waiting, self._waiting = self._waiting, []
            dropped, self._dropped = self._dropped, 0
            self._count = 0
        if dropped:
            _say(f"the request log is slower than the requests: {dropped} rows are not in it")
        if not waiting:
            return
        parts = [] if self._current is None else [self._current]
        parts += [self._frame(*each) for each in waiting]
        rows = pd.concat(parts, ignore_index=True)
        size = self._settings.rows
        while len(rows):
            self._current, rows = rows[:size], rows[size:]
            self._put(self._current)
            if len(self._current) == size:
                self._current, self._name = None, ""
        self._rotate()

    def _frame(self, when: datetime, columns: Columns, scores: Any) -> "pd.DataFrame":
        said = {f"{SAID}{name}": of for name, of in self._rule.columns(scores).items()}
        return frame_of(columns).assign(**{TIME: when, RELEASE: self._version, **said})

    def _put(self, rows: "pd.DataFrame") -> None:
        if not self._name:
            self._number += 1
            now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            self._name = f"requests-{now}-{os.getpid()}-{self._number:06d}.parquet"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(self._folder / self._name) as path:
            rows.to_parquet(path, index=False, compression="zstd")

    def _rotate(self) -> None:
        for path in sorted(self._folder.glob(_PATTERN))[: -self._settings.files]:
            path.unlink(missing_ok=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 -- the server's log
