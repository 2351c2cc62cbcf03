"""What decides the approvals of a pull request, as GitHub and the ledger tell it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull, PullCommit, Review
from mergeline.approval.people import Person
from mergeline.config.settings import Settings
from mergeline.inputs.settings import readable_settings_at
from mergeline.ledger.entries import Reviewed

# The states of a review that say something of the pull request as a whole.
DECISIVE = {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}
_MAY_WRITE = {"admin", "maintain", "write"}

# What a review came to: key, evidence, outcome and answer.
Result = tuple[str, str, str, str]


@dataclass(frozen=True)
class Facts:
    """What GitHub says of one pull request.

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


def facts_of(github: GitHub, pull: Pull) -> Facts:
    """Ask GitHub for everything that decides the approvals of a pull request.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    reviews = github.reviews(pull.number)
    decisive = [one for one in reviews if one.user is not None and one.state in DECISIVE]
    users = sorted({str(one.user) for one in decisive})
    approvers = sorted({str(one.user) for one in decisive if one.state == "APPROVED"})
    return Facts(
        pull=pull,
        commits=tuple(github.pull_commits(pull.number)),
        reviews=tuple(reviews),
        may_write={user: github.permission(user) in _MAY_WRITE for user in users},
        people={user: Person(user, *github.user(user)) for user in approvers},
    )


def approvals_needed(git: Git, commits: Iterable[str | None], otherwise: Settings) -> int:
    """Return the largest number that the policies of some commits ask.

    Args:
        git: Holds the commits.
        commits: The line's position, what is merged onto, and what is merged. What came to main
            since the position may have come without anybody's approval, so that it cannot
            ask for fewer.
        otherwise: What counts for a commit whose settings cannot be read.
    """
    sides = (readable_settings_at(git, commit) or otherwise for commit in commits if commit)
    return max(side.promotion.approvals for side in sides)


def result_of(reviewed: Reviewed) -> Result:
    """Return what a review came to."""
    return reviewed.key, reviewed.evidence, reviewed.outcome.name, reviewed.answer


def commented(reviews: Sequence[Reviewed], result: Result) -> str | None:
    """Return since when the comment on a head says this result; None where it says another.

    What counts is the beginning of the last unbroken run of reviews that came to it: the
    comment is edited later too, e.g. to tell of an approval, and that must not make the
    approval older than what it approves. A head may be checked again and come out different:
    an approval of another result is none of this one, whichever of them was there first.

    Args:
        reviews: Of that head, the oldest first.
        result: What they are held against.
    """
    since = None
    for one in reversed(reviews):
        if result_of(one) != result:
            break
        since = one.commented
    return since


def commented_last(reviews: Sequence[Reviewed]) -> str | None:
    """Return since when the comment on a head says what it says; None without a review."""
    return commented(reviews, result_of(reviews[-1])) if reviews else None
