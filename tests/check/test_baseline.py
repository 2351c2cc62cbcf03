"""The baseline with real Git and DVC: where it comes from, and when there is none."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from mergeline.check import baseline as module
from mergeline.check import reproduce
from mergeline.check.baseline import restore_baseline
from mergeline.core import layout
from toys import NAMES, Toy, run


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when a stage's process is started."""

    def refuse(_root: Path, name: str, _env: object) -> None:
        pytest.fail(f"{name} was started")

    monkeypatch.setattr(reproduce, "start_stage", refuse)


def worktrees(toy: Toy) -> list[str]:
    folder = toy.root / ".mergeline/worktrees"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.usefixtures("no_process")
def test_it_is_restored_once_and_then_remembered(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.write(".gitignore", "__pycache__/\n")  # .mergeline/ is ignored all the same
    base = toy.commit()
    toy.set("train", 90)
    toy.commit("candidate")
    first = restore_baseline(toy.root, toy.git, base)
    assert first.baseline.model_dump() == {
        "status": "available",
        "commit": base,
        "reason": "",
        "restored": NAMES,
        "ran": (),
    }
    assert first.folder is not None
    files = {os.fspath(p.relative_to(first.folder)) for p in first.folder.rglob("*.*")}
    evidence = {layout.evidence(name) for name in NAMES}
    assert files == evidence | {
        "baseline.json",
        "params.yaml",
        "train_keys.parquet",
        "columns.json",
        "reports/model/model.txt",
    }
    assert (first.folder / "reports/model/model.txt").read_text() == "20"
    keys = pd.read_parquet(first.folder / "train_keys.parquet")
    assert keys.to_dict("list") == {layout.KEY: ["a", "b", "c"]}
    assert worktrees(toy) == []
    assert toy.git.dirty() == ()

    with monkeypatch.context() as patch:
        patch.setattr(module, "adopt", None)
        patch.setattr(module, "worktree", None)
        assert restore_baseline(toy.root, toy.git, base) == first

    (first.folder / "columns.json").unlink()  # as an older version kept it
    assert restore_baseline(toy.root, toy.git, base) == first
    assert (first.folder / "columns.json").is_file()

    (first.folder / "baseline.json").write_text('{"of": "another version"}')
    assert restore_baseline(toy.root, toy.git, base) == first


@pytest.mark.usefixtures("no_process")
def test_a_clone_restores_it_from_the_remote(toy: Toy) -> None:
    """The remote's address is relative: it has to mean the same in the worktree."""
    run(toy.root, "git", "rm", "-q", "--cached", "dvc.lock")
    base = toy.commit("no lock")
    toy.push()
    clone = toy.clone()
    files = restore_baseline(clone.root, clone.git, base)
    assert files.baseline.restored == NAMES
    assert not (clone.root / "reports/train.json").exists()


def test_it_runs_with_its_own_code_where_the_pins_are_the_same(toy: Toy) -> None:
    code = (toy.root / "stage.py").read_text()
    where = "import mergeline\nPath('reports/model/where.txt').write_text(mergeline.__file__)\n"
    toy.write("stage.py", code + where)
    toy.write("src/mergeline/__init__.py", "")
    base = toy.commit("base")
    toy.write("stage.py", code)
    toy.commit("candidate")
    files = restore_baseline(toy.root, toy.git, base)
    assert files.baseline.ran == NAMES
    assert files.baseline.restored == ()
    assert files.folder is not None
    where = (files.folder / "reports/model/where.txt").read_text()
    assert f".mergeline/worktrees/{os.getpid()}-{base[:12]}/src/mergeline" in where


@pytest.mark.usefixtures("no_process")
class TestNotAvailable:
    def test_other_pins(self, toy: Toy) -> None:
        toy.set("explain", 90)
        base = toy.commit("base")
        toy.write("requirements/main.txt", "mergeline==2\n")
        files = restore_baseline(toy.root, toy.git, base)
        assert files.folder is None
        assert files.baseline.status == "not_available"
        assert files.baseline.reason == (
            "Of the base explain would have to run again, but it pins another environment: "
            "requirements/main.txt changed."
        )
        assert worktrees(toy) == []

    def test_other_pins_do_not_matter_to_what_is_restored(self, toy: Toy) -> None:
        base = toy.git.head()
        toy.write("requirements/main.txt", "mergeline==2\n")
        assert restore_baseline(toy.root, toy.git, base).baseline.status == "available"

    def test_no_pins(self, toy: Toy) -> None:
        text = (toy.root / "dvc.yaml").read_text()
        toy.write("dvc.yaml", text.replace(", requirements/main.txt", ""))
        toy.set("explain", 90)
        files = restore_baseline(toy.root, toy.git, toy.commit())
        assert files.baseline.status == "not_available"
        assert "depends on pinned requirements" in files.baseline.reason

    def test_no_pipeline(self, toy: Toy) -> None:
        (toy.root / "dvc.yaml").unlink()
        files = restore_baseline(toy.root, toy.git, toy.commit())
        assert files.baseline.status == "not_available"
        assert files.baseline.reason == "The base has no dvc.yaml."

    @pytest.mark.parametrize(
        ("name", "text", "reason"),
        [
            ("dvc.lock", "<<<<<<< HEAD\n", "dvc.lock holds the marks of a merge conflict"),
            ("dvc.yaml", "stages: {a: {deps: [x]}}\n", "DVC cannot use dvc.yaml"),
        ],
    )
    def test_a_pipeline_that_dvc_cannot_use(
        self, toy: Toy, name: str, text: str, reason: str
    ) -> None:
        """The base's settings are right: its policy still counts."""
        before = (toy.root / name).read_text()
        toy.write(name, text)
        base = toy.commit()
        toy.write(name, before)
        files = restore_baseline(toy.root, toy.git, base)
        assert (files.baseline.status, files.folder) == ("not_available", None)
        assert files.baseline.reason.startswith("The pipeline of the base cannot be used: ")
        assert reason in files.baseline.reason
        assert worktrees(toy) == []


def test_parameters_that_the_base_lacks(toy: Toy) -> None:
    toy.write("params.yaml", "prepare: {depth: 10}\ntrain: {depth: 21}\n")
    base = toy.commit("base")
    baseline = restore_baseline(toy.root, toy.git, base).baseline
    assert baseline.status == "not_available"
    assert "are missing from 'params.yaml'" in baseline.reason


def test_a_stage_that_fails_is_quoted(toy: Toy) -> None:
    toy.break_explain()
    base = toy.commit("base")
    files = restore_baseline(toy.root, toy.git, base)
    assert files.baseline.status == "not_available"
    assert files.baseline.reason == (
        "The base does not run: stage explain: found 0, expected more\nsecond line."
    )
    assert worktrees(toy) == []


class TestNone:
    def test_no_commit(self, toy: Toy) -> None:
        files = restore_baseline(toy.root, toy.git, None)
        assert (files.baseline.status, files.folder) == ("none", None)

    def test_no_settings(self, toy: Toy) -> None:
        (toy.root / "params.yaml").unlink()
        base = toy.commit()
        files = restore_baseline(toy.root, toy.git, base)
        assert (files.baseline.status, files.baseline.commit) == ("none", base)
        assert files.baseline.reason == "The base has no params.yaml."


class TestUnreadable:
    def reason(self, toy: Toy, base: str) -> str:
        files = restore_baseline(toy.root, toy.git, base)
        assert (files.baseline.status, files.folder) == ("unreadable", None)
        assert worktrees(toy) == []
        return files.baseline.reason

    def test_missing_commit(self, toy: Toy) -> None:
        assert self.reason(toy, "0" * 40) == "The commit 000000000000 is not in this clone."

    def test_bad_settings(self, toy: Toy) -> None:
        toy.write("params.yaml", "a: [1\n")
        base = toy.commit()
        assert f"params.yaml at {base[:12]}:2" in self.reason(toy, base)


@pytest.mark.usefixtures("no_process")
def test_leftovers_of_the_dead_go_and_the_living_keep_theirs(toy: Toy) -> None:
    """One process dies with its worktree half used; another is still at work in its own."""
    base = toy.git.head()
    code = (
        "import os, sys, time; from pathlib import Path; from mergeline.adapters.git import Git\n"
        "folder = Path(sys.argv[1], f'.mergeline/worktrees/{os.getpid()}-{sys.argv[2][:12]}')\n"
        "Git(Path(sys.argv[1])).add_worktree(folder, sys.argv[2])\n"
        "print('made', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, os.fspath(toy.root), base]
    dead, alive = (subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2))
    try:
        for process in (dead, alive):
            assert process.stdout is not None
            assert process.stdout.readline() == b"made\n"
        dead.send_signal(signal.SIGKILL)
        dead.wait()
        # The pid of a dead process may come back as ours.
        shutil.copytree(
            toy.root / f".mergeline/worktrees/{dead.pid}-{base[:12]}",
            toy.root / f".mergeline/worktrees/{os.getpid()}-{base[:12]}",
        )
        assert restore_baseline(toy.root, toy.git, base).baseline.status == "available"
        assert worktrees(toy) == [f"{alive.pid}-{base[:12]}"]
    finally:
        for process in (dead, alive):
            process.kill()
            process.communicate()


def test_two_checks_at_once(toy: Toy) -> None:
    code = (
        "import sys; from pathlib import Path; from mergeline.adapters.git import Git\n"
        "from mergeline.check.baseline import restore_baseline\n"
        "root = Path(sys.argv[1]); git = Git(root)\n"
        "print(restore_baseline(root, git, git.head()).baseline.status)"
    )
    command = [sys.executable, "-c", code, os.fspath(toy.root)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in both] == ["available\n"] * 2
    assert worktrees(toy) == []


@pytest.mark.usefixtures("no_process")
def test_only_the_last_ones_are_remembered(toy: Toy) -> None:
    folder = toy.root / ".mergeline/baselines"
    for number in range(12):
        (folder / str(number)).mkdir(parents=True)
        os.utime(folder / str(number), (number, number))
    files = restore_baseline(toy.root, toy.git, toy.git.head())
    assert files.folder is not None
    kept = {path.name for path in folder.iterdir()}
    assert kept == {files.folder.name, *map(str, range(3, 12))}


@pytest.mark.usefixtures("no_process")
def test_a_disk_that_is_full_leaves_nothing_half_made(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_whole", full)
    with pytest.raises(OSError, match="No space left"):
        restore_baseline(toy.root, toy.git, toy.git.head())
    assert worktrees(toy) == []
    assert not list((toy.root / ".mergeline").glob("baselines/*"))
