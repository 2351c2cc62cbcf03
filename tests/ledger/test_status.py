"""Where a line stands, for every way in which ledger and follower can differ."""

from typing import Any

import pytest

from ledger.made import (
    PRODUCTION,
    PROJECT,
    TIME,
    Book,
    promoted,
    rejected,
    rolled_back,
    settled,
    sha,
)
from mergeline.ledger.entries import Declared
from mergeline.ledger.report import FollowerReport
from mergeline.ledger.status import Ahead, Heard, Status, status_of

LATER = "2026-02-01T00:00:00Z"


@pytest.fixture
def book() -> Book:
    return Book()


def told(of: Declared, serving: Declared | None, **other: Any) -> FollowerReport:
    values: dict[str, Any] = {
        "project": PROJECT,
        "environment": PRODUCTION,
        "entry": of.number,
        "version": of.release.version,
        "model": of.release.model,
        "state": "live" if of is serving else "rejected",
        "reason": "" if of is serving else "row 3 differs",
        "since": LATER,
        "time": LATER,
        "serving": serving.number if serving else None,
    }
    return FollowerReport(**(values | other))


def status(book: Book, report: FollowerReport | None = None, problem: str = "") -> Status:
    heard = Heard(report, problem)
    return status_of(book.history, PRODUCTION, heard, Ahead(), "2026-02-02T00:00:00Z")


def test_an_empty_ledger_desires_nothing(book: Book) -> None:
    found = status(book)
    assert (found.state, found.answer) == ("nothing", "nothing is desired: nothing ever was")
    assert found.desired is found.live is found.serving is found.rollback_to is None


def test_another_environment_is_named(book: Book) -> None:
    book.add(settled("a" * 40, environment="staging"))
    assert status(book).answer.endswith("declares nothing for it, only for staging")


def test_when_all_was_rejected_that_is_said(book: Book) -> None:
    book.add(rejected(book.add(promoted("A", "1")), reason="no room"))
    found = status(book)
    assert found.answer == "nothing is desired: all that was declared was rejected"
    assert found.notes == (f"Version 1 (entry 1) was rejected at {TIME}: no room",)


def test_without_a_report_it_is_not_known(book: Book) -> None:
    book.goes_live(promoted("A", "1"))
    found = status(book)
    assert found.state == "unknown"
    assert "version 1 is desired" in found.answer
    assert "no follower has ever reported" in found.answer
    assert found.live is not None
    assert "cut JSON" in status(book, problem="cut JSON").answer


def test_the_desired_release_answers(book: Book) -> None:
    first = book.goes_live(promoted("A", "1"))
    second = book.goes_live(promoted("B", "2"))
    found = status(book, told(second, second))
    assert found.state == "agrees"
    assert found.answer == f"version 2 is live, as desired, since {LATER}"
    assert found.serving == found.desired == second
    assert found.rollback_to == first.release
    assert found.position == second.position
    assert found.notes == ()


def test_a_word_that_the_ledger_does_not_hold_yet_is_noted(book: Book) -> None:
    first = book.add(promoted("A", "1"))
    found = status(book, told(first, first))
    assert found.state == "agrees"
    assert found.live is None
    assert "does not hold the follower's word on entry 1 yet" in found.notes[0]


def test_a_follower_that_has_not_come_to_it_is_behind(book: Book) -> None:
    first = book.goes_live(promoted("A", "1"))
    book.add(promoted("B", "2"))
    found = status(book, told(first, first))
    assert found.state == "differs"
    assert found.answer == (
        f"version 1 answers, not version 2, which is desired since {TIME}: "
        "the follower has only told of entry 1 so far"
    )
    assert found.rollback_to == first.release


def test_a_rejection_that_the_ledger_does_not_hold_yet(book: Book) -> None:
    first = book.goes_live(promoted("A", "1"))
    second = book.add(promoted("B", "2"))
    found = status(book, told(second, first))
    assert found.state == "differs"
    assert found.answer.endswith("the follower rejected it: row 3 differs")
    assert "entry 3 yet" in found.notes[0]


def test_after_a_rejection_the_old_release_is_as_desired(book: Book) -> None:
    first = book.goes_live(promoted("A", "1"))
    second = book.add(promoted("B", "2"))
    book.add(rejected(second))
    for report in (told(second, first), told(first, first)):
        found = status(book, report)
        assert found.state == "agrees"
        assert found.answer.startswith("version 1 is live, as desired, since")
        assert found.notes[0].startswith("Version 2 (entry 3) was rejected")


def test_nothing_answers(book: Book) -> None:
    first = book.add(promoted("A", "1"))
    found = status(book, told(first, None))
    assert found.state == "differs"
    assert found.answer.startswith("NOTHING answers, not version 1")


def test_a_rollback_is_told_of_and_bars(book: Book) -> None:
    first = book.goes_live(promoted("A", "1"))
    second = book.goes_live(promoted("B", "2"))
    back = book.add(rolled_back(to=first, replaces=second))
    behind = status(book, told(second, second))
    assert behind.state == "differs"
    found = status(book, told(back, back))
    assert found.state == "agrees"
    said = f"rolled back from version 2 to 1 at {TIME} by run 77 (entry 5): complaints"
    assert found.notes[0] == f"production was {said}."
    assert found.barred == {sha("B"): said}
    assert found.position == second.position


@pytest.mark.parametrize("other", [{"entry": 7}, {"model": sha("Z")}, {"serving": 9}])
def test_a_report_of_what_was_never_declared_is_not_believed(
    book: Book, other: dict[str, Any]
) -> None:
    first = book.goes_live(promoted("A", "1"))
    found = status(book, told(first, first).model_copy(update=other))
    assert found.state == "unknown"
    assert "which the ledger never declared" in found.answer
