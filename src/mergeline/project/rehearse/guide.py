"""What to try next, and why: the steps of a first visit, each known to be done or not."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mergeline.ledger.entries import Live, RolledBack
from mergeline.ledger.history import History
from mergeline.project.story import BETTER_MODEL, BIASED_MODEL, FIRST_MODEL
from mergeline.rehearsal.state import Pull


@dataclass
class Tried:
    """What the visitor did that leaves no trace in the ledger."""

    asked: set[str] = field(default_factory=set)  # versions that answered
    refused: set[int] = field(default_factory=set)  # pull requests whose merge was refused


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        what: To do; `why` it is worth it.
        link: Where.
        done: Whether it was done.
    """

    what: str
    why: str
    link: str
    done: bool


def steps(pulls: Sequence[Pull], history: History, tried: Tried) -> tuple[Step, ...]:
    """Return the steps, in order; the first that is not done is the next one."""
    by_branch = {pull.head_ref: pull for pull in pulls}
    first, biased, better = (
        by_branch.get(one.branch) for one in (FIRST_MODEL, BIASED_MODEL, BETTER_MODEL)
    )
    live = {entry.version for entry in history.entries if isinstance(entry, Live)}
    merged = [pull for pull in (first, better) if pull is not None and pull.merged]
    back = any(isinstance(entry, RolledBack) for entry in history.entries)
    return (
        Step(
            "Read the comment on the first model, approve it as Grace, and merge it.",
            "The comment is all that a reviewer needs; the merge releases the very bytes that "
            "it speaks of.",
            _at(first),
            first in merged,
        ),
        Step(
            "See it go live, and ask the model server for a prediction.",
            "The server follows the ledger: it fetches the release, checks every byte and "
            "switches.",
            "/predict" if live else _at(first),
            bool(live and tried.asked),
        ),
        Step(
            "Try to merge the biased model.",
            "Its AUC is higher, and women and men are treated differently: a gate fails, and no "
            "approval changes that.",
            _at(biased),
            bool(biased and biased.number in tried.refused),
        ),
        Step(
            "Approve and merge the better model.",
            "Version 2 takes over without a lost request, while version 1 waits behind it.",
            _at(better),
            better in merged,
        ),
        Step(
            "Roll back, and say why.",
            "The release before is declared again, without training; what it replaces is barred.",
            "/rollback",
            back,
        ),
        Step(
            "Read the ledger.",
            "Who did what, when and why; each entry holds the hash of the one before.",
            "/ledger",
            back and len(merged) > 1,
        ),
    )


def _at(pull: Pull | None) -> str:
    return f"/pulls/{pull.number}" if pull is not None else "/"
