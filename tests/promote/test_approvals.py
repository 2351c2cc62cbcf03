"""Approvals on a line: whose count when a merge is promoted."""

import pytest

from mergeline.core.answers import Name
from mergeline.ledger.entries import Settled
from mergeline.rehearsal.faults import Fault
from promote.scenario import AUTHOR, OTHER, REVIEWER, Scenario, git, other_model, params, refused

BETTER = {"params.yaml": params(c=0.5)}


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
