"""Opening a pull request, finding it again, and which ones a commit belongs to."""

from mergeline.rehearsal.answers import not_found
from mergeline.rehearsal.merging import own_commits
from mergeline.rehearsal.state import Pull, Repo
from mergeline.rehearsal.watching import follow_head, notice_pushes
from mergeline.rehearsal.world import World


class NoCommits(Exception):
    """The head has nothing that the base has not, or is in an open pull request already."""


def open_pull(
    world: World,
    repo: Repo,
    *,
    login: str,
    title: str,
    body: str | None,
    head: tuple[Repo, str],
    base: str,
    draft: bool = False,
) -> Pull:
    """Open a pull request and make its refs.

    Args:
        world: For the time and the number.
        repo: Where it goes.
        login: Who opens it.
        title: Its title.
        body: Its text.
        head: The repository and the branch that it comes from; there is such a branch.
        base: The branch that it goes to; there is such a branch.
        draft: Whether it is a draft.

    Raises:
        NoCommits: There is nothing to merge, or an open one for the same branches.
    """
    source, branch = head
    tip, onto = source.git.tip(branch) or "", repo.git.tip(base) or ""
    for other in repo.pulls.values():
        same = (other.head_repo, other.head_ref, other.base_ref) == (source, branch, base)
        if same and other.state == "open":
            raise NoCommits(f"A pull request already exists for {source.owner}:{branch}.")
    number, at = repo.next_number, world.clock()
    pull = Pull(
        number=number,
        id=world.next_id(),
        login=login,
        title=title,
        body=body,
        head_repo=source,
        head_owner=source.owner,
        head_ref=branch,
        base_ref=base,
        head_sha=tip,
        base_sha=onto,
        created=at,
        updated=at,
        draft=draft,
    )
    follow_head(repo, pull, tip)
    if not own_commits(repo.git, onto, tip):
        raise NoCommits(f"No commits between {base} and {branch}")
    repo.next_number += 1
    repo.pulls[number] = pull
    notice_pushes(world)
    return pull


def reopen_pull(world: World, repo: Repo, pull: Pull) -> bool:
    """Open a closed pull request again; False when it was merged or its branch is gone."""
    source = pull.head_repo
    if pull.merged is not None or source is None or source.git.tip(pull.head_ref) is None:
        return False
    if repo.git.tip(pull.base_ref) is None:
        return False
    pull.state, pull.closed = "open", None
    notice_pushes(world)
    return True


def find_pull(repo: Repo, number: int) -> Pull:
    """Return a pull request; GitHub's 404 when there is none."""
    if number not in repo.pulls:
        raise not_found()
    return repo.pulls[number]


def commits_of(repo: Repo, pull: Pull) -> tuple[str, ...]:
    """Return the commits of a pull request, oldest first; a merge freezes them."""
    if pull.merged is not None:
        return pull.commits
    return own_commits(repo.git, repo.git.tip(pull.base_ref) or pull.base_sha, pull.head_sha)


def pulls_with(repo: Repo, commit: str) -> list[Pull]:
    """Return the pull requests that GitHub names for a commit.

    For one on the default branch the merged ones that brought it there; for any other
    the merged and the open ones that hold it.
    """
    main = repo.git.tip(repo.default_branch)
    if main is not None and repo.git.contains(main, commit):
        return [pull for pull in repo.pulls.values() if commit in pull.brought]
    return [
        pull
        for pull in repo.pulls.values()
        if commit in pull.brought or commit in _associated(repo, pull)
    ]


def _associated(repo: Repo, pull: Pull) -> tuple[str, ...]:
    return commits_of(repo, pull) if pull.state == "open" or pull.merged is not None else ()
