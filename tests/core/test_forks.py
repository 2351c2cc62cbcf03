"""What tells a fork."""

import pytest

from mergeline.core.forks import same_repository


@pytest.mark.parametrize(
    ("stated", "same"),
    [("acme/credit", True), ("Acme/CREDIT", True), ("eve/credit", False), (None, False)],
)
def test_github_takes_the_case_of_a_name_for_nothing(stated: str | None, same: bool) -> None:
    assert same_repository(stated, "acme/Credit") is same
