"""Where the commits of main come from: pull requests, and what claims to."""

from collections.abc import Mapping

import pytest

from mergeline.core.answers import Name
from mergeline.errors import ConfigError
from mergeline.inputs.settings import require_settings_at
from mergeline.ledger.entries import Promoted, Settled
from mergeline.promote.attribute import merge_at
from mergeline.promote.identify import Identified, identify
from mergeline.rehearsal.faults import Fault
from mergeline.rehearsal.merging import merge
from promote.scenario import OTHER, REVIEWER, Scenario, first_files, git, params, refused

BETTER = {"params.yaml": params(c=0.5)}
DOCS = {"README.md": "# More\n"}


def accepting(*commits: str, c: float = 1.0, reason: str = "looked at") -> Mapping[str, str]:
    """Settings that accept commits by name."""
    named = ", ".join(f"{{commit: {one}, reason: {reason}, owner: bob}}" for one in commits)
    promotion = f"promotion: {{approvals: 1, accept: [{named}]}}\n"
    return {"params.yaml": params(c=c, promotion=promotion)}


def identified(scenario: Scenario) -> Identified:
    """Identify main's tip."""
    job = scenario.job()
    settings = require_settings_at(scenario.git, job.commit)
    line = job.line("main", settings)
    found = identify(line, job.github, job.commit, settings, scenario.history)
    assert isinstance(found, Identified), found
    return found


@pytest.mark.parametrize(("method", "commits"), [("merge", 1), ("squash", 1), ("rebase", 3)])
def test_every_way_to_merge_is_one_pull_request(
    scenario: Scenario, method: str, commits: int
) -> None:
    before = scenario.main
    number = scenario.open(BETTER, DOCS, {"README.md": "# Even more\n"})
    tip = scenario.world.merge(number, method)
    found = identified(scenario)
    assert [merge.pull.number for merge in found.merges] == [number]
    assert (found.last.base, found.last.commit) == (before, tip)
    assert len(found.last.commits) == commits
    line = scenario.job().line("main", found.settings)
    assert merge_at(line, scenario.github, tip) == found.last


def test_all_of_them_since_the_position_the_oldest_first(scenario: Scenario) -> None:
    before = scenario.main
    first = scenario.open(DOCS)
    scenario.world.merge(first, "squash")
    second = scenario.open(BETTER, {"NOTES.md": "x\n"})
    scenario.world.merge(second, "rebase")
    third = scenario.open({"README.md": "# Last\n"})
    scenario.world.merge(third, "merge")
    found = identified(scenario)
    assert [merge.pull.number for merge in found.merges] == [first, second, third]
    assert found.merges[0].base == before
    assert found.merges[1].base == found.merges[0].commit
    assert found.last.base == found.merges[1].commit


def test_a_tip_that_is_not_mains_is_superseded(scenario: Scenario) -> None:
    old = scenario.merged(BETTER)
    scenario.merged(DOCS)
    ended = refused(scenario, Name.SUPERSEDED, commit=old)
    assert scenario.main[:12] in ended.reason


def test_a_commit_that_main_does_not_hold_is_of_another_history(scenario: Scenario) -> None:
    branch = scenario.push(BETTER)
    refused(scenario, Name.HISTORY_REWRITTEN, commit=scenario.tip(branch))


def test_a_main_without_the_position_was_rewritten(scenario: Scenario) -> None:
    start = git(scenario.remote, "rev-list", "--max-parents=0", "main")
    git(scenario.remote, "update-ref", "refs/heads/main", start)
    scenario.merged(first_files())
    ended = refused(scenario, Name.HISTORY_REWRITTEN)
    assert "was rewritten" in ended.reason


def test_a_position_that_only_a_merged_branch_holds_is_not_mains_own(scenario: Scenario) -> None:
    """Main was merged into a branch, and main then moved to that branch."""
    position = scenario.main
    start = git(scenario.remote, "rev-list", "--max-parents=0", "main")
    tree = git(scenario.remote, "rev-parse", f"{position}^{{tree}}")
    roles = ("AUTHOR", "COMMITTER")
    who = {f"GIT_{role}_{key}": "x@y.z" for role in roles for key in ("NAME", "EMAIL")}
    turned = git(
        scenario.remote,
        *("commit-tree", tree, "-p", start, "-p", position, "-m", "turned"),
        env=who,
    )
    git(scenario.remote, "update-ref", "refs/heads/main", turned)
    ended = refused(scenario, Name.HISTORY_REWRITTEN)
    assert "only a merged branch holds it" in ended.reason


# --- direct pushes ---------------------------------------------------------------------


def test_a_direct_push_blocks(scenario: Scenario) -> None:
    pushed = scenario.push_to_main(DOCS)
    ended = refused(scenario, Name.DIRECT_PUSH)
    assert pushed in ended.next_step
    scenario.merged(BETTER)
    assert pushed[:12] in refused(scenario, Name.DIRECT_PUSH).reason


def test_all_direct_pushes_are_named(scenario: Scenario) -> None:
    pushed = [scenario.push_to_main({"README.md": f"{number}\n"}) for number in range(2)]
    scenario.merged(BETTER)
    ended = refused(scenario, Name.DIRECT_PUSH)
    assert all(commit in ended.next_step for commit in pushed)


def test_a_later_approved_pull_request_that_names_it_unblocks(scenario: Scenario) -> None:
    pushed = scenario.push_to_main(DOCS)
    scenario.merged(accepting(pushed, c=0.5))
    assert scenario.promote().name is Name.LIVE
    declared = scenario.history.desired("production")
    assert declared is not None
    assert [(one.commit, one.owner) for one in declared.accepted] == [(pushed, "bob")]


def test_one_that_was_not_approved_does_not(scenario: Scenario) -> None:
    pushed = scenario.push_to_main(DOCS)
    number = scenario.open(accepting(pushed))
    scenario.check(number)
    scenario.world.merge(number)
    refused(scenario, Name.NOT_APPROVED)
    # Accepting the pull request does not accept what it accepted.
    blocked = scenario.main
    scenario.merged(accepting(pushed, blocked))
    assert pushed[:12] in refused(scenario, Name.DIRECT_PUSH).reason
    scenario.merged(accepting(pushed, blocked, reason="looked at it again"))
    assert scenario.promote().name is Name.POLICY_ONLY
    assert {one.commit for one in scenario.last(Settled).accepted} == {pushed, blocked}


def test_a_direct_push_cannot_name_another(scenario: Scenario) -> None:
    first = scenario.push_to_main(DOCS)
    second = scenario.push_to_main(accepting(first))
    scenario.merged(accepting(first, second))
    assert first[:12] in refused(scenario, Name.DIRECT_PUSH).reason


def test_a_name_that_was_taken_back_does_not_count(scenario: Scenario) -> None:
    pushed = scenario.push_to_main(DOCS)
    scenario.merged(accepting(pushed))
    scenario.merged({"params.yaml": params()})
    refused(scenario, Name.DIRECT_PUSH)


def test_a_short_name_is_no_name(scenario: Scenario) -> None:
    pushed = scenario.push_to_main(DOCS)
    scenario.merged(accepting(pushed[:12]))
    refused(scenario, Name.DIRECT_PUSH)


# --- what GitHub says, held against Git ------------------------------------------------


def claim(scenario: Scenario, number: int, commit: str) -> None:
    """Let GitHub say that a pull request brought a commit."""
    with scenario.world.world.lock:
        pull = scenario.world.repo.pulls[number]
        pull.brought |= {commit}


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_pull_request_cannot_claim_a_direct_push_before_it(
    scenario: Scenario, method: str
) -> None:
    pushed = scenario.push_to_main({"evil.txt": "x\n"})
    number = scenario.ready(BETTER, DOCS)
    scenario.world.merge(number, method)
    claim(scenario, number, pushed)
    assert pushed[:12] in refused(scenario, Name.DIRECT_PUSH).reason


def test_nor_one_after_it(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    scenario.world.merge(number)
    pushed = scenario.push_to_main({"evil.txt": "x\n"})
    claim(scenario, number, pushed)
    assert pushed[:12] in refused(scenario, Name.DIRECT_PUSH).reason


def test_a_merge_of_another_head_is_not_the_pull_requests(scenario: Scenario) -> None:
    number = scenario.ready(BETTER)
    scenario.world.merge(number)
    with scenario.world.world.lock:
        scenario.world.repo.pulls[number].head_sha = scenario.tip(scenario.push(DOCS))
    refused(scenario, Name.DIRECT_PUSH)


def test_what_was_merged_into_another_branch_brought_nothing_to_main(scenario: Scenario) -> None:
    git(scenario.remote, "update-ref", "refs/heads/release", scenario.main)
    number = scenario.world.open_pull(scenario.push(BETTER), "release", login="ann")
    tip = scenario.world.merge(number)
    git(scenario.remote, "update-ref", "refs/heads/main", tip)
    refused(scenario, Name.DIRECT_PUSH)


def test_the_head_of_a_pull_request_pushed_to_main_is_that_pull_request(
    scenario: Scenario,
) -> None:
    """GitHub calls it merged; it still needs its approvals."""
    number = scenario.open(BETTER, DOCS)
    scenario.check(number)
    git(scenario.remote, "update-ref", "refs/heads/main", scenario.world.pull(number).head_sha)
    scenario.world.pull(number)
    refused(scenario, Name.NOT_APPROVED)
    scenario.world.approve(number, REVIEWER)
    assert scenario.promote().name is Name.LIVE


def twins(scenario: Scenario) -> tuple[int, int]:
    """Two pull requests with one head, pushed to main straight: GitHub calls both merged."""
    branch = scenario.push(BETTER)
    git(scenario.remote, "update-ref", "refs/heads/twin", scenario.tip(branch))
    one, other = (scenario.world.open_pull(name, login="ann") for name in (branch, "twin"))
    return one, other


def push_head(scenario: Scenario, number: int) -> None:
    git(scenario.remote, "update-ref", "refs/heads/main", scenario.world.pull(number).head_sha)
    scenario.world.pull(number)


def test_two_pull_requests_that_brought_the_same_commit_are_ambiguous(scenario: Scenario) -> None:
    one, other = twins(scenario)
    push_head(scenario, one)
    ended = refused(scenario, Name.AMBIGUOUS)
    assert f"#{one} and #{other}" in ended.reason
    blocked = scenario.main
    scenario.merged(accepting(blocked, c=0.5))
    assert scenario.promote().name is Name.POLICY_ONLY


@pytest.mark.parametrize("first", [True, False])
def test_the_one_whose_approval_counts_is_meant(scenario: Scenario, first: bool) -> None:
    pair = twins(scenario)
    for number in pair:
        scenario.check(number)
    push_head(scenario, pair[0])
    assert "approve the one that was meant" in refused(scenario, Name.AMBIGUOUS).next_step
    meant = pair[0] if first else pair[1]
    scenario.world.approve(meant, REVIEWER)
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).pull_request == meant


def test_where_both_are_approved_alike_nothing_tells(scenario: Scenario) -> None:
    pair = twins(scenario)
    for number in pair:
        scenario.check(number)
        scenario.world.approve(number, REVIEWER)
    push_head(scenario, pair[0])
    refused(scenario, Name.AMBIGUOUS)
    scenario.world.approve(pair[1], OTHER)
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).pull_request == pair[1]


def test_a_head_that_names_another_is_not_githubs_word(scenario: Scenario) -> None:
    """Its message is whoever's wrote it, and it is a merge itself."""
    start, theirs = scenario.main, scenario.tip(scenario.push(BETTER))
    keys = [f"GIT_{role}_{key}" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")]
    who = dict.fromkeys(keys, "ann@example.org")
    message = "Merge pull request #11 from ann/twin"
    tree = git(scenario.remote, "rev-parse", f"{theirs}^{{tree}}")
    head = git(
        scenario.remote, "commit-tree", tree, "-p", start, "-p", theirs, "-m", message, env=who
    )
    for name in ("one", "twin"):
        git(scenario.remote, "update-ref", f"refs/heads/{name}", head)
    pair = [scenario.world.open_pull(name, login="ann") for name in ("one", "twin")]
    assert pair == [10, 11]
    push_head(scenario, 10)
    refused(scenario, Name.AMBIGUOUS)


def twin_in_a_fork(scenario: Scenario, number: int) -> int:
    """Somebody's pull request with the very head of another one."""
    pull, name = scenario.world.pull(number), f"twin-{number}"
    scenario.world.add_fork(OTHER)
    fork = next(one for one in scenario.world.world.repos.values() if one.owner == OTHER)
    fork.git.bring(scenario.remote, pull.head_sha, f"refs/heads/{name}")
    return scenario.world.open_pull(f"{OTHER}:{name}", login=OTHER)


@pytest.mark.parametrize("both", [False, True], ids=["ours reviewed", "both reviewed"])
def test_a_forks_pull_request_with_our_head_does_not_block(scenario: Scenario, both: bool) -> None:
    number = scenario.ready(BETTER)
    twin = twin_in_a_fork(scenario, number)
    if both:
        scenario.check(twin)
    scenario.world.merge(number)
    assert scenario.world.pull(twin).merged is not None
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).pull_request == number


def test_the_twin_that_was_reviewed_needs_its_own_approvals(scenario: Scenario) -> None:
    number = scenario.open(BETTER)
    twin = twin_in_a_fork(scenario, number)
    scenario.check(twin)
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    scenario.world.pull(twin)
    assert f"#{twin} has 0 of the 1" in refused(scenario, Name.NOT_APPROVED).reason


def merge_titled(scenario: Scenario, number: int, title: str | None) -> None:
    """Merge a pull request with another first line than GitHub's own."""
    people, pull = scenario.world, scenario.world.pull(number)
    text = title.format(number) if title else None
    with people.world.lock:
        owner = people.repo.owner
        assert merge(people.world, people.repo, pull, method="merge", login=owner, title=text)


@pytest.mark.parametrize("title", [None, "Better (#{})"], ids=["by default", "by title"])
@pytest.mark.parametrize("merged", [0, 1])
def test_of_two_forks_the_one_that_github_merged_is_meant(
    scenario: Scenario, merged: int, title: str | None
) -> None:
    """A stranger's twin does not block somebody's fork, reviewed or not, approved or not."""
    head, pair = scenario.tip(scenario.push(BETTER, author="carol")), []
    for who in ("carol", "mallory"):
        scenario.world.add_user(who, who.title(), f"{who}@example.org")
        fork = scenario.world.add_fork(who)
        git(scenario.folder, "-C", fork, "update-ref", "refs/heads/x", head)
        pair.append(scenario.world.open_pull(f"{who}:x", login=who))
        scenario.check(pair[-1])
    meant, twin = pair[merged], pair[1 - merged]
    merge_titled(scenario, meant, title)
    assert scenario.world.pull(twin).merged is not None
    assert f"#{meant} has 0 of the 1" in refused(scenario, Name.NOT_APPROVED).reason
    scenario.world.approve(meant, REVIEWER)
    ended = scenario.promote()
    assert (ended.name, ended.pull_request) == (Name.UNDECIDED, meant)
    assert "another repository" in ended.reason
    assert scenario.promote(rebuilt=scenario.rebuilt()).name is Name.LIVE
    assert scenario.last(Promoted).pull_request == meant


def test_one_with_the_same_head_that_was_closed_is_not(scenario: Scenario) -> None:
    number = scenario.open(BETTER)
    twin = twin_in_a_fork(scenario, number)
    scenario.check(twin)
    scenario.world.approve(twin, REVIEWER)
    scenario.world.close_pull(twin)
    scenario.check(number)
    scenario.world.merge(number)
    assert f"#{number} has 0 of the 1" in refused(scenario, Name.NOT_APPROVED).reason


@pytest.mark.parametrize("kind", ["status", "truncate"])
def test_github_that_does_not_say_is_undecided(scenario: Scenario, kind: str) -> None:
    scenario.merged(BETTER)
    scenario.world.world.faults.add(Fault("GET", "*/commits/*/pulls", kind, times=99))  # type: ignore[arg-type]
    refused(scenario, Name.UNDECIDED)


# --- the beginning of a line -----------------------------------------------------------


def test_without_a_position_only_the_last_merge_counts(empty: Scenario) -> None:
    empty.push_to_main(DOCS)
    number = empty.ready(first_files())
    empty.world.merge(number)
    assert empty.promote().name is Name.LIVE


def test_since_says_from_where_on_every_commit_counts(empty: Scenario) -> None:
    start = empty.main
    pushed = empty.push_to_main(DOCS)
    since = f"promotion: {{since: {start}}}\n"
    empty.merged(first_files() | {"params.yaml": params(promotion=since)})
    assert pushed in refused(empty, Name.DIRECT_PUSH).next_step


@pytest.mark.parametrize("since", ["main", "0123abc"])
def test_since_is_a_whole_id(empty: Scenario, since: str) -> None:
    promotion = f"promotion: {{since: {since}}}\n"
    empty.merged(first_files() | {"params.yaml": params(promotion=promotion)})
    with pytest.raises(ConfigError, match=since):
        empty.promote()


def test_since_that_main_does_not_hold(empty: Scenario) -> None:
    promotion = f"promotion: {{since: {'f' * 40}}}\n"
    empty.merged(first_files() | {"params.yaml": params(promotion=promotion)})
    refused(empty, Name.HISTORY_REWRITTEN)


def test_a_commit_without_settings_is_an_error(empty: Scenario) -> None:
    empty.merged_unchecked(DOCS)
    with pytest.raises(ConfigError, match=r"has no params\.yaml"):
        empty.promote()
