"""What GitHub notices of a push: heads that moved, branches that went, merges made by hand."""

from mergeline.rehearsal.merging import mark_merged, own_commits, trial_merge
from mergeline.rehearsal.repository import NOTHING
from mergeline.rehearsal.state import Event, Pull, Repo
from mergeline.rehearsal.world import World


def notice_pushes(world: World) -> None:
    """Bring every open pull request up to date with the branches as they are now."""
    branches: dict[int, dict[str, str]] = {}
    for repo in world.repos.values():
        for pull in repo.pulls.values():
            if pull.state != "open":
                continue
            for one in (repo, pull.head_repo):
                if one is not None and one.id not in branches:
                    branches[one.id] = one.git.refs("refs/heads/")
            base = branches[repo.id].get(f"refs/heads/{pull.base_ref}")
            head: str | None = pull.head_sha  # all that is left of a fork that is gone
            if pull.head_repo is not None:
                head = branches[pull.head_repo.id].get(f"refs/heads/{pull.head_ref}")
            _notice(world, repo, pull, base, head)


def _retargeted(world: World, repo: Repo, pull: Pull) -> str | None:
    """Send a pull request on whose base is gone to where that base was merged; return the tip."""
    merged = [
        other
        for other in repo.pulls.values()
        if other.merged is not None and (other.head_repo, other.head_ref) == (repo, pull.base_ref)
    ]
    tip = repo.git.tip(merged[-1].base_ref) if merged else None
    if tip is None:
        return None
    pull.base_ref, pull.base_sha, pull.tested = merged[-1].base_ref, tip, None
    name, who = "automatic_base_change_succeeded", merged[-1].merged_by or repo.owner
    pull.events.append(Event(world.next_id(), name, who, world.clock()))
    return tip


def follow_head(repo: Repo, pull: Pull, head: str) -> None:
    """Make a commit the head of a pull request, and `refs/pull/N/head` name it."""
    ref = f"refs/pull/{pull.number}/head"
    if pull.head_repo is not None and pull.head_repo is not repo:
        repo.git.bring(pull.head_repo.git.path, head, ref)
    else:
        repo.git.set_ref(ref, head)
    pull.head_sha = head


def _notice(world: World, repo: Repo, pull: Pull, base: str | None, head: str | None) -> None:
    if base is None and head is not None:
        base = _retargeted(world, repo, pull)
    if base is None or head is None:
        close(world, repo, pull)
        return
    if head != pull.head_sha:
        follow_head(repo, pull, head)
        pull.base_sha, pull.updated = base, world.clock()
    if (base, head) == pull.tested:
        return
    before = pull.tested[0] if pull.tested else None
    if before is not None and base != before and _arrived(repo, base, before, head):
        commit = _bringer(repo, base, before, head)
        pull.commits = own_commits(repo.git, before, head)
        pull.brought = frozenset({*pull.commits, commit})
        mark_merged(world, repo, pull, commit, repo.owner)
        return
    _test(world, repo, pull, base)


def _test(world: World, repo: Repo, pull: Pull, base: str) -> None:
    """Make `refs/pull/N/merge` anew, or remove it where head and base conflict."""
    merged = trial_merge(world, repo, pull, base)
    repo.git.set_ref(f"refs/pull/{pull.number}/merge", merged or NOTHING)
    pull.mergeable, pull.tested = merged is not None, (base, pull.head_sha)
    pull.merge_commit = merged or pull.merge_commit


def _arrived(repo: Repo, base: str, before: str, head: str) -> bool:
    """Return whether a push to the base brought the head there."""
    return repo.git.contains(base, head) and not repo.git.contains(before, head)


def _bringer(repo: Repo, base: str, before: str, head: str) -> str:
    """Return the first commit of the base's own line that holds the head."""
    line = repo.git.history("--first-parent", base, f"^{before}")
    return next(commit for commit in line if repo.git.contains(commit, head))


def close(world: World, repo: Repo, pull: Pull) -> None:
    """Close a pull request that was not merged."""
    repo.git.set_ref(f"refs/pull/{pull.number}/merge", NOTHING)
    pull.state = "closed"
    pull.closed = pull.updated = world.clock()
    pull.mergeable, pull.tested = None, None
