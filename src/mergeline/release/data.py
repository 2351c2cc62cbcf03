"""The data of a commit, on the disk: from Git, or from behind its `.dvc` pointer."""

import tempfile
from pathlib import Path

from mergeline.adapters.dvc import adopt
from mergeline.adapters.dvc_data import pull_data
from mergeline.adapters.git import Git
from mergeline.files import file_sha256


def data_sha256(git: Git, commit: str, source: str) -> str | None:
    """Return the SHA-256 of a file of data at a commit; None where the commit has none.

    DVC's md5 is an address, no proof: the bytes are fetched and hashed.

    Args:
        git: A clone with a working tree, whose DVC cache and remotes are used.
        commit: Its `.dvc` pointers count.
        source: The path of the file.

    Raises:
        ToolError: Git or DVC cannot be used, or the data is in no cache.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "data")
        git.add_worktree(folder, commit)
        try:
            bring_data(git.root, folder)
            path = folder / source
            return file_sha256(path) if path.is_file() else None
        finally:
            git.remove_worktree(folder)


def bring_data(root: Path, worktree: Path) -> None:
    """Put the data behind `.dvc` pointers into a worktree of a project.

    Raises:
        ToolError: DVC cannot be used, or the data is in no cache.
    """
    adopt(root, worktree)
    pull_data(worktree)
