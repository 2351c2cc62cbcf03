"""What clients asked the stand-in for; tests assert the list of writes."""

import threading
from dataclasses import dataclass, field
from typing import Any

READS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Request:
    """One call.

    Attributes:
        method: `GET`, `POST`, ...
        path: Without `/api/v3` and the query.
        body: The parsed JSON; None when there was none.
        login: Whose token it came with; None without one that is known.
        status: What was answered; None when the connection was closed instead.
        done: Whether it was carried out, whatever was answered.
    """

    method: str
    path: str
    body: Any
    login: str | None
    status: int | None
    done: bool


@dataclass
class Recorder:
    """All calls, in the order in which they ended."""

    requests: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: Request) -> None:
        """Write a call down."""
        with self._lock:
            self.requests.append(request)

    def writes(self) -> list[Request]:
        """Return the calls that change something: no reads, no fetches by Git."""
        with self._lock:
            return [one for one in self.requests if _writes(one)]


def _writes(request: Request) -> bool:
    return request.method not in READS and not request.path.endswith("/git-upload-pack")
