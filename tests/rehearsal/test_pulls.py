"""Pull requests through the API: open, list, change, forks, files."""

import pytest

from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone


def create(api: Api, **body: object) -> dict:
    answer = api("POST", "/{repo}/pulls", {"title": "T", "base": "main"} | body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_open_and_get(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    head = clone.topic("topic", "a.txt", "b.txt")
    made = create(ann, head="topic", body="Why")
    assert (made["number"], made["user"]["login"], made["body"]) == (1, "ann", "Why")
    assert made["head"]["label"] == "acme:topic"
    assert (made["head"]["sha"], made["base"]["ref"]) == (head, "main")
    assert (made["commits"], made["changed_files"], made["additions"]) == (2, 2, 2)
    assert ann.get("/{repo}/pulls/1") == made
    commits = ann.get("/{repo}/pulls/1/commits")
    assert [one["commit"]["message"] for one in commits] == ["Change a.txt", "Change b.txt"]
    assert commits[0]["author"]["login"] == "ann"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"head": "nowhere"}, "head"),
        ({"head": "topic", "base": "nowhere"}, "base"),
        ({"head": "main"}, "No commits between main and main"),
        ({"head": "stranger:topic"}, "head"),
        ({"title": None, "head": "topic"}, "title"),
    ],
)
def test_what_cannot_be_opened(
    hub: Rehearsal, clone: Clone, ann: Api, body: dict, said: str
) -> None:
    clone.topic("topic")
    answer = ann("POST", "/{repo}/pulls", {"title": "T", "base": "main"} | body)
    assert answer.status_code == 422
    assert said in answer.text
    assert ann.get("/{repo}/pulls", state="all") == []


def test_one_open_pull_request_a_branch(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    clone.topic("topic")
    create(ann, head="topic")
    answer = ann("POST", "/{repo}/pulls", {"title": "T", "base": "main", "head": "topic"})
    assert answer.status_code == 422
    assert "already exists for acme:topic" in answer.text
    hub.close_pull(1)
    assert create(ann, head="topic")["number"] == 2


def test_list_by_state_head_and_base(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    for name in ("one", "two", "three"):
        clone.topic(name)
    clone.git("push", "-q", "origin", "origin/main:refs/heads/release")
    numbers = [hub.open_pull(name, login="ann") for name in ("one", "two")]
    released = hub.open_pull("three", "release", login="ann")
    hub.close_pull(numbers[0])

    def listed(**query: str) -> list[int]:
        return [one["number"] for one in ann.get("/{repo}/pulls", **query)]

    assert listed() == [released, numbers[1]]
    assert listed(state="all", direction="asc") == [*numbers, released]
    assert listed(state="closed") == numbers[:1]
    assert listed(base="release") == [released]
    assert listed(head="acme:two") == numbers[1:]
    assert listed(head="other:two") == []
    assert listed(head="two") == [released, numbers[1]]  # no owner: GitHub ignores it


def test_change(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    clone.topic("topic")
    clone.git("push", "-q", "origin", "origin/main:refs/heads/release")
    number = hub.open_pull("topic", login="ann")
    words = {"title": "New", "body": "Because", "base": "release"}
    shown = ann("PATCH", f"/{{repo}}/pulls/{number}", words).json()
    assert (shown["title"], shown["body"], shown["base"]["ref"]) == ("New", "Because", "release")
    assert ann("PATCH", f"/{{repo}}/pulls/{number}", {"state": "closed"}).json()["closed_at"]
    assert ann("PATCH", f"/{{repo}}/pulls/{number}", {"base": "gone"}).status_code == 422
    reopened = ann("PATCH", f"/{{repo}}/pulls/{number}", {"state": "open"}).json()
    assert (reopened["state"], reopened["closed_at"]) == ("open", None)


def test_a_fork(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    """The head comes from another repository; its commits come into this one."""
    remote = hub.add_fork("carl")
    clone.branch("topic")
    head = clone.commit("fork.txt", "f\n", name="Carl")
    clone.git("push", "-q", remote, "HEAD:refs/heads/topic")
    carl = Api(hub.api_url, hub.token("carl", "write"), hub.name)
    made = create(carl, head="carl:topic")
    assert made["head"]["repo"]["full_name"] == "carl/credit"
    assert made["head"]["repo"]["fork"] is True
    assert made["base"]["repo"]["full_name"] == "acme/credit"
    assert hub.repo.git.refs()["refs/pull/1/head"] == head
    new = clone.commit("fork.txt", "g\n", name="Carl")
    clone.git("push", "-q", remote, "HEAD:refs/heads/topic")
    assert ann.get("/{repo}/pulls/1")["head"]["sha"] == new
    assert hub.repo.git.refs()["refs/pull/1/head"] == new
    assert [one["number"] for one in ann.get("/{repo}/pulls", head="carl:topic")] == [1]
    assert hub.merge(1, "squash") == hub.repo.git.tip("main")
    run = hub.add_run(new, head_branch="topic", head_repository="carl/credit")
    shown = ann.get(f"/{{repo}}/actions/runs/{run}")
    assert shown["head_repository"]["full_name"] == "carl/credit"
    assert shown["pull_requests"] == []


def test_a_fork_that_is_gone(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    """The pull request stays open and can be merged; nobody knows the repository."""
    remote = hub.add_fork("carl")
    clone.branch("topic")
    head = clone.commit("fork.txt", "f\n", name="Carl")
    clone.git("push", "-q", remote, "HEAD:refs/heads/topic")
    number = hub.open_pull("carl:topic", login="carl")
    hub.remove_fork("carl")
    shown = ann.get(f"/{{repo}}/pulls/{number}")
    assert (shown["state"], shown["head"]["repo"], shown["head"]["sha"]) == ("open", None, head)
    assert shown["head"]["label"] == "carl:topic"
    hub.merge(number)
    assert clone.log()[0] == "Merge pull request #1 from carl/topic"
    hub.remove_user("carl")
    assert ann.get(f"/{{repo}}/pulls/{number}")["user"] is None


def test_files(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    clone.branch("main")
    clone.commit("old.txt", "".join(f"line {n}\n" for n in range(20)))
    clone.commit("gone.txt", "g\n", push="main")
    clone.branch("topic")
    clone.git("mv", "old.txt", "new name.txt")
    clone.git("rm", "-q", "gone.txt")
    (clone.folder / "bytes.bin").write_bytes(bytes(range(256)))
    (clone.folder / "grün.txt").write_text("ü\n")
    clone.git("add", "bytes.bin", "grün.txt")
    clone.commit("README", "hello\nyou\n", push="topic")
    number = hub.open_pull("topic", login="ann")
    files = {one["filename"]: one for one in ann.get(f"/{{repo}}/pulls/{number}/files")}
    assert {name: one["status"] for name, one in files.items()} == {
        "README": "modified",
        "bytes.bin": "added",
        "gone.txt": "removed",
        "grün.txt": "added",
        "new name.txt": "renamed",
    }
    assert files["new name.txt"]["previous_filename"] == "old.txt"
    assert files["README"]["patch"] == "@@ -1 +1,2 @@\n hello\n+you"
    assert "patch" not in files["bytes.bin"]
    assert (files["README"]["additions"], files["gone.txt"]["deletions"]) == (1, 1)


def test_files_are_those_of_the_branch_after_main_moved_and_after_the_merge(
    hub: Rehearsal, clone: Clone, ann: Api
) -> None:
    clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    clone.branch("other")
    clone.commit("other.txt", "o\n", push="main")

    def names() -> list[str]:
        return [one["filename"] for one in ann.get(f"/{{repo}}/pulls/{number}/files")]

    assert names() == ["topic.txt"]
    hub.merge(number)
    assert names() == ["topic.txt"]


def test_the_pull_requests_of_a_commit_that_is_not_on_main(
    hub: Rehearsal, clone: Clone, ann: Api
) -> None:
    head = clone.topic("topic")
    clone.git("push", "-q", "origin", "topic:refs/heads/twin")
    one, two = hub.open_pull("topic", login="ann"), hub.open_pull("twin", login="ann")
    assert [p["number"] for p in ann.get(f"/{{repo}}/commits/{head}/pulls")] == [one, two]
    hub.close_pull(one)
    assert [p["number"] for p in ann.get(f"/{{repo}}/commits/{head}/pulls")] == [two]
    unknown = ann("GET", f"/{{repo}}/commits/{'0' * 40}/pulls")
    assert unknown.status_code == 422


def test_there_is_no_such_pull_request(ann: Api) -> None:
    for path in ("7", "7/commits", "7/files", "7/reviews", "x", "9" * 40):
        assert ann("GET", f"/{{repo}}/pulls/{path}").status_code == 404
