"""Which review a merge rests on: that of its head, or of what a merge queue made of it."""

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
    head, group = reviews[-1], _of_group(git, history, merge)
    if group is None or (group.inputs == head.inputs and group.key != head.key):
        return head
    return group


def _of_group(git: Git, history: History, merge: Merge) -> Reviewed | None:
    exact = history.reviewed(merge.pull.number, merge.commit)
    if exact:
        return exact[-1]
    tree, known = git.tree(merge.commit), (merge.pull.number, merge.pull.head_sha)
    same = (e for e in reversed(history.entries) if isinstance(e, Reviewed) and e.tree == tree)
    return next((e for e in same if e.pull_request == known[0] and e.commit != known[1]), None)
