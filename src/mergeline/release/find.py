"""A version's number to its release, as the ledger declares it."""

from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.errors import UsageError
from mergeline.ledger.entries import Declared, Promoted, Release, Reviewed
from mergeline.ledger.history import History


@dataclass(frozen=True)
class Declaration:
    """A release and where the ledger speaks of it.

    Attributes:
        declared: The last entry that declared it to be live.
        promoted: The entry that promoted it; None where there is none.
        reviewed: The review that the promotion rests on; None where there is none.
        measured: The reviews of the registered evidence before it was promoted: of an earlier
            promotion too, where that registered the version.
        promotions: All promotions of the version, the oldest first.
    """

    declared: Declared
    promoted: Promoted | None
    reviewed: Reviewed | None
    measured: tuple[Reviewed, ...]
    promotions: tuple[Promoted, ...]

    @property
    def release(self) -> Release:
        """The bytes that were declared."""
        return self.declared.release


def find_release(history: History, environment: str, version: str | None) -> Declaration:
    """Return the declaration of a version, by default of the desired release.

    Raises:
        UsageError: No such version was ever declared for this environment.
    """
    declared = history.declared(environment)
    wanted = history.desired(environment) if version is None else None
    found = [entry for entry in declared if entry.release.version == version]
    last = wanted or (found[-1] if found else None)
    if last is None:
        known = ", ".join(dict.fromkeys(entry.release.version for entry in declared)) or "none"
        what = "any version" if version is None else f"version {version[:40]!r}"
        raise UsageError(
            f"the ledger never declared {what} for {environment}; it knows: {known}",
            hint="see `mergeline log` for versions and environments",
        )
    # A rollback declares the very release of an earlier promotion.
    promotions = [entry for entry in declared if isinstance(entry, Promoted)]
    promoted = next((one for one in reversed(promotions) if one.release == last.release), None)
    return Declaration(
        declared=last,
        promoted=promoted,
        reviewed=_review(history, promoted) if promoted else None,
        measured=_measured(history, promoted or last),
        promotions=tuple(one for one in promotions if one.release.version == last.release.version),
    )


def _review(history: History, promoted: Promoted) -> Reviewed | None:
    entries = (entry for entry in history.entries if isinstance(entry, Reviewed))
    return next((entry for entry in entries if entry.number == promoted.reviewed), None)


def _measured(history: History, declared: Declared) -> tuple[Reviewed, ...]:
    wanted = (declared.release.key, declared.release.evidence)
    return tuple(
        entry
        for entry in history.entries
        if isinstance(entry, Reviewed)
        and (entry.key, entry.evidence) == wanted
        and entry.number < declared.number
    )


def require_commit(git: Git, remote: Remote, commit: str) -> None:
    """See that a release's commit is in this clone, and fetch it where it is not.

    Raises:
        ToolError: The remote does not give it.
    """
    if not git.has(commit):
        remote.fetch(commit)
