"""Pushing outputs that are in hand, with real DVC: which stages, and why the others not."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.adapters.dvc import adopt
from mergeline.adapters.dvc_publish import Pushed, Stated, default_remote, push_outputs
from mergeline.bundle.outputs import made_outputs
from mergeline.errors import ToolError
from toys import Toy, make, set_apart

NAMES = ("prepare", "train")
HANDED = ("reports/prepare.json", "reports/train.json", "reports/model/model.txt")
Addresses = dict[str, dict[str, Stated]]


@pytest.fixture(scope="module", autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        set_apart(patch, tmp_path_factory.mktemp("empty"))
        yield


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    toy = make(tmp_path_factory.mktemp("made") / "toy", NAMES)
    assert toy.actions() == dict.fromkeys(NAMES, "ran")
    toy.commit("lock")
    return toy.root


@pytest.fixture
def toy(_made: Path, tmp_path: Path) -> Toy:
    shutil.copytree(_made, tmp_path / "work/toy", symlinks=True)
    return Toy(tmp_path / "work/toy")


def stated(toy: Toy) -> Addresses:
    found = made_outputs(toy.root).stages
    return {
        stage: {path: Stated(at.md5, at.size, at.nfiles) for path, at in outs.items()}
        for stage, outs in found.items()
    }


def pushed(toy: Toy, addresses: Addresses, handed: tuple[str, ...] = HANDED) -> Pushed:
    """Push from a worktree that holds what was handed over."""
    tree = toy.root.parent / "tree"
    toy.git.add_worktree(tree, toy.git.head())
    for name in handed:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(toy.root / name, tree / name)
    adopt(toy.root, tree, cache=toy.root.parent / "cache")
    try:
        return push_outputs(tree, addresses)
    finally:
        toy.git.remove_worktree(tree)


def test_what_is_in_hand(toy: Toy) -> None:
    done = pushed(toy, stated(toy))
    assert done.stages == ("train",)
    assert done.left == {"prepare": "data/prepared/train.parquet is not handed over"}
    assert (done.objects, done.runs, done.sent, done.wrong) == (3, 1, 4, ())


def test_nothing_in_hand_sends_nothing(toy: Toy) -> None:
    done = pushed(toy, stated(toy), ())
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
    assert done.left["explain"] == "it reads reports/model, which is not handed over whole"


def test_an_older_lock_says_nothing_of_inputs(toy: Toy) -> None:
    """The build did not say where its table is: the committed lock may be of another day."""
    addresses = stated(toy)
    del addresses["prepare"]["data/prepared/train.parquet"]
    text = (toy.root / "dvc.yaml").read_text()
    toy.write("dvc.yaml", text.replace("[reports/prepare.json,", "[data/prepared/train.parquet,"))
    toy.commit("train reads the table")
    done = pushed(toy, addresses)
    assert done.left["prepare"].startswith("the build did not state an address of data/prepared")
    assert (
        done.left["train"] == "it reads data/prepared/train.parquet, which is not handed over whole"
    )


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
