"""What tells a fork, and the command that the README states."""

from pathlib import Path

import pytest

from mergeline.core.forks import same_repository, to_own_branch


@pytest.mark.parametrize(
    ("stated", "same"),
    [("acme/credit", True), ("Acme/CREDIT", True), ("eve/credit", False), (None, False)],
)
def test_github_takes_the_case_of_a_name_for_nothing(stated: str | None, same: bool) -> None:
    assert same_repository(stated, "acme/Credit") is same


def test_the_command_is_the_one_of_the_readme() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    assert f"\n{to_own_branch('N')}\n" in readme.read_text()
