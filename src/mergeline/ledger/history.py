"""What the entries come to: desired release, position, what is barred. Pure."""

from dataclasses import dataclass

from mergeline.ledger.entries import (
    Declared,
    Entry,
    Live,
    Promoted,
    Rejected,
    Reviewed,
    RolledBack,
    Settled,
)


@dataclass(frozen=True)
class History:
    """All entries, verified, the oldest first."""

    entries: tuple[Entry, ...] = ()

    def declared(self, environment: str) -> tuple[Declared, ...]:
        """Return what was ever declared for an environment, the oldest first."""
        return tuple(
            entry for entry in self._of(environment) if isinstance(entry, Promoted | RolledBack)
        )

    def desired(self, environment: str) -> Declared | None:
        """Return what is to be live: the last declaration that was not rejected."""
        rejected = {e.of for e in self._of(environment) if isinstance(e, Rejected)}
        standing = (e for e in reversed(self.declared(environment)) if e.number not in rejected)
        return next(standing, None)

    def live(self, environment: str) -> Live | None:
        """Return the last report that a release answers requests."""
        return next((e for e in reversed(self._of(environment)) if isinstance(e, Live)), None)

    def outcome(self, declared: Declared) -> Live | Rejected | None:
        """Return what the follower's report on a declaration came to; None without one."""
        outcomes = (
            entry
            for entry in self._of(declared.environment)
            if isinstance(entry, Live | Rejected) and entry.of == declared.number
        )
        return next(outcomes, None)

    def position(self, environment: str) -> str | None:
        """Return the commit of main that the line has come to; None at the start."""
        settled = (
            entry.position
            for entry in reversed(self._of(environment))
            if isinstance(entry, Live | Settled) and entry.position is not None
        )
        return next(settled, None)

    def barred(self, environment: str) -> frozenset[str]:
        """Return M of each model that was rolled back and not declared again since."""
        models: set[str] = set()
        for entry in self.declared(environment):
            models.discard(entry.release.model)
            if isinstance(entry, RolledBack):
                models.add(entry.bars)
        return frozenset(models)

    def reviewed(self, pull_request: int, commit: str) -> tuple[Reviewed, ...]:
        """Return the reviews of one head of a pull request, the oldest first."""
        return tuple(
            entry
            for entry in self.entries
            if isinstance(entry, Reviewed)
            and (entry.pull_request, entry.commit) == (pull_request, commit)
        )

    def _of(self, environment: str) -> list[Entry]:
        return [e for e in self.entries if getattr(e, "environment", None) == environment]
