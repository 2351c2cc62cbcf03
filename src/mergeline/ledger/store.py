"""The ledger on its branch: read and verified, appended to by compare-and-swap."""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.core.digest import sha256
from mergeline.errors import LedgerInvalid, MergelineError, RemoteRefused, ToolError
from mergeline.ledger.chain import last_hash, line_of, read_lines
from mergeline.ledger.entries import Entry, Promoted, Reviewed, RolledBack, Settled
from mergeline.ledger.history import History

FILE = "ledger.jsonl"
BRANCH = "mergeline/ledger"
_ATTEMPTS, _IN_VAIN, _READS = 100, 4, 3
_LONGEST_WAIT = 0.5  # seconds


@dataclass(frozen=True)
class _State:
    """What one read found: the branch's commit (empty without one), its file, its entries."""

    tip: str = ""
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

    @property
    def tip(self) -> str | None:
        """The branch's commit as last read or appended; None without one."""
        return self._state.tip or None

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
        attempts = _Attempts()
        while True:
            state = self._state = self._read_patiently()
            if attempts.arrived(self.git, state.tip):
                return state.history
            attempts.require_hope(state.tip)
            entry = make(state.history)
            if entry is None:
                return state.history
            new = self._next(state, entry)
            if self._pushed(new.tip, state.tip, attempts):
                self._remember(new.tip)
                self._state = new
                return new.history
            _wait(attempts.count)

    def _pushed(self, commit: str, tip: str, attempts: "_Attempts") -> bool:
        try:
            return self._remote.push(self.branch, commit, tip or None)
        except RemoteRefused:
            raise
        except ToolError as error:
            attempts.unclear.append(commit)
            attempts.problem = error.message
            return False

    @property
    def _remote(self) -> Remote:
        return Remote(self.git, self.remote)

    @cached_property
    def _memory(self) -> str:
        """Return the private ref that holds the last verified commit of this ledger."""
        where = f"{self._remote.address()} {self.branch}"
        return f"refs/mergeline/ledger/{sha256(where.encode())[:12]}"

    def _read_patiently(self) -> _State:
        for attempt in range(1, _READS):
            try:
                return self._read()
            except (LedgerInvalid, RemoteRefused):
                raise
            except ToolError:
                _wait(attempt)
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
        data = self._data(tip)
        if seen not in (None, tip) and not data.startswith(self._data(seen)):
            raise self._rewritten(seen, f"is at {tip}, which does not begin with the same lines")
        state = _State(tip, data, read_lines(data))
        self._require_one_line_a_commit(state)
        if seen != tip:
            self._remember(tip)
        return state

    def _remember(self, tip: str) -> None:
        self._remote.remember(self._memory, tip)
        self._remote.tidy()

    def _data(self, tip: str) -> bytes:
        if tip == self._state.tip:
            return self._state.data
        data = self.git.read(tip, FILE)
        if not data:
            message = f"the commit {tip[:12]} on {self.branch} of {self._remote} holds no {FILE}"
            hint = f"see `git log {tip}`, then push its last good commit"
            raise LedgerInvalid(f"{message}, or an empty one", hint=hint)
        return data

    def _require_one_line_a_commit(self, state: _State) -> None:
        """Hold the file against the commits: a commit may not take lines away."""
        commits, lines = self.git.count(state.tip), len(state.history.entries)
        if commits is not None and commits != lines:
            raise LedgerInvalid(
                f"the ledger was rewritten: {self.branch} of {self._remote} has {commits} commits "
                f"up to {state.tip[:12]}, but {lines} lines; each commit appends one",
                hint=f"see `git log -p {state.tip}`, then push its last good commit",
            )

    def _require_grown(self, seen: str | None, tip: str | None) -> None:
        if seen is not None and tip is None:
            raise self._rewritten(seen, "is gone")
        if seen in (None, tip) or tip is None:
            return
        if not self.git.is_ancestor(seen, tip):
            raise self._rewritten(seen, f"is at {tip}, which does not come after it")

    def _rewritten(self, seen: str, now: str) -> LedgerInvalid:
        return LedgerInvalid(
            f"the ledger was rewritten: this clone saw {self.branch} of {self._remote} "
            f"at {seen}, now it {now}",
            hint=f"find out who did it, and push {seen[:12]} again; where it was meant, "
            f"forget the old one here: `git update-ref -d {self._memory}`",
        )

    def _next(self, state: _State, entry: Entry) -> _State:
        """Commit the next state, here only."""
        objection = state.history.objection(entry)
        if objection:
            raise MergelineError(
                f"{entry.kind!r} cannot be appended to the ledger: {objection}",
                hint="this is a mistake in Mergeline: please report it",
            )
        place = {"number": len(state.history.entries) + 1, "previous": last_hash(state.data)}
        placed = entry.model_copy(update=place)
        data = state.data + line_of(placed).encode() + b"\n"
        tip = self._remote.commit_files({FILE: data}, state.tip or None, _message(placed))
        return _State(tip, data, History((*state.history.entries, placed)))


@dataclass
class _Attempts:
    """How often it was tried to append one entry.

    Attributes:
        unclear: Commits whose push broke: each may have arrived, or arrive later.
        problem: What happened last.
    """

    unclear: list[str] = field(default_factory=list)
    problem: str = "others were quicker every time"
    count: int = 0
    _tip: str | None = None
    _in_vain: int = 0

    def arrived(self, git: Git, tip: str) -> bool:
        """Return whether one of them is there after all, perhaps with others' on top."""
        return bool(tip) and any(git.is_ancestor(commit, tip) for commit in self.unclear)

    def require_hope(self, tip: str) -> None:
        """Count one more attempt.

        Raises:
            ToolError: It was tried often enough, or nothing moves.
        """
        self._in_vain = self._in_vain + 1 if tip == self._tip else 0
        self._tip = tip
        if self._in_vain == _IN_VAIN or self.count == _ATTEMPTS:
            raise ToolError(
                f"nothing was appended to the ledger in {self.count} attempts: {self.problem}",
                hint="run it again: an entry that arrives late is found then",
            )
        self.count += 1


def _wait(attempt: int) -> None:
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
