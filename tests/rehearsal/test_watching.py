"""What the stand-in notices of pushes."""

from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone


def ref(hub: Rehearsal, name: str) -> str | None:
    return hub.repo.git.refs().get(name)


def test_a_push_moves_the_pull_request(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    old = clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    assert ref(hub, f"refs/pull/{number}/head") == old
    new = clone.commit("more.txt", "m\n", push="topic")
    shown = ann.get(f"/{{repo}}/pulls/{number}")
    assert (shown["head"]["sha"], shown["commits"]) == (new, 2)
    assert ref(hub, f"refs/pull/{number}/head") == new


def test_the_test_merge_follows_head_and_base(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    head = clone.topic("topic")
    number = hub.open_pull("topic", login="ann")

    def tested() -> list[str]:
        merge = ann.get(f"/{{repo}}/pulls/{number}")["merge_commit_sha"]
        assert ref(hub, f"refs/pull/{number}/merge") == merge
        return list(hub.repo.git.commit(merge).parents)

    base = hub.repo.git.tip("main")
    assert tested() == [base, head]
    clone.branch("other")
    moved = clone.commit("other.txt", "o\n", push="main")
    assert tested() == [moved, head]
    clone.git("checkout", "-q", "topic")
    new = clone.commit("more.txt", "m\n", push="topic")
    assert tested() == [moved, new]
    hub.merge(number)
    assert ref(hub, f"refs/pull/{number}/merge") is None
    assert ref(hub, f"refs/pull/{number}/head") == new


def test_an_untouched_test_merge_is_not_made_again(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    first, second = (ann.get(f"/{{repo}}/pulls/{number}")["merge_commit_sha"] for _ in range(2))
    assert first == second


def test_the_base_stays_what_it_was_until_the_head_moves(
    hub: Rehearsal, clone: Clone, ann: Api
) -> None:
    base = hub.repo.git.tip("main")
    clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    clone.branch("other")
    moved = clone.commit("other.txt", "o\n", push="main")
    assert ann.get(f"/{{repo}}/pulls/{number}")["base"]["sha"] == base
    clone.git("checkout", "-q", "topic")
    clone.commit("more.txt", "m\n", push="topic")
    assert ann.get(f"/{{repo}}/pulls/{number}")["base"]["sha"] == moved


def test_a_deleted_branch_closes_its_pull_request(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    head = clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    clone.git("push", "-q", "origin", ":topic")
    shown = ann.get(f"/{{repo}}/pulls/{number}")
    assert (shown["state"], shown["merged"], shown["head"]["sha"]) == ("closed", False, head)
    assert ann("PATCH", f"/{{repo}}/pulls/{number}", {"state": "open"}).status_code == 422
    clone.git("push", "-q", "origin", f"{head}:refs/heads/topic")
    assert ann("PATCH", f"/{{repo}}/pulls/{number}", {"state": "open"}).status_code == 200
    assert ann.get(f"/{{repo}}/pulls/{number}")["mergeable"] is True


def test_a_merge_by_hand_counts_as_one(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    """A direct commit in the same push belongs to no pull request."""
    head = clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    clone.branch("main")
    direct = clone.commit("direct.txt", "d\n")
    clone.git("merge", "-q", "--no-ff", "-m", "By hand", "topic")
    merge = clone.git("rev-parse", "HEAD")
    later = clone.commit("later.txt", "l\n", push="main")
    shown = ann.get(f"/{{repo}}/pulls/{number}")
    assert (shown["merged"], shown["merge_commit_sha"], shown["state"]) == (True, merge, "closed")
    pulls = {
        sha: [one["number"] for one in ann.get(f"/{{repo}}/commits/{sha}/pulls")]
        for sha in (direct, merge, head, later)
    }
    assert pulls == {direct: [], merge: [number], head: [number], later: []}


def test_a_merge_makes_the_other_one_test_anew(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    clone.topic("one", "same.txt")
    clone.topic("two", "same.txt")
    one, two = hub.open_pull("one", login="ann"), hub.open_pull("two", login="ann")
    assert ann.get(f"/{{repo}}/pulls/{two}")["mergeable"] is True
    hub.merge(one)
    assert ann.get(f"/{{repo}}/pulls/{two}")["mergeable"] is False


def test_one_whose_base_was_merged_and_deleted_goes_where_that_went(
    hub: Rehearsal, clone: Clone, ann: Api
) -> None:
    clone.topic("below")
    below = hub.open_pull("below", login="ann")
    clone.branch("above", "below")
    clone.commit("above.txt", "a\n", push="above")
    above = hub.open_pull("above", "below", login="ann")
    hub.merge(below)
    clone.git("push", "-q", "origin", ":below")
    shown = ann.get(f"/{{repo}}/pulls/{above}")
    assert (shown["state"], shown["base"]["ref"]) == ("open", "main")
    events = ann.get(f"/{{repo}}/issues/{above}/events")
    assert [one["event"] for one in events] == ["automatic_base_change_succeeded"]


def test_one_whose_base_is_gone_is_closed(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    clone.topic("below")
    clone.branch("above", "below")
    clone.commit("above.txt", "a\n", push="above")
    above = hub.open_pull("above", "below", login="ann")
    clone.git("push", "-q", "origin", ":below")
    assert ann.get(f"/{{repo}}/pulls/{above}")["state"] == "closed"
