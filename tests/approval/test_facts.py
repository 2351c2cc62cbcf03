"""Since when the comment says what is approved, and how many approvals are needed."""

from pathlib import Path

import pytest

from bundle.commits import Repository, settings
from ledger.made import reviewed
from mergeline.adapters.git import Git
from mergeline.approval.facts import approvals_needed, commented, commented_last, result_of
from mergeline.config.load import parse_settings

FIRST, SECOND, THIRD, FOURTH = (f"2026-11-20T1{hour}:00:00Z" for hour in range(4))


def test_the_comment_that_said_it_first_counts() -> None:
    """Main moved, so the same result was reviewed again, and the comment was edited."""
    reviews = (reviewed(commented=FIRST), reviewed(commented=SECOND, base="b" * 40))
    assert commented(reviews, result_of(reviews[-1])) == FIRST


def test_a_result_that_came_back_counts_from_when_it_came_back() -> None:
    """Whoever approved in between has read the other one."""
    first, other = reviewed(commented=FIRST), reviewed(model="B", commented=SECOND)
    back, again = reviewed(commented=THIRD), reviewed(commented=FOURTH, base="b" * 40)
    assert commented((first, other, back), result_of(first)) == THIRD
    assert commented((first, other, back, again), result_of(first)) == THIRD
    assert commented_last((first, other, back, again)) == THIRD


def test_what_another_result_took_the_place_of_is_not_what_the_comment_says() -> None:
    first, other = reviewed(commented=FIRST), reviewed(model="B", commented=SECOND)
    assert commented((first, other), result_of(first)) is None
    assert commented((first, other), result_of(other)) == SECOND
    assert commented_last((first, other)) == SECOND
    assert commented_last(()) is None


@pytest.mark.parametrize(
    "other",
    [{"model": "B"}, {"outcome": "FAILED"}, {"answer": "POLICY_ONLY"}, {"evidence": "e" * 64}],
    ids="".join,
)
def test_another_result_was_never_commented(other: dict[str, str]) -> None:
    assert commented((reviewed(commented=FIRST),), result_of(reviewed(**other))) is None
    assert commented((), result_of(reviewed())) is None


def test_the_largest_number_is_needed(tmp_path: Path) -> None:
    made = Repository.make(tmp_path / "one")

    def asking(text: str) -> str:
        return made.commit({"params.yaml": text})

    one, three = (asking(settings(promotion={"approvals": count})) for count in (1, 3))
    wrong = asking("project: 7")
    two = parse_settings(settings(promotion={"approvals": 2}), origin="params.yaml")

    def needed(*commits: str | None) -> int:
        return approvals_needed(Git(made.root), commits, two)

    assert needed(one, three) == needed(three, one, None) == 3
    assert needed(one) == 1, "what cannot be read asks for what `otherwise` asks; nothing else does"
    assert needed(one, wrong) == 2
