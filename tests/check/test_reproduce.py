"""Reproducing with real DVC: what is restored, what runs, what is said."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mergeline.check import reproduce as module
from mergeline.check.reproduce import reproduce
from mergeline.errors import ConfigError, DataUnavailable, MergelineError, ToolError, UsageError
from toys import NAMES, Toy, run

UNCHANGED = dict.fromkeys(NAMES, "unchanged")


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when a stage's process is started."""

    def refuse(_root: Path, name: str, _env: object, *, fresh: bool) -> None:
        pytest.fail(f"{name} was started")

    monkeypatch.setattr(module, "start_stage", refuse)


def forget_lock(toy: Toy) -> None:
    (toy.root / "dvc.lock").unlink()
    toy.commit("no lock")


@pytest.mark.usefixtures("no_process")
def test_with_nothing_changed_no_process_starts(toy: Toy) -> None:
    done = reproduce(toy.root)
    assert {stage.name: stage.action for stage in done.stages} == UNCHANGED
    assert [stage.seconds for stage in done.stages] == [0.0] * 4
    assert done.notices == ()
    assert toy.git.dirty() == ()


def test_a_touched_byte_runs_its_stage_and_stops_where_nothing_changes(toy: Toy) -> None:
    toy.write("data/source.csv", "a,1\nb,2\nc,4\n")
    said: list[str] = []
    done = reproduce(toy.root, say=said.append)
    assert {s.name: s.action for s in done.stages} == UNCHANGED | {"prepare": "ran"}
    assert said[1] == "running prepare"
    assert said[2].startswith("prepare ran in ")
    gone, behind = done.notices
    assert "The DVC remote 'store' cannot be used (there is no folder" in gone
    assert "The committed dvc.lock is behind" in behind


def test_stages_side_by_side_and_back_again(toy: Toy, tmp_path: Path) -> None:
    """A changed parameter runs what comes after it; the old value is in the run-cache."""
    asked: list[frozenset[str]] = []

    @contextmanager
    def meet(stale: frozenset[str]) -> Iterator[dict[str, str]]:
        asked.append(stale)
        (tmp_path / "meet").mkdir()
        yield {"MEET": os.fspath(tmp_path / "meet")}
        (tmp_path / "closed").touch()

    toy.set("train", 35)
    ran = {"prepare": "unchanged", "train": "ran", "explain": "ran", "fairness": "ran"}
    assert toy.actions(jobs=2, on_stale=meet) == ran
    assert asked == [{"train", "explain", "fairness"}]
    assert (tmp_path / "closed").is_file()
    assert (toy.root / "reports/model/model.txt").read_text() == "35"

    toy.set("train", 20)
    restored = {"prepare": "unchanged", "train": "restored"}
    assert toy.actions(on_stale=meet) == restored | dict.fromkeys(NAMES[2:], "restored")
    assert len(asked) == 1
    assert (toy.root / "reports/model/model.txt").read_text() == "20"
    assert toy.git.dirty() == ()
    assert toy.actions() == UNCHANGED


@pytest.mark.usefixtures("no_process")
class TestFreshClone:
    def test_it_is_restored_from_the_remote_without_a_lock(self, toy: Toy) -> None:
        toy.push()
        forget_lock(toy)
        clone = toy.clone()
        done = reproduce(clone.root)
        assert {s.name: s.action for s in done.stages} == dict.fromkeys(NAMES, "restored")
        assert done.notices == (
            "dvc.lock is not committed: `dvc pull` and `dvc metrics diff` on a clone need it.",
        )
        assert (clone.root / "reports/model/model.txt").read_text() == "20"
        run(clone.root, sys.executable, "-m", "dvc", "status", "--quiet")

    def test_with_a_lock_the_remote_gives_the_outputs(self, toy: Toy) -> None:
        toy.push()
        clone = toy.clone()
        assert clone.actions() == dict.fromkeys(NAMES, "restored")
        assert clone.git.dirty() == ()

    def test_only_restores_what_one_stage_needs(self, toy: Toy) -> None:
        toy.push()
        clone = toy.clone()
        assert clone.actions(only="train") == {"prepare": "restored", "train": "restored"}
        assert not (clone.root / "reports/explain.json").exists()


class TestFresh:
    """A build that is to prove something restores nothing of an earlier one."""

    RAN = dict.fromkeys(NAMES, "ran")

    def test_everything_runs_although_nothing_changed(self, toy: Toy) -> None:
        assert toy.actions(fresh=True) == self.RAN
        assert toy.actions() == UNCHANGED

    def test_in_a_clone_neither_runs_nor_outputs_are_restored(self, toy: Toy) -> None:
        """What the remote holds under our key came from somebody else's model."""
        other = poisoned(toy)
        clone = toy.clone()
        assert clone.actions()["train"] == "restored"
        model = clone.root / "reports/model/model.txt"
        assert model.read_text() == "poison"
        assert clone.actions(fresh=True) == self.RAN
        assert model.read_text() == "20"
        forget_lock(toy)
        again = Toy(toy.root.parent / "again")
        run(toy.root, "git", "clone", "-q", os.fspath(toy.root), os.fspath(again.root))
        assert again.actions(fresh=True) == self.RAN
        assert (again.root / "reports/model/model.txt").read_text() == "20"
        assert not list((again.root / ".dvc/cache").rglob(other))

    def test_data_comes_from_the_remote(self, toy: Toy) -> None:
        track(toy, "data/source.csv")
        toy.actions()
        toy.commit("data behind a pointer")
        toy.push()
        clone = toy.clone()
        assert not (clone.root / "data/source.csv").exists()
        assert clone.actions(fresh=True) == self.RAN
        shutil.rmtree(toy.remote)
        lacking = Toy(toy.root.parent / "lacking")
        run(toy.root, "git", "clone", "-q", os.fspath(toy.root), os.fspath(lacking.root))
        with pytest.raises(DataUnavailable):
            lacking.actions(fresh=True)
        assert not (lacking.root / "reports/prepare.json").exists()


def track(toy: Toy, name: str) -> None:
    """Replace a committed file by its pointer."""
    from dvc.repo import Repo

    run(toy.root, "git", "rm", "-q", "--cached", name)
    with chdir(toy.root), Repo() as repo:
        repo.add(name)


def poisoned(toy: Toy) -> str:
    """Push another model under the key of this one, and commit its lock; return its address."""
    code = (toy.root / "stage.py").read_text()
    toy.write("stage.py", code.replace('str(PARAMS["train"]["depth"])', "'poison'"))
    toy.actions()
    poison = {
        stage: {out["path"]: out["md5"] for out in outs["outs"]} for stage, outs in locked(toy)
    }
    toy.write("stage.py", code)
    toy.actions()
    honest = {
        stage: {out["path"]: out["md5"] for out in outs["outs"]} for stage, outs in locked(toy)
    }
    old, new = honest["train"]["reports/model"], poison["train"]["reports/model"]
    assert old != new
    for path in [toy.root / "dvc.lock", *(toy.root / ".dvc/cache/runs").rglob("*")]:
        if path.is_file():
            path.write_text(path.read_text().replace(old, new))
    toy.push()
    toy.commit("a poisoned lock")
    return new[2:]


def locked(toy: Toy) -> Iterable[tuple[str, Any]]:
    document = YAML(typ="safe", pure=True).load((toy.root / "dvc.lock").read_text())
    items: Iterable[tuple[str, Any]] = document["stages"].items()
    return items


def test_only_a_stage_that_there_is(toy: Toy) -> None:
    with pytest.raises(UsageError, match="no stage 'trian'") as raised:
        reproduce(toy.root, only="trian")
    assert raised.value.hint == "did you mean train?"


def test_a_failing_stage_speaks_for_itself_and_nothing_else_starts(toy: Toy) -> None:
    toy.break_explain()
    toy.set("fairness", 55)
    before = (toy.root / "reports/fairness.json").read_bytes()
    with pytest.raises(ConfigError) as raised:
        reproduce(toy.root, jobs=1)
    assert raised.value.message == "stage explain: found 0, expected more\nsecond line"
    assert raised.value.hint == "give more"
    assert raised.value.exit_code == 3
    assert (toy.root / "reports/fairness.json").read_bytes() == before


def test_a_stage_at_work_ends_before_the_error_of_another_is_raised(
    toy: Toy, tmp_path: Path
) -> None:
    meet = tmp_path / "meet"
    meet.mkdir()
    toy.break_explain()
    toy.set("fairness", 55)
    with pytest.raises(ConfigError):
        reproduce(toy.root, jobs=2, env={"MEET": os.fspath(meet)})
    assert '"value": 5' in (toy.root / "reports/fairness.json").read_text()
    toy.write("params.yaml", (toy.root / "params.yaml").read_text().replace("fail: explain", ""))
    assert toy.git.dirty() == ("params.yaml",)


def test_an_interrupt_ends_the_stages_too(toy: Toy, tmp_path: Path) -> None:
    """A stage that waits for another one which never comes is stopped with us."""
    meet = tmp_path / "meet"
    meet.mkdir()
    toy.set("fairness", 55)
    code = (
        "import sys; from pathlib import Path; from mergeline.check.reproduce import reproduce\n"
        "reproduce(Path(sys.argv[1]), env={'MEET': sys.argv[2]})"
    )
    command = [sys.executable, "-c", code, os.fspath(toy.root), os.fspath(meet)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while not (meet / "fairness").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        start = time.monotonic()
        assert process.wait(timeout=20) != 0
    assert (meet / "fairness").exists()
    assert time.monotonic() - start < 10
    assert not _at_work(meet)


def _at_work(meet: Path) -> list[str]:
    """Return the processes that have the meeting place in their environment."""
    needle = f"MEET={meet}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if needle in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found


class TestLock:
    def test_ignored_by_git(self, toy: Toy) -> None:
        toy.write(".gitignore", "__pycache__/\n.mergeline/\ndvc.lock\n")
        with pytest.raises(ConfigError, match=r"Git ignores dvc\.lock"):
            reproduce(toy.root)

    def test_written_otherwise_is_not_behind(self, toy: Toy) -> None:
        lock = (toy.root / "dvc.lock").read_text()
        toy.write("dvc.lock", "# by hand\n" + lock)
        toy.commit()
        toy.write("dvc.lock", lock)
        assert reproduce(toy.root).notices == ()

    @pytest.mark.parametrize("name", ["dvc.lock", "dvc.yaml"])
    def test_conflict_marks_are_named(self, toy: Toy, name: str) -> None:
        text = (toy.root / name).read_text()
        toy.write(name, f"<<<<<<< HEAD\n{text}=======\n>>>>>>> other\n")
        with pytest.raises(ToolError, match=f"{name} holds the marks of a merge conflict"):
            reproduce(toy.root)


def test_a_wrong_pipeline_is_a_config_error(toy: Toy) -> None:
    text = (toy.root / "dvc.yaml").read_text()
    toy.write("dvc.yaml", text.replace("    cmd: python stage.py train\n", ""))
    with pytest.raises(MergelineError, match=r"dvc\.yaml") as raised:
        reproduce(toy.root)
    assert raised.value.exit_code == 3
