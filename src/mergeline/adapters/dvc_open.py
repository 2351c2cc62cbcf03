"""Opening a project with DVC, and its errors as ours. Imports DVC: import this where needed."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from dvc import exceptions as theirs
from dvc.dependency.param import MissingParamsError, MissingParamsFile
from dvc.dvcfile import is_git_ignored
from dvc.lock import LockError
from dvc.parsing import ResolveError
from dvc.repo import Repo, lock_repo
from dvc.utils.serialize import ParseError

from mergeline.core import layout
from mergeline.errors import ConfigError, ToolError

# What DVC raises when `dvc.yaml`, or a file that it names, is not right.
_WRONG = (
    ParseError,
    ResolveError,
    MissingParamsFile,
    theirs.PrettyDvcException,
    theirs.CyclicGraphError,
    theirs.CircularDependencyError,
    theirs.OutputDuplicationError,
    theirs.OverlappingOutputPathsError,
    theirs.StagePathAsOutputError,
    theirs.ArgumentDuplicationError,
)
# What it says of a value of params.yaml that YAML knows and DVC does not: a date, for one.
_NO_SUCH_TYPE = "Unsupported value of type"
_MARKS = (b"<<<<<<< ", b">>>>>>> ")


@contextmanager
def opened(root: Path, *, wait: bool = False) -> Iterator[Any]:
    """Open a project, locked and quiet, from inside its folder.

    DVC takes paths relative to the current folder when it restores a run.

    Args:
        root: The project's root.
        wait: Whether to wait for the lock as long as it takes, not 3 seconds.

    Raises:
        ToolError: It is no DVC project, its lock is held, or DVC fails.
        ConfigError: `dvc.yaml` says something that is not allowed.
    """
    _refuse_conflicts(root)
    if not (root / ".dvc").is_dir():  # DVC would look for one further up
        raise ToolError(f"{root} is not a DVC project", hint="make it one with `dvc init`")
    for name in ("dvc", "dvc_data", "dvc_objects"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with (
        our_errors(),
        chdir(root),
        Repo(os.getcwd(), _wait_for_lock=wait) as repo,  # noqa: PTH109 - DVC wants text
        lock_repo(repo),
        repo.scm_context(quiet=True),
    ):
        _refuse_ignored(repo)
        yield repo


def _refuse_ignored(repo: Any) -> None:
    """DVC itself says so only when it has run a stage and cannot lock it."""
    for name in (layout.PIPELINE, layout.LOCK):
        if is_git_ignored(repo, os.path.join(repo.root_dir, name)):  # noqa: PTH118
            hint = f"take {name} out of .gitignore; dvc.lock need not be committed, though"
            raise ConfigError(f"Git ignores {name}, which DVC refuses", hint=hint)


def _refuse_conflicts(root: Path) -> None:
    for name in (layout.PIPELINE, layout.LOCK):
        path = root / name
        lines = path.read_bytes().splitlines() if path.is_file() else []
        if any(line.startswith(_MARKS) for line in lines):
            hint = "resolve it; dvc.lock may simply be deleted, a check makes it again"
            raise ToolError(f"{name} holds the marks of a merge conflict", hint=hint)


@contextmanager
def our_errors() -> Iterator[None]:
    """Raise DVC's errors as ours."""
    try:
        yield
    except LockError as error:
        raise ToolError(
            f"another DVC process is at work here: {_first_paragraph(error)}",
            hint="wait until it has ended, or end it, then run this again",
        ) from error
    except MissingParamsError as error:
        raise ConfigError(
            f"DVC cannot use {layout.PIPELINE}: {_first_line(error)}",
            hint="add it; a section that keeps its defaults is written `split: {}`",
        ) from error
    except sqlite3.Error as error:  # what DVC remembers of files is in such databases
        raise ToolError(
            f"DVC cannot use its records of this project: {_first_line(error)}",
            hint="free some space on the disk, or raise the limit on the size of files",
        ) from error
    except TypeError as error:
        if _NO_SUCH_TYPE not in str(error):
            raise
        raise ConfigError(
            f"DVC cannot use {layout.SETTINGS}: {_first_line(error)}",
            hint="write the value in quotes, a date too: '2027-03-31'",
        ) from error
    except _WRONG as error:
        raise ConfigError(
            f"DVC cannot use {layout.PIPELINE}: {_first_line(error)}",
            hint="correct it; `dvc status` shows the message with more around it",
        ) from error
    except theirs.DvcException as error:
        raise ToolError(f"DVC failed: {_first_line(error)}", hint="try `dvc status`") from error


def _first_paragraph(error: Exception) -> str:
    """Return on one line what comes before the first blank one: who holds a lock, for one."""
    return " ".join(str(error).strip().split("\n\n")[0].split())


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
