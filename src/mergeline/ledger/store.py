"""The ledger on its branch: read and verified, appended to by compare-and-swap."""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.core.digest import sha256
from mergeline.errors import LedgerInvalid, RemoteRefused, ToolError
from mergeline.ledger.chain import last_hash, line_of, read_lines
from mergeline.ledger.entries import Entry, Promoted, Reviewed, RolledBack, Settled
from mergeline.ledger.history import History

FILE = "ledger.jsonl"
BRANCH = "mergeline/ledger"
_ATTEMPTS, _FAULTS, _READS = 25, 3, 3
_LONGEST_WAIT = 2.0  # seconds


@dataclass(frozen=True)
class _State:
    """What one read found: the branch's commit (None without a branch), its file, parsed."""

    tip: str | None = None
    data: bytes = b""
    history: History = field(default_factory=History)


@dataclass
class Ledger:
    """The ledger of one remote.

    Attributes:
        git: A clone, with a working tree or bare, whole or shallow; only objects and one
            private ref are written into it.
        remote: Its name in that clone, or its address.
        branch: Where the ledger lies there.
    """

    git: Git
    remote: str = "origin"
    branch: str = BRANCH
    _state: _State = field(default_factory=_State, init=False, repr=False, compare=False)

    def read(self) -> History:
        """Fetch, verify and return all entries; none when the branch does not exist.

        Raises:
            LedgerInvalid: A line cannot be believed, or the branch was rewritten since
                this clone saw it last.
            ToolError: The remote cannot be read.
        """
        self._state = self._read()
        return self._state.history

    def append(self, make: Callable[[History], Entry | None]) -> History:
        """Append one entry that rests on all entries before it.

        Args:
            make: Gets the history as it is now and returns the entry to append, whose
                number and hash are filled in here; None for nothing to append. Called
                again whenever somebody else appended first.

        Returns:
            The history, with the new entry.

        Raises:
            LedgerInvalid: As `read`.
            RemoteRefused: The remote does not let us append; nothing was.
            ToolError: The remote cannot be reached, or others were quicker at every
                attempt. The entry may be there or not: make must look when run again.
        """
        tried: list[str] = []
        faults: list[str] = []
        for attempt in range(_ATTEMPTS):
            _wait(attempt)
            state = self._state = self._read_patiently()
            # After a broken connection, and after a lost race too: a push that we gave
            # up on may have arrived later, with others' entries on top of it by now.
            if state.tip and any(self._holds(state.tip, commit) for commit in tried):
                return state.history
            if len(faults) == _FAULTS:
                break
            entry = make(state.history)
            if entry is None:
                return state.history
            commit, new = self._next(state, entry)
            tried.append(commit)
            try:
                won = self._remote.push(self.branch, commit, state.tip)
            except RemoteRefused:
                raise
            except ToolError as error:
                faults.append(error.message)
                won = False
            if won:
                self._remote.remember(self._memory, commit)
                self._state = new
                return new.history
        raise ToolError(
            f"nothing was appended to the ledger in {len(tried)} attempts: "
            f"{faults[-1] if faults else 'others were quicker every time'}",
            hint="run it again: an entry that did arrive is found there",
        )

    @property
    def _remote(self) -> Remote:
        return Remote(self.git, self.remote)

    @property
    def _memory(self) -> str:
        """Return the private ref that holds the last verified commit of this ledger."""
        where = f"{self._remote.address()} {self.branch}"
        return f"refs/mergeline/ledger/{sha256(where.encode())[:12]}"

    def _holds(self, tip: str, commit: str) -> bool:
        return self.git.is_ancestor(commit, tip)

    def _read_patiently(self) -> _State:
        for attempt in range(_READS - 1):
            try:
                return self._read()
            except (LedgerInvalid, RemoteRefused):
                raise
            except ToolError:
                _wait(attempt + 1)
        return self._read()

    def _read(self) -> _State:
        # Before the remote is asked: afterwards, another process of this clone may have
        # seen a later commit than the one that we were told of.
        seen = self._remote.remembered(self._memory)
        tip = self._remote.fetched(self.branch, known=seen)
        self._require_grown(seen, tip)
        if tip is None:
            return _State()
        if tip == self._state.tip:
            return self._state
        data = self.git.read(tip, FILE)
        if data is None:
            message = f"the commit {tip[:12]} on {self.branch} of {self._remote} holds no {FILE}"
            raise LedgerInvalid(message, hint=f"see `git log {tip}`; push its last good commit")
        state = _State(tip, data, read_lines(data))
        self._remote.remember(self._memory, tip)
        return state

    def _require_grown(self, seen: str | None, tip: str | None) -> None:
        if seen is None or (tip is not None and self.git.is_ancestor(seen, tip)):
            return
        now = "is gone" if tip is None else f"is at {tip}, which does not come after it"
        raise LedgerInvalid(
            f"the ledger was rewritten: this clone saw {self.branch} of {self._remote} "
            f"at {seen}, now it {now}",
            hint=f"find out who did it and push {seen[:12]} again; where it was meant, "
            f"forget the old one here: `git update-ref -d {self._memory}`",
        )

    def _next(self, state: _State, entry: Entry) -> tuple[str, _State]:
        """Return the commit that appends an entry, and what a reader of it finds."""
        place = {"number": len(state.history.entries) + 1, "previous": last_hash(state.data)}
        placed = entry.model_copy(update=place)
        data = state.data + line_of(placed).encode() + b"\n"
        commit = self._remote.commit_files({FILE: data}, state.tip, _message(placed))
        history = History((*state.history.entries, placed))
        return commit, _State(commit, data, history)


def _wait(attempt: int) -> None:
    """Wait longer the more often it was tried, at random so that rivals come apart."""
    if attempt:
        time.sleep(random.uniform(0, min(_LONGEST_WAIT, 0.05 * 2**attempt)))  # noqa: S311


def _message(entry: Entry) -> str:
    match entry:
        case Reviewed():
            about = f"{entry.outcome.name} (#{entry.pull_request})"
        case Promoted():
            about = f"version {entry.release.version} (#{entry.pull_request})"
        case RolledBack():
            about = f"version {entry.release.version} replaces {entry.replaces}"
        case Settled():
            about = f"{entry.answer} (#{entry.pull_request})"
        case _:
            about = f"version {entry.version}"
    subject = " ".join(f"{entry.kind}: {entry.project} {about}".split())
    # The last line makes the commit one of its own: two appenders of equal entries in
    # the same second would make the same commit, and both would take it for theirs.
    return f"{subject}\n\nEntry: {entry.number}\nAppend-Id: {uuid.uuid4().hex}\n"
