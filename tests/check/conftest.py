"""The toy project, made once and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import made_once, shared_folder
from toys import NAMES, Toy, make, set_apart


@pytest.fixture(scope="session", autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        set_apart(patch, tmp_path_factory.mktemp("empty"))
        yield


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def run_all(root: Path) -> None:
        toy = make(root)
        assert toy.actions() == dict.fromkeys(NAMES, "ran")
        toy.commit("lock")

    return made_once(shared_folder(tmp_path_factory, "toy"), run_all)


@pytest.fixture
def toy(_made: Path, tmp_path: Path) -> Toy:
    """A project that is up to date, of two commits, with a remote that is not there yet."""
    shutil.copytree(_made, tmp_path / "work/toy", symlinks=True)
    return Toy(tmp_path / "work/toy")
