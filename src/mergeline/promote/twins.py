"""Merged pull requests with one head: which of them was meant.

Anybody can open another pull request with a head that is there already, and GitHub calls it
merged too. That must not block the line.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull
from mergeline.approval.ask import ask_approvals
from mergeline.approval.facts import commented_last
from mergeline.core.forks import same_repository
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.history import History

# The first line of the merge commits that GitHub makes; a branch's name holds no space.
_MERGED = (re.compile(r".* \(#(\d+)\)"), re.compile(r"Merge pull request #(\d+) from \S+"))


@dataclass(frozen=True)
class Twins:
    """Tells merged pull requests with one head apart.

    Attributes:
        history: The ledger, which says what was reviewed.
    """

    git: Git
    github: GitHub
    history: History

    def meant(self, commit: str, pulls: Sequence[Pull]) -> tuple[Pull, ...]:
        """Return the one that a commit of main comes from; several where nothing tells.

        Only what was reviewed can be meant, where anything was. Of these, the one that GitHub's
        own merge commit names; then the one whose approvals count; then the one from a
        branch of this repository. The approvals of the one that is found are asked for later, as
        always.

        Args:
            commit: Of main.
            pulls: That brought it, all of them merged.

        Raises:
            GitHubError: GitHub cannot be asked.
        """
        known = tuple(one for one in pulls if self._reviews(one)) or tuple(pulls)
        if len(known) == 1:
            return known
        return next((found for found in self._told(commit, known) if len(found) == 1), known)

    def _told(self, commit: str, known: Sequence[Pull]) -> Iterator[tuple[Pull, ...]]:
        """Return what each thing that could tell says: the cheap ones first."""
        number = self._named(commit, known[0].head_sha)
        yield tuple(one for one in known if one.number == number)
        yield self._approved(known)
        here = self.github.repository
        yield tuple(one for one in known if same_repository(one.head_repository, here))

    def _named(self, commit: str, head: str) -> int | None:
        """Return the number that a merge commit states; a head's message is its author's."""
        if commit == head or len(self.git.parents(commit)) == 1:
            return None
        subject = self.git.subject(commit)
        found = next((one for form in _MERGED if (one := form.fullmatch(subject))), None)
        return int(found[1]) if found else None

    def _approved(self, known: Sequence[Pull]) -> tuple[Pull, ...]:
        """Return those that have the most approvals that count; none where nobody approved."""
        ranks = [self._rank(pull) for pull in known]
        best = max(ranks)
        if best == (False, 0):
            return ()
        return tuple(pull for pull, rank in zip(known, ranks, strict=True) if rank == best)

    def _rank(self, pull: Pull) -> tuple[bool, int]:
        # One, whatever the policy says: this is to tell them apart, not to let one through.
        found = ask_approvals(self.github, pull, 1, commented_last(self._reviews(pull)))
        return found.refusal is None, len(found.approvers)

    def _reviews(self, pull: Pull) -> tuple[Reviewed, ...]:
        return self.history.reviewed(pull.number, pull.head_sha)
