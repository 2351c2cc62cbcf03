"""What the ledger keeps of a review."""

from dataclasses import dataclass

from mergeline.adapters.github_types import Comment, Pull, Run
from mergeline.core.plan import Plan
from mergeline.ledger.entries import BundlePart, Reviewed, utc_now
from mergeline.ledger.history import History
from mergeline.ledger.seen import gates_seen
from mergeline.ledger.store import Ledger

# What two entries of the same review may differ in.
# (the gates say again what the evidence and the outcome come from)
_PASSING = {"number", "previous", "time", "by", "commented", "gates"}


@dataclass(frozen=True)
class Judged:
    """A run's candidate, judged by the trusted job."""

    run: Run
    pull: Pull
    plan: Plan
    parts: tuple[BundlePart, ...]


def record(ledger: Ledger, judged: Judged, comment: Comment | Reviewed, by: str) -> Reviewed:
    """Append `reviewed`, unless the last review of this commit says the same already.

    Args:
        ledger: Where to.
        judged: What was judged.
        comment: What people were shown; of a merge queue's group the review of the head.
        by: Who appends.

    Returns:
        The entry as it stands in the ledger.

    Raises:
        ToolError: It could not be appended.
    """
    entry = _entry(judged, comment, by)
    history = ledger.append(lambda so_far: None if _last_like(so_far, entry) else entry)
    return _last_like(history, entry) or entry


def _entry(judged: Judged, comment: Comment | Reviewed, by: str) -> Reviewed:
    run, pull, plan = judged.run, judged.pull, judged.plan
    candidate, prepare = plan.candidate, plan.evidence.prepare
    if isinstance(comment, Reviewed):
        shown, since, head = comment.comment, comment.commented, comment.commit
    else:
        shown, since, head = comment.id, comment.updated, None
    return Reviewed(
        time=utc_now(),
        project=plan.project,
        by=by,
        pull_request=pull.number,
        commit=candidate.commit,
        tree=candidate.tree,
        base=candidate.base,
        inputs=candidate.inputs,
        model=candidate.model,
        evidence=candidate.evidence,
        key=candidate.key,
        outcome=plan.judgement.outcome,
        answer=plan.judgement.answer,
        run=run.id,
        parts=judged.parts,
        # Of the pull request: a merge queue runs a stranger's change in our own repository.
        head_repository=pull.head_repository or "",
        comment=shown,
        commented=since,
        head=head,
        held_out=prepare.content.held_out_sha256 if prepare else None,
        gates=gates_seen(plan.judgement),
    )


def _last_like(history: History, entry: Reviewed) -> Reviewed | None:
    """Return the last review of the commit, if it says what this one says."""
    known = history.reviewed(entry.pull_request, entry.commit)
    same = known and known[-1].model_dump(exclude=_PASSING) == entry.model_dump(exclude=_PASSING)
    return known[-1] if same else None
