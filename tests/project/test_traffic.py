"""Steady requests: every answer is counted, and nothing that goes wrong is passed over."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from mergeline.errors import ToolError
from mergeline.project.traffic import Traffic, body_of, predict

BODY = body_of({"age": 30})


def answer(status: str, body: str = '{"predictions": [{"probability": 0.25}]}') -> bytes:
    head = f"HTTP/1.1 {status}\r\nX-Mergeline-Release: 3 0123456789ab\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


@contextmanager
def server(*replies: bytes) -> Iterator[int]:
    """Give these bytes to one connection after the other; the last ones again and again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            left = list(replies)
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    asked = b""
                    while not asked.endswith(BODY):
                        asked += connection.recv(65536)
                    connection.sendall(left.pop(0) if len(left) > 1 else left[0])

        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_prediction_and_who_gave_it() -> None:
    with server(answer("200 OK")) as port:
        assert predict(port, BODY) == ("3", {"probability": 0.25})
    assert json.loads(BODY) == {"dataframe_records": [{"age": 30}]}


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer("503 Unavailable", "warming up"), "the model server answered 503: b'warming up'"),
        (b"", "the model server does not answer: "),
        (b"this is not HTTP\r\n\r\n", "the model server does not answer: "),
    ],
)
def test_no_prediction_is_an_error(reply: bytes, said: str) -> None:
    with server(reply) as port, pytest.raises(ToolError) as caught:
        predict(port, BODY)
    assert said in caught.value.message


def test_answers_are_counted_by_version() -> None:
    with server(answer("200 OK")) as port, Traffic(port, BODY) as traffic:
        until(lambda: traffic.answers.total() > 4)
    assert set(traffic.answers) == {"3"}
    assert traffic.failures == []
    seen = traffic.answers.total()
    time.sleep(0.05)
    assert traffic.answers.total() == seen


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer("500 Internal Server Error"), "HTTP 500"),
        (b"", "RemoteDisconnected"),
        (b"this is not HTTP\r\n\r\n", "BadStatusLine"),
        (answer("200 OK")[:-9], "IncompleteRead"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_is_asked(reply: bytes, said: str) -> None:
    with server(reply, answer("200 OK")) as port, Traffic(port, BODY) as traffic:
        until(lambda: traffic.answers.total() > 0)
    assert len(traffic.failures) == 1
    assert said in traffic.failures[0]
