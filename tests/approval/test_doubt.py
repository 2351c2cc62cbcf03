"""Whose a change is, GitHub does not always know: when one approval more is asked for."""

import pytest

from approval.test_people import commit, pull
from mergeline.adapters.github_types import PullCommit
from mergeline.approval.doubt import doubt_of

DEPENDABOT, ACTIONS = "dependabot[bot]", "github-actions[bot]"


def by(author: str | None, committer: str | None) -> PullCommit:
    return commit(author=author, committer=committer)


@pytest.mark.parametrize(
    ("opener", "commits"),
    [
        ("ann", (by("ann", "ann"),)),
        ("ann", (by("bob", "bob"), by("ann", "web-flow"))),
        ("ann", (by(DEPENDABOT, "web-flow"),)),
        (None, (by("ann", "ann"),)),
        (DEPENDABOT, (by(DEPENDABOT, "web-flow"), by(DEPENDABOT, DEPENDABOT))),
        ("line-app[bot]", (by("renovate[bot]", "Web-Flow"),)),
        (DEPENDABOT, ()),
    ],
)
def test_where_the_accounts_are_known_nothing_more_is_asked(
    opener: str | None, commits: tuple[PullCommit, ...]
) -> None:
    assert doubt_of(pull(opener), commits) is None


@pytest.mark.parametrize(
    ("opener", "commits", "why"),
    [
        ("ann", (by(None, "ann"),), "the author of aaaaaaaaaaaa is no account that GitHub knows"),
        ("ann", (by("ann", "ann"), by(None, "web-flow")), "the author of"),
        ("ann", (by("ann", None),), "the committer of aaaaaaaaaaaa is no account"),
        (DEPENDABOT, (by(None, DEPENDABOT),), "the author of"),
        (DEPENDABOT, (by(DEPENDABOT, "web-flow"), by("ann", "web-flow")), "ann wrote a part"),
        (DEPENDABOT, (by(DEPENDABOT, "ann"),), "dependabot[bot] opened it, and ann wrote"),
        (ACTIONS, (by("ann", "ann"),), "github-actions[bot] opened it"),
        # Any writer's workflow can open it, and any commit can state the bot's address.
        (ACTIONS, (by(ACTIONS, ACTIONS),), "github-actions[bot] opened it"),
        ("Copilot", (by("Copilot", "web-flow"),), "Copilot opened it"),
        ("copilot-swe-agent[bot]", (by("Copilot", "web-flow"),), "opened it"),
    ],
)
def test_where_they_are_not_it_is_said_why(
    opener: str, commits: tuple[PullCommit, ...], why: str
) -> None:
    doubt = doubt_of(pull(opener), commits)
    assert doubt is not None
    assert why in doubt.why
    assert not doubt.why.endswith(".")
    assert bool(doubt.way_out) == ("no account" in doubt.why)


def test_several_commits_are_counted() -> None:
    others = [by(None, "ann").model_copy(update={"sha": digit * 40}) for digit in "bcd"]
    doubt = doubt_of(pull(), others)
    assert doubt is not None
    assert doubt.why == "the author of bbbbbbbbbbbb (and of 2 more) is no account that GitHub knows"
