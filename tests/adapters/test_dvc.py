"""DVC's adapter against real DVC: what it sees, restores, runs, and how it fails."""

import os
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from mergeline.adapters.dvc import adopt, read_pipeline, settle, stale
from mergeline.adapters.dvc_run import child_environment, run_stage
from mergeline.adapters.git import Git
from mergeline.errors import ConfigError, ToolError
from toys import Toy, run

NAMES = ("prepare", "train")

pytestmark = pytest.mark.usefixtures("apart")


def point(toy: Toy, data: str, pointer: str = "data/source.csv") -> None:
    """Let a `.dvc` pointer stand for the toy's data, or for the folder of it."""
    from dvc.repo import Repo

    run(toy.root, "git", "rm", "-q", "-r", "--cached", "--ignore-unmatch", pointer)
    toy.write("data/source.csv", data)
    with chdir(toy.root), Repo() as repo:
        repo.add(pointer)
    toy.commit("pointer")


def test_stages_come_in_the_order_of_their_needs(toy: Toy) -> None:
    pipeline = read_pipeline(toy.root)
    assert list(pipeline.needs.items()) == [("prepare", ()), ("train", ("prepare",))]
    assert pipeline.with_needs("train") == {"prepare", "train"}
    assert pipeline.with_needs("prepare") == {"prepare"}


def test_stale_is_what_changed_with_all_after_it_and_changes_nothing(toy: Toy) -> None:
    assert stale(toy.root) == frozenset()
    toy.set("train", 90)
    assert stale(toy.root) == {"train"}
    toy.set("prepare", 90)
    assert stale(toy.root) == {"prepare", "train"}
    (toy.root / "reports/prepare.json").unlink()
    assert stale(toy.root) == {"prepare", "train"}
    assert not (toy.root / "reports/prepare.json").exists()


def test_missing_outputs_come_from_the_cache(toy: Toy) -> None:
    shutil.rmtree(toy.root / "reports")
    done = settle(toy.root)
    assert (set(done.restored), done.unchanged, done.left) == ({"prepare", "train"}, (), ())
    assert (toy.root / "reports/model/model.txt").read_text() == "20"
    assert all(0 <= seconds < 5 for seconds in done.restored.values())


def test_a_stage_that_waits_for_one_at_work_is_left(toy: Toy) -> None:
    toy.set("prepare", 90)
    settled = settle(toy.root, ["train"], running=["prepare"])
    assert (settled.left, settled.unchanged) == (("train",), ())


class TestData:
    def test_what_differs_from_its_pointer_is_named(self, toy: Toy) -> None:
        point(toy, "a,1\nb,2\nc,3\n")
        assert settle(toy.root).modified == ()
        toy.write("data/source.csv", "a,9\n")
        assert toy.git.dirty() == ()
        assert settle(toy.root).modified == ("data/source.csv",)

    def test_nobody_needs_it_where_the_outputs_are_in_a_cache(self, toy: Toy) -> None:
        point(toy, "a,1\nb,2\nc,3\n")
        (toy.root / "data/source.csv").unlink()
        shutil.rmtree(toy.root / "reports")
        assert settle(toy.root).left == ()
        assert not (toy.root / "data/source.csv").exists()

    def test_it_is_brought_for_a_stage_that_must_run(self, toy: Toy) -> None:
        point(toy, "d,4\n")
        (toy.root / "data/source.csv").unlink()
        assert settle(toy.root).left == NAMES
        assert (toy.root / "data/source.csv").read_text() == "d,4\n"

    def test_a_new_pointer_of_a_folder_counts_though_its_data_is_missing(self, toy: Toy) -> None:
        """The stage reads one file of the folder that the pointer stands for."""
        shutil.rmtree(toy.root / "data/prepared")
        for name in ("dvc.yaml", "stage.py"):
            text = (toy.root / name).read_text()
            toy.write(name, text.replace("data/prepared", "prepared"))
        point(toy, "a,1\n", "data")
        assert run_stage(toy.root, "prepare", {}).action == "ran"
        assert settle(toy.root, ["prepare"]).left == ()
        point(toy, "a,2\n", "data")
        shutil.rmtree(toy.root / "data")
        assert settle(toy.root, ["prepare"]).left == ("prepare",)
        assert (toy.root / "data/source.csv").read_text() == "a,2\n"

    def test_it_is_missed_by_name(self, toy: Toy) -> None:
        (toy.root / "data/source.csv").unlink()
        assert settle(toy.root).left == NAMES
        with pytest.raises(ToolError, match=r"stage prepare: DVC failed: .*data/source\.csv"):
            run_stage(toy.root, "prepare", {})


class TestRemote:
    def test_one_that_cannot_be_used_is_told_and_not_asked_again(self, toy: Toy) -> None:
        """There is no library for this kind of remote here."""
        config = (toy.root / ".dvc/config").read_text()
        toy.write(".dvc/config", config.replace("../../remote", "oss://bucket/path"))
        toy.set("train", 90)
        assert settle(toy.root).has_remote
        settled = settle(toy.root, remote=True, fetch=True)
        assert settled.left == ("train",)
        assert not settled.has_remote
        (notice,) = settled.notices
        assert notice.startswith("The DVC remote 'store' cannot be used (")

    def test_one_that_lacks_the_files_gives_nothing(self, toy: Toy) -> None:
        toy.remote.mkdir()
        shutil.rmtree(toy.root / "reports")
        shutil.rmtree(toy.root / ".dvc/cache")
        settled = settle(toy.root, remote=True, fetch=True)
        assert (settled.left, settled.notices) == (NAMES, ())

    def test_none(self, toy: Toy) -> None:
        toy.write(".dvc/config", "")
        assert not settle(toy.root).has_remote
        assert settle(toy.root, remote=True, fetch=True).notices == ()


def test_a_worktree_uses_the_projects_cache_and_local_settings(toy: Toy) -> None:
    toy.push()
    toy.write(
        ".dvc/config.local",
        "['remote \"store\"']\n    url = ../../moved\n    verify = true\n",
    )
    toy.remote.rename(toy.root.parent / "moved")
    tree = toy.root / ".mergeline/worktrees/1-x"
    toy.git.add_worktree(tree, toy.git.head())
    adopt(toy.root, tree)
    assert settle(tree).left == ()
    assert not (tree / ".dvc/cache/files").exists()
    assert Git(tree).dirty() == ()

    shutil.rmtree(tree / "reports")
    shutil.rmtree(toy.root / ".dvc/cache")
    settled = settle(tree, remote=True, fetch=True)
    assert (settled.left, settled.notices) == ((), ())
    assert (toy.root / ".dvc/cache/files").is_dir()


class TestRun:
    def test_dvc_says_what_it_did(self, toy: Toy) -> None:
        assert run_stage(toy.root, "train", {}).action == "unchanged"
        (toy.root / "reports/train.json").unlink()
        assert run_stage(toy.root, "train", {}).action == "restored"

    def test_a_program_that_is_not_ours_is_quoted(self, toy: Toy) -> None:
        toy.write("stage.py", "import sys\nfor n in range(9): print(n, file=sys.stderr)\n1/0\n")
        with pytest.raises(ToolError) as raised:
            run_stage(toy.root, "train", {})
        first, *_, last = raised.value.message.splitlines()
        assert first == "stage train ended with exit code 1: Traceback (most recent call last):"
        assert last == "ZeroDivisionError: division by zero"
        assert "dvc repro -s train" in raised.value.hint

    def test_one_that_is_killed_hints_at_memory(self, toy: Toy) -> None:
        toy.write("stage.py", "import os\nos.kill(os.getpid(), 9)\n")
        with pytest.raises(ToolError, match=r"exit code (-9|137)") as raised:
            run_stage(toy.root, "train", {})
        assert "memory" in raised.value.hint

    def test_modules_in_the_project_do_not_replace_those_of_dvc(self, toy: Toy) -> None:
        toy.write("logging.py", "raise SystemExit('not this one')\n")
        assert run_stage(toy.root, "train", {}).action == "unchanged"

    def test_the_environment_of_stages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_DIR", "/elsewhere")
        monkeypatch.setenv("PATH", "/first:/second")
        environment = child_environment({"MORE": "1"})
        programs = environment["PATH"].removesuffix(":/first:/second")
        assert Path(programs, "mergeline").is_file()
        assert environment["MORE"] == "1"
        assert "GIT_DIR" not in environment


class TestErrors:
    def test_no_dvc_here_though_further_up(self, toy: Toy) -> None:
        (toy.root / "inner").mkdir()
        with pytest.raises(ToolError, match="is not a DVC project") as raised:
            settle(toy.root / "inner")
        assert "dvc init" in raised.value.hint

    def test_another_process_at_work(self, toy: Toy) -> None:
        code = (
            "import sys, time, zc.lockfile\n"
            "lock = zc.lockfile.LockFile(sys.argv[1]); print('held', flush=True); time.sleep(60)"
        )
        command = [sys.executable, "-c", code, os.fspath(toy.root / ".dvc/tmp/lock")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == b"held\n"
                with pytest.raises(ToolError, match="another DVC process is at work here"):
                    settle(toy.root)
            finally:
                process.kill()

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("cmd: python stage.py train", "comand: x"),
            ("deps: [reports/prepare.json", "deps: [reports/train.json"),
            ("outs: [reports/model, reports/train.json]", "outs: [reports/prepare.json]"),
            ("cmd: python stage.py train", "cmd: python ${no.such}"),
            ("params: [train]", "params: [absent]"),
            ("stages:", "stages: ["),
        ],
    )
    def test_a_wrong_pipeline(self, toy: Toy, old: str, new: str) -> None:
        text = (toy.root / "dvc.yaml").read_text()
        assert old in text
        toy.write("dvc.yaml", text.replace(old, new))
        with pytest.raises(ConfigError, match=r"DVC cannot use dvc\.yaml: "):
            settle(toy.root)

    def test_the_current_folder_is_as_it_was(self, toy: Toy) -> None:
        before = Path.cwd()
        settle(toy.root)
        with pytest.raises(ToolError):
            settle(toy.root / "reports")
        assert Path.cwd() == before
