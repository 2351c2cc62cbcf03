"""The ledger's entries for the page, each with the hash that the next one holds."""

from dataclasses import dataclass

from mergeline.core.digest import sha256
from mergeline.ledger.chain import line_of
from mergeline.ledger.entries import Entry, Promoted, Reviewed, Settled
from mergeline.ledger.history import History
from mergeline.report.log import entry_said


@dataclass(frozen=True)
class Line:
    """One entry.

    Attributes:
        said: What happened, a sentence.
        pull: The pull request that it speaks of.
        sha256: Of its line in the ledger.
    """

    entry: Entry
    said: str
    pull: int | None
    sha256: str


def lines(history: History) -> tuple[Line, ...]:
    """Return all entries, the newest first."""
    return tuple(_line(entry) for entry in reversed(history.entries))


def _line(entry: Entry) -> Line:
    pull = entry.pull_request if isinstance(entry, Reviewed | Promoted | Settled) else None
    return Line(entry, entry_said(entry), pull, sha256(line_of(entry).encode()))
