"""A process of its own that appends: `appender.py CLONE NAME COUNT`. Prints what it did."""

import sys
from pathlib import Path

from ledger.made import settled
from mergeline.adapters.git import Git
from mergeline.ledger.entries import Settled
from mergeline.ledger.history import History
from mergeline.ledger.store import Ledger


def main(clone: str, name: str, count: int) -> None:
    """Append entries that are by `name`, each once, also where this is the second run."""
    ledger = Ledger(Git(Path(clone)))
    for number in range(1, count + 1):
        entry = settled(f"{number:040x}", pull_request=number).model_copy(update={"by": name})
        ledger.append(lambda history, entry=entry: _unless_there(history, entry))
        print(number, flush=True)  # noqa: T201


def _unless_there(history: History, entry: Settled) -> Settled | None:
    mine = {e.pull_request for e in history.entries if isinstance(e, Settled) and e.by == entry.by}
    return None if entry.pull_request in mine else entry


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
