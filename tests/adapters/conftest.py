"""For the tests of Git and DVC: the machine's settings kept out, and a small pipeline."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import made_once, shared_folder
from toys import Toy, make, set_apart


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        set_apart(patch, tmp_path_factory.mktemp("empty"))
        yield


@pytest.fixture(scope="module")
def two_stages(apart: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("prepare", "train")

    def run_both(root: Path) -> None:
        toy = make(root, names)
        assert toy.actions() == dict.fromkeys(names, "ran")
        toy.commit("lock")

    return made_once(shared_folder(tmp_path_factory, "toy of two stages"), run_both)


@pytest.fixture
def toy(two_stages: Path, tmp_path: Path) -> Toy:
    """A project of two stages that is up to date, with a remote that is not there yet."""
    shutil.copytree(two_stages, tmp_path / "work/toy", symlinks=True)
    return Toy(tmp_path / "work/toy")
