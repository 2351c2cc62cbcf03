"""Whether a DVC remote answers with the credential at hand; nothing is written there.

Storage is asked in a process of its own: its libraries retry for minutes and may ask for a
password, and a process can be ended.
"""

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from mergeline.adapters.dvc_trouble import without_secrets

SECONDS = 20
State = Literal["reached", "refused", "no plugin", "silent"]
_LONGEST = 300
_PLUGIN = re.compile("requires 'dvc-([a-z0-9]+)' to be installed")


@dataclass(frozen=True)
class RemoteAnswer:
    """What came of asking.

    Attributes:
        state: `refused`: it could not be reached with the credential at hand; `no plugin`:
            DVC lacks the part for that kind of storage; `silent`: nothing came in time.
        said: Why; of `no plugin` the kind of storage.
    """

    state: State
    said: str = ""


def look_at_remote(root: Path, name: str, seconds: int = SECONDS) -> RemoteAnswer:
    """Ask a remote whether its address is there.

    Args:
        root: The project's root.
        name: The remote's, as DVC's settings know it.
        seconds: Until it is given up.
    """
    command = [sys.executable, "-m", "mergeline.adapters.dvc_remote", os.fspath(root), name]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
            start_new_session=True,  # no terminal: a password is not asked for
        )
    except subprocess.TimeoutExpired:
        return RemoteAnswer("silent", f"nothing came for {seconds} seconds")
    lines = done.stdout.strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        return RemoteAnswer("refused", f"DVC ended with exit code {done.returncode}")
    return RemoteAnswer(cast("State", said["state"]), _line(str(said["said"])))


def _line(text: str) -> str:
    """Return what storage said, on one line, without passwords and queries of addresses."""
    return " ".join(without_secrets(text, {}).split())[:_LONGEST]


def _ask(root: Path, name: str) -> RemoteAnswer:
    from dvc.config import Config
    from dvc.fs import get_cloud_fs

    try:
        kind, config, path = get_cloud_fs(Config(os.fspath(root / ".dvc")), name=name)
        # Storage without folders has none that is empty; that it answered is what counts.
        if not kind(**config).exists(path) and path.startswith(("http://", "https://")):
            _connect(path)
    except ImportError as error:
        plugin = _PLUGIN.search(str(error))
        if plugin is not None:
            return RemoteAnswer("no plugin", plugin[1])
        return RemoteAnswer("refused", f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 -- each kind of storage raises its own
        return RemoteAnswer("refused", f"{type(error).__name__}: {error}")
    return RemoteAnswer("reached")


def _connect(address: str) -> None:
    """See that a web server listens; DVC takes one that does not for one without the file."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname or "", port), timeout=SECONDS / 2).close()


if __name__ == "__main__":
    answer = _ask(Path(sys.argv[1]), sys.argv[2])
    print(json.dumps({"state": answer.state, "said": answer.said}))  # noqa: T201
