"""Reviews: who said what, of which commit, and what became of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mergeline.rehearsal import Rehearsal
from mergeline.rehearsal.answers import Refusal

from .clients import Api, Clone


@pytest.fixture
def number(hub: Rehearsal, clone: Clone) -> int:
    clone.topic("topic")
    return hub.open_pull("topic", login="ann")


def states(api: Api, number: int) -> list[tuple[str, str]]:
    reviews = api.get(f"/{{repo}}/pulls/{number}/reviews")
    return [(one["user"]["login"], one["state"]) for one in reviews]


def test_an_approval_names_the_head_of_its_time(
    hub: Rehearsal, clone: Clone, bob: Api, number: int
) -> None:
    head = hub.pull(number).head_sha
    said = bob("POST", f"/{{repo}}/pulls/{number}/reviews", {"event": "APPROVE"}).json()
    assert (said["state"], said["commit_id"], said["user"]["login"]) == ("APPROVED", head, "bob")
    clone.commit("more.txt", "m\n", push="topic")
    assert bob.get(f"/{{repo}}/pulls/{number}/reviews/{said['id']}")["commit_id"] == head
    assert states(bob, number) == [("bob", "APPROVED")]


def test_nobody_approves_their_own(ann: Api, number: int) -> None:
    answer = ann("POST", f"/{{repo}}/pulls/{number}/reviews", {"event": "APPROVE"})
    assert answer.status_code == 422
    assert "your own pull request" in answer.text
    comment = {"event": "COMMENT", "body": "look here"}
    assert ann("POST", f"/{{repo}}/pulls/{number}/reviews", comment).status_code == 200
    assert states(ann, number) == [("ann", "COMMENTED")]


def test_changes_want_words(bob: Api, number: int) -> None:
    path = f"/{{repo}}/pulls/{number}/reviews"
    assert bob("POST", path, {"event": "REQUEST_CHANGES"}).status_code == 422
    assert bob("POST", path, {"event": "REQUEST_CHANGES", "body": "no"}).status_code == 200
    assert bob("POST", path, {"event": "PRAISE", "body": "no"}).status_code == 422
    assert states(bob, number) == [("bob", "CHANGES_REQUESTED")]


def test_a_dismissed_review_stays_and_says_so(hub: Rehearsal, bob: Api, number: int) -> None:
    review = hub.approve(number, "bob")
    path = f"/{{repo}}/pulls/{number}/reviews/{review}/dismissals"
    assert bob("PUT", path, {}).status_code == 422  # GitHub wants the reason
    assert bob("PUT", path, {"message": "stale"}).json()["state"] == "DISMISSED"
    assert states(bob, number) == [("bob", "DISMISSED")]
    assert bob("PUT", path, {"message": "again"}).status_code == 422


def test_what_is_pending_only_its_author_sees(ann: Api, bob: Api, number: int) -> None:
    path = f"/{{repo}}/pulls/{number}/reviews"
    pending = bob("POST", path, {"body": "not yet"}).json()
    assert (pending["state"], "submitted_at" in pending) == ("PENDING", False)
    assert (states(ann, number), states(bob, number)) == ([], [("bob", "PENDING")])
    sent = bob("POST", f"{path}/{pending['id']}/events", {"event": "APPROVE"}).json()
    assert (sent["id"], sent["state"]) == (pending["id"], "APPROVED")
    assert states(ann, number) == [("bob", "APPROVED")]


def test_anybody_who_reads_may_approve(hub: Rehearsal, ann: Api, number: int) -> None:
    hub.add_user("stranger")
    hub.approve(number, "stranger")
    assert states(ann, number) == [("stranger", "APPROVED")]
    answer = ann.get("/{repo}/collaborators/stranger/permission")
    assert (answer["permission"], answer["role_name"]) == ("read", "read")


def test_a_deleted_account_leaves_its_review_without_a_name(
    hub: Rehearsal, ann: Api, number: int
) -> None:
    hub.add_user("leaver", permission="write")
    hub.approve(number, "leaver")
    hub.remove_user("leaver")
    assert ann.get(f"/{{repo}}/pulls/{number}/reviews")[0]["user"] is None
    assert ann("GET", "/{repo}/collaborators/leaver/permission").status_code == 404


def test_a_deleted_account_has_no_token_and_its_pull_request_goes_on(
    hub: Rehearsal, clone: Clone, bob: Api, number: int
) -> None:
    gone = Api(hub.api_url, hub.token("ann"), hub.name)
    hub.remove_user("ann")
    assert gone("GET", "/user").status_code == 401
    clone.commit("more.txt", "m\n", push="topic")
    assert bob.get(f"/{{repo}}/pulls/{number}")["user"] is None
    hub.merge(number, "squash")
    assert clone.log(form="%an")[0] == "ghost"
    with pytest.raises(ValueError, match="owns a repository"):
        hub.remove_user("acme")


def test_actors_are_refused_as_clients_are(hub: Rehearsal, number: int) -> None:
    with pytest.raises(Refusal, match="Unprocessable"):
        hub.approve(number, "ann")
    review = hub.approve(number, "bob")
    hub.dismiss(number, review)
    with pytest.raises(Refusal):
        hub.dismiss(number, review)


def test_times_come_from_the_clock(tmp_path: Path) -> None:
    times = iter(datetime(2026, 1, 31, 12, tzinfo=UTC) + timedelta(minutes=n) for n in range(99))
    with Rehearsal.start(tmp_path / "hub", clock=lambda: next(times)) as hub:
        clone = Clone.make(tmp_path / "clone", hub.remote)
        clone.commit("README", "hello\n", push="main")
        clone.topic("topic")
        hub.add_user("ann", permission="write")
        number = hub.open_pull("topic", login="ann")
        ann = Api(hub.api_url, hub.token("ann"), hub.name)
        hub.approve(number, "acme")
        created = ann.get(f"/{{repo}}/pulls/{number}")["created_at"]
        submitted = ann.get(f"/{{repo}}/pulls/{number}/reviews")[0]["submitted_at"]
    assert created.startswith("2026-01-31T12:")
    assert created.endswith(":00Z")
    assert created < submitted
