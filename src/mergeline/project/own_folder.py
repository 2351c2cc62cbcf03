"""The folder that a demo or a rehearsal works in: nobody else's is touched."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mergeline.errors import UsageError

# Kept from one run to the next: what DVC need not train again.
CACHE = "cache"
_LOCK = "lock"
# What one leaves in its folder; a folder that holds anything else is not ours to clean.
_OURS = {
    *(CACHE, _LOCK, "comments", "github", "logs", "pages", "project", "runner", "desk"),
    *("server", "server.log", "registry", "registry.db", "mlruns", "mlartifacts"),
}


@contextmanager
def emptied(folder: Path) -> Iterator[None]:
    """Have a folder alone, made anew but for its cache.

    Raises:
        UsageError: It holds what no demo made, or another one works in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = sorted(folder.iterdir())
    strange = [path.name for path in found if path.name not in _OURS]
    if strange:
        raise UsageError(
            f"{folder} holds {strange[0]!r}, which no demo made",
            hint="name an empty folder with --folder",
        )
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"another demo or rehearsal works in {folder}",
                hint="end it with Ctrl-C, or name another folder with --folder",
            ) from error
        for path in found:
            if path.name not in (CACHE, _LOCK):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield
