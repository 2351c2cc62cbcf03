"""A merge queue's group: a pull request merged onto what is before it, tested before main gets it.

The branch's name says which pull request; GitHub alone makes such branches and starts runs of
their event. What is judged is the review of the pull request's final head where a model is made
from the same inputs, else what the group's own build handed over.
"""

from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull, Run
from mergeline.bundle.handed import Handed
from mergeline.bundle.read import Bundle
from mergeline.bundle.reviewed import Gone, reviewed_bundle, serves
from mergeline.core.answers import Answer, Name
from mergeline.core.queue import QueueBranch, queue_branch
from mergeline.ledger.entries import BundlePart, Reviewed
from mergeline.ledger.history import History
from mergeline.review.artifacts import receive
from mergeline.review.pull import is_of, not_ended, stale

_AGAIN = (
    "take it out of the queue, run the build of its own head again, and queue it once that is "
    "commented"
)


@dataclass(frozen=True)
class Group:
    """One group, at the commit that its run ran for.

    Attributes:
        pull: What its last commit brings; open.
        parent: The commit that it is brought onto.
    """

    run: Run
    pull: Pull
    parent: str

    @property
    def commit(self) -> str:
        """What main gets."""
        return self.run.head_sha


@dataclass(frozen=True)
class Evidence:
    """What a group is judged by.

    Attributes:
        head: The last review of the pull request's final head.
        of: The commit that the evidence is of: that head, or the group's.
        parts: As the group's own run handed them over; empty where the head's review serves.
    """

    bundle: Bundle
    head: Reviewed
    of: str
    parts: tuple[BundlePart, ...] = ()


def find_group(github: GitHub, remote: Remote, run: Run) -> Group | Answer:
    """Return the group that a run of a merge queue ran for.

    Returns:
        Else STALE_RUN; UNDECIDED while the run goes on.

    Raises:
        GitHubError: GitHub cannot be asked.
        ToolError: The remote cannot be read.
    """
    refusal = not_ended(run)
    if refusal is not None:
        return refusal
    branch = queue_branch(run.head_branch or "")
    ours = is_of(run, github.repository) and run.head_repository == run.repository
    if branch is None or not ours:
        return stale(f"Run {run.id} is not of a branch of this repository's merge queue.")
    tip = remote.fetched(branch.name)
    if tip != run.head_sha:
        now = f"is at {tip[:12]}" if tip else "is gone"
        return stale(f"The group of run {run.id} at {run.head_sha[:12]} {now}: it was made anew.")
    pull = github.pull(branch.number)
    if pull.state != "open" or pull.base_ref != branch.base:
        return stale(f"#{pull.number} is {pull.state}, or goes to another branch than its group.")
    return _on_its_parent(remote.git, Group(run, pull, branch.parent), branch)


def _on_its_parent(git: Git, group: Group, branch: QueueBranch) -> Group | Answer:
    on_top = git.has(branch.parent) and git.is_ancestor(branch.parent, group.commit)
    if on_top and branch.parent != group.commit:
        return group
    return stale(f"{group.commit[:12]} is not on {branch.parent[:12]}, as its branch's name says.")


def evidence_of(github: GitHub, git: Git, history: History, group: Group) -> Evidence | Answer:
    """Return what a group is judged by.

    Returns:
        Else NO_EVIDENCE, or what is wrong with the artifacts of the head's review.

    Raises:
        InvalidBundle: The group's run handed over something that no build hands over.
        ConfigError: The group's pipeline is not right.
        GitHubError: GitHub cannot be asked.
    """
    number, head = group.pull.number, group.pull.head_sha
    reviews = history.reviewed(number, head)
    if not reviews:
        return Answer(
            name=Name.NO_EVIDENCE,
            reason=f"The ledger has no review of the head {head[:12]} of #{number}, so nobody "
            "can have approved it.",
            next_step=_AGAIN,
        )
    review = reviews[-1]
    if serves(git, review, group.commit, group.parent):
        found = reviewed_bundle(github, review)
        if isinstance(found, Answer):
            return found
        if not isinstance(found, Gone):
            return Evidence(found, review, review.commit)
    handed = receive(github, group.run, next_step=_AGAIN)
    if isinstance(handed, Handed):
        return Evidence(handed.bundle, review, group.commit, handed.parts)
    return handed
