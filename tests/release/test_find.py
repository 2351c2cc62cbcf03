"""A version's number to the entries that speak of it."""

import pytest

from ledger.made import PRODUCTION, Book, promoted, rejected, reviewed, rolled_back, sha
from mergeline.errors import UsageError
from mergeline.release.find import find_release


@pytest.fixture
def book() -> Book:
    """Version 1 and then 2 were live, each after its review."""
    made = Book()
    for number, model in ((1, "A"), (2, "B")):
        review = made.add(reviewed(pull_request=number, model=model))
        about = {"pull_request": number, "reviewed": review.number}
        made.goes_live(promoted(model, str(number), **about))
    return made


def test_the_desired_release_without_a_number(book: Book) -> None:
    found = find_release(book.history, PRODUCTION, None)
    assert (found.release.version, found.declared.number) == ("2", 5)
    assert found.promoted == found.declared
    assert (found.reviewed,) == found.measured == (book.history.entries[3],)
    assert found.promotions == (found.declared,)


def test_an_earlier_one_by_its_number(book: Book) -> None:
    found = find_release(book.history, PRODUCTION, "1")
    assert (found.release.version, found.reviewed) == ("1", book.history.entries[0])


def test_one_that_was_rolled_back_to_has_its_promotion(book: Book) -> None:
    first, second = book.history.declared(PRODUCTION)
    back = book.goes_live(rolled_back(first, second))
    found = find_release(book.history, PRODUCTION, None)
    assert (found.declared, found.promoted) == (back, first)
    assert found.reviewed == book.history.entries[0]


def test_of_two_promotions_of_a_version_the_declared_one_counts(book: Book) -> None:
    """A rollback names the bytes of one of them: its commit and its pull request are meant."""
    first, _ = book.history.declared(PRODUCTION)
    again = book.goes_live(promoted("A", "1", pull_request=3, reviewed=1))
    assert find_release(book.history, PRODUCTION, "1").promoted == again
    book.goes_live(rolled_back(first, again))
    found = find_release(book.history, PRODUCTION, "1")
    assert found.promoted == first
    assert found.promotions == (first, again)


def test_evidence_of_an_earlier_review_is_found(book: Book) -> None:
    """The version stands; the same model was measured again in a later review."""
    later = book.add(reviewed(pull_request=3, model="A", evidence=sha("measured again")))
    book.goes_live(promoted("A", "1", pull_request=3, reviewed=later.number))
    found = find_release(book.history, PRODUCTION, None)
    assert (found.reviewed, found.measured) == (later, (book.history.entries[0],))


def test_a_later_review_of_the_same_model_is_none_of_the_promotion(book: Book) -> None:
    """As of a pull request that only changes words."""
    book.add(reviewed(pull_request=3, model="B", base=sha("another")[:40]))
    found = find_release(book.history, PRODUCTION, None)
    assert found.measured == (book.history.entries[3],)


def test_a_promotion_that_names_no_review_has_none(book: Book) -> None:
    book.add(promoted("C", "3", reviewed=99))
    found = find_release(book.history, PRODUCTION, None)
    assert (found.reviewed, found.measured) == (None, ())


def test_a_rejected_version_can_be_asked_for(book: Book) -> None:
    declared = book.add(promoted("C", "3", reviewed=1))
    book.add(rejected(declared))
    assert find_release(book.history, PRODUCTION, None).release.version == "2"
    assert find_release(book.history, PRODUCTION, "3").declared == declared


@pytest.mark.parametrize(
    ("environment", "version", "said"),
    [
        (PRODUCTION, "7", "version '7' for production; it knows: 1, 2"),
        ("staging", "1", "version '1' for staging; it knows: none"),
        ("staging", None, "any version for staging; it knows: none"),
        (PRODUCTION, "\x1b[31m" * 50, "version '\\x1b[31m"),
    ],
)
def test_what_was_never_declared(
    book: Book, environment: str, version: str | None, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        find_release(book.history, environment, version)
    assert f"the ledger never declared {said}" in caught.value.message
    assert len(caught.value.message) < 300
