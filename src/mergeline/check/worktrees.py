"""Mergeline's own folder in a project, and the worktrees in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mergeline.adapters.git import Git
from mergeline.core import layout
from mergeline.errors import ToolError


def own_folder(root: Path) -> Path:
    """Return the folder of Mergeline's own files, which Git is told to ignore."""
    state = root / layout.STATE
    state.mkdir(exist_ok=True)
    ignore = state / ".gitignore"
    if not ignore.is_file():
        ignore.write_text("*\n")
    return state


def workplace(state: Path, name: str) -> Path:
    """Return the path of a temporary folder, which names the process that it belongs to."""
    return state / "worktrees" / f"{os.getpid()}-{name}"


@contextmanager
def worktree(state: Path, git: Git, commit: str) -> Iterator[Path]:
    """Hold a worktree of a commit; it is gone at the end."""
    folder = workplace(state, commit[:12])
    try:
        git.add_worktree(folder, commit)
        yield folder
    finally:
        git.remove_worktree(folder)


def remove_leftovers(state: Path, git: Git) -> None:
    """Remove what killed checks left, and nothing of those at work."""
    for folder in sorted((state / "worktrees").glob("*-*")):
        pid = folder.name.split("-")[0]
        if pid.isdecimal() and (int(pid) == os.getpid() or not _is_alive(int(pid))):
            with suppress(ToolError):  # it is not in our way; the next check tries again
                git.remove_worktree(folder)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
