"""Names of files that a change touches, and which of them steer a build."""

from pathlib import Path

import pytest

from bundle.commits import Repository
from mergeline.adapters.git import Git
from mergeline.inputs.changed import changed_paths, steers_build


def test_what_was_changed_added_and_removed(tmp_path: Path) -> None:
    made = Repository.make(tmp_path / "one")
    before = made.commit({"a": "1", "b/c": "1", "d": "1", "same": "1"})
    after = made.commit({"a": "2", "b/c": None, "e": "1"})
    assert changed_paths(Git(made.root), before, after) == ("a", "b/c", "e")
    assert changed_paths(Git(made.root), None, before) == ("a", "b/c", "d", "same")
    assert changed_paths(Git(made.root), after, after) == ()


def test_another_mode_is_a_change(tmp_path: Path) -> None:
    made = Repository.make(tmp_path / "one")
    before = made.commit({"a": "1"})
    made.run("update-index", "--chmod=+x", "a")
    made.run("commit", "-q", "-m", "mode")
    assert changed_paths(Git(made.root), before, made.run("rev-parse", "HEAD")) == ("a",)


@pytest.mark.parametrize(
    ("path", "steers"),
    [
        (".github/workflows/a.yml", True),
        (".github/CODEOWNERS", True),
        ("requirements/main.txt", True),
        ("requirements-dev.txt", True),
        ("docs/.github/a.yml", False),
        ("README.md", False),
        ("params.yaml", False),
    ],
)
def test_what_steers_a_build(path: str, *, steers: bool) -> None:
    assert steers_build(path) is steers
