"""What a person calls a commit: Git's own names first, then versions."""

from pathlib import Path

import pytest

from ledger.made import PRODUCTION, Book, bare, clone, commit, git, promoted
from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.errors import UsageError
from mergeline.ledger.history import History
from mergeline.release.named import Named, find_named


@pytest.fixture
def made(tmp_path: Path) -> tuple[Git, str, History]:
    """A clone with a commit that version 3 is of."""
    cloned = clone(bare(tmp_path / "origin.git"), tmp_path / "clone")
    first = commit(cloned.root, "one.txt")
    entry = promoted("A", "3")
    release = entry.release.model_copy(update={"commit": first})
    book = Book()
    book.add(entry.model_copy(update={"release": release}))
    return cloned, first, book.history


def named(made: tuple[Git, str, History], name: str) -> Named:
    cloned, _, history = made
    return find_named(cloned, Remote(cloned), name, PRODUCTION, lambda: history)


@pytest.mark.parametrize("name", ["3", "v3", "version 3", "version:3", "version3"])
def test_a_version(made: tuple[Git, str, History], name: str) -> None:
    assert named(made, name) == Named(made[1], f"version 3 ({made[1][:12]})")


@pytest.mark.parametrize("name", ["3", "v3"])
def test_gits_own_name_comes_first(made: tuple[Git, str, History], name: str) -> None:
    later = commit(made[0].root, "two.txt")
    git(made[0].root, "tag", name)
    assert named(made, name) == Named(later, f"{name} ({later[:12]})")
    assert named(made, "version 3").commit == made[1]


def test_no_ledger_is_read_for_what_git_knows(made: tuple[Git, str, History]) -> None:
    def none() -> History:
        raise AssertionError

    cloned, first, _ = made
    assert find_named(cloned, Remote(cloned), "HEAD", PRODUCTION, none).commit == first


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("4", "never declared version '4'"),
        ("nope", "no commit 'nope'"),
        ("version x", "no commit 'version x'"),
        ("--all", "no commit '--all'"),
        ("", "no commit ''"),
    ],
)
def test_what_nothing_has(made: tuple[Git, str, History], name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        named(made, name)
