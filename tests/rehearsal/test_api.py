"""Who may ask what: tokens, permissions, what is hidden, what is malformed."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from mergeline.rehearsal import Rehearsal

from .clients import SECONDS, Api, Clone


def test_with_and_without_prefix(hub: Rehearsal, ann: Api) -> None:
    """Addresses in an answer begin as the client's own did."""
    plain = Api(hub.url, ann.token, hub.name)
    assert plain.get("/{repo}")["url"] == f"{hub.url}/repos/{hub.name}"
    assert ann.get("/{repo}")["url"] == f"{hub.api_url}/repos/{hub.name}"


@pytest.mark.parametrize("kind", ["token {}", "Bearer {}", "bearer {}", "Basic"])
def test_ways_to_bring_a_token(hub: Rehearsal, ann: Api, kind: str) -> None:
    if kind == "Basic":
        kind = "Basic " + base64.b64encode(f"x-access-token:{ann.token}".encode()).decode()
    headers = {"Authorization": kind.format(ann.token)}
    answer = requests.get(f"{hub.api_url}/user", headers=headers, timeout=SECONDS)
    assert answer.json()["login"] == "ann"


def test_head_is_get_without_the_body(ann: Api) -> None:
    for path, status in (("/{repo}", 200), ("/{repo}/pulls/7", 404)):
        asked = ann("HEAD", path)
        assert (asked.status_code, asked.content) == (status, b"")
        assert int(asked.headers["Content-Length"]) > 0


def test_no_token_and_an_unknown_one(hub: Rehearsal) -> None:
    for token, said in ((None, "Requires authentication"), ("ghp_wrong", "Bad credentials")):
        answer = Api(hub.api_url, token, hub.name)("GET", "/{repo}")
        assert (answer.status_code, answer.json()["message"]) == (401, said)
    broken = {"Authorization": "Basic %%%"}
    assert requests.get(f"{hub.api_url}/user", headers=broken, timeout=SECONDS).status_code == 401


def test_a_token_that_may_only_read(hub: Rehearsal, clone: Clone) -> None:
    clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    reader = Api(hub.api_url, hub.token("ann", "read"), hub.name)
    assert reader.get(f"/{{repo}}/pulls/{number}")["number"] == number
    for method, path in (
        ("POST", f"/{{repo}}/issues/{number}/comments"),
        ("PUT", f"/{{repo}}/pulls/{number}/merge"),
        ("POST", f"/{{repo}}/statuses/{'1' * 40}"),
    ):
        answer = reader(method, path, {"body": "x"})
        message = "Resource not accessible by integration"
        assert (answer.status_code, answer.json()["message"]) == (403, message)
    assert hub.pull(number).state == "open"


def test_a_token_writes_what_its_scopes_name(hub: Rehearsal, clone: Clone) -> None:
    clone.topic("topic")
    number = hub.open_pull("topic", login="ann")
    scopes = {"pull_requests": "write", "statuses": "read"}
    api = Api(hub.api_url, hub.token("github-actions[bot]", "write", scopes), hub.name)
    comment = api("POST", f"/{{repo}}/issues/{number}/comments", {"body": "x"})
    assert comment.status_code == 201
    sha = hub.pull(number).head_sha
    assert api("POST", f"/{{repo}}/statuses/{sha}", {"state": "success"}).status_code == 403
    assert api("PUT", f"/{{repo}}/pulls/{number}/merge", {}).status_code == 403


def test_a_private_repository_does_not_exist_for_strangers(tmp_path: Path) -> None:
    with Rehearsal.start(tmp_path, private=True) as hub:
        hub.add_user("ann", permission="read")
        assert Api(hub.api_url, hub.token("ann"), hub.name).get("/{repo}")["private"] is True
        stranger = Api(hub.api_url, hub.token("stranger"), hub.name)
        assert stranger("GET", "/{repo}").status_code == 404
        assert stranger("GET", "/{repo}/pulls").status_code == 404
        robot = Api(hub.api_url, hub.token("github-actions[bot]", "read"), hub.name)
        assert robot.get("/{repo}/pulls") == []


def test_roles_and_the_old_word_for_them(hub: Rehearsal, ann: Api) -> None:
    roles = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read"}
    for role, permission in roles.items():
        hub.add_user("somebody", permission=role)
        shown = ann.get("/{repo}/collaborators/somebody/permission")
        assert (shown["permission"], shown["role_name"]) == (permission, role)
        assert shown["user"]["permissions"]["push"] is (permission in ("admin", "write"))
    assert ann("GET", "/{repo}/collaborators/nobody/permission").status_code == 404


def test_what_is_not_there(ann: Api) -> None:
    for path in (
        "/{repo}/nothing",
        "/repos/acme/other",
        "/",
        "/users/nobody",
        "/{repo}/branches/x",
    ):
        answer = ann("GET", path)
        assert (answer.status_code, answer.json()["status"]) == (404, "404")


def test_a_body_that_is_no_object(hub: Rehearsal, ann: Api) -> None:
    path, headers = f"{hub.api_url}/repos/{hub.name}/pulls", {"Authorization": f"token {ann.token}"}
    for data, status in ((b"{", 400), (b"[]", 422), (b"\xff", 400)):
        answer = requests.post(path, data=data, headers=headers, timeout=SECONDS)
        assert answer.status_code == status


def test_names_are_found_whatever_their_capitals(hub: Rehearsal, ann: Api) -> None:
    assert ann.get("/repos/ACME/Credit")["full_name"] == "acme/credit"
    assert ann.get("/users/ANN")["login"] == "ann"


def test_git_objects(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    (clone.folder / "sub").mkdir()
    head = clone.commit("sub/a.txt", "a\n", push="feature/x")
    assert ann.get("/{repo}/branches/feature/x")["commit"]["sha"] == head
    assert ann.get("/{repo}/git/ref/heads/feature/x")["object"]["sha"] == head
    found = ann.get("/{repo}/git/matching-refs/heads/feat")
    assert [one["ref"] for one in found] == ["refs/heads/feature/x"]
    assert ann.get("/{repo}/commits/feature/x")["files"][0]["filename"] == "sub/a.txt"
    assert ann.get(f"/{{repo}}/commits/{head[:10]}")["sha"] == head
    tree = ann.get(f"/{{repo}}/git/commits/{head}")["tree"]["sha"]
    flat = [one["path"] for one in ann.get(f"/{{repo}}/git/trees/{tree}")["tree"]]
    deep = [one["path"] for one in ann.get(f"/{{repo}}/git/trees/{tree}?recursive=1")["tree"]]
    assert (flat, deep) == (["README", "sub"], ["README", "sub", "sub/a.txt"])
    blob = ann.get(f"/{{repo}}/git/trees/{head}?recursive=1")["tree"][2]["sha"]
    assert base64.b64decode(ann.get(f"/{{repo}}/git/blobs/{blob}")["content"]) == b"a\n"
    for path in (f"commits/{tree}", f"trees/{'0' * 40}", "blobs/--batch", "ref/heads/none"):
        assert ann("GET", f"/{{repo}}/git/{path}").status_code == 404


def test_refs_are_made_moved_and_deleted(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    one = clone.git("rev-parse", "HEAD")
    two = clone.commit("more.txt", "m\n", push="main")
    ref = {"ref": "refs/heads/made", "sha": one}
    assert ann("POST", "/{repo}/git/refs", ref).status_code == 201
    assert ann("POST", "/{repo}/git/refs", ref).status_code == 422
    assert ann("POST", "/{repo}/git/refs", ref | {"ref": "made"}).status_code == 422
    path = "/{repo}/git/refs/heads/made"
    assert ann("PATCH", path, {"sha": two}).json()["object"]["sha"] == two
    assert ann("PATCH", path, {"sha": one}).status_code == 422
    assert ann("PATCH", path, {"sha": one, "force": True}).status_code == 200
    assert hub.repo.git.tip("made") == one
    assert ann("DELETE", path).status_code == 204
    assert ann("DELETE", path).status_code == 422


def test_many_at_once(hub: Rehearsal, clone: Clone, ann: Api) -> None:
    clone.topic("topic")
    hub.open_pull("topic", login="ann")

    def post(number: int) -> int:
        api = Api(hub.api_url, ann.token, hub.name)
        return api("POST", "/{repo}/issues/1/comments", {"body": f"{number}"}).json()["id"]

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(post, range(48)))
    assert len(set(ids)) == 48
    assert sorted(ids) == [one["id"] for one in ann.get("/{repo}/issues/1/comments", per_page=99)]
