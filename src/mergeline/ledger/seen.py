"""What a plan is told of the ledger: the push before this one, and the last entries.

A line of the ledger stays small whatever a pull request calls its gates: of a review at most
`GATES` gates are kept, the worst first, each under at most `NAME` bytes of its name. A longer
name, or one that cannot be seen, ends in a digest of the whole, so that two of them stay two.
"""

from collections.abc import Callable

from mergeline.core.digest import sha256
from mergeline.core.plan import GateSeen, LedgerLine, Push
from mergeline.core.verdict import Judgement
from mergeline.ledger.chain import line_of
from mergeline.ledger.entries import Entry, Reviewed
from mergeline.ledger.history import History

GATES, NAME = 40, 80
_ENTRIES = 20
_DIGEST = 8


def gates_seen(judgement: Judgement) -> dict[str, GateSeen]:
    """Return outcome and value of the gates by the rules in force, by their kept names."""
    worst = sorted(judgement.verdict.gates, key=lambda gate: -gate.outcome)[:GATES]
    return {
        kept_name(gate.name): GateSeen(
            outcome=gate.outcome, value=gate.measured.value if gate.measured else None
        )
        for gate in worst
    }


def kept_name(name: str) -> str:
    """Return the name under which a gate is kept."""
    data = name.encode(errors="replace")
    # What cannot be seen takes six bytes a character in JSON.
    if len(data) <= NAME and name.isprintable():
        return data.decode()
    seen = "".join(sign if sign.isprintable() else "?" for sign in data.decode()).encode()
    start = seen[: NAME - _DIGEST - len("…".encode())].decode(errors="ignore")
    return f"{start}…{sha256(data)[:_DIGEST]}"


def push_before(history: History, pull_request: int, commit: str) -> Push | None:
    """Return the last review of a pull request at another head; None for a first push.

    What a merge queue made of a head is no push.
    """
    found = next(
        (
            entry
            for entry in reversed(history.entries)
            if isinstance(entry, Reviewed)
            and entry.pull_request == pull_request
            and entry.head is None
            and entry.commit != commit
        ),
        None,
    )
    if found is None:
        return None
    return Push(
        commit=found.commit,
        time=found.time,
        inputs=found.inputs,
        model=found.model,
        evidence=found.evidence,
        outcome=found.outcome,
        answer=found.answer,
        gates=found.gates,
    )


def last_lines(history: History, said: Callable[[Entry], str]) -> tuple[LedgerLine, ...]:
    """Return the last entries for people, the newest first.

    Args:
        history: Verified, so that each entry's hash is what the next one holds.
        said: Puts an entry into one sentence.
    """
    entries = history.entries
    hashes = [entry.previous for entry in entries[1:]]
    hashes += [sha256(line_of(entry).encode()) for entry in entries[-1:]]
    newest = [*zip(entries, hashes, strict=True)][: -_ENTRIES - 1 : -1]
    return tuple(
        LedgerLine(
            number=entry.number,
            time=entry.time,
            kind=entry.kind,
            by=entry.by,
            said=said(entry),
            sha256=digest,
        )
        for entry, digest in newest
    )
