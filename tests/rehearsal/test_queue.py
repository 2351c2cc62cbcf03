"""The merge queue: a branch for each pull request, then main goes forward to one of them."""

import pytest

from mergeline.core.queue import queue_branch
from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone

REQUIRED = {
    "type": "required_status_checks",
    "parameters": {"required_status_checks": [{"context": "mergeline"}]},
}


def branches(clone: Clone) -> dict[str, str]:
    lines = clone.git("ls-remote", "origin", "refs/heads/gh-readonly-queue/*").splitlines()
    return {name.removeprefix("refs/heads/"): sha for sha, name in map(str.split, lines)}


def main(clone: Clone) -> str:
    return clone.git("ls-remote", "origin", "refs/heads/main").split()[0]


def opened(hub: Rehearsal, clone: Clone, name: str) -> int:
    clone.topic(name)
    return hub.open_pull(name, login="ann")


def test_a_group_is_the_base_merged_with_the_head(hub: Rehearsal, clone: Clone) -> None:
    number, base = opened(hub, clone, "topic"), main(clone)
    commit = hub.queue(number)
    assert branches(clone) == {f"gh-readonly-queue/main/pr-{number}-{base}": commit}
    clone.git("fetch", "-q", "origin", commit)
    parents = clone.git("log", "-1", "--format=%P", commit).split()
    assert parents == [base, hub.pull(number).head_sha]
    assert main(clone) == base
    assert hub.pull(number).state == "open"


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_main_goes_forward_to_the_groups_commit(
    hub: Rehearsal, clone: Clone, ann: Api, method: str
) -> None:
    number = opened(hub, clone, "topic")
    commit = hub.queue(number, method)
    assert hub.merge_queued(number) == commit == main(clone)
    assert branches(clone) == {}
    shown = ann.get(f"/{{repo}}/pulls/{number}")
    assert (shown["merged"], shown["merge_commit_sha"]) == (True, commit)
    assert [one["number"] for one in ann.get(f"/{{repo}}/commits/{commit}/pulls")] == [number]


def test_the_second_is_on_top_of_the_first_and_takes_it_along(
    hub: Rehearsal, clone: Clone, ann: Api
) -> None:
    one, two = opened(hub, clone, "one"), opened(hub, clone, "two")
    first, second = hub.queue(one), hub.queue(two)
    names = {found.number: found for name in branches(clone) if (found := queue_branch(name))}
    assert names[two].parent == first
    assert hub.merge_queued(two) == second == main(clone)
    for number, commit in ((one, first), (two, second)):
        assert ann.get(f"/{{repo}}/pulls/{number}")["merge_commit_sha"] == commit
        assert [pull["number"] for pull in ann.get(f"/{{repo}}/commits/{commit}/pulls")] == [number]


def test_a_base_that_moves_makes_every_group_anew(hub: Rehearsal, clone: Clone) -> None:
    one, two = opened(hub, clone, "one"), opened(hub, clone, "two")
    before = [hub.queue(one), hub.queue(two)]
    clone.topic("main", "more.txt")
    with pytest.raises(ValueError, match="not in the queue"):
        hub.merge_queued(one)
    after = hub.queue(two)
    assert list(branches(clone).values()) == [after]
    assert after not in before


def test_queued_once_more_its_group_is_made_anew_without_those_behind(
    hub: Rehearsal, clone: Clone
) -> None:
    one, two = opened(hub, clone, "one"), opened(hub, clone, "two")
    hub.queue(one)
    hub.queue(two)
    again = hub.queue(one)
    assert branches(clone) == {f"gh-readonly-queue/main/pr-{one}-{main(clone)}": again}


def test_a_conflict_is_no_group(hub: Rehearsal, clone: Clone) -> None:
    clone.branch("one")
    clone.commit("README", "one\n", push="one")
    clone.branch("two")
    clone.commit("README", "two\n", push="two")
    hub.queue(hub.open_pull("one", login="ann"))
    with pytest.raises(ValueError, match="conflicts"):
        hub.queue(hub.open_pull("two", login="ann"))


def test_a_required_status_is_asked_of_the_head_and_of_the_group(
    hub: Rehearsal, clone: Clone, bob: Api
) -> None:
    hub.add_ruleset("status", [REQUIRED])
    number = opened(hub, clone, "topic")
    with pytest.raises(ValueError, match="lacks a status"):
        hub.queue(number)

    def green(sha: str) -> None:
        said = bob(
            "POST", f"/{{repo}}/statuses/{sha}", {"state": "success", "context": "mergeline"}
        )
        assert said.status_code == 201

    green(hub.pull(number).head_sha)
    commit = hub.queue(number)
    with pytest.raises(ValueError, match="lacks mergeline on its group"):
        hub.merge_queued(number)
    green(commit)
    assert hub.merge_queued(number) == commit
