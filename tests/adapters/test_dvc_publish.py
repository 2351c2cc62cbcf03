"""Pushing outputs that are in hand, with real DVC: which stages, and why the others not."""

import hashlib
import shutil
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest

from mergeline.adapters.dvc import adopt
from mergeline.adapters.dvc_publish import Pushed, Stated, default_remote, push_outputs
from mergeline.bundle.outputs import made_outputs
from mergeline.errors import ToolError
from toys import Toy, make, run

NAMES = ("prepare", "train")
TABLE = "data/prepared/train.parquet"
# What `prepare` makes of the commit alone; the rest is what a build handed over.
MADE = (TABLE, "reports/prepare.json")
HANDED = (*MADE, "reports/train.json", "reports/model/model.txt")
ALONE = ", and what that is rests on the build's word alone"
Addresses = dict[str, dict[str, Stated]]

pytestmark = pytest.mark.usefixtures("apart")


def stated(toy: Toy) -> Addresses:
    found = made_outputs(toy.root).stages
    return {
        stage: {path: Stated(at.md5, at.size, at.nfiles) for path, at in outs.items()}
        for stage, outs in found.items()
    }


def pushed(
    toy: Toy,
    addresses: Addresses,
    handed: tuple[str, ...] = HANDED,
    made: tuple[str, ...] = MADE,
) -> Pushed:
    """Push from a worktree that holds what was handed over, and what was made there."""
    tree = toy.root.parent / "tree"
    toy.git.add_worktree(tree, toy.git.head())
    for name in handed:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(toy.root / name, tree / name)
    adopt(toy.root, tree, cache=toy.root.parent / "cache")
    try:
        return push_outputs(tree, addresses, made)
    finally:
        toy.git.remove_worktree(tree)


def test_what_is_in_hand(toy: Toy) -> None:
    done = pushed(toy, stated(toy))
    assert done.stages == ("train",)
    (said,) = [done.left["prepare"]]
    assert said == f"{', '.join(MADE)} holds rows of the data, which are not sent"
    assert (done.objects, done.runs, done.sent, done.wrong, done.others) == (3, 1, 4, (), {})
    clone = toy.clone()
    (clone.root / "dvc.lock").unlink()
    assert clone.actions() == {"prepare": "ran", "train": "restored"}


def test_nothing_in_hand_sends_nothing(toy: Toy) -> None:
    done = pushed(toy, stated(toy), (), ())
    assert (done.stages, done.objects, done.runs, done.sent) == ((), 0, 0, 0)
    assert set(done.left) == set(NAMES)


def test_a_folder_that_lacks_a_file(toy: Toy) -> None:
    addresses = stated(toy)
    text = (toy.root / "dvc.yaml").read_text()
    after = "  explain:\n    cmd: cp reports/model/model.txt x.txt\n"
    toy.write("dvc.yaml", f"{text}{after}    deps: [reports/model]\n    outs: [x.txt]\n")
    toy.write("x.txt", "20")
    addresses["explain"] = {"x.txt": Stated(hashlib.md5(b"20").hexdigest(), 2)}  # noqa: S324
    toy.write(".gitignore", "__pycache__/\n.mergeline/\nx.txt\n")
    toy.commit("a stage that reads the model")
    whole = pushed(toy, addresses, (*HANDED, "x.txt"))
    assert whole.stages == ("train", "explain")
    (toy.root / "reports/model/model.txt").write_text("other")
    done = pushed(toy, addresses, (*HANDED, "x.txt"))
    assert done.left["train"] == "reports/model as handed over is not all that the stage made"
    assert done.left["explain"] == f"it reads reports/model{ALONE}"


class TestInputs:
    """A build's word for what its outputs were made from counts for nothing."""

    def test_an_older_lock_says_nothing(self, toy: Toy) -> None:
        """The table is not here, and the committed lock may be of another day."""
        after_the_table(toy)
        done = pushed(toy, stated(toy), HANDED[1:], ())
        assert done.left["prepare"] == f"{TABLE} is not handed over"
        assert done.left["train"] == f"it reads {TABLE}{ALONE}"
        assert not toy.remote.exists()

    def test_an_address_that_was_not_stated(self, toy: Toy) -> None:
        after_the_table(toy)
        addresses = stated(toy)
        del addresses["prepare"][TABLE]
        done = pushed(toy, addresses)
        assert done.left["prepare"] == f"the build did not state an address of {TABLE}"
        assert done.left["train"] == f"it reads {TABLE}{ALONE}"

    def test_in_hand_but_of_a_stage_that_is_not_published(self, toy: Toy) -> None:
        """Another day's file is soon handed over: only what was made here is today's."""
        done = pushed(toy, stated(toy), made=(TABLE,))
        assert done.left["train"] == f"it reads reports/prepare.json{ALONE}"

    def test_a_folder_with_such_a_table_in_it(self, toy: Toy) -> None:
        after_the_table(toy, "data/prepared")
        assert pushed(toy, stated(toy)).stages == ("train",)
        shutil.rmtree(toy.remote)
        done = pushed(toy, stated(toy), made=("reports/prepare.json",))
        assert done.left["train"] == f"it reads data/prepared{ALONE}"

    def test_a_pointer_of_the_commit(self, toy: Toy) -> None:
        """Its data need not be here: the commit itself says what it is."""
        under_dvc(toy, "data/source.csv")
        after_the_table(toy, "data/source.csv")
        assert pushed(toy, stated(toy)).stages == ("train",)
        clone = toy.clone()
        shutil.copyfile(toy.root / "data/source.csv", clone.root / "data/source.csv")
        assert clone.actions()["train"] == "restored"

    def test_a_folder_that_lacks_what_a_pointer_stands_for(self, toy: Toy) -> None:
        under_dvc(toy, "data/source.csv")
        toy.write("data/more.csv", "b,2\n")
        after_the_table(toy, "data")
        (toy.root / "data/source.csv").unlink()
        done = pushed(toy, stated(toy))
        assert done.left["train"] == "it reads data, and data/source.csv is not here"


def after_the_table(toy: Toy, reads: str = TABLE) -> None:
    """Let `train` read something else than the report of `prepare`."""
    text = (toy.root / "dvc.yaml").read_text()
    assert "[reports/prepare.json," in text
    toy.write("dvc.yaml", text.replace("[reports/prepare.json,", f"[{reads},"))
    toy.write(".gitignore", "__pycache__/\n.mergeline/\n/reports/\n/data/prepared/\n")
    toy.commit(f"train reads {reads}")


def under_dvc(toy: Toy, name: str) -> None:
    """Replace a committed file by its pointer."""
    from dvc.repo import Repo

    run(toy.root, "git", "rm", "--quiet", "--cached", name)
    with chdir(toy.root), Repo() as repo:
        repo.add(name)
    toy.commit("data behind a pointer")


class TestAnotherDay:
    """Day 2 is hostile, reviewed and approved, and is reverted; day 1 was honest."""

    @pytest.fixture
    def days(self, tmp_path: Path) -> "Days":
        toy = make(tmp_path / "work/toy", NAMES)
        code = (toy.root / "stage.py").read_text()
        # The model follows the table, as a model does.
        rows = f"__import__('pyarrow.parquet').parquet.read_table('{TABLE}').to_pydict()"
        toy.write("stage.py", code.replace('str(PARAMS["train"]["depth"])', f"str({rows})"))
        after_the_table(toy)
        toy.actions()
        days = Days(toy, stated(toy), (toy.root / "reports/model/model.txt").read_text())
        toy.write("data/source.csv", "z,9\ny,8\n")
        toy.commit("day 2")
        return days

    def lying(self, days: "Days") -> Pushed:
        """Publish day 2, whose build states day 1's table."""
        days.toy.actions()
        new = stated(days.toy)
        assert (days.toy.root / "reports/model/model.txt").read_text() != days.model
        new["prepare"][TABLE] = days.addresses["prepare"][TABLE]
        return pushed(days.toy, new)

    def reverted(self, days: "Days") -> tuple[str, str]:
        """Go back to day 1; return what a fresh clone does about `train`, and its model."""
        days.toy.write("data/source.csv", "a,1\nb,2\nc,3\n")
        (days.toy.root / "dvc.lock").unlink(missing_ok=True)
        days.toy.commit("revert")
        clone = days.toy.clone()
        action = clone.actions()["train"]
        return action, (clone.root / "reports/model/model.txt").read_text()

    def test_its_model_is_not_restored_where_nothing_was_published(self, days: "Days") -> None:
        done = self.lying(days)
        assert done.left["prepare"] == f"{TABLE} as made here is not all that the stage made"
        assert (done.stages, done.sent) == ((), 0)
        assert self.reverted(days) == ("ran", days.model)

    def test_the_honest_entry_stays(self, days: "Days") -> None:
        first(days)
        assert self.lying(days).stages == ()
        assert self.reverted(days) == ("restored", days.model)

    def test_another_result_of_the_same_inputs_is_refused(self, days: "Days") -> None:
        """No lie is needed: a parameter of a later stage, and another model with it."""
        first(days)
        before = sorted(days.toy.remote.rglob("*"))
        toy = days.toy
        toy.write("data/source.csv", "a,1\nb,2\nc,3\n")
        toy.commit("day 1 again")
        toy.actions()
        (toy.root / "reports/model/model.txt").unlink()
        toy.write("reports/model/model.txt", "hostile")
        addresses = stated(toy)
        addresses["train"]["reports/model"] = address_of(toy, "reports/model")
        done = pushed(toy, addresses)
        (entry,) = (path for path in (toy.remote / "runs").rglob("*") if path.is_file())
        assert (done.stages, done.sent, done.objects, done.runs) == ((), 0, 0, 0)
        assert done.others == {"train": entry.relative_to(toy.remote).as_posix()}
        assert sorted(toy.remote.rglob("*")) == before
        assert self.reverted(days) == ("restored", days.model)

    def test_one_whose_files_are_gone_gives_way(self, days: "Days") -> None:
        first(days)
        (entry,) = (
            path for path in days.toy.remote.rglob("*") if "runs" in path.parts and path.is_file()
        )
        gone = "0" * 32
        md5 = days.addresses["train"]["reports/model"].md5
        other = entry.with_name("0" * 64)
        other.write_text(entry.read_text().replace(md5, f"{gone}.dir"))
        entry.unlink()
        days.toy.write("data/source.csv", "a,1\nb,2\nc,3\n")
        days.toy.commit("day 1 again")
        days.toy.actions()
        done = pushed(days.toy, stated(days.toy))
        assert (done.stages, done.sent, done.others) == (("train",), 1, {})
        assert (entry.is_file(), other.exists()) == (True, False)


@dataclass(frozen=True)
class Days:
    """A project at its second day, not built yet, and what the first day's build came to."""

    toy: Toy
    addresses: Addresses
    model: str


def first(days: Days) -> None:
    """Publish day 1."""
    toy = days.toy
    run(toy.root, "git", "checkout", "--quiet", "HEAD~1")
    toy.actions()
    assert pushed(toy, days.addresses).stages == ("train",)
    run(toy.root, "git", "checkout", "--quiet", "--force", "main")
    shutil.rmtree(toy.root.parent / "cache")


def address_of(toy: Toy, folder: str) -> Stated:
    """Let DVC hash a folder that is not what its lock says."""
    from dvc.repo import Repo

    with chdir(toy.root), Repo() as repo:
        (out,) = (out for out in repo.index.outs if str(out) == folder)
        out.save()
        return Stated(out.hash_info.value, out.meta.size, out.meta.nfiles)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "outs: [reports/model, reports/train.json]",
            "outs: [reports/model, {reports/train.json: {cache: false}}]",
            "DVC keeps no copy of reports/train.json",
        ),
        (
            "cmd: python stage.py train",
            "cmd: python stage.py train\n    always_changed: true",
            "DVC keeps no runs of such a stage",
        ),
    ],
)
def test_a_stage_that_dvc_would_run_again(toy: Toy, old: str, new: str, why: str) -> None:
    text = (toy.root / "dvc.yaml").read_text()
    assert old in text
    toy.write("dvc.yaml", text.replace(old, new))
    toy.commit("otherwise")
    done = pushed(toy, stated(toy))
    assert (done.left["train"], done.objects) == (why, 0)


def test_a_parameter_of_the_commit_counts(toy: Toy) -> None:
    """Not what the build had: a lock cannot bring outputs under another commit's key."""
    addresses = stated(toy)
    toy.set("train", 90)
    toy.commit("another model")
    assert pushed(toy, addresses).stages == ("train",)
    toy.set("train", 20)
    toy.write("dvc.lock", "")
    (toy.root / "dvc.lock").unlink()
    toy.commit("back")
    assert toy.clone().actions()["train"] == "ran"


def test_a_remote_that_cannot_be_used(toy: Toy) -> None:
    config = (toy.root / ".dvc/config").read_text()
    toy.write(".dvc/config", config.replace("../../remote", "oss://bucket/path"))
    with pytest.raises(ToolError, match=r"'store' cannot be written to: .*dvc-oss") as raised:
        pushed(toy, stated(toy))
    assert "requirements of the job that publishes" in raised.value.hint


def test_the_default_remote(toy: Toy, tmp_path: Path) -> None:
    assert default_remote(toy.root) == "store"
    toy.write(".dvc/config", "['remote \"store\"']\n    url = ../../remote\n")
    assert default_remote(toy.root) == ""
    assert default_remote(tmp_path) == ""
