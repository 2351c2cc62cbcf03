"""Folders that all processes of one run of the tests make once, and copy."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def shared_folder(paths: pytest.TempPathFactory, name: str) -> Path:
    """Return a folder that all processes that run the tests have in common."""
    base = paths.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one of the processes that run tests in; the others wait."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return what is in a shared folder, made by whoever comes first."""
    made, done = folder / "made", folder / "done"
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        if not done.exists():
            make(made)
            done.touch()
    return made
