"""What the comment foresees of a merge, held against what the merge then gets."""

from collections.abc import Callable

import pytest

from mergeline.core.answers import Name
from mergeline.core.plan import Forecast
from mergeline.errors import GitHubError
from mergeline.ledger.entries import Live
from mergeline.rehearsal.faults import Fault
from mergeline.review.run import Reviewing, review
from promote.scenario import (
    AUTHOR,
    OTHER,
    REVIEWER,
    Scenario,
    first_files,
    other_model,
    params,
    rejecting,
)

BETTER = {"params.yaml": params(c=0.5)}
TWO = "promotion: {approvals: 2}\n"


def commented(scenario: Scenario, number: int, run: int | None = None) -> tuple[Forecast, str]:
    """Do the comment's job; return what it foresees, and the comment."""
    done = review(scenario.review_job(), run or scenario.run(number))
    assert isinstance(done, Reviewing), done
    assert done.plan.forecast is not None
    (body,) = [one.body for one in scenario.world.repo.comments.values() if one.number == number]
    return done.plan.forecast, body


Act = Callable[[Scenario, int], None]


def nobody(scenario: Scenario, number: int) -> None:
    """Nobody reviews."""


def approve(scenario: Scenario, number: int) -> None:
    scenario.world.approve(number, REVIEWER)


def approve_and_dismiss(scenario: Scenario, number: int) -> None:
    scenario.world.dismiss(number, scenario.world.approve(number, REVIEWER))


def ask_for_changes(scenario: Scenario, number: int) -> None:
    approve(scenario, number)
    scenario.world.request_changes(number, OTHER)


@pytest.mark.parametrize(
    ("files", "act", "answer"),
    [
        (BETTER, nobody, Name.NOT_APPROVED),
        (BETTER, approve, "PROMOTE"),
        (BETTER, approve_and_dismiss, Name.DISMISSED),
        (BETTER, ask_for_changes, Name.NOT_APPROVED),
        ({"params.yaml": params(c=0.5, promotion=TWO)}, approve, Name.NOT_APPROVED),
        ({"README.md": "# More\n"}, nobody, Name.NOT_APPROVED),
        ({"README.md": "# More\n"}, approve, Name.ALREADY_LIVE),
        ({"params.yaml": params(promotion=TWO + "\n")}, nobody, Name.NOT_APPROVED),
    ],
)
def test_the_merge_gets_what_was_foreseen(
    scenario: Scenario, files: dict[str, str], act: Act, answer: str
) -> None:
    number = scenario.open(files)
    run = scenario.run(number)
    first, _ = commented(scenario, number, run)
    assert first.answer == Name.NOT_APPROVED, "before its first comment nobody can have approved"
    act(scenario, number)
    seen, body = commented(scenario, number, run)
    assert seen.answer == answer
    said = "PROMOTE as version 2" if answer == "PROMOTE" else answer
    assert f"**{said}**: " in body
    scenario.world.merge(number)
    ended = scenario.promote()
    assert ended.name == ("LIVE" if answer == "PROMOTE" else answer)
    if answer == "PROMOTE":
        assert (ended.version, seen.version) == ("2", "2")
        target = scenario.history.rollback_target("production")
        assert target is not None
        assert seen.rollback_to == target.release.version == "1"


def test_an_approval_that_the_comment_tells_of_stays_good(scenario: Scenario) -> None:
    """The comment is edited to tell of the approval; that does not make the approval older."""
    number = scenario.open(BETTER)
    run = scenario.run(number)
    commented(scenario, number, run)
    approve(scenario, number)
    entries = len(scenario.history.entries)
    _, body = commented(scenario, number, run)
    assert f"Approved by {REVIEWER}; 1 approval asked for." in body
    (comment,) = [one for one in scenario.world.repo.comments.values() if one.number == number]
    approved = scenario.world.pull(number).reviews[-1].submitted
    assert approved is not None
    assert comment.updated > approved, "the edit came after the approval"
    assert len(scenario.history.entries) == entries, "it says nothing new of what was reviewed"
    again, same = commented(scenario, number, run)
    assert (again.answer, same) == ("PROMOTE", body)
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE


def test_an_approval_before_the_comment_is_foreseen_as_stale(scenario: Scenario) -> None:
    number = scenario.open(BETTER)
    approve(scenario, number)
    seen, body = commented(scenario, number)
    assert seen.answer == Name.STALE_APPROVAL
    assert "before its comment" in body
    assert "~" not in seen.reason
    assert commented(scenario, number)[0].answer == Name.STALE_APPROVAL
    scenario.world.merge(number)
    assert scenario.promote().name is Name.STALE_APPROVAL


def test_an_approval_of_another_result_is_foreseen_as_stale(scenario: Scenario) -> None:
    number = scenario.open(BETTER)
    commented(scenario, number)
    approve(scenario, number)
    seen, _ = commented(scenario, number, scenario.run(number, other_model))
    assert seen.answer == Name.STALE_APPROVAL


def test_by_a_co_author(scenario: Scenario) -> None:
    message = f"Better\n\nCo-authored-by: Somebody <{REVIEWER}@example.org>"
    number = scenario.open(BETTER, message=message)
    commented(scenario, number)
    approve(scenario, number)
    assert commented(scenario, number)[0].answer == Name.SELF_APPROVED


def test_a_model_that_was_rolled_back(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    assert scenario.promote().name is Name.LIVE
    scenario.rollback()
    number = scenario.open({"README.md": "# More\n"})
    commented(scenario, number)
    approve(scenario, number)
    seen, body = commented(scenario, number)
    assert (seen.answer, seen.live) == (Name.BARRED, "1")
    assert "Nothing is promoted; version 1 stays live." in body
    assert seen.live_is_older, "main has the model that was rolled back"
    assert "Version 1, which is live, is older than the base" in body
    scenario.world.merge(number)
    assert scenario.promote().name is Name.BARRED


def test_a_model_that_comes_back_by_name_has_its_old_version(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    assert scenario.promote().name is Name.LIVE
    model = scenario.last(Live).model
    scenario.rollback()
    promotion = f"promotion: {{approvals: 1, reinstate: [{model}]}}\n"
    scenario.merged({"params.yaml": params(c=0.5, promotion=promotion)})
    assert scenario.promote().name is Name.POLICY_ONLY
    number = scenario.open({"README.md": "# More\n"})
    commented(scenario, number)
    approve(scenario, number)
    seen, _ = commented(scenario, number)
    assert (seen.answer, seen.version, seen.rollback_to) == ("PROMOTE", "2", "1")
    scenario.world.merge(number)
    ended = scenario.promote()
    assert (ended.name, ended.version) == (Name.LIVE, "2")


def test_a_release_that_was_rejected_is_tried_as_the_same_version(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    assert scenario.promote(rejecting).name is Name.REJECTED
    number = scenario.open({"README.md": "# More\n"})
    commented(scenario, number)
    approve(scenario, number)
    seen, _ = commented(scenario, number)
    assert (seen.version, seen.live, seen.waiting) == ("2", "1", 1)
    scenario.world.merge(number)
    assert scenario.promote().version == "2"


def test_what_the_line_has_not_come_to_cannot_lower_the_number(scenario: Scenario) -> None:
    none = "promotion: {approvals: 0}\n"
    scenario.merged({"params.yaml": params(promotion=none)})  # and no promotion of it
    number = scenario.open({"params.yaml": params(c=0.5, promotion=none)})
    seen, _ = commented(scenario, number)
    assert (seen.answer, seen.needed, seen.waiting) == (Name.NOT_APPROVED, 1, 1)
    scenario.world.merge(number)
    assert scenario.promote().name is Name.NOT_APPROVED


def test_where_no_approval_is_asked_for_none_is_waited_for(scenario: Scenario) -> None:
    none = "promotion: {approvals: 0}\n"
    scenario.merged({"params.yaml": params(promotion=none)})
    assert scenario.promote().name is Name.POLICY_ONLY
    number = scenario.open({"params.yaml": params(c=0.5, promotion=none)})
    seen, body = commented(scenario, number)
    assert (seen.answer, seen.needed) == ("PROMOTE", 0)
    assert "approvals: 0, so nobody's approval is asked for" in body.replace("\u2060", "")
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE


def test_main_that_has_moved_is_foreseen_as_moved(scenario: Scenario) -> None:
    number = scenario.open({"data/customers.csv": first_files()["data/customers.csv"] + "\n"})
    scenario.merged(BETTER)
    assert scenario.promote().name is Name.LIVE
    commented(scenario, number)
    approve(scenario, number)
    seen, body = commented(scenario, number)
    assert seen.answer == Name.MOVED
    assert "PROMOTE" not in body
    scenario.world.merge(number)
    assert scenario.promote().name is Name.MOVED


def test_the_first_pull_request_of_all(empty: Scenario) -> None:
    number = empty.open(first_files())
    commented(empty, number)
    approve(empty, number)
    seen, body = commented(empty, number)
    assert (seen.answer, seen.version, seen.live, seen.rollback_to) == ("PROMOTE", "1", None, None)
    assert "to nothing: there is none" in body


def test_what_gates_refuse_is_said_before_approvals(scenario: Scenario) -> None:
    gates = "gates:\n  auc-floor: {metric: roc_auc, at_least: 0.99}\n"
    seen, body = commented(scenario, scenario.open({"params.yaml": params(c=0.5, gates=gates)}))
    assert (seen.answer, seen.reason) == ("POLICY_FAILED", "")
    assert "auc-floor failed." in body


@pytest.mark.parametrize("path", ["*/reviews", "*/permission", "*/pulls/*/commits", "/users/*"])
def test_github_that_does_not_answer_is_no_forecast(scenario: Scenario, path: str) -> None:
    number = scenario.open(BETTER)
    run = scenario.run(number)
    _, before = commented(scenario, number, run)
    approve(scenario, number)
    scenario.world.world.faults.add(Fault("GET", path, times=99, status=503))
    with pytest.raises(GitHubError):
        review(scenario.review_job(), run)
    (body,) = [one.body for one in scenario.world.repo.comments.values() if one.number == number]
    assert body == before
    scenario.world.world.faults.clear()
    assert commented(scenario, number, run)[0].answer == "PROMOTE"


def test_one_with_more_commits_than_github_lists_is_undecided(scenario: Scenario) -> None:
    number = scenario.open(*[{"README.md": f"# {each}\n"} for each in range(249)], BETTER)
    seen, body = commented(scenario, number)
    assert seen.answer == Name.UNDECIDED
    assert AUTHOR not in seen.approvers
    assert "**UNDECIDED**" in body
