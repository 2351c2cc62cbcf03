"""The checked project of the command line's tests; each case breaks a copy of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.conftest import Checked, Project, first, once, second
from failures.case import Case, hold

__all__ = ["first", "once", "second"]

Holder = Callable[[Case, str], None]


@pytest.fixture
def project(second: Checked, tmp_path: Path) -> Project:
    """A copy of a pull request that was checked."""
    return second.project.copy(tmp_path / "project")


@pytest.fixture
def holds(project: Project, request: pytest.FixtureRequest) -> Holder:
    """Run a case, and hold its answer against the page."""
    update = request.config.getoption("--update-goldens")
    return lambda case, family: hold(case, family, project, update=update)
