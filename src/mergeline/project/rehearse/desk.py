"""The site's own look at ledger, follower and main, by the Git remote alone."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from mergeline.adapters.git import find_repository
from mergeline.adapters.git_remote import Remote
from mergeline.ledger.history import History
from mergeline.ledger.status import Status
from mergeline.ledger.store import Ledger
from mergeline.project.process import run
from mergeline.release.standing import look


@dataclass
class Desk:
    """A bare repository that nobody else works in.

    Attributes:
        folder: Where it is made.
        address: The remote of the line.
    """

    folder: Path
    address: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ledger: Ledger | None = None

    def history(self) -> History:
        """Return the ledger, verified.

        Raises:
            LedgerInvalid: It cannot be believed.
            ToolError: It cannot be read.
        """
        with self._lock:
            return self._opened().read()

    def standing(self) -> Status:
        """Return what is desired, what is live and what waits.

        Raises:
            LedgerInvalid: The ledger cannot be believed.
            ToolError: The remote cannot be read.
        """
        with self._lock:
            ledger = self._opened()
            return look(Remote(ledger.git, self.address), ledger.read())

    def _opened(self) -> Ledger:
        if self._ledger is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            run(["git", "init", "--quiet", "--bare", "."], self.folder)
            self._ledger = Ledger(find_repository(self.folder), self.address)
        return self._ledger
