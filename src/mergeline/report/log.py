"""The entries of the ledger as text, one line each."""

from collections.abc import Iterable

from mergeline.ledger.entries import (
    Entry,
    Live,
    Promoted,
    Rejected,
    Reviewed,
    RolledBack,
    Settled,
)
from mergeline.report.markdown import NAME, SENTENCE, plain

_WIDEST = 24  # of a column; a longer value only shifts what follows it


def render_log(entries: Iterable[Entry]) -> str:
    """Return one line an entry: when, number, what, where, version, who, digest, reason."""
    rows = [_row(entry) for entry in entries]
    widths = [
        min(_WIDEST, max(map(len, column)))
        for column in zip(*(row[:-1] for row in rows), strict=True)
    ]
    return "\n".join(
        "  ".join(
            [*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]
        ).rstrip()
        for row in rows
    )


def entry_said(entry: Entry) -> str:
    """Return what an entry says, in one sentence of visible characters; names as they are."""
    where, version, request, digest, why = _about(entry)
    of = f" of pull request {request}" if request else ""
    release = f"version {version}" if version else f"model {digest[:12]}" if digest else "a merge"
    place = f" in {where}" if where else ""
    said = f"{_DID[entry.kind]} {release}{of}{place}: {why.rstrip('.')}."
    return plain(said, SENTENCE)


_DID = {
    "reviewed": "Reviewed",
    "promoted": "Promoted",
    "rolled_back": "Rolled back to",
    "live": "Live is",
    "rejected": "The server rejected",
    "settled": "Settled",
}


def _row(entry: Entry) -> tuple[str, ...]:
    where, version, request, digest, why = _about(entry)
    cells = (
        entry.time,
        str(entry.number),
        entry.kind,
        where,
        f"version {version}" if version else "",
        f"#{request}" if request else "",
        digest[:12],
        f"by {entry.by}",
    )
    return (*(plain(cell, NAME) for cell in cells), plain(why, SENTENCE))


def _about(entry: Entry) -> tuple[str, str, int | None, str, str]:
    """Return environment, version, pull request, M, and what else there is to say."""
    match entry:
        case Reviewed():
            return "", "", entry.pull_request, entry.model, f"{entry.outcome.name}, {entry.answer}"
        case Promoted(release=release):
            said = f"{entry.outcome.name}, {entry.source}, by {entry.author}, {_approved(entry)}"
            waived = f", waived {'; '.join(entry.waivers)}" if entry.waivers else ""
            request = entry.pull_request
            return entry.environment, release.version, request, release.model, said + waived
        case RolledBack(release=release):
            said = f"replaces version {entry.replaces}, bars {entry.bars[:12]}: {entry.reason}"
            return entry.environment, release.version, release.pull_request, release.model, said
        case Live():
            said = f"entry {entry.of}, since {entry.since}"
            return entry.environment, entry.version, None, entry.model, said
        case Rejected():
            said = f"entry {entry.of}: {entry.reason}"
            return entry.environment, entry.version, None, entry.model, said
        case Settled():
            said = f"{entry.answer} at {entry.position[:12]}, {_approved(entry)}"
            return entry.environment, "", entry.pull_request, "", said


def _approved(entry: Promoted | Settled) -> str:
    approved = f"approved by {', '.join(entry.approvers) or 'nobody'}"
    accepted = "; ".join(f"{a.commit[:12]} ({a.owner}: {a.reason})" for a in entry.accepted)
    return f"{approved}, accepted {accepted}" if accepted else approved
