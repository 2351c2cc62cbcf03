"""The three ways in which GitHub merges a pull request, done by Git in the bare repository."""

from mergeline.rehearsal.repository import NOTHING, Commit, Person, Repository
from mergeline.rehearsal.state import Pull, Repo
from mergeline.rehearsal.world import WEB_FLOW, World

METHODS = ("merge", "squash", "rebase")


def merge(
    world: World,
    repo: Repo,
    pull: Pull,
    *,
    method: str,
    login: str,
    title: str | None = None,
    message: str | None = None,
) -> str | None:
    """Merge an open pull request and move its base branch.

    Args:
        world: For the time and the people.
        repo: Where the pull request is.
        pull: It; changed to what it is after the merge.
        method: `merge`, `squash` or `rebase`.
        login: Who merges.
        title: Of the commit, instead of GitHub's own (not for `rebase`).
        message: The rest of that commit's message, in the same way.

    Returns:
        The commit that is now the tip of the base, or None when head and base conflict
        or somebody pushed to the base at the same moment.
    """
    base = repo.git.tip(pull.base_ref)
    if base is None:
        return None
    words = (title, message)
    new = merged_onto(world, repo, pull, base, method=method, login=login, words=words)
    if new is None or not repo.git.set_ref(f"refs/heads/{pull.base_ref}", new, base):
        return None
    mark_brought(world, repo, pull, base=base, commit=new, login=login)
    return new


def merged_onto(
    world: World,
    repo: Repo,
    pull: Pull,
    base: str,
    *,
    method: str,
    login: str,
    words: tuple[str | None, str | None] = (None, None),
) -> str | None:
    """Make what a merge onto a commit comes to; no branch moves. None when they conflict."""
    merger, (title, message) = world.person(login), words
    own = own_commits(repo.git, base, pull.head_sha)
    if method == "merge":
        default_title, default_message = _merge_message(pull)
        text = _joined(title or default_title, default_message if message is None else message)
        return _merge_commit(world, repo.git, (base, pull.head_sha), text, merger)
    if method == "squash":
        author = world.person(pull.login)
        default = _squash_message(repo.git.commits(own), author)
        text = _joined(
            title or f"{pull.title} (#{pull.number})", default if message is None else message
        )
        return _squash(world, repo.git, (base, pull.head_sha), text, author)
    return _rebase(repo.git, base, own, merger)


def mark_brought(
    world: World, repo: Repo, pull: Pull, *, base: str, commit: str, login: str
) -> None:
    """Write down what a merge onto `base` brought, and that it was made."""
    pull.tested = (base, pull.head_sha)
    pull.commits = own_commits(repo.git, base, pull.head_sha)
    pull.brought = frozenset(repo.git.history(commit, f"^{base}"))
    mark_merged(world, repo, pull, commit, login)


def mark_merged(world: World, repo: Repo, pull: Pull, commit: str, login: str) -> None:
    """Write down that a pull request was merged, by whom, and the commit that stands for it."""
    repo.git.set_ref(f"refs/pull/{pull.number}/merge", NOTHING)
    pull.merge_commit, pull.merged_by, pull.state = commit, login, "closed"
    pull.merged = pull.closed = pull.updated = world.clock()
    pull.mergeable = None


def own_commits(git: Repository, base: str, head: str) -> tuple[str, ...]:
    """Return the commits of a pull request: what its head has and its base has not."""
    return git.history(head, f"^{base}")


def trial_merge(world: World, repo: Repo, pull: Pull, base: str) -> str | None:
    """Return the commit of `refs/pull/N/merge`; None when head and base conflict."""
    text = f"Merge {pull.head_sha} into {base}"
    author = world.person(pull.login)
    return _merge_commit(world, repo.git, (base, pull.head_sha), text, author)


def _merge_commit(
    world: World, git: Repository, parents: tuple[str, str], message: str, author: Person
) -> str | None:
    tree = git.merged_tree(*parents)
    if tree is None:
        return None
    return git.make_commit(tree, parents, message, author, world.person(WEB_FLOW))


def _squash(
    world: World, git: Repository, parents: tuple[str, str], message: str, author: Person
) -> str | None:
    tree = git.merged_tree(*parents)
    if tree is None:
        return None
    return git.make_commit(tree, parents[:1], message, author, world.person(WEB_FLOW))


def _rebase(git: Repository, base: str, own: tuple[str, ...], merger: Person) -> str | None:
    """Replay the commits one by one; the one who merges becomes their committer.

    GitHub says so of its signatures: it cannot sign such a commit as itself.
    """
    tip = base
    for commit in git.commits(own):
        if len(commit.parents) > 1:
            continue
        tree = _replayed(git, tip, commit)
        if tree is None:
            return None
        if tree != git.tree(tip) or _is_empty(git, commit):  # else the base has it already
            tip = git.make_commit(tree, [tip], commit.message, commit.author, merger)
    return tip


def _replayed(git: Repository, tip: str, commit: Commit) -> str | None:
    """Return the tree of `tip` with the change of a commit; None when they conflict."""

    # Git 2.39's merge-tree takes no merge base: three commits that nobody keeps give it one.
    def under(commit_or_tip: str, *parents: str) -> str:
        tree = git.tree(commit_or_tip)
        return git.make_commit(tree, parents, "", commit.author, commit.author)

    if not commit.parents:
        return git.merged_tree(tip, commit.sha)
    common = under(commit.parents[0])
    return git.merged_tree(under(tip, common), under(commit.sha, common))


def _is_empty(git: Repository, commit: Commit) -> bool:
    return bool(commit.parents) and commit.tree == git.tree(commit.parents[0])


def _merge_message(pull: Pull) -> tuple[str, str]:
    source = f"{pull.head_owner}/{pull.head_ref}"
    return f"Merge pull request #{pull.number} from {source}", pull.title


def _squash_message(commits: list[Commit], author: Person) -> str:
    """Return the commits' messages, and a line for each other author of theirs."""
    if len(commits) == 1:
        body = commits[0].message.partition("\n")[2].strip()
    else:
        body = "\n\n".join(f"* {one.message}" for one in commits)
    others = {one.author.email: one.author for one in commits if one.author.email != author.email}
    trailers = "\n".join(f"Co-authored-by: {o.name} <{o.email}>" for o in others.values())
    return "\n\n".join(filter(None, (body, "---------" if body and trailers else "", trailers)))


def _joined(title: str, message: str) -> str:
    return f"{title}\n\n{message}" if message else title
