"""Merging and taking back without a working tree: what Git makes of it, or "it conflicts"."""

from mergeline.adapters.git import Git
from mergeline.adapters.git_objects import write_commit
from mergeline.adapters.git_process import last_line, run_git
from mergeline.errors import ToolError

_CONFLICT = 1


def revert(git: Git, tip: str, before: str, after: str, message: str) -> str | None:
    """Make a commit on top of another that takes a change back; nothing else is touched.

    Args:
        git: The repository.
        tip: The commit to stand on.
        before: What there was before the change.
        after: What the change ended with; `tip` comes after it.
        message: Of the commit.

    Returns:
        The commit; `tip` itself where the change is taken back already; None where what came
        since stands in the way.

    Raises:
        ToolError: Git is older than 2.38, or cannot write.
    """
    # A three-way merge from `after` to `before`. Git 2.39's merge-tree takes no merge base:
    # three commits that nobody keeps give it one.
    common = write_commit(git.root, git.tree(after), (), "")
    ours = write_commit(git.root, git.tree(tip), (common,), "")
    theirs = write_commit(git.root, git.tree(before), (common,), "")
    tree = merged_tree(git, ours, theirs)
    if tree is None or tree == git.tree(tip):
        return None if tree is None else tip
    return write_commit(git.root, tree, (tip,), message)


def merged_tree(git: Git, ours: str, theirs: str) -> str | None:
    """Return the tree that Git makes of two commits by itself; None where they conflict.

    Raises:
        ToolError: Git is older than 2.38, or does not hold one of them.
    """
    done = run_git(git.root, "merge-tree", "--write-tree", ours, theirs)
    if done.returncode == _CONFLICT:
        return None
    if done.returncode != 0:
        raise ToolError(f"`git merge-tree` failed: {last_line(done)}", hint="update Git to 2.38")
    return done.stdout.decode().split("\n", 1)[0]
