"""Faults on the n-th call that matches: what a bad day at GitHub looks like to a client."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from mergeline.rehearsal.answers import Answer, Refusal

Kind = Literal["status", "close", "cut", "truncate", "slow"]
_LIMITED = "You have exceeded a secondary rate limit. Please wait and try again."
_SAID = {403: _LIMITED, 422: "Validation Failed", 429: _LIMITED, 500: "Server Error"}
_SAID |= {502: "Server Error", 503: "Service Unavailable", 504: "We couldn't respond in time."}


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Attributes:
        method: `GET`, `POST`, ... or `*`.
        path: A pattern as file names have; a star stands for slashes too.
        kind: `status` answers `status`; `close` closes the connection without an answer;
            `cut` sends half of the body that its length promises; `truncate` sends half a
            body as if it were whole; `slow` spreads the body over `seconds`.
        nth: The first matching call that it strikes, from 1.
        times: How many calls in a row.
        after: For `status` and `close`: strike after the call was carried out, not instead.
        status: What `status` answers.
        retry_after: Seconds in the header of that name; None leaves it out.
        seconds: How long `slow` takes.
    """

    method: str
    path: str
    kind: Kind = "status"
    nth: int = 1
    times: int = 1
    after: bool = False
    status: int = 503
    retry_after: int | None = None
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind) or min(self.nth, self.times) < 1:
            raise ValueError(f"kind is one of {get_args(Kind)}, nth and times count from 1")

    def instead(self) -> bool:
        """Return whether the call is not carried out."""
        return self.kind in ("status", "close") and not self.after

    def answer(self) -> Answer:
        """Return what `status` answers."""
        said = Refusal(self.status, _SAID.get(self.status, "Server Error")).answer()
        wait = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Answer(said.status, said.body, wait)

    @classmethod
    def parse(cls, written: Mapping[str, Any]) -> "Fault":
        """Return a fault from JSON with the attributes' names.

        Raises:
            Refusal: A name is unknown or missing, or a value is not possible.
        """
        try:
            return cls(**written)
        except (TypeError, ValueError) as error:
            raise Refusal(422, f"that is no fault: {error}") from error


@dataclass
class Faults:
    """The faults that are set, each with its own count of matching calls."""

    _rules: list[tuple[Fault, list[int]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Set a fault; it counts from now."""
        with self._lock:
            self._rules.append((fault, [0]))

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._rules.clear()

    def strike(self, method: str, path: str) -> Fault | None:
        """Count a call; return the first fault that strikes it."""
        struck = None
        with self._lock:
            for fault, seen in self._rules:
                if fault.method not in ("*", method) or not fnmatchcase(path, fault.path):
                    continue
                seen[0] += 1
                if struck is None and fault.nth <= seen[0] < fault.nth + fault.times:
                    struck = fault
        return struck
