"""The merge queue: each pull request's merge on a branch of its own, on top of those ahead."""

from collections.abc import Sequence
from dataclasses import dataclass

from mergeline.core.queue import PREFIX, QueueBranch, queue_branch
from mergeline.rehearsal.merging import mark_brought, merged_onto
from mergeline.rehearsal.repository import NOTHING
from mergeline.rehearsal.state import Pull, Repo
from mergeline.rehearsal.world import World

_HEADS = "refs/heads/"


@dataclass(frozen=True)
class Group:
    """One place in the queue: its branch, and the commit that the branch is at."""

    branch: QueueBranch
    commit: str


def enqueue(world: World, repo: Repo, pull: Pull, *, method: str, login: str) -> str | None:
    """Make the branch of a pull request at the end of the queue.

    Returns:
        Its commit; None when it conflicts with the base or with what is ahead.
    """
    kept = [one for one in _queue(repo, pull.base_ref) if one.branch.number != pull.number]
    parent = repo.git.tip(pull.base_ref) or ""
    standing = []
    for group in kept:
        if group.branch.parent == parent:
            standing.append(group)
            parent = group.commit
    for name in _branches(repo, pull.base_ref).keys() - {one.branch.name for one in standing}:
        repo.git.set_ref(f"{_HEADS}{name}", NOTHING)
    commit = merged_onto(world, repo, pull, parent, method=method, login=login)
    if commit is not None:
        branch = QueueBranch(pull.base_ref, pull.number, parent)
        repo.git.set_ref(f"{_HEADS}{branch.name}", commit)
    return commit


def ahead(repo: Repo, pull: Pull) -> list[Group]:
    """Return the queue up to a pull request, the first one first.

    Raises:
        ValueError: It is not in the queue, or the base has moved since.
    """
    groups = _queue(repo, pull.base_ref)
    numbers = [one.branch.number for one in groups]
    if pull.number not in numbers:
        raise ValueError(f"pull request {pull.number} is not in the queue of {pull.base_ref}")
    return groups[: numbers.index(pull.number) + 1]


def merge(world: World, repo: Repo, groups: Sequence[Group], login: str) -> str:
    """Move the base forward to the last of these commits, and merge their pull requests."""
    last = groups[-1]
    repo.git.set_ref(f"{_HEADS}{last.branch.base}", last.commit, groups[0].branch.parent)
    for group in groups:
        pull, parent = repo.pulls[group.branch.number], group.branch.parent
        mark_brought(world, repo, pull, base=parent, commit=group.commit, login=login)
        repo.git.set_ref(f"{_HEADS}{group.branch.name}", NOTHING)
    return last.commit


def _queue(repo: Repo, base: str) -> list[Group]:
    """Return what is on top of a branch's tip, each on top of the one before it."""
    groups = {
        branch.parent: Group(branch, commit)
        for name, commit in _branches(repo, base).items()
        if (branch := queue_branch(name)) is not None
    }
    found, parent = [], repo.git.tip(base)
    while parent in groups:
        found.append(groups.pop(parent))
        parent = found[-1].commit
    return found


def _branches(repo: Repo, base: str) -> dict[str, str]:
    prefix = f"{_HEADS}{PREFIX}/{base}/"
    return {name.removeprefix(_HEADS): sha for name, sha in repo.git.refs(prefix).items()}
