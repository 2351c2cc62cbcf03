"""What the entries come to, in the situations that a line gets into."""

import pytest

from ledger.made import (
    Book,
    commit_id,
    live,
    promoted,
    rejected,
    reviewed,
    rolled_back,
    settled,
    sha,
)
from mergeline.ledger.entries import Declared
from mergeline.ledger.history import History

P = "production"


@pytest.fixture
def book() -> Book:
    return Book()


def versions(*declared: Declared | None) -> list[str | None]:
    return [entry.release.version if entry else None for entry in declared]


def test_without_entries_nothing_is_known() -> None:
    history = History()
    assert history.desired(P) is None
    assert history.live(P) is None
    assert history.position(P) is None
    assert history.reached(P) is None
    assert history.barred(P) == frozenset()
    assert history.rollback_target(P) is None
    assert history.environments() == ()


def test_the_last_declaration_is_desired_before_it_is_live(book: Book) -> None:
    first = book.goes_live(promoted("A", "1"))
    second = book.add(promoted("B", "2"))
    assert book.history.desired(P) == second
    assert book.history.outcome(second) is None
    assert book.history.live(P).of == first.number
    assert book.history.position(P) == first.position
    assert book.history.reached(P) == second.position
    assert book.history.rollback_target(P) == first


def test_what_was_rejected_gives_way_to_what_was_desired_before(book: Book) -> None:
    first = book.goes_live(promoted("A", "1"))
    second = book.add(promoted("B", "2"))
    word = book.add(rejected(second))
    assert book.history.desired(P) == first
    assert book.history.outcome(second) == word
    assert book.history.position(P) == book.history.reached(P) == first.position


def test_a_rejected_release_may_be_promoted_again(book: Book) -> None:
    book.goes_live(promoted("A", "1"))
    book.add(rejected(book.add(promoted("B", "2"))))
    again = book.goes_live(promoted("B", "2", position=commit_id("later")))
    assert book.history.desired(P) == again
    assert book.history.live(P).of == again.number
    assert book.history.position(P) == commit_id("later")


def test_when_all_is_rejected_nothing_is_desired(book: Book) -> None:
    book.add(rejected(book.add(promoted("A", "1"))))
    assert book.history.desired(P) is None


def test_a_release_that_was_live_can_be_rejected_later(book: Book) -> None:
    """A follower that starts anew and cannot load it any more."""
    first = book.goes_live(promoted("A", "1"))
    second = book.goes_live(promoted("B", "2"))
    book.add(rejected(second))
    assert book.history.desired(P) == first
    assert book.history.live(P).of == first.number
    assert book.history.position(P) == second.position  # the merge itself is done


def test_environments_do_not_see_each_other(book: Book) -> None:
    staging = book.goes_live(promoted("B", "2", environment="staging"))
    book.add(settled(commit_id("docs"), environment="staging"))
    first = book.goes_live(promoted("A", "1"))
    rollback = book.add(rolled_back(to=first, replaces=first, environment="staging", bars=sha("B")))
    assert book.history.environments() == (P, "staging")
    assert book.history.desired(P) == first
    assert book.history.position(P) == first.position
    assert book.history.barred(P) == frozenset()
    assert book.history.desired("staging") == rollback
    assert book.history.barred("staging") == {sha("B")}
    assert book.history.position("staging") == commit_id("docs")
    assert book.history.live("staging").of == staging.number


class TestPosition:
    def test_a_settled_merge_moves_it(self, book: Book) -> None:
        book.goes_live(promoted("A", "1"))
        book.add(settled(commit_id("docs")))
        assert book.history.position(P) == commit_id("docs")

    def test_a_rollback_does_not_move_it_back(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        second = book.goes_live(promoted("B", "2"))
        rollback = book.add(rolled_back(to=first, replaces=second, position=second.position))
        book.add(settled(commit_id("docs")))
        book.add(live(rollback))
        assert book.history.position(P) == book.history.reached(P) == commit_id("docs")

    def test_a_rollback_at_the_start_gives_none(self, book: Book) -> None:
        first = promoted("A", "1").model_copy(update={"number": 1})
        book.goes_live(rolled_back(to=first, replaces=first, position=None))
        assert book.history.position(P) is None

    def test_a_report_that_comes_late_does_not_move_it_back(self, book: Book) -> None:
        waiting = book.add(promoted("A", "1"))
        book.add(settled(commit_id("docs")))
        book.add(live(waiting))
        assert book.history.position(P) == commit_id("docs")

    def test_a_declaration_that_waits_is_reached_but_is_not_the_position(self, book: Book) -> None:
        book.add(settled(commit_id("docs")))
        waiting = book.add(promoted("A", "1"))
        assert book.history.position(P) == commit_id("docs")
        assert book.history.reached(P) == waiting.position


class TestBars:
    def test_a_rollback_bars_what_it_replaces(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        second = book.goes_live(promoted("B", "2"))
        rollback = book.goes_live(rolled_back(to=first, replaces=second))
        assert book.history.desired(P) == rollback
        assert book.history.live(P).of == rollback.number
        assert book.history.bars(P) == {sha("B"): rollback}

    def test_a_reinstated_model_is_barred_no_more(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        second = book.goes_live(promoted("B", "2"))
        book.goes_live(rolled_back(to=first, replaces=second))
        book.goes_live(promoted("B", "2"))
        book.goes_live(promoted("C", "3"))
        assert book.history.barred(P) == frozenset()

    def test_a_reinstated_model_that_is_rejected_stays_barred(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        second = book.goes_live(promoted("B", "2"))
        book.goes_live(rolled_back(to=first, replaces=second))
        book.add(rejected(book.add(promoted("B", "2"))))
        assert book.history.barred(P) == {sha("B")}
        assert versions(book.history.desired(P)) == ["1"]

    def test_a_rollback_of_a_rollback(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        second = book.goes_live(promoted("B", "2"))
        back = book.goes_live(rolled_back(to=first, replaces=second))
        book.goes_live(rolled_back(to=second, replaces=back))
        assert versions(book.history.desired(P)) == ["2"]
        assert book.history.barred(P) == {sha("A")}
        assert book.history.rollback_target(P) is None

    def test_a_rollback_that_was_rejected_bars_all_but_what_is_desired_again(
        self, book: Book
    ) -> None:
        first = book.goes_live(promoted("A", "1"))
        second = book.goes_live(promoted("B", "2"))
        book.add(rejected(book.add(rolled_back(to=first, replaces=second))))
        assert book.history.desired(P) == second
        assert book.history.barred(P) == frozenset()
        book.goes_live(promoted("C", "3"))
        assert book.history.barred(P) == {sha("B")}

    def test_two_rollbacks_in_a_row(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        second = book.goes_live(promoted("B", "2"))
        third = book.goes_live(promoted("C", "3"))
        assert book.history.rollback_target(P) == second
        back = book.goes_live(rolled_back(to=second, replaces=third))
        assert book.history.rollback_target(P) == first
        book.goes_live(rolled_back(to=first, replaces=back))
        assert book.history.barred(P) == {sha("B"), sha("C")}
        assert book.history.rollback_target(P) is None


class TestRollbackTarget:
    def test_only_what_was_live_and_stood(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        book.add(rejected(book.add(promoted("B", "2"))))
        book.add(promoted("C", "3"))
        book.goes_live(promoted("D", "4"))
        assert book.history.rollback_target(P) == first

    def test_another_version_of_the_same_model_is_no_way_back(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        book.goes_live(promoted("B", "2"))
        book.goes_live(promoted("B", "3"))
        assert book.history.rollback_target(P) == first


class TestLiveAlready:
    def test_only_the_desired_release_and_only_once_it_went_live(self, book: Book) -> None:
        first = book.goes_live(promoted("A", "1"))
        said = "Version 1 with the same inputs and model is live already."
        assert book.history.live_already(P, first.release.key) == said
        second = book.add(promoted("B", "2"))
        for declared in (first, second):
            assert book.history.live_already(P, declared.release.key) == ""
        book.add(live(second))
        assert "Version 2 " in book.history.live_already(P, second.release.key)


class TestObjection:
    def test_the_followers_word_is_on_a_declaration_of_that_environment(self, book: Book) -> None:
        first = book.add(promoted("A", "1"))
        stray = live(first).model_copy(update={"environment": "staging"})
        assert "declares nothing for 'staging'" in book.history.objection(stray)
        unknown = rejected(first).model_copy(update={"of": 2})
        assert "entry 2 declares nothing" in book.history.objection(unknown)

    def test_it_names_the_release_that_was_declared(self, book: Book) -> None:
        first = book.add(promoted("A", "1"))
        other = live(first).model_copy(update={"model": sha("B")})
        assert "another release" in book.history.objection(other)

    def test_what_was_rejected_does_not_go_live(self, book: Book) -> None:
        first = book.add(promoted("A", "1"))
        book.add(rejected(first))
        assert "was rejected" in book.history.objection(live(first))


def test_reviews_are_found_by_pull_request_and_head(book: Book) -> None:
    first = book.add(reviewed(12))
    second = book.add(reviewed(12, model="B"))
    book.add(reviewed(12, commit=commit_id("another head")))
    book.add(reviewed(13))
    assert book.history.reviewed(12, commit_id("head 12")) == (first, second)
    assert book.history.reviewed(14, commit_id("head 12")) == ()
