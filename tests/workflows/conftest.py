"""Projects whose workflows run; skipped where `act` is not installed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workflows.act import program
from workflows.line import Project


@pytest.fixture(scope="module", autouse=True)
def act() -> None:
    if program() is None:
        pytest.skip("act is not installed (go install github.com/nektos/act@v0.2.89)")


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Start projects whose jobs use the Mergeline of the tests."""
    projects: list[Project] = []

    def start(**settings: Any) -> Project:
        projects.append(Project.start(tmp_path / str(len(projects)), **settings))
        return projects[-1]

    yield start
    for project in projects:
        project.stop()
