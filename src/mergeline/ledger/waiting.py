"""What main holds beyond the line's position, and why it waits, as far as ledger and Git know."""

import re
from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.core.base import Frozen
from mergeline.ledger.entries import (
    CommitId,
    Live,
    Number,
    Promoted,
    Rejected,
    Reviewed,
    RolledBack,
)
from mergeline.ledger.history import History
from mergeline.ledger.reinstated import is_reinstated

# How GitHub ends the first line of a squashed commit, and begins that of a merge.
_NAMED = re.compile(r"^Merge pull request #(\d{1,9}) |\(#(\d{1,9})\)$")
_UNREVIEWED = (
    "the ledger holds no review of it: it came past review, or its comment job did not run"
)


class Waiting(Frozen):
    """A commit of main that the line has not come to.

    Attributes:
        subject: The first line of its message, as somebody wrote it: untrusted.
        pull_request: By the ledger's review of it; None where the ledger knows none.
        why: Why it waits.
    """

    commit: CommitId
    subject: str
    pull_request: Number | None
    why: str


@dataclass(frozen=True)
class Line:
    """One environment of a history, and main.

    Attributes:
        main: Its tip, whose policy says what is reinstated.
    """

    git: Git
    history: History
    environment: str
    main: str

    def waiting(self, commits: tuple[str, ...]) -> tuple[Waiting, ...]:
        """Say of each commit of main why it waits.

        Raises:
            ToolError: The clone does not hold it.
        """
        return tuple(self._waiting(commit) for commit in commits)

    def _waiting(self, commit: str) -> Waiting:
        subject = self.git.subject(commit)
        review = self._review(commit, subject)
        declared = self._declared(commit)
        if declared is not None:
            why, number = self._of_declared(declared), declared.pull_request
        elif review is not None:
            why, number = self._of_review(review), review.pull_request
        else:
            why, number = _UNREVIEWED, None
        return Waiting(commit=commit, subject=subject, pull_request=number, why=why)

    def _declared(self, commit: str) -> Promoted | None:
        found = (e for e in reversed(self.history.declared(self.environment)))
        return next((e for e in found if isinstance(e, Promoted) and e.position == commit), None)

    def _of_declared(self, declared: Promoted) -> str:
        what = f"declared as version {declared.release.version} (entry {declared.number})"
        outcome = self.history.outcome(declared)
        if isinstance(outcome, Rejected):
            return f"{what} and rejected by the follower: {outcome.reason}"
        if isinstance(outcome, Live):
            return f"{what} and live; the line went back behind it"
        desired = self.history.desired(self.environment)
        if desired is not None and desired.number != declared.number:
            return f"{what}, then overtaken by entry {desired.number}; never confirmed"
        return f"{what}, not confirmed: the follower has not said that it is live"

    def _review(self, commit: str, subject: str) -> Reviewed | None:
        """Return the last review of what this commit brought to main.

        A merge commit names the reviewed head as a parent; a squashed or rebased one has
        its tree, unless main had moved. Then its subject may still say the number.
        """
        reviews = [entry for entry in reversed(self.history.entries) if isinstance(entry, Reviewed)]
        heads = {commit, *self.git.parents(commit)[1:]}
        tree = self.git.tree(commit)
        named = _NAMED.search(subject)
        number = int(named[1] or named[2]) if named else 0
        return (
            next((review for review in reviews if review.commit in heads), None)
            or next((review for review in reviews if review.tree == tree), None)
            or next((review for review in reviews if review.pull_request == number), None)
        )

    def _of_review(self, review: Reviewed) -> str:
        if review.outcome.blocks:
            return f"its gates {review.outcome.name} ({_entry(review)})"
        if review.answer in {"POLICY_FAILED", "POLICY_WEAKENED", "NOT_PROMOTABLE"}:
            return f"its review came to {review.answer} ({_entry(review)})"
        bar = self.history.bars(self.environment).get(review.model)
        if bar is not None and not is_reinstated(self.git, bar.bars, bar.main, self.main):
            return f"its model is barred: {of_rollback(bar)}"
        passed = f"{review.outcome.name} ({_entry(review)})"
        if review.answer == "POLICY_ONLY":
            return f"changes policy only, {passed}; its promote job has not settled it"
        return f"reviewed, {passed}; its promote job has not declared it: see what that says"


def of_rollback(entry: RolledBack) -> str:
    """Say what a rollback did, and why."""
    return (
        f"rolled back from version {entry.replaces} to {entry.release.version} at {entry.time} "
        f"by {entry.by} (entry {entry.number}): {entry.reason}"
    )


def _entry(review: Reviewed) -> str:
    return f"entry {review.number}"
