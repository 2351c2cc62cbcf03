"""What the entries come to: desired release, position, what is barred. Pure."""

from collections.abc import Callable, Collection
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
        return tuple(e for e in self.of(environment) if isinstance(e, Promoted | RolledBack))

    def desired(self, environment: str) -> Declared | None:
        """Return what is to be live: the last declaration that was not rejected."""
        return next(reversed(self._standing(environment)), None)

    def live(self, environment: str) -> Live | None:
        """Return the last report that a release answers requests, unless it was taken back."""
        rejected = self._rejected(environment)
        reports = (e for e in reversed(self.of(environment)) if isinstance(e, Live))
        return next((live for live in reports if live.of not in rejected), None)

    def outcome(self, declared: Declared) -> Live | Rejected | None:
        """Return what the follower's last word on a declaration was; None without one."""
        outcomes = (
            entry
            for entry in reversed(self.of(declared.environment))
            if isinstance(entry, Live | Rejected) and entry.of == declared.number
        )
        return next(outcomes, None)

    def position(self, environment: str) -> str | None:
        """Return the commit of main that the line has come to; None at the start.

        That of the last merge, in the order of their declarations, that went live or left
        what is live as it was. Neither a rollback nor a late report moves the line back.
        """
        live = frozenset(e.of for e in self.of(environment) if isinstance(e, Live))
        return self._last_merge(environment, lambda number: number in live)

    def reached(self, environment: str) -> str | None:
        """Return the commit of main that the last merge was declared or settled for.

        At the position or ahead of it: a declaration that waits for the follower's word
        counts here, a rejected one does not. What is lower than this is SUPERSEDED.
        """
        rejected = self._rejected(environment)
        return self._last_merge(environment, lambda number: number not in rejected)

    def bars(self, environment: str) -> dict[str, RolledBack]:
        """Return by M the rollback that bars it.

        A bar falls when the model is declared again and not rejected. It holds through a
        rollback that was rejected, but not for the release that is therefore desired again.
        """
        rejected = self._rejected(environment)
        bars: dict[str, RolledBack] = {}
        for entry in self.declared(environment):
            if entry.number not in rejected:
                bars.pop(entry.release.model, None)
            if isinstance(entry, RolledBack):
                bars[entry.bars] = entry
        desired = self.desired(environment)
        if desired is not None:
            bars.pop(desired.release.model, None)
        return bars

    def barred(self, environment: str) -> frozenset[str]:
        """Return M of each model that may not be promoted unless it is reinstated by name."""
        return frozenset(self.bars(environment))

    def rollback_target(self, environment: str) -> Declared | None:
        """Return the declaration whose release a rollback without a version returns to.

        The last one that was live, of a model that is neither desired nor barred.
        """
        desired, live = self.desired(environment), self.live(environment)
        if desired is None or live is None:
            return None
        return self.last_live(environment, self.barred(environment) | {desired.release.model})

    def last_live(self, environment: str, without: Collection[str]) -> Declared | None:
        """Return the last declaration that was live, of a model (M) that is not one of these."""
        earlier = (
            entry
            for entry in reversed(self.declared(environment))
            if isinstance(self.outcome(entry), Live) and entry.release.model not in without
        )
        return next(earlier, None)

    def live_already(self, environment: str, key: str) -> str:
        """Say that the release of a key (K) is desired and went live; empty where it did not.

        One that was declared only may have been interrupted: whoever promotes it goes on.
        """
        desired = self.desired(environment)
        if desired is None or desired.release.key != key:
            return ""
        if not isinstance(self.outcome(desired), Live):
            return ""
        version = desired.release.version
        return f"Version {version} with the same inputs and model is live already."

    def reviewed(self, pull_request: int, commit: str) -> tuple[Reviewed, ...]:
        """Return the reviews of one head of a pull request, the oldest first."""
        return tuple(
            entry
            for entry in self.entries
            if isinstance(entry, Reviewed)
            and (entry.pull_request, entry.commit) == (pull_request, commit)
        )

    def judged_on(self, held_out: str) -> frozenset[int]:
        """Return the pull requests that were judged on these held-out rows.

        Args:
            held_out: The digest of the rows' keys.
        """
        reviews = (entry for entry in self.entries if isinstance(entry, Reviewed))
        return frozenset(e.pull_request for e in reviews if e.held_out == held_out)

    def objection(self, entry: Entry) -> str:
        """Return why an entry cannot follow these; empty when it can."""
        if not isinstance(entry, Live | Rejected):
            return ""
        declared = next((e for e in self.declared(entry.environment) if e.number == entry.of), None)
        if declared is None:
            return f"entry {entry.of} declares nothing for {entry.environment!r}"
        if (declared.release.version, declared.release.model) != (entry.version, entry.model):
            return f"entry {entry.of} declares another release than version {entry.version}"
        if isinstance(entry, Live) and entry.of in self._rejected(entry.environment):
            return f"entry {entry.of} was rejected"
        return ""

    def of(self, environment: str) -> tuple[Entry, ...]:
        """Return the entries of an environment; a review belongs to none."""
        return tuple(e for e in self.entries if getattr(e, "environment", None) == environment)

    def environments(self) -> tuple[str, ...]:
        """Return the names of all environments, sorted."""
        return tuple(sorted({e.environment for e in self.entries if not isinstance(e, Reviewed)}))

    def _last_merge(self, environment: str, counts: Callable[[int], bool]) -> str | None:
        """Return the position of the last settled merge or of the last promotion that counts."""
        merges = (
            entry.position
            for entry in reversed(self.of(environment))
            if isinstance(entry, Settled) or (isinstance(entry, Promoted) and counts(entry.number))
        )
        return next(merges, None)

    def _rejected(self, environment: str) -> frozenset[int]:
        return frozenset(e.of for e in self.of(environment) if isinstance(e, Rejected))

    def _standing(self, environment: str) -> tuple[Declared, ...]:
        rejected = self._rejected(environment)
        return tuple(e for e in self.declared(environment) if e.number not in rejected)
