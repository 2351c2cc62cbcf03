"""Step 2, approvals: who approved what was merged, as GitHub tells it; fail closed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull, PullCommit, Review
from mergeline.core.answers import Answer, Name
from mergeline.core.policy import Accept
from mergeline.errors import TooManyCommits
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.history import History
from mergeline.promote.attribute import Merge, how_to_accept
from mergeline.promote.identify import Identified
from mergeline.promote.line import answer, readable_settings_at
from mergeline.promote.people import Person, writers_of

_DECISIVE = {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}
_MAY_WRITE = {"admin", "maintain", "write"}


@dataclass(frozen=True)
class Facts:
    """What GitHub says of one merged pull request.

    Attributes:
        reviews: All of them, in any order.
        may_write: Whether somebody may write to the repository, by login.
        people: Those who approved, by login.
    """

    pull: Pull
    commits: tuple[PullCommit, ...]
    reviews: tuple[Review, ...]
    may_write: Mapping[str, bool]
    people: Mapping[str, Person]


@dataclass(frozen=True)
class Approved:
    """What approvals come to.

    Attributes:
        approvers: Of the pull request that is to be promoted.
        accepted: Commits since the position that stand because they are named.
    """

    approvers: tuple[str, ...]
    accepted: tuple[Accept, ...] = ()


def approvals(
    git: Git, github: GitHub, identified: Identified, history: History
) -> Approved | Answer:
    """Ask for the approvals of every pull request since the position.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    approvers: dict[int, tuple[str, ...]] = {}
    lacking: list[tuple[Merge, Answer]] = []
    for merge in identified.merges:
        needed = approvals_needed(git, merge, identified)
        found = _judged(github, merge, needed, history)
        if isinstance(found, Answer):
            lacking.append((merge, found))
        else:
            approvers[merge.pull.number] = found
    accepted = []
    for merge, refusal in lacking:
        word = identified.accepted(merge.commit, by=approvers)
        if word is None:
            return _blocks(merge, refusal, identified)
        accepted.append(word)
    for loose in identified.loose:
        word = identified.accepted(loose.commit, by=approvers)
        if word is None:
            return loose.answer
        accepted.append(word)
    return Approved(approvers[identified.last.pull.number], tuple(accepted))


def _judged(
    github: GitHub, merge: Merge, needed: int, history: History
) -> tuple[str, ...] | Answer:
    """Ask for the approvals of one merge; one that GitHub cannot tell all of may be accepted."""
    try:
        facts = facts_of(github, merge.pull)
    except TooManyCommits as error:
        return answer(Name.UNDECIDED, f"{error.message}.", error.hint)
    return judge_approvals(facts, needed, _commented(history, merge))


def approvals_needed(git: Git, merge: Merge, identified: Identified) -> int:
    """Return the largest number that the policy asks: the line's, that before the merge, its own.

    What came to main since the line's position may have come without anybody's approval, so
    that it cannot ask for fewer. Settings that cannot be read ask what main's tip asks.
    """
    commits = {identified.start or merge.base, merge.base, merge.commit}
    tip = identified.settings
    sides = (readable_settings_at(git, commit) or tip for commit in commits if commit)
    return max(side.promotion.approvals for side in sides)


def facts_of(github: GitHub, pull: Pull) -> Facts:
    """Ask GitHub for everything that decides the approvals of a pull request.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    reviews = github.reviews(pull.number)
    decisive = [one for one in reviews if one.user is not None and one.state in _DECISIVE]
    users = sorted({str(one.user) for one in decisive})
    approvers = sorted({str(one.user) for one in decisive if one.state == "APPROVED"})
    return Facts(
        pull=pull,
        commits=tuple(github.pull_commits(pull.number)),
        reviews=tuple(reviews),
        may_write={user: github.permission(user) in _MAY_WRITE for user in users},
        people={user: Person(user, *github.user(user)) for user in approvers},
    )


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


def judge_approvals(facts: Facts, needed: int, commented: str | None) -> tuple[str, ...] | Answer:
    """Return who approved, or why that is not enough. Pure.

    The latest decisive review of each person counts.

    Args:
        facts: What GitHub says.
        needed: How many must have approved.
        commented: When Mergeline's comment on the final head came to be; None when there
            never was one, so that nobody can have seen it.
    """
    number, head = facts.pull.number, facts.pull.head_sha[:12]
    if commented is None and needed:
        reason = f"The head {head} of #{number} was never commented, so nobody approved it then."
        return answer(Name.NO_EVIDENCE, reason, "see why the comment's job did not end well")
    standings = tuple(_standings(facts, commented or ""))
    objecting = [one for one in standings if one.kind is _Kind.OBJECTS]
    counting = tuple(one.user for one in standings if one.kind is _Kind.COUNTS)
    if objecting:
        reason = f"#{number} has an open change request: {_told(objecting)}."
        return answer(Name.NOT_APPROVED, reason, "settle it with them, then promote again")
    if len(counting) >= needed:
        return counting
    others = [one for one in standings if one.kind is not _Kind.COUNTS]
    kinds = {one.kind for one in others}
    name = next((name for kind, name in _ANSWERS.items() if kind in kinds), Name.NOT_APPROVED)
    reason = f"#{number} has {len(counting)} of the {needed} approvals that its head {head} needs"
    return answer(
        name,
        f"{reason}: {_told(others)}." if others else f"{reason}.",
        "somebody who may write and did not write it approves that head; then promote again",
    )


def _standings(facts: Facts, commented: str) -> Iterator[_Standing]:
    latest: dict[str, Review] = {}
    for review in sorted(facts.reviews, key=lambda one: (one.submitted or "", one.id)):
        if review.user is not None and review.state in _DECISIVE:
            latest[review.user] = review
    for user, review in latest.items():
        kind, why = _weigh(user, review, facts, commented)
        yield _Standing(user, kind, why)


def _weigh(user: str, review: Review, facts: Facts, commented: str) -> tuple[_Kind, str]:
    """Return what a person's latest decisive review comes to, and why."""
    head, given = facts.pull.head_sha, review.submitted or ""
    if review.state == "CHANGES_REQUESTED":
        if facts.may_write[user]:
            return _Kind.OBJECTS, f"{user} asks for changes"
        return _Kind.POWERLESS, f"{user} asks for changes, but may not write"
    if review.state == "DISMISSED":
        return _Kind.WITHDRAWN, f"the review of {user} was dismissed"
    if writers_of(facts.pull, facts.commits).include(facts.people[user]):
        return _Kind.OWN, f"{user} approved, but wrote it or a part of it"
    if not facts.may_write[user]:
        return _Kind.POWERLESS, f"{user} approved, but may not write to the repository"
    if review.commit != head:
        seen = review.commit[:12] if review.commit else "a commit that is gone"
        return _Kind.STALE, f"{user} approved {seen}, not the final head"
    if given < commented:
        return _Kind.STALE, f"{user} approved at {given}, before its comment of {commented}"
    return _Kind.COUNTS, ""


def _told(standings: Iterable[_Standing]) -> str:
    return "; ".join(one.why for one in standings)


def _commented(history: History, merge: Merge) -> str | None:
    """Return when the comment on the final head came to say what is to be promoted.

    A head may be checked again and come out different: an approval of the first result is
    none of the last one.
    """
    reviews = history.reviewed(merge.pull.number, merge.pull.head_sha)
    same = (one for one in reviews if _result(one) == _result(reviews[-1]))
    return next((one.commented for one in same), None)


def _result(reviewed: Reviewed) -> tuple[str, ...]:
    return reviewed.key, reviewed.evidence, reviewed.outcome.name, reviewed.answer


def _blocks(merge: Merge, refusal: Answer, identified: Identified) -> Answer:
    if merge is identified.last:
        return refusal
    then = f"{refusal.next_step}; or {how_to_accept(merge.commit)}"
    return refusal.model_copy(update={"next_step": then})
