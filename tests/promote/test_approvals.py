"""Approvals on a line: whose count when a merge is promoted."""

import pytest

from mergeline.adapters.github import ACTIONS_USER
from mergeline.core.answers import Name
from mergeline.ledger.entries import Settled
from mergeline.rehearsal.faults import Fault
from mergeline.review.run import Reviewing, review
from promote.scenario import AUTHOR, OTHER, REVIEWER, Scenario, git, other_model, params, refused

BETTER = {"params.yaml": params(c=0.5)}


def reviewed(scenario: Scenario, run: int) -> Reviewing:
    """Do the comment's job."""
    done = review(scenario.review_job(), run)
    assert isinstance(done, Reviewing), done
    return done


def opened(scenario: Scenario) -> int:
    number = scenario.open(BETTER)
    scenario.check(number)
    return number


def test_without_an_approval(scenario: Scenario) -> None:
    scenario.world.merge(opened(scenario))
    ended = refused(scenario, Name.NOT_APPROVED)
    assert ended.pull_request == 10


def test_an_approval_after_the_merge_counts(scenario: Scenario) -> None:
    number = opened(scenario)
    scenario.world.merge(number)
    refused(scenario, Name.NOT_APPROVED)
    scenario.world.approve(number, REVIEWER)
    assert scenario.promote().name is Name.LIVE


def test_by_somebody_who_may_only_read(scenario: Scenario) -> None:
    scenario.world.add_user("reader", permission="read")
    number = opened(scenario)
    scenario.world.approve(number, "reader")
    scenario.world.merge(number)
    assert "reader" in refused(scenario, Name.NOT_APPROVED).reason


def test_by_a_co_author(scenario: Scenario) -> None:
    message = f"Better\n\nCo-authored-by: Somebody <{REVIEWER}@example.org>"
    number = scenario.ready(BETTER, message=message)
    scenario.world.merge(number)
    assert REVIEWER in refused(scenario, Name.SELF_APPROVED).reason
    scenario.world.approve(number, OTHER)
    assert scenario.promote().name is Name.LIVE


def test_of_an_earlier_head(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    pull = scenario.world.pull(number)
    scenario.push_again(pull.head_ref, {"README.md": "# More\n"})
    scenario.check(number)
    scenario.world.merge(number)
    refused(scenario, Name.STALE_APPROVAL)


def test_before_the_comment(scenario: Scenario) -> None:
    number = scenario.open(BETTER)
    scenario.world.approve(number, REVIEWER)
    scenario.check(number)
    scenario.world.merge(number)
    assert "before its comment" in refused(scenario, Name.STALE_APPROVAL).reason


def test_of_another_result_of_the_same_head(scenario: Scenario) -> None:
    """A head that is built again and comes out different was not approved as it is now."""
    number = scenario.ready(BETTER)
    scenario.check(number)  # the same once more
    assert len(scenario.history.reviewed(number, scenario.world.pull(number).head_sha)) == 2
    scenario.check(number, other_model)
    scenario.world.merge(number)
    refused(scenario, Name.STALE_APPROVAL)


def test_of_another_result_before_the_first_one_came_back(scenario: Scenario) -> None:
    """Whoever approved has read the other one, whatever the comment said before and after."""
    number = scenario.open(BETTER)
    run = scenario.run(number)
    first = reviewed(scenario, run)
    assert reviewed(scenario, scenario.run(number, other_model)).entry.key != first.entry.key
    scenario.world.approve(number, REVIEWER)
    back = reviewed(scenario, run)
    assert back.entry.key == first.entry.key
    assert back.plan.forecast is not None
    assert back.plan.forecast.answer == Name.STALE_APPROVAL
    scenario.world.merge(number)
    assert "before its comment" in refused(scenario, Name.STALE_APPROVAL).reason
    scenario.world.approve(number, REVIEWER)
    assert scenario.promote().name is Name.LIVE


def test_of_the_one_that_came_back(scenario: Scenario) -> None:
    number = scenario.open(BETTER)
    run = scenario.run(number)
    for one in (run, scenario.run(number, other_model), run):
        reviewed(scenario, one)
    scenario.world.approve(number, REVIEWER)
    reviewed(scenario, run)  # tells of the approval
    reviewed(scenario, scenario.run(number))  # a second build to the same bytes
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE


# --- whose the change is, GitHub does not know ---------------------------------------------


def test_who_pushed_to_a_bots_pull_request_cannot_approve_it_alone(scenario: Scenario) -> None:
    branch = scenario.push(BETTER, author="nobody-known")
    number = scenario.world.open_pull(branch, login=ACTIONS_USER)
    reviewed(scenario, scenario.run(number))
    scenario.world.approve(number, AUTHOR)  # who pushed it
    done = reviewed(scenario, scenario.run(number))
    assert done.plan.forecast is not None
    assert done.plan.forecast.needed == 2
    assert "is no account that GitHub knows" in done.plan.forecast.reason
    scenario.world.merge(number)
    commit = scenario.world.pull(number).head_sha[:12]
    reason = refused(scenario, Name.NOT_APPROVED).reason
    assert f"the author of {commit} is no account that GitHub knows" in reason
    assert "so one approval more is needed" in reason
    scenario.world.approve(number, REVIEWER)
    assert scenario.promote().name is Name.LIVE


def test_nor_by_the_bots_own_address(scenario: Scenario) -> None:
    bot = scenario.world.world.users[ACTIONS_USER]
    scenario.world.add_user(ACTIONS_USER, bot.name, "bot@example.org")
    number = scenario.world.open_pull(scenario.push(BETTER, author="bot"), login=ACTIONS_USER)
    scenario.check(number)
    scenario.world.approve(number, AUTHOR)
    scenario.world.merge(number)
    assert f"{ACTIONS_USER} opened it" in refused(scenario, Name.NOT_APPROVED).reason


def test_a_bots_own_change_needs_what_the_policy_says(scenario: Scenario) -> None:
    bot = "dependabot[bot]"
    scenario.world.add_user(bot, bot, "dependabot@example.org")
    number = scenario.world.open_pull(scenario.push(BETTER, author="dependabot"), login=bot)
    scenario.check(number)
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE


def test_an_unknown_author_needs_nobody_where_the_policy_asks_for_none(
    scenario: Scenario,
) -> None:
    none = "promotion: {approvals: 0}\n"
    scenario.merged({"params.yaml": params(promotion=none)})
    assert scenario.promote().name is Name.POLICY_ONLY
    files = {"params.yaml": params(c=0.5, promotion=none)}
    scenario.check(number := scenario.open(files, author="nobody-known"))
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE


def test_withdrawn(scenario: Scenario) -> None:
    number = opened(scenario)
    scenario.world.dismiss(number, scenario.world.approve(number, REVIEWER))
    scenario.world.merge(number)
    refused(scenario, Name.DISMISSED)


def test_with_an_open_change_request(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    scenario.world.request_changes(number, OTHER)
    scenario.world.merge(number)
    refused(scenario, Name.NOT_APPROVED)


def test_all_pages_of_reviews_are_read(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    for _ in range(101):
        scenario.world.comment(number, REVIEWER, "hm")
        scenario.world.approve(number, REVIEWER)
    scenario.world.request_changes(number, OTHER)
    scenario.world.merge(number)
    assert OTHER in refused(scenario, Name.NOT_APPROVED).reason


@pytest.mark.parametrize("path", ["*/reviews", "*/permission", "*/commits", "/users/*"])
def test_github_that_does_not_answer_is_undecided(scenario: Scenario, path: str) -> None:
    scenario.world.merge(scenario.ready(BETTER))
    scenario.world.world.faults.add(Fault("GET", path, times=99, status=503))
    refused(scenario, Name.UNDECIDED)
    scenario.world.world.faults.clear()
    assert scenario.promote().name is Name.LIVE


def test_the_larger_number_of_old_and_new_policy_is_needed(scenario: Scenario) -> None:
    two = "promotion: {approvals: 2}\n"
    number = scenario.ready({"params.yaml": params(c=0.5, promotion=two)})
    scenario.world.merge(number)
    assert "1 of the 2" in refused(scenario, Name.NOT_APPROVED).reason
    scenario.world.approve(number, OTHER)
    assert scenario.promote().name is Name.LIVE
    none = "promotion: {approvals: 0}\n"
    number = scenario.ready({"params.yaml": params(c=0.25, promotion=none)})
    scenario.world.merge(number)
    assert "1 of the 2" in refused(scenario, Name.NOT_APPROVED).reason


def test_none_are_needed_where_the_policy_says_so(scenario: Scenario) -> None:
    none = "promotion: {approvals: 0}\n"
    scenario.merged({"params.yaml": params(promotion=none)})
    assert scenario.promote().name is Name.POLICY_ONLY
    number = scenario.open({"params.yaml": params(c=0.5, promotion=none)})
    scenario.check(number)
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE


def test_a_merge_without_approvals_blocks_those_after_it(scenario: Scenario) -> None:
    scenario.world.merge(opened(scenario))
    blocked = scenario.main
    scenario.merged({"README.md": "# More\n"})
    ended = refused(scenario, Name.NOT_APPROVED)
    assert "#10" in ended.reason
    assert blocked in ended.next_step


def test_until_a_later_approved_one_names_it(scenario: Scenario) -> None:
    scenario.world.merge(opened(scenario))
    accept = f"{{commit: {scenario.main}, reason: looked at it, owner: bob}}"
    promotion = f"promotion: {{approvals: 1, accept: [{accept}]}}\n"
    scenario.merged({"params.yaml": params(c=0.5, promotion=promotion)})
    assert scenario.promote().name is Name.POLICY_ONLY
    settled = scenario.last(Settled)
    assert [one.owner for one in settled.accepted] == ["bob"]
    scenario.merged({"README.md": "# More\n"})
    assert scenario.promote().name is Name.LIVE


def test_the_approvers_stand_in_the_ledger(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    scenario.world.approve(number, OTHER)
    scenario.world.merge(number)
    scenario.promote()
    declared = scenario.history.desired("production")
    assert declared is not None
    assert (declared.author, set(declared.approvers)) == (AUTHOR, {REVIEWER, OTHER})


def test_one_with_more_commits_than_github_lists_can_be_accepted(scenario: Scenario) -> None:
    start = "from refs/heads/main\n"
    stream = [
        f"commit refs/heads/long\ncommitter Ann <ann@example.org> {1_700_000_000 + n} +0000\n"
        f"data 1\nx\n{'' if n else start}"
        f"M 100644 inline long.txt\ndata {len(str(n))}\n{n}\n"
        for n in range(250)
    ]
    git(scenario.remote, "fast-import", "--quiet", given="".join(stream))
    scenario.world.merge(scenario.world.open_pull("long", login=AUTHOR), "squash")
    blocked = scenario.main
    scenario.merged(BETTER)
    assert blocked in refused(scenario, Name.UNDECIDED).next_step
    accept = f"{{commit: {blocked}, reason: looked at it, owner: bob}}"
    promotion = f"promotion: {{approvals: 1, accept: [{accept}]}}\n"
    scenario.merged({"params.yaml": params(c=0.25, promotion=promotion)})
    assert scenario.promote().name is Name.LIVE
