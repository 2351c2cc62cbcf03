"""Merge, squash and rebase, by the API, with what Git then says."""

import pytest

from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone

GITHUB = "GitHub <noreply@github.com>"
WHO = "%an <%ae> | %cn <%ce> | %s"


def pull(hub: Rehearsal, clone: Clone) -> int:
    """A pull request of two commits by two people; main has moved since."""
    clone.branch("topic")
    clone.commit("one.txt", "1\n", "One")
    clone.commit("two.txt", "2\n", "Two\n\nWith reasons.", name="Carl", push="topic")
    number = hub.open_pull("topic", login="ann", title="Both")
    clone.branch("other")
    clone.commit("other.txt", "o\n", "Other", push="main")
    return number


def merge(api: Api, number: int, **body: object) -> str:
    answer = api("PUT", f"/{{repo}}/pulls/{number}/merge", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["merged"] is True
    return answer.json()["sha"]


def test_merge_commit(hub: Rehearsal, clone: Clone, bob: Api) -> None:
    number = pull(hub, clone)
    sha = merge(bob, number)
    assert clone.log(form=WHO)[0] == (
        f"Bob <bob@example.org> | {GITHUB} | Merge pull request #1 from acme/topic"
    )
    assert clone.git("log", "-1", "--format=%b", sha) == "Both"
    parents = clone.git("log", "-1", "--format=%P", sha).split()
    assert clone.git("log", "--no-walk=unsorted", "--format=%s", *parents) == "Other\nTwo"
    shown = bob.get(f"/{{repo}}/pulls/{number}")
    assert (shown["merged"], shown["state"], shown["merge_commit_sha"]) == (True, "closed", sha)
    assert shown["merged_by"]["login"] == "bob"


def test_squash(hub: Rehearsal, clone: Clone, bob: Api) -> None:
    sha = merge(bob, pull(hub, clone), merge_method="squash")
    assert clone.log(form=WHO)[:2] == [
        f"Ann <ann@example.org> | {GITHUB} | Both (#1)",
        "Ann <ann@example.org> | Ann <ann@example.org> | Other",
    ]
    body = clone.git("log", "-1", "--format=%b", sha)
    assert body.startswith("* One\n\n* Two\n\nWith reasons.")
    assert body.endswith("Co-authored-by: Carl <carl@example.org>")
    assert clone.git("ls-tree", "--name-only", sha).split() == [
        "README",
        "one.txt",
        "other.txt",
        "two.txt",
    ]


def test_squash_with_words_of_ones_own(hub: Rehearsal, clone: Clone, bob: Api) -> None:
    words = {"commit_title": "Mine", "commit_message": "and why"}
    sha = merge(bob, pull(hub, clone), merge_method="squash", **words)
    assert clone.log()[0] == "Mine"
    assert clone.git("log", "-1", "--format=%B", sha) == "Mine\n\nand why"


def test_rebase(hub: Rehearsal, clone: Clone, bob: Api) -> None:
    """Authors and messages stay; who merges is the committer; every id is new."""
    number = pull(hub, clone)
    before = {one["sha"] for one in bob.get(f"/{{repo}}/pulls/{number}/commits")}
    sha = merge(bob, number, merge_method="rebase")
    assert clone.log(form=WHO)[:3] == [
        "Carl <carl@example.org> | Bob <bob@example.org> | Two",
        "Ann <ann@example.org> | Bob <bob@example.org> | One",
        "Ann <ann@example.org> | Ann <ann@example.org> | Other",
    ]
    after = clone.log(form="%H")[:2]
    assert after[0] == sha
    assert not before & set(after)
    assert clone.git("log", "-1", "--format=%b", sha) == "With reasons."


def test_rebase_on_the_unmoved_base_makes_new_commits(
    hub: Rehearsal, clone: Clone, bob: Api
) -> None:
    head = clone.topic("topic")
    sha = merge(bob, hub.open_pull("topic", login="ann"), merge_method="rebase")
    assert sha != head
    assert hub.repo.git.tree(sha) == hub.repo.git.tree(head)


def test_rebase_leaves_out_what_main_has_and_merge_commits(
    hub: Rehearsal, clone: Clone, bob: Api
) -> None:
    clone.branch("topic")
    clone.commit("same.txt", "s\n", "Same")
    clone.commit("own.txt", "o\n", "Own")
    clone.branch("main")
    clone.commit("same.txt", "s\n", "Same on main", push="main")
    clone.git("checkout", "-q", "topic")
    clone.git("merge", "-q", "--no-edit", "main")
    clone.git("commit", "-q", "--allow-empty", "-m", "Empty")
    clone.git("push", "-q", "origin", "topic")
    merge(bob, hub.open_pull("topic", login="ann"), merge_method="rebase")
    assert clone.log() == ["Empty", "Own", "Same on main", "Change README"]


def test_three_methods_give_one_tree(hub: Rehearsal, clone: Clone, bob: Api) -> None:
    base, trees = clone.git("rev-parse", "HEAD"), set()
    for method in ("merge", "squash", "rebase"):
        clone.git("push", "-q", "--force", "origin", f"{base}:refs/heads/main")
        clone.topic(method, "a.txt", "b.txt")
        for file in ("a.txt", "b.txt"):
            clone.commit(file, "same\n", push=method)
        sha = merge(bob, hub.open_pull(method, login="ann"), merge_method=method)
        trees.add(hub.repo.git.tree(sha))
    assert len(trees) == 1


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_conflict_is_not_mergeable(hub: Rehearsal, clone: Clone, bob: Api, method: str) -> None:
    clone.branch("topic")
    clone.commit("README", "one\n", push="topic")
    number = hub.open_pull("topic", login="ann")
    clone.branch("other")
    main = clone.commit("README", "other\n", push="main")
    answer = bob("PUT", f"/{{repo}}/pulls/{number}/merge", {"merge_method": method})
    assert (answer.status_code, answer.json()["message"]) == (405, "Pull Request is not mergeable")
    shown = bob.get(f"/{{repo}}/pulls/{number}")
    assert (shown["mergeable"], shown["mergeable_state"]) == (False, "dirty")
    assert hub.repo.git.tip("main") == main
    assert f"refs/pull/{number}/merge" not in hub.repo.git.refs()


def test_commits_that_conflict_one_by_one_are_not_rebased(
    hub: Rehearsal, clone: Clone, bob: Api
) -> None:
    """Head and base merge; the first commit alone does not."""
    clone.branch("topic")
    clone.commit("README", "one\n")
    clone.commit("README", "other\n", push="topic")
    number = hub.open_pull("topic", login="ann")
    clone.branch("main")
    main = clone.commit("README", "other\n", push="main")
    answer = bob("PUT", f"/{{repo}}/pulls/{number}/merge", {"merge_method": "rebase"})
    assert answer.status_code == 405
    assert hub.repo.git.tip("main") == main
    assert bob.get(f"/{{repo}}/pulls/{number}")["mergeable"] is True


def test_a_head_that_moved_is_a_conflict(hub: Rehearsal, clone: Clone, bob: Api) -> None:
    seen = clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    clone.commit("more.txt", "m\n", push="topic")
    answer = bob("PUT", f"/{{repo}}/pulls/{number}/merge", {"sha": seen})
    assert answer.status_code == 409
    assert "Head branch was modified" in answer.json()["message"]


def test_merged_closed_and_draft_are_not_merged(hub: Rehearsal, clone: Clone, bob: Api) -> None:
    clone.topic("one")
    clone.topic("two")
    clone.topic("three")
    merged, closed = hub.open_pull("one", login="ann"), hub.open_pull("two", login="ann")
    draft = hub.open_pull("three", login="ann", draft=True)
    hub.merge(merged)
    hub.close_pull(closed)
    said = [bob("PUT", f"/{{repo}}/pulls/{n}/merge", {}) for n in (merged, closed, draft)]
    assert [one.status_code for one in said] == [405, 405, 405]
    assert said[2].json()["message"] == "Pull Request is still a draft"
    assert bob("GET", f"/{{repo}}/pulls/{merged}/merge").status_code == 204
    assert bob("GET", f"/{{repo}}/pulls/{closed}/merge").status_code == 404


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_each_commit_on_main_names_its_pull_request(
    hub: Rehearsal, clone: Clone, bob: Api, method: str
) -> None:
    number = pull(hub, clone)
    own = [one["sha"] for one in bob.get(f"/{{repo}}/pulls/{number}/commits")]
    merge(bob, number, merge_method=method)
    found = {
        subject: [one["number"] for one in bob.get(f"/{{repo}}/commits/{sha}/pulls")]
        for sha, subject in (line.split(" ", 1) for line in clone.log(form="%H %s"))
    }
    expected = {
        "merge": {"Merge pull request #1 from acme/topic": [1], "One": [1], "Two": [1]},
        "squash": {"Both (#1)": [1]},
        "rebase": {"One": [1], "Two": [1]},
    }[method]
    assert found == expected | {"Other": [], "Change README": []}
    # The pull request's own commits name it too, on main or not.
    for sha in own:
        assert [one["number"] for one in bob.get(f"/{{repo}}/commits/{sha}/pulls")] == [1]
    assert [one["sha"] for one in bob.get(f"/{{repo}}/pulls/{number}/commits")] == own


def test_a_required_status_keeps_the_merge_closed(hub: Rehearsal, clone: Clone, bob: Api) -> None:
    checks = {"required_status_checks": [{"context": "mergeline"}]}
    hub.add_ruleset("main", [{"type": "required_status_checks", "parameters": checks}])
    number = pull(hub, clone)
    head = hub.pull(number).head_sha
    for state in (None, "failure", "pending"):
        if state:
            bob("POST", f"/{{repo}}/statuses/{head}", {"state": state, "context": "mergeline"})
        answer = bob("PUT", f"/{{repo}}/pulls/{number}/merge", {})
        assert answer.status_code == 405
        assert '"mergeline"' in answer.json()["message"]
        with pytest.raises(ValueError, match="required status mergeline"):
            hub.merge(number)
    bob("POST", f"/{{repo}}/statuses/{head}", {"state": "success", "context": "mergeline"})
    assert merge(bob, number)
