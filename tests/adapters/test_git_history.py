"""How commits come after each other, in whole and in shallow clones."""

from pathlib import Path

import pytest

from mergeline.adapters.git import Git
from mergeline.errors import ToolError
from review.lines import git

pytestmark = pytest.mark.usefixtures("apart")


def commit(root: Path, message: str) -> str:
    git(root, "commit", "-q", "--allow-empty", "-m", message)
    return git(root, "rev-parse", "HEAD")


class Merged:
    """main: first, second, then a merge of a branch with one commit, then last."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        git(root, "init", "-q", "-b", "main")
        self.git = Git(root)
        self.first = commit(root, "first")
        git(root, "checkout", "-q", "-b", "side")
        self.side = commit(root, "side")
        git(root, "checkout", "-q", "main")
        self.second = commit(root, "second\n\nand more")
        git(root, "merge", "-q", "--no-ff", "-m", "merge", "side")
        self.merge = git(root, "rev-parse", "HEAD")
        self.last = commit(root, "last")


@pytest.fixture
def line(tmp_path: Path) -> Merged:
    return Merged(tmp_path / "project")


@pytest.fixture
def shallow(line: Merged, tmp_path: Path) -> Git:
    git(tmp_path, "clone", "-q", "--depth", "2", line.git.root.as_uri(), "shallow")
    return Git(tmp_path / "shallow")


def test_a_branchs_own_line_is_listed_from_the_oldest(line: Merged) -> None:
    whole = (line.first, line.second, line.merge, line.last)
    assert line.git.first_parents(None, "main") == whole
    assert line.git.first_parents(line.second, "main") == whole[2:]
    assert line.git.first_parents(line.last, line.last) == ()


def test_a_commit_beside_the_line_is_not_on_it(line: Merged) -> None:
    with pytest.raises(ToolError, match=f"{line.side[:12]} is not on the line of first parents"):
        line.git.first_parents(line.side, "main")


def test_a_shallow_clone_says_that_it_does_not_hold_the_line(line: Merged, shallow: Git) -> None:
    assert shallow.first_parents(line.merge, line.last) == (line.last,)
    for after in (line.first, None):
        with pytest.raises(ToolError, match="this shallow clone lacks") as raised:
            shallow.first_parents(after, line.last)
        assert "fetch-depth: 0" in raised.value.hint


def test_ancestors_are_told_from_others(line: Merged) -> None:
    assert line.git.is_ancestor(line.first, line.last)
    assert line.git.is_ancestor(line.side, line.last)
    assert line.git.is_ancestor(line.last, line.last)
    assert not line.git.is_ancestor(line.last, line.first)
    assert not line.git.is_ancestor(line.second, line.side)
    with pytest.raises(ToolError, match="cannot tell whether"):
        line.git.is_ancestor("0" * 40, line.last)


def test_a_shallow_clone_denies_nothing_that_it_cannot_see(line: Merged, shallow: Git) -> None:
    assert shallow.is_ancestor(line.merge, line.last)
    git(shallow.root, "fetch", "-q", "--depth", "1", "origin", line.first)
    with pytest.raises(ToolError, match="this clone is shallow") as raised:
        shallow.is_ancestor(line.first, line.last)
    assert "git fetch --unshallow" in raised.value.hint
    git(shallow.root, "checkout", "-q", "--orphan", "apart")
    apart = commit(shallow.root, "of its own")
    assert not shallow.is_ancestor(line.last, apart)
    assert shallow.count(apart) == 1


def test_commits_are_counted_where_all_are_here(line: Merged, shallow: Git) -> None:
    assert line.git.count("main") == 5
    assert shallow.count(line.last) is None


def test_a_subject_is_the_first_line(line: Merged) -> None:
    assert line.git.subject(line.second) == "second"
