"""What the follower does next, decided from what is desired and what there is. Pure."""

from dataclasses import dataclass
from enum import Enum, auto

from mergeline.ledger.entries import Release

# A release that ended the whole server this often while it was tried is not tried again.
MOST_ATTEMPTS = 3


class Step(Enum):
    """One step towards the desired release; after each one everything is looked at anew."""

    KEEP = auto()
    REVIVE = auto()
    FETCH = auto()
    TRY = auto()
    ADOPT = auto()
    WATCH = auto()
    UNDO = auto()
    SETTLE = auto()
    REJECT = auto()


@dataclass(frozen=True)
class Wanted:
    """What the ledger asks for.

    Attributes:
        entry: The number of the entry that declares it.
        rejected: This follower rejected that entry before.
        attempts: How often it was begun to be tried, and not ended.
        on_disk: Its folder is there.
        may_begin: The pause after a failed attempt to fetch or start it is over.
    """

    entry: int
    release: Release
    rejected: bool = False
    attempts: int = 0
    on_disk: bool = False
    may_begin: bool = True


@dataclass(frozen=True)
class Served:
    """What answers requests and passed its watch: the entry that declared it."""

    entry: int
    release: Release


@dataclass(frozen=True)
class Trial:
    """A new release that answers requests and is watched.

    Attributes:
        failed: It ended, or failed a request.
        over: It was watched for long enough.
    """

    entry: int
    failed: bool = False
    over: bool = False


@dataclass(frozen=True)
class View:
    """All that decides the next step.

    Attributes:
        wanted: By the ledger as last read; None when nothing is declared, or it never was read.
        served: None when nothing is.
        may_revive: Nothing alive answers, and a release on disk may be started.
    """

    wanted: Wanted | None = None
    served: Served | None = None
    trial: Trial | None = None
    may_revive: bool = False


def decide(view: View) -> Step:
    """Return the next step."""
    if view.trial is not None:
        return _of_trial(view.trial, view.wanted)
    if view.may_revive:
        return Step.REVIVE
    wanted, served = view.wanted, view.served
    if wanted is None or wanted.rejected or (served and served.entry == wanted.entry):
        return Step.KEEP
    if served and same_bytes(served.release, wanted.release):
        return Step.ADOPT
    if wanted.attempts >= MOST_ATTEMPTS:
        return Step.REJECT
    if not wanted.may_begin:
        return Step.KEEP
    return Step.TRY if wanted.on_disk else Step.FETCH


def _of_trial(trial: Trial, wanted: Wanted | None) -> Step:
    if trial.failed:
        return Step.REJECT
    if wanted is None or wanted.entry != trial.entry:
        return Step.UNDO
    return Step.SETTLE if trial.over else Step.WATCH


def same_bytes(one: Release, other: Release) -> bool:
    """Return whether two releases are the same version with the same files."""
    return _bytes(one) == _bytes(other)


def _bytes(release: Release) -> tuple[object, ...]:
    return (
        release.project,
        release.version,
        release.key,
        release.model,
        release.evidence,
        release.trusted,
    )
