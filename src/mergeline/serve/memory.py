"""What the follower remembers when it is ended and started again."""

import os
from pathlib import Path

from pydantic import ValidationError

from mergeline.core.base import Frozen
from mergeline.errors import ToolError, first_line
from mergeline.files import write_whole
from mergeline.ledger.entries import Number, Time, utc_now

FILE = "memory.json"
# Rejections kept: an entry before the last hundred rejected ones is not desired again.
_MOST_REJECTED = 100


class Rejection(Frozen):
    """Why a declared entry was rejected, and when."""

    reason: str
    time: Time


class Attempts(Frozen):
    """How often a declared entry was begun to be tried, without an end."""

    entry: Number
    count: int


class Since(Frozen):
    """When the release of an entry began to answer."""

    entry: Number
    time: Time


class Memory(Frozen):
    """All of it; one file, replaced as a whole.

    Attributes:
        rejected: By the number of the declared entry.
        trying: The entry that is tried right now, or was when the server ended.
        live: The entry that passed its watch last.
    """

    rejected: dict[Number, Rejection] = {}
    trying: Attempts | None = None
    live: Since | None = None

    def attempts(self, entry: int) -> int:
        """Return how often an entry was begun to be tried, without an end."""
        return self.trying.count if self.trying and self.trying.entry == entry else 0

    def begun(self, entry: int) -> "Memory":
        """Return what is to be remembered before an entry is tried."""
        trying = Attempts(entry=entry, count=self.attempts(entry) + 1)
        return self.model_copy(update={"trying": trying})

    def ended(self) -> "Memory":
        """Return what is to be remembered after a trial that came to no result."""
        return self.model_copy(update={"trying": None})

    def rejecting(self, entry: int, reason: str) -> "Memory":
        """Return what is to be remembered of a rejected entry."""
        rejected = {**self.rejected, entry: Rejection(reason=reason, time=utc_now())}
        kept = {number: rejected[number] for number in sorted(rejected)[-_MOST_REJECTED:]}
        return self.model_copy(update={"trying": None, "rejected": kept})

    def settling(self, entry: int, since: str) -> "Memory":
        """Return what is to be remembered of an entry that passed its watch."""
        return self.model_copy(update={"trying": None, "live": Since(entry=entry, time=since)})

    def since(self, entry: int) -> str | None:
        """Return when an entry began to answer; None when that is not known."""
        return self.live.time if self.live and self.live.entry == entry else None

    def write(self, state: Path) -> None:
        """Write it into the follower's state folder.

        Raises:
            OSError: It cannot be written; the file is as it was.
        """
        write_whole(state / FILE, (self.model_dump_json(indent=1) + "\n").encode())


def read_memory(state: Path) -> Memory:
    """Read what was remembered; nothing where there is no file.

    Raises:
        ToolError: The file is there and is not ours.
    """
    try:
        return Memory.model_validate_json((state / FILE).read_bytes())
    except FileNotFoundError:
        return Memory()
    except ValidationError as error:
        raise ToolError(
            f"{os.fspath(state / FILE)} is not what a follower remembers: {first_line(error)}",
            hint="remove that file: then rejected releases are tried once more",
        ) from error
