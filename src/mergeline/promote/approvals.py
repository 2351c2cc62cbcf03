"""Step 2, approvals: who approved what was merged, as GitHub tells it; fail closed."""

from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.approval.ask import ask_approvals
from mergeline.approval.facts import approvals_needed, commented_last
from mergeline.core.answers import Answer
from mergeline.core.policy import Accept
from mergeline.ledger.history import History
from mergeline.promote.attribute import Merge, how_to_accept
from mergeline.promote.identify import Identified


@dataclass(frozen=True)
class Approved:
    """What approvals come to.

    Attributes:
        approvers: Of the pull request that is to be promoted.
        accepted: Commits since the position that stand because they are named.
    """

    approvers: tuple[str, ...]
    accepted: tuple[Accept, ...] = ()


def approvals(
    git: Git, github: GitHub, identified: Identified, history: History
) -> Approved | Answer:
    """Ask for the approvals of every pull request since the position.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    approvers: dict[int, tuple[str, ...]] = {}
    lacking: list[tuple[Merge, Answer]] = []
    for merge in identified.merges:
        needed = _needed(git, merge, identified)
        since = commented_last(history.reviewed(merge.pull.number, merge.pull.head_sha))
        found = ask_approvals(github, merge.pull, needed, since)
        if found.refusal is None:
            approvers[merge.pull.number] = found.approvers
        else:
            lacking.append((merge, found.refusal))
    accepted = []
    for merge, refusal in lacking:
        word = identified.accepted(merge.commit, by=approvers)
        if word is None:
            return _blocks(merge, refusal, identified)
        accepted.append(word)
    for loose in identified.loose:
        word = identified.accepted(loose.commit, by=approvers)
        if word is None:
            return loose.answer
        accepted.append(word)
    return Approved(approvers[identified.last.pull.number], tuple(accepted))


def _needed(git: Git, merge: Merge, identified: Identified) -> int:
    commits = {identified.start or merge.base, merge.base, merge.commit}
    return approvals_needed(git, commits, identified.settings)


def _blocks(merge: Merge, refusal: Answer, identified: Identified) -> Answer:
    if merge is identified.last:
        return refusal
    then = f"{refusal.next_step}; or {how_to_accept(merge.commit)}"
    return refusal.model_copy(update={"next_step": then})
