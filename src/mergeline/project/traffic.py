"""Steady requests to the model server, while releases change under them."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from mergeline.errors import ToolError

_PAUSE = 0.01  # seconds between two requests of the steady ones
_TIMEOUT = 10.0
HEADER = "X-Mergeline-Release"


@dataclass
class Traffic:
    """One client that asks for the same prediction again and again, in a thread.

    Attributes:
        answers: Requests by the version that answered.
        failures: What went wrong, in words; empty when every request was answered.
    """

    port: int
    body: bytes
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Traffic":
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(2 * _TIMEOUT)

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT)
        while not self._stop.is_set():
            try:
                status, version, _ = _post(connection, self.body)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                connection.close()
            else:
                if status == http.client.OK:
                    self.answers[version] += 1
                else:
                    self.failures.append(f"HTTP {status}")
            time.sleep(_PAUSE)
        connection.close()


def predict(port: int, body: bytes) -> tuple[str, Any]:
    """Ask once; return the version that answered, and its prediction for the first row.

    Raises:
        ToolError: Nobody answers, or not with a prediction.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    hint = "look into its log"
    try:
        status, version, data = _post(connection, body)
    except (OSError, http.client.HTTPException) as error:
        raise ToolError(f"the model server does not answer: {error}", hint=hint) from error
    finally:
        connection.close()
    if status != http.client.OK:
        raise ToolError(f"the model server answered {status}: {data[:300]!r}", hint=hint)
    return version, json.loads(data)["predictions"][0]


def body_of(row: Mapping[str, Any]) -> bytes:
    """Return the body of a request for one row."""
    return json.dumps({"dataframe_records": [row]}).encode()


def _post(connection: http.client.HTTPConnection, body: bytes) -> tuple[int, str, bytes]:
    connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    data = response.read()
    return response.status, (response.getheader(HEADER) or "?").split()[0], data
