"""Git against real repositories."""

import os
import shutil
from pathlib import Path

import pytest

from mergeline.adapters.git import Git, find_root
from mergeline.errors import ToolError, UsageError
from review.lines import git

pytestmark = pytest.mark.usefixtures("apart")


def commit(root: Path, name: str, content: str = "x\n") -> str:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", name)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Git:
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    return Git(root)


def shallow_clone(source: Git, folder: Path) -> Git:
    git(folder.parent, "clone", "-q", "--depth", "1", f"file://{source.root}", folder.name)
    return Git(folder)


def test_the_root_is_found_from_a_folder_inside(repository: Git) -> None:
    commit(repository.root, "a/b/file")
    assert find_root(repository.root / "a/b") == repository.root


def test_outside_of_a_repository_the_hint_is_git_init(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="is not in a Git repository") as raised:
        find_root(tmp_path)
    assert "git init" in raised.value.hint


def test_without_a_commit_there_is_no_head(repository: Git) -> None:
    with pytest.raises(UsageError, match="has no commit yet"):
        repository.head()


def test_a_hooks_variables_do_not_lead_elsewhere(
    repository: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commit(repository.root, "a")
    monkeypatch.setenv("GIT_DIR", os.fspath(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(tmp_path / "index"))
    assert repository.head() == head
    assert repository.dirty() == ()


@pytest.mark.parametrize("ref", ["nothing", "-x", "--help", "HEAD^{tree}", "0" * 40, ""])
def test_an_unknown_ref_is_a_usage_error(repository: Git, ref: str) -> None:
    commit(repository.root, "a")
    with pytest.raises(UsageError, match="there is no commit"):
        repository.resolve(ref)


def test_refs_resolve_to_commits(repository: Git) -> None:
    first = commit(repository.root, "a")
    git(repository.root, "tag", "-a", "v1", "-m", "v1")
    second = commit(repository.root, "b")
    assert repository.resolve("v1") == first
    assert repository.resolve("HEAD") == repository.resolve(second[:10]) == second
    assert repository.tree("HEAD") == git(repository.root, "write-tree")


def test_parents_and_merge_base(repository: Git) -> None:
    first = commit(repository.root, "a")
    git(repository.root, "checkout", "-q", "-b", "side")
    side = commit(repository.root, "b")
    git(repository.root, "checkout", "-q", "main")
    main = commit(repository.root, "c")
    git(repository.root, "merge", "-q", "--no-ff", "-m", "merge", "side")
    assert repository.merge_base(main, side) == first
    assert repository.first_parent(repository.head()) == main
    assert repository.first_parent(first) is None


def test_files_of_a_commit_are_read_as_committed(repository: Git) -> None:
    (repository.root / ".gitattributes").write_text("*.txt eol=crlf\n")
    head = commit(repository.root, "text.txt", "one\ntwo\n")
    (repository.root / "text.txt").write_text("changed")
    assert repository.read(head, "text.txt") == b"one\ntwo\n"
    assert repository.read(head, "absent.txt") is None
    assert repository.read(head, ".") is None


def test_names_of_all_kinds_are_listed_and_read(repository: Git) -> None:
    names = ["a b.txt", "ümlaut/ß", "*", "new\nline"]
    for name in names:
        head = commit(repository.root, name, name)
    assert sorted(repository.entries(head)) == sorted(names)
    assert {name: repository.read(head, name) for name in names} == {n: n.encode() for n in names}
    assert repository.working_files() == tuple(sorted(names))


def test_dirty_is_what_differs_but_for_dvc_lock_and_ignored_files(repository: Git) -> None:
    root = repository.root
    (root / ".gitignore").write_text("ignored\n")
    commit(root, "dvc.lock")
    for name in ("changed", "deleted", "staged"):
        commit(root, name)
    assert repository.dirty() == ()
    for name in ("dvc.lock", "ignored", "folder/new", "changed", "staged"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("other\n")
    (root / "deleted").unlink()
    git(root, "add", "staged")
    assert repository.dirty() == ("changed", "deleted", "folder/new", "staged")


class TestDefaultBase:
    def test_first_commit_has_none(self, repository: Git) -> None:
        commit(repository.root, "a")
        assert repository.default_base({}) is None

    def test_on_main_it_is_the_first_parent(self, repository: Git) -> None:
        first = commit(repository.root, "a")
        commit(repository.root, "b")
        assert repository.default_base({}) == first

    def test_on_a_branch_it_is_the_tip_of_main(self, repository: Git) -> None:
        commit(repository.root, "a")
        git(repository.root, "checkout", "-q", "-b", "side")
        commit(repository.root, "b")
        git(repository.root, "checkout", "-q", "main")
        tip = commit(repository.root, "c")
        git(repository.root, "checkout", "-q", "side")
        assert repository.default_base({}) == tip

    def test_a_clone_asks_its_origin_first(self, repository: Git, tmp_path: Path) -> None:
        tip = commit(repository.root, "a")
        git(tmp_path, "clone", "-q", os.fspath(repository.root), "clone")
        clone = Git(tmp_path / "clone")
        commit(clone.root, "b")
        commit(clone.root, "c")
        assert clone.default_base({}) == tip

    def test_github_names_the_branch(self, repository: Git, tmp_path: Path) -> None:
        commit(repository.root, "a")
        git(repository.root, "checkout", "-q", "-b", "release")
        tip = commit(repository.root, "b")
        git(repository.root, "checkout", "-q", "main")
        git(tmp_path, "clone", "-q", os.fspath(repository.root), "clone")
        clone = Git(tmp_path / "clone")
        assert clone.default_base({"GITHUB_BASE_REF": "release"}) == tip
        with pytest.raises(ToolError, match="has no origin/absent") as raised:
            clone.default_base({"GITHUB_BASE_REF": "absent"})
        assert "fetch-depth: 0" in raised.value.hint

    def test_without_a_main_branch_it_must_be_named(self, repository: Git) -> None:
        commit(repository.root, "a")
        git(repository.root, "branch", "-m", "trunk")
        assert repository.default_base({}) is None
        commit(repository.root, "b")
        with pytest.raises(UsageError, match="neither origin/HEAD") as raised:
            repository.default_base({})
        assert "--base" in raised.value.hint

    def test_a_shallow_clone_is_not_taken_for_a_first_commit(
        self, repository: Git, tmp_path: Path
    ) -> None:
        first = commit(repository.root, "a")
        commit(repository.root, "b")
        clone = shallow_clone(repository, tmp_path / "clone")
        with pytest.raises(ToolError, match="this shallow clone lacks") as raised:
            clone.default_base({})
        assert "git fetch --unshallow" in raised.value.hint
        with pytest.raises(UsageError, match="there is no commit") as missing:
            clone.resolve(first)
        assert "fetch-depth: 0" in missing.value.hint


def test_a_shallow_clone_says_that_it_cannot_see_the_common_history(
    repository: Git, tmp_path: Path
) -> None:
    commit(repository.root, "a")
    git(repository.root, "checkout", "-q", "-b", "side")
    side = commit(repository.root, "b")
    git(repository.root, "checkout", "-q", "main")
    commit(repository.root, "c")
    clone = shallow_clone(repository, tmp_path / "clone")
    git(clone.root, "fetch", "-q", "--depth", "1", "origin", "side")
    with pytest.raises(ToolError, match="this shallow clone ends before"):
        clone.merge_base(clone.head(), side)


class TestWorktree:
    def test_it_holds_the_commit_and_runs_no_hook(self, repository: Git) -> None:
        hook = repository.root / ".git/hooks/post-checkout"
        hook.write_text("#!/bin/sh\ntouch hooked\n")
        hook.chmod(0o755)
        first = commit(repository.root, "a", "first\n")
        commit(repository.root, "a", "second\n")
        folder = repository.root / ".mergeline/worktrees/1"
        repository.add_worktree(folder, first)
        assert (folder / "a").read_text() == "first\n"
        assert not (folder / "hooked").exists()
        assert Git(folder).head() == first
        repository.remove_worktree(folder)
        assert not folder.exists()
        assert git(repository.root, "worktree", "list").count("\n") == 0

    @pytest.mark.parametrize("leftover", ["whole", "folder lost", "only a folder", "locked"])
    def test_a_leftover_is_no_obstacle(self, repository: Git, leftover: str) -> None:
        head = commit(repository.root, "a")
        folder = repository.root / ".mergeline/worktrees/1"
        if leftover == "only a folder":
            folder.mkdir(parents=True)
            (folder / "rubbish").write_text("x")
        else:
            repository.add_worktree(folder, head)
        if leftover == "folder lost":
            shutil.rmtree(folder)
        if leftover == "locked":
            git(repository.root, "worktree", "lock", os.fspath(folder))
        repository.add_worktree(folder, head)
        assert sorted(path.name for path in folder.iterdir()) == [".git", "a"]

    def test_it_works_in_a_shallow_clone(self, repository: Git, tmp_path: Path) -> None:
        commit(repository.root, "a")
        head = commit(repository.root, "b")
        clone = shallow_clone(repository, tmp_path / "clone")
        clone.add_worktree(clone.root / "tree", head)
        assert (clone.root / "tree/b").is_file()

    def test_a_missing_commit_is_a_tool_error(self, repository: Git) -> None:
        commit(repository.root, "a")
        with pytest.raises(ToolError, match="worktree add"):
            repository.add_worktree(repository.root / "tree", "0" * 40)


def test_a_damaged_object_is_a_tool_error(repository: Git) -> None:
    head = commit(repository.root, "a")
    oid = repository.entries(head)["a"].oid
    (repository.root / f".git/objects/{oid[:2]}/{oid[2:]}").unlink()
    with pytest.raises(ToolError, match="cannot read object") as raised:
        repository.read(head, "a")
    assert "git fsck" in raised.value.hint
