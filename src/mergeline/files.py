"""Files are written whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; it takes the place of `path` at the end.

    A reader sees the old bytes or the new ones, never a part.

    Raises:
        OSError: The disk is full or the folder cannot be written; `path` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write bytes to a file, whole or not at all.

    Raises:
        OSError: The disk is full or the folder cannot be written; `path` is as it was.
    """
    write_set({path: data})


def write_set(files: Mapping[Path, bytes]) -> None:
    """Write files that belong together: all are on the disk before the first is replaced.

    Args:
        files: Bytes by path; the first is replaced last.

    Raises:
        OSError: The disk is full or a folder cannot be written; all files are as they were.
    """
    with ExitStack() as stack:
        for path, data in files.items():
            stack.enter_context(whole_file(path)).write_bytes(data)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file of any size as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
