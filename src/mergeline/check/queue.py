"""In a merge queue: whether the pull request's own review says all there is to say of its group.

Only advice, which saves a build: the trusted job looks for itself, and asks GitHub for the head.
"""

from collections.abc import Mapping

from mergeline.adapters.git import Git
from mergeline.bundle.reviewed import serves
from mergeline.core.queue import PREFIX, QueueBranch, queued
from mergeline.core.verdict import passes
from mergeline.errors import ConfigError, LedgerInvalid
from mergeline.ledger.chain import read_lines
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.store import BRANCH, FILE

_ORIGIN = "refs/remotes/origin/"


def group_of(git: Git, environ: Mapping[str, str]) -> QueueBranch | None:
    """Return what is built for a merge queue here; None where nothing is.

    Its name is believed where the commit that is checked out is on top of the one it names.

    Args:
        git: A whole clone.
        environ: Of a job of GitHub Actions.
    """
    branch = queued(environ)
    if branch is None or not git.has(branch.parent):
        return None
    return branch if git.is_ancestor(branch.parent, git.head()) else None


def serving_review(git: Git, group: QueueBranch) -> Reviewed | None:
    """Return the passing review that makes a build of this group needless; None without one.

    Nothing is asked of the network: the clone's own copy of the ledger is read.
    """
    tips = git.tips(_ORIGIN)
    ledger = tips.pop(f"{_ORIGIN}{BRANCH}", None)
    if ledger is None:
        return None
    branches = {tip for name, tip in tips.items() if not name.startswith(f"{_ORIGIN}{PREFIX}/")}
    heads = branches.union(git.parents(git.head())[1:])
    try:
        entries = reversed(read_lines(git.read(ledger, FILE) or b"").entries)
        ours = (e for e in entries if isinstance(e, Reviewed) and e.pull_request == group.number)
        review = next((each for each in ours if each.commit in heads), None)
        if review is None or not passes(review.outcome, review.answer):
            return None
        return review if serves(git, review, git.head(), group.parent) else None
    except (LedgerInvalid, ConfigError):
        return None  # the build, or the trusted job, says what is wrong
