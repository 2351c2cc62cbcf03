"""Which review a merge rests on: that of its head, or of what a merge queue made of it."""

from collections.abc import Sequence
from itertools import takewhile

from mergeline.adapters.git import Git
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.history import History
from mergeline.promote.attribute import Merge


def review_of(git: Git, history: History, merge: Merge) -> Reviewed | None:
    """Return the review whose evidence and bytes a merge is held against.

    People approved what the head's review says, so it goes first. A merge queue may have put
    the head on top of what changed an input; then the review of that very commit, or of one
    with its tree, takes its place: its own build was judged before main got it. So it does
    where it came to the same model, for its artifacts are the younger ones.

    Returns:
        None where the head was never reviewed.
    """
    reviews = history.reviewed(merge.pull.number, merge.pull.head_sha)
    if not reviews:
        return None
    head = reviews[-1]
    group = _of_group(git, history, merge, _since(reviews))
    if group is None or (group.inputs == head.inputs and group.key != head.key):
        return head
    return group


def _since(reviews: Sequence[Reviewed]) -> int:
    """Return the entry since which the head's reviews have had the evidence of the last one."""
    result = (reviews[-1].key, reviews[-1].evidence)
    alike = takewhile(lambda one: (one.key, one.evidence) == result, reversed(reviews))
    return min(one.number for one in alike)


def _of_group(git: Git, history: History, merge: Merge, since: int) -> Reviewed | None:
    """Return the last review of a group that brought this very head; none of an earlier head."""
    tree, ours = git.tree(merge.commit), (merge.pull.number, merge.pull.head_sha)
    groups = [
        entry
        for entry in reversed(history.entries)
        if isinstance(entry, Reviewed)
        and entry.number > since
        and (entry.pull_request, entry.head) == ours
    ]
    exact = (entry for entry in groups if entry.commit == merge.commit)
    same = (entry for entry in groups if entry.tree == tree)
    return next(exact, None) or next(same, None)
