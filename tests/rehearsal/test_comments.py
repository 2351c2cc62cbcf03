"""Comments in a pull request's conversation."""

import pytest

from mergeline.rehearsal import Rehearsal
from mergeline.rehearsal.resources.comments import LONGEST

from .clients import Api, Clone


@pytest.fixture
def path(hub: Rehearsal, clone: Clone) -> str:
    clone.topic("topic")
    return f"/{{repo}}/issues/{hub.open_pull('topic', login='ann')}/comments"


def test_create_edit_list_delete(ann: Api, path: str) -> None:
    made = ann("POST", path, {"body": "one"})
    assert (made.status_code, made.json()["user"]["login"]) == (201, "ann")
    one = f"/{{repo}}/issues/comments/{made.json()['id']}"
    assert ann("PATCH", one, {"body": "two"}).json()["body"] == "two"
    assert [comment["body"] for comment in ann.get(path)] == ["two"]
    assert ann.get(one)["issue_url"].endswith(path.removesuffix("/comments").split("}", 1)[1])
    assert ann.get("/{repo}/issues/1")["comments"] == 1
    assert ann("DELETE", one).status_code == 204
    assert (ann.get(path), ann("GET", one).status_code) == ([], 404)


def test_ids_rise_and_the_oldest_comes_first(hub: Rehearsal, ann: Api, path: str) -> None:
    ids = [hub.comment(1, "bob", f"number {n}") for n in range(3)]
    assert ids == sorted(set(ids))
    assert [one["id"] for one in ann.get(path)] == ids


@pytest.mark.parametrize(
    ("body", "status"), [("x" * LONGEST, 201), ("x" * (LONGEST + 1), 422), ("", 422), (" \n", 422)]
)
def test_length(ann: Api, path: str, body: str, status: int) -> None:
    made = ann("POST", path, {"body": body})
    assert made.status_code == status
    assert len(ann.get(path)) == (status == 201)
    kept = ann("POST", path, {"body": "kept"}).json()["id"]
    assert ann("PATCH", f"/{{repo}}/issues/comments/{kept}", {"body": body}).status_code in (
        200,
        422,
    )
    assert (ann.get(path)[-1]["body"] == "kept") == (status == 422)


def test_length_is_counted_in_characters(ann: Api, path: str) -> None:
    assert ann("POST", path, {"body": "ü" * LONGEST}).status_code == 201


def test_a_body_is_needed_and_must_be_text(ann: Api, path: str) -> None:
    for body in ({}, {"body": None}, {"body": 7}, {"body": ["x"]}):
        assert ann("POST", path, body).status_code == 422
    assert ann.get(path) == []


def test_others_comments_are_left_alone_without_the_right_to_write(
    hub: Rehearsal, ann: Api, path: str
) -> None:
    theirs = ann("POST", path, {"body": "ann's"}).json()["id"]
    stranger = Api(hub.api_url, hub.token("stranger", "write"), hub.name)
    one = f"/{{repo}}/issues/comments/{theirs}"
    assert stranger("PATCH", one, {"body": "mine"}).status_code == 403
    assert stranger("DELETE", one).status_code == 403
    assert ann.get(path)[0]["body"] == "ann's"
    robot = Api(hub.api_url, hub.token("github-actions[bot]", "write"), hub.name)
    assert robot("PATCH", one, {"body": "ann's"}).status_code == 200
    own = stranger("POST", path, {"body": "hi"}).json()["id"]
    assert stranger("PATCH", f"/{{repo}}/issues/comments/{own}", {"body": "ho"}).status_code == 200
