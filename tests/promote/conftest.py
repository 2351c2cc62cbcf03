"""Lines that begin with a first model live, copied from one that was made once."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.core.answers import Name
from promote.scenario import REVIEWER, Builds, Scenario, first_files, fresh
from shared import made_once, shared_folder


@pytest.fixture(autouse=True, scope="session")
def plain_environment_of_promotions() -> Iterator[None]:
    """Nothing of this machine's own settings, and no MLflow server of its."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        for name in [name for name in os.environ if name.startswith(("MLFLOW_", "GITHUB_"))]:
            patch.delenv(name)
        # A registry's file is put back now and then; a connection that is kept would read
        # and write the one that was removed.
        patch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
        yield


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    return Builds(shared_folder(tmp_path_factory, "builds"))


@pytest.fixture(scope="session")
def line_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test's line is in its turn: MLflow opens a registry of one place once."""
    return tmp_path_factory.mktemp("line") / "line"


@pytest.fixture(scope="session")
def empty_line(tmp_path_factory: pytest.TempPathFactory, builds: Builds) -> Path:
    """A folder with a repository of one commit, and a registry without versions."""

    def make(folder: Path) -> None:
        folder.mkdir()
        scenario = Scenario.start(folder, builds)
        with scenario.world:
            scenario.registry.versions()

    return made_once(shared_folder(tmp_path_factory, "empty line"), make)


@pytest.fixture(scope="session")
def first_line(tmp_path_factory: pytest.TempPathFactory, empty_line: Path, builds: Builds) -> Path:
    """The same with the first pull request promoted and live."""

    def make(folder: Path) -> None:
        shutil.copytree(empty_line, folder, symlinks=True)
        scenario = Scenario.start(folder, builds)
        with scenario.world:
            number = scenario.open(first_files())
            scenario.review(number)
            scenario.world.approve(number, REVIEWER)
            scenario.world.merge(number)
            assert scenario.promote().name is Name.LIVE

    return made_once(shared_folder(tmp_path_factory, "first line"), make)


@pytest.fixture
def empty(empty_line: Path, line_folder: Path, builds: Builds) -> Iterator[Scenario]:
    """A line at its very beginning."""
    yield from fresh(empty_line, line_folder.with_name("empty"), builds, 1)


@pytest.fixture
def scenario(first_line: Path, line_folder: Path, builds: Builds) -> Iterator[Scenario]:
    """A line with a first model live; its next pull request has the number 10."""
    yield from fresh(first_line, line_folder, builds, 10)
