"""Approvals: whose count, and what is answered where they are too few."""

import pytest

from approval.test_people import HEAD, commit, pull
from mergeline.adapters.github_types import PullCommit, Review
from mergeline.approval.facts import Facts
from mergeline.approval.judge import NOT_YET, Approvals, judge_approvals
from mergeline.approval.people import Person
from mergeline.core.answers import Answer, Name

COMMENTED, LATER = "2026-11-20T11:00:00Z", "2026-11-20T12:00:00Z"
NUMBERS = iter(range(1, 1000))


def review(
    user: str | None, state: str = "APPROVED", at: str = LATER, of: str | None = HEAD
) -> Review:
    return Review(id=next(NUMBERS), user=user, state=state, commit=of, submitted=at)


def judged(
    *reviews: Review,
    needed: int = 1,
    commented: str | None = COMMENTED,
    commits: tuple[PullCommit, ...] = (commit(), commit(author="carl")),
) -> Approvals:
    """Judge; whose name begins with `r` may only read."""
    users = {str(one.user) for one in reviews if one.user}
    facts = Facts(
        pull=pull(),
        commits=commits,
        reviews=reviews,
        may_write={user: not user.startswith("r") for user in users},
        people={user: Person(user) for user in users},
    )
    return judge_approvals(facts, needed, commented)


def judge(*reviews: Review, needed: int = 1, commented: str | None = COMMENTED) -> object:
    """Return who approved, or what is answered; nothing more is needed than is asked for."""
    found = judged(*reviews, needed=needed, commented=commented)
    assert found.needed == needed
    return found.refusal or found.approvers


@pytest.mark.parametrize(
    ("reviews", "approvers"),
    [
        ((review("bob"),), ("bob",)),
        ((review("bob", at=COMMENTED),), ("bob",)),
        ((review("bob"), review("bob", "COMMENTED", of="d" * 40)), ("bob",)),
        ((review("bob"), review(None, "CHANGES_REQUESTED")), ("bob",)),
        ((review("bob"), review("reader", "CHANGES_REQUESTED")), ("bob",)),
        ((review("bob"), review("dora", "DISMISSED")), ("bob",)),
        ((review("bob"), review("carl"), review("reader")), ("bob",)),
        ((review("bob", "CHANGES_REQUESTED", COMMENTED), review("bob")), ("bob",)),
        ((review("bob", "DISMISSED", COMMENTED), review("bob")), ("bob",)),
        # The order is that of the times, whatever order they come in.
        ((review("bob"), review("bob", "CHANGES_REQUESTED", COMMENTED)), ("bob",)),
        ((review("bob"), review("dora")), ("bob", "dora")),
    ],
)
def test_an_approval_counts(reviews: tuple[Review, ...], approvers: tuple[str, ...]) -> None:
    assert judge(*reviews) == approvers


@pytest.mark.parametrize(
    ("reviews", "name", "said"),
    [
        ((), Name.NOT_APPROVED, "0 of the 1"),
        ((review(None),), Name.NOT_APPROVED, "0 of the 1"),
        ((review("bob", "COMMENTED"),), Name.NOT_APPROVED, "0 of the 1"),
        ((review("bob", "PENDING"),), Name.NOT_APPROVED, "0 of the 1"),
        ((review("reader"),), Name.NOT_APPROVED, "reader approved, but may not write"),
        ((review("bob"), review("dora", "CHANGES_REQUESTED")), Name.NOT_APPROVED, "dora asks"),
        ((review("bob"), review("bob", "CHANGES_REQUESTED")), Name.NOT_APPROVED, "bob asks"),
        (
            (review("bob"), review("dora", "CHANGES_REQUESTED", of="d" * 40)),
            Name.NOT_APPROVED,
            "dora asks for changes",
        ),
        ((review("ann"),), Name.SELF_APPROVED, "ann approved, but wrote it"),
        ((review("CARL"),), Name.SELF_APPROVED, "CARL approved, but wrote it"),
        ((review("bob", of="d" * 40),), Name.STALE_APPROVAL, "bob approved dddddddddddd"),
        ((review("bob", of=None),), Name.STALE_APPROVAL, "a commit that is gone"),
        ((review("bob", at="2026-11-20T10:59:59Z"),), Name.STALE_APPROVAL, "before its comment"),
        ((review("bob", "DISMISSED"),), Name.DISMISSED, "the review of bob was dismissed"),
        ((review("bob"), review("bob", "DISMISSED")), Name.DISMISSED, "bob was dismissed"),
        # What somebody only has to do again comes before what somebody else has to do.
        ((review("ann"), review("bob", of=None)), Name.STALE_APPROVAL, "ann approved, but wrote"),
        ((review("ann"), review("bob", "DISMISSED")), Name.DISMISSED, "ann approved, but wrote"),
        ((review("reader"), review("ann")), Name.SELF_APPROVED, "reader approved, but may not"),
    ],
)
def test_it_does_not(reviews: tuple[Review, ...], name: Name, said: str) -> None:
    found = judge(*reviews)
    assert isinstance(found, Answer)
    assert found.name is name
    assert said in found.reason
    assert "#7" in found.reason
    assert found.next_step


def test_as_many_as_are_needed() -> None:
    two = (review("bob"), review("dora"))
    assert judge(*two, needed=2) == ("bob", "dora")
    found = judge(*two, review("ann"), needed=3)
    assert isinstance(found, Answer)
    assert found.name is Name.SELF_APPROVED
    assert "2 of the 3" in found.reason


def test_none_may_be_needed_and_an_open_change_request_still_blocks() -> None:
    assert judge(needed=0, commented=None) == ()
    assert judge(review("bob"), needed=0) == ("bob",)
    found = judge(review("bob", "CHANGES_REQUESTED"), needed=0)
    assert isinstance(found, Answer)
    assert found.name is Name.NOT_APPROVED


def test_what_was_never_commented_nobody_can_have_approved() -> None:
    found = judge(review("bob"), commented=None)
    assert isinstance(found, Answer)
    assert found.name is Name.NO_EVIDENCE


def test_before_a_comment_that_is_about_to_be_made_none_counts() -> None:
    found = judge(review("bob"), commented=NOT_YET)
    assert isinstance(found, Answer)
    assert found.name is Name.STALE_APPROVAL
    assert f"bob approved at {LATER}, before its comment." in found.reason
    assert NOT_YET not in found.reason
    assert judge(review("bob"), needed=0, commented=NOT_YET) == ()


# --- where GitHub does not know who wrote it -----------------------------------------------

UNKNOWN = (commit(), commit(author=None, name="X", email="x@nowhere"))


def test_one_approval_more_is_needed_and_it_is_said_why() -> None:
    found = judged(review("bob"), commits=UNKNOWN)
    assert (found.needed, found.approvers) == (2, ("bob",))
    assert found.refusal is not None
    assert found.refusal.name is Name.NOT_APPROVED
    assert found.refusal.reason == (
        "#7 has 1 of the 2 approvals that its head aaaaaaaaaaaa needs: the author of aaaaaaaaaaaa "
        "is no account that GitHub knows, so one approval more is needed."
    )
    assert "adds the address in that commit to their account" in found.refusal.next_step


def test_of_another_person() -> None:
    found = judged(review("bob"), review("bob"), commits=UNKNOWN)
    assert found.refusal is not None
    assert judged(review("bob"), review("dora"), commits=UNKNOWN) == Approvals(2, ("bob", "dora"))
    three = judged(review("bob"), review("dora"), commits=UNKNOWN, needed=2)
    assert (three.needed, three.refusal is None) == (3, False)


def test_why_others_do_not_count_is_said_too() -> None:
    found = judged(review("bob"), review("ann"), commits=UNKNOWN)
    assert found.refusal is not None
    assert found.refusal.name is Name.SELF_APPROVED
    assert "ann approved, but wrote it or a part of it; the author of" in found.refusal.reason


def test_none_stays_none() -> None:
    assert judged(needed=0, commits=UNKNOWN) == Approvals(0, ())
