"""The model server of a team, on a host of its own: it follows the repository over HTTP."""

import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registries import started

_LISTENS = re.compile(r"answers at http://127\.0\.0\.1:(\d+)/")


@dataclass(frozen=True)
class ModelServer:
    """A running server and where it writes what it does."""

    log: Path

    @property
    def url(self) -> str:
        found = _LISTENS.search(self.log.read_text(errors="replace"))
        assert found is not None, self.log.read_text(errors="replace")
        return f"http://127.0.0.1:{found[1]}"

    def release(self) -> Any:
        """What it says of the release that it serves."""
        return self._ask(f"{self.url}/release")

    def score(self, row: dict[str, Any]) -> Any:
        """Its answer for one row."""
        body = json.dumps({"dataframe_records": [row]}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/invocations", body, headers)  # noqa: S310
        return self._ask(request)

    def _ask(self, request: Any) -> Any:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=30) as answered:
            return json.load(answered)


@contextmanager
def following(folder: Path, remote: str, registry: str) -> Iterator[ModelServer]:
    """Run `mergeline serve --follow` until the block ends.

    Args:
        folder: For its state and its log.
        remote: With a key that may push its report; here the repository's folder.
        registry: The MLflow server.
    """
    folder.mkdir()
    log = folder / "log"
    command = [sys.executable, "-m", "mergeline", "serve", "--follow", remote]
    command += ["--interval", "0.5", "--state", str(folder / "state"), "--port", "0"]
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "MLFLOW_"))}
    environ |= {"MLFLOW_TRACKING_URI": registry, "NO_PROXY": "*"}

    def listens() -> bool:
        return _LISTENS.search(log.read_text(errors="replace")) is not None

    with started(command, listens, log, env=environ):
        yield ModelServer(log)


def until(true: Any, seconds: float = 60) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.1)
