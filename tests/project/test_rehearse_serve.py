"""Serving the rehearsal's pages until Ctrl-C, over a line whose jobs are quick."""

import http.client
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path
from quick_line import QuickLine
from mergeline.errors import MergelineError
from mergeline.project.rehearse.serve import Options, serve

with QuickLine(Path(sys.argv[1])) as line:
    line.propose("topic", "Deeper", {"a.txt": "1"})
    try:
        serve(line, Options(port=int(sys.argv[2]), demo=True), lambda at: print(at, flush=True))
    except MergelineError as error:
        print(error.message, "|", error.hint)
"""


@contextmanager
def served(folder: Path, port: int = 0) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-c", SCRIPT, str(folder), str(port)]
    here = Path(__file__).parent
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=here, stdout=pipe, stderr=pipe, text=True) as process:
        yield process
        if process.poll() is None:
            process.kill()


def asked(port: int, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/", headers=headers)
    response = connection.getresponse()
    said = response.status, response.read().decode()
    connection.close()
    return said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path / "line") as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        port = int(address.rstrip("/").rpartition(":")[2])
        status, page = asked(port)
        assert status == 200
        assert "This is what the demo did" in page
        assert "Deeper" in page
        assert asked(port, Host="evil.example")[0] == 403
        process.send_signal(number)
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with served(tmp_path / "line", port) as process:
            said, _ = process.communicate(timeout=60)
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "give another --port" in said
