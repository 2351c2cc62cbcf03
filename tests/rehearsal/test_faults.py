"""What a bad day looks like, and what the recorder says of it."""

from typing import Any

import pytest
import requests

from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone

PATH = "/{repo}/issues/1/comments"
PLAIN = "/repos/acme/credit/issues/1/comments"
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture(autouse=True)
def pull(hub: Rehearsal, clone: Clone) -> None:
    clone.topic("topic")
    hub.open_pull("topic", login="ann")


def comments(hub: Rehearsal) -> int:
    return len(hub.repo.comments)


def post(api: Api) -> requests.Response:
    return api("POST", PATH, {"body": "hello"})


def test_the_nth_call_that_matches(hub: Rehearsal, ann: Api) -> None:
    hub.fault("POST", "*/comments", nth=2, times=2, status=502)
    ann.get(PATH)
    assert [post(ann).status_code for _ in range(4)] == [201, 502, 502, 201]
    assert comments(hub) == 2


@pytest.mark.parametrize(
    ("how", "status", "wait"),
    [
        ({"status": 503}, 503, None),
        ({"status": 403, "retry_after": 7}, 403, "7"),
        ({"status": 429, "retry_after": 0}, 429, "0"),
        ({"status": 422}, 422, None),
    ],
)
def test_an_answer_instead(
    hub: Rehearsal, ann: Api, how: dict[str, Any], status: int, wait: str | None
) -> None:
    hub.fault("POST", PLAIN, **how)
    answer = post(ann)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, wait)
    assert answer.json()["message"]
    assert comments(hub) == 0
    assert [(one.status, one.done) for one in hub.writes] == [(status, False)]


def test_an_answer_that_hides_what_was_done(hub: Rehearsal, ann: Api) -> None:
    hub.fault("POST", PLAIN, status=503, after=True)
    assert post(ann).status_code == 503
    assert comments(hub) == 1
    assert [(one.status, one.done) for one in hub.writes] == [(503, True)]


@pytest.mark.parametrize("after", [False, True])
def test_a_connection_closed(hub: Rehearsal, ann: Api, after: bool) -> None:
    hub.fault("POST", PLAIN, "close", after=after)
    with pytest.raises(requests.ConnectionError):
        post(ann)
    assert comments(hub) == after
    write = hub.writes[0]
    assert (write.method, write.path, write.body) == ("POST", PLAIN, {"body": "hello"})
    assert (write.login, write.status, write.done) == ("ann", None, after)
    assert post(ann).status_code == 201


def test_half_of_what_was_promised(hub: Rehearsal, ann: Api) -> None:
    hub.fault("GET", PLAIN.rsplit("/", 1)[0], "cut")
    with pytest.raises(BROKEN):
        ann("GET", "/{repo}/issues/1")
    assert ann("GET", "/{repo}/issues/1").status_code == 200


def test_half_as_if_it_were_whole(hub: Rehearsal, ann: Api) -> None:
    hub.fault("GET", "*/issues/1", "truncate")
    answer = ann("GET", "/{repo}/issues/1")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_slow_bytes_arrive_in_the_end(hub: Rehearsal, ann: Api) -> None:
    whole = ann.get("/{repo}/issues/1")
    hub.fault("GET", "*/issues/1", "slow", seconds=0.4, times=2)
    assert ann.get("/{repo}/issues/1") == whole
    url = f"{hub.api_url}/repos/{hub.name}/issues/1"
    headers = {"Authorization": f"Bearer {ann.token}"}
    with pytest.raises((requests.ConnectionError, requests.Timeout)):  # less patience
        requests.get(url, headers=headers, timeout=0.005).json()


def test_slow_bytes_end_with_the_stand_in(hub: Rehearsal, ann: Api) -> None:
    hub.fault("GET", "*/issues/1", "slow", seconds=10_000)
    answer = ann("GET", "/{repo}/issues/1", stream=True)
    hub.stop()
    with pytest.raises(BROKEN):
        assert len(answer.content) > 0


def test_rules_count_apart_and_can_be_forgotten(hub: Rehearsal, ann: Api) -> None:
    hub.fault("*", "*/comments", nth=1, status=500)
    hub.fault("POST", "*", nth=2, status=502)
    hub.fault("*", "*", nth=3, status=504)
    assert [post(ann).status_code for _ in range(3)] == [500, 502, 504]
    hub.fault("*", "*", times=9)
    hub.world.faults.clear()
    assert post(ann).status_code == 201


def test_only_writes_are_writes(hub: Rehearsal, ann: Api) -> None:
    ann.get(PATH)
    post(ann)
    ann("DELETE", "/{repo}/issues/comments/1")
    reader = Api(hub.api_url, "unknown", hub.name)
    reader("POST", PATH, {"body": "x"})
    assert [(one.method, one.login, one.status, one.done) for one in hub.writes] == [
        ("POST", "ann", 201, True),
        ("DELETE", "ann", 404, False),
        ("POST", None, 401, False),
    ]
    assert len(hub.requests) == 4


def test_what_people_do_past_the_api_is_no_write(hub: Rehearsal) -> None:
    hub.fault("*", "*", times=9)
    hub.comment(1, "bob", "hi")
    hub.approve(1, "bob")
    hub.merge(1)
    assert hub.writes == []
