"""Approvals judged: whose count, and what is answered where they are too few. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from mergeline.adapters.github_types import Review
from mergeline.approval.doubt import Doubt, doubt_of
from mergeline.approval.facts import DECISIVE, Facts
from mergeline.approval.people import Writers, writers_of
from mergeline.core.answers import Answer, Name, answer

# A time after every other, for a comment that is about to be made.
NOT_YET = "~"


class _Kind(Enum):
    """What the latest decisive review of one person comes to."""

    COUNTS = auto()
    OBJECTS = auto()
    WITHDRAWN = auto()
    STALE = auto()
    OWN = auto()
    POWERLESS = auto()


# What is answered where approvals are too few: the first that somebody's review came to.
_ANSWERS = {
    _Kind.WITHDRAWN: Name.DISMISSED,
    _Kind.STALE: Name.STALE_APPROVAL,
    _Kind.OWN: Name.SELF_APPROVED,
    _Kind.POWERLESS: Name.NOT_APPROVED,
}


@dataclass(frozen=True)
class _Standing:
    """Somebody's review, weighed; `why` says in words why it does not count."""

    user: str
    kind: _Kind
    why: str = ""


@dataclass(frozen=True)
class Approvals:
    """What the approvals of a pull request come to.

    Attributes:
        needed: How many must have approved: what the policy asks for, and one more where
            GitHub does not know whose the change is.
        approvers: Whose approval counts.
        refusal: Why that is not enough; None where it is.
    """

    needed: int
    approvers: tuple[str, ...]
    refusal: Answer | None = None


def judge_approvals(facts: Facts, needed: int, commented: str | None) -> Approvals:
    """Return who approved, and why that is not enough where it is not. Pure.

    The latest decisive review of each person counts.

    Args:
        facts: What GitHub says.
        needed: How many the policy asks for.
        commented: When Mergeline's comment on the final head came to be; None when there
            never was one, so that nobody can have seen it; `NOT_YET` when it is about to be.
    """
    number, head = facts.pull.number, facts.pull.head_sha[:12]
    doubt = doubt_of(facts.pull, facts.commits) if needed else None
    needed += doubt is not None
    if commented is None and needed:
        reason = f"The head {head} of #{number} was never commented, so nobody approved it then."
        then = "see why the comment's job did not end well"
        return Approvals(needed, (), answer(Name.NO_EVIDENCE, reason, then))
    standings = tuple(_standings(facts, commented or ""))
    objecting = [one for one in standings if one.kind is _Kind.OBJECTS]
    counting = tuple(one.user for one in standings if one.kind is _Kind.COUNTS)
    if objecting:
        reason = f"#{number} has an open change request: {_told(objecting)}."
        then = "settle it with them, then promote again"
        refusal = answer(Name.NOT_APPROVED, reason, then)
        return Approvals(needed, counting, refusal)
    if len(counting) >= needed:
        return Approvals(needed, counting)
    others = [one for one in standings if one.kind is not _Kind.COUNTS]
    has = f"#{number} has {len(counting)} of the {needed} approvals that its head {head} needs"
    return Approvals(needed, counting, _too_few(has, others, doubt))


def _too_few(has: str, others: Sequence[_Standing], doubt: Doubt | None) -> Answer:
    kinds = {one.kind for one in others}
    why = [_told(others)] if others else []
    then = "somebody who may write and did not write it approves that head; then promote again"
    if doubt is not None:
        why.append(f"{doubt.why}, so one approval more is needed")
        then += f"; or {doubt.way_out}" if doubt.way_out else ""
    return Answer(
        name=next((name for kind, name in _ANSWERS.items() if kind in kinds), Name.NOT_APPROVED),
        reason=f"{has}: {'; '.join(why)}." if why else f"{has}.",
        next_step=then,
    )


def _standings(facts: Facts, commented: str) -> Iterator[_Standing]:
    latest: dict[str, Review] = {}
    for review in sorted(facts.reviews, key=lambda one: (one.submitted or "", one.id)):
        if review.user is not None and review.state in DECISIVE:
            latest[review.user] = review
    writers = writers_of(facts.pull, facts.commits)
    for user, review in latest.items():
        kind, why = _weigh(user, review, facts, writers, commented)
        yield _Standing(user, kind, why)


def _weigh(
    user: str, review: Review, facts: Facts, writers: Writers, commented: str
) -> tuple[_Kind, str]:
    """Return what a person's latest decisive review comes to, and why."""
    head, given = facts.pull.head_sha, review.submitted or ""
    if review.state == "CHANGES_REQUESTED":
        if facts.may_write[user]:
            return _Kind.OBJECTS, f"{user} asks for changes"
        return _Kind.POWERLESS, f"{user} asks for changes, but may not write"
    if review.state == "DISMISSED":
        return _Kind.WITHDRAWN, f"the review of {user} was dismissed"
    if writers.include(facts.people[user]):
        return _Kind.OWN, f"{user} approved, but wrote it or a part of it"
    if not facts.may_write[user]:
        return _Kind.POWERLESS, f"{user} approved, but may not write to the repository"
    if review.commit != head:
        seen = review.commit[:12] if review.commit else "a commit that is gone"
        return _Kind.STALE, f"{user} approved {seen}, not the final head"
    if given < commented:
        which = "" if commented == NOT_YET else f" of {commented}"
        return _Kind.STALE, f"{user} approved at {given}, before its comment{which}"
    return _Kind.COUNTS, ""


def _told(standings: Iterable[_Standing]) -> str:
    return "; ".join(one.why for one in standings)
