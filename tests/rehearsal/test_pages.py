"""Lists come in pages."""

import pytest

from mergeline.rehearsal import Rehearsal

from .clients import Api, Clone


@pytest.fixture
def path(hub: Rehearsal, clone: Clone) -> str:
    clone.topic("topic")
    hub.open_pull("topic", login="ann")
    for number in range(205):
        hub.comment(1, "ann", f"{number}")
    return "/{repo}/issues/1/comments"


def test_thirty_unless_asked_and_never_more_than_a_hundred(ann: Api, path: str) -> None:
    assert len(ann.get(path)) == 30
    assert len(ann.get(path, per_page=7)) == 7
    assert len(ann.get(path, per_page=500)) == 100
    assert len(ann.get(path, per_page="many")) == 30
    assert ann.get(path, per_page=100, page=4) == []


def test_links_lead_to_every_page_once(ann: Api, path: str) -> None:
    seen, answer = [], ann("GET", path, params={"per_page": 50})
    assert set(answer.links) == {"next", "last"}
    while True:
        seen += [one["body"] for one in answer.json()]
        if "next" not in answer.links:
            break
        answer = ann("GET", answer.links["next"]["url"])
    assert seen == [f"{number}" for number in range(205)]
    assert set(answer.links) == {"prev", "first"}
    first = ann("GET", answer.links["first"]["url"])
    assert first.json()[0]["body"] == "0"
    assert ann("GET", first.links["last"]["url"]).json()[-1]["body"] == "204"


def test_a_short_list_has_no_links(ann: Api, path: str) -> None:
    assert ann("GET", "/{repo}/pulls").links == {}


def test_wrapped_lists_count_all(hub: Rehearsal, ann: Api, path: str) -> None:
    for _ in range(3):
        hub.add_run("1" * 40)
    answer = ann("GET", "/{repo}/actions/runs", params={"per_page": 2})
    assert (answer.json()["total_count"], len(answer.json()["workflow_runs"])) == (3, 2)
    assert answer.links["next"]["url"].endswith("per_page=2&page=2")
