"""`mergeline serve --release`: the whole server as a process."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mergeline.serve.listen import bind
from serve.releases_made import change_scores, make_release

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")

SECONDS = 120.0
SERVE = [sys.executable, "-m", "mergeline", "serve"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_release(tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module")
def csv(made):
    return made.table[made.columns].head(3).to_csv(index=False).encode()


@contextmanager
def serving(folder, *more):
    """Give the process of a server that answers, and its address; end it."""
    command = [*SERVE, "--release", str(folder), "--port", "0", "--workers", "1", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            assert found, line
            yield process, found[0]
        finally:
            process.kill()


def call(url, method, path, body=None):
    connection = HTTPConnection(url.removeprefix("http://").split("/")[0], timeout=SECONDS)
    with closing(connection):
        connection.request(method, path, body, {"content-type": "text/csv"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def ask(url, body):
    status, said = call(url, "POST", "/invocations", body)
    return status, json.loads(said)["predictions"]


def in_flight(url):
    """Return how many requests are in flight; None when nobody listens."""
    try:
        return re.search(r"requests_in_flight (\d\S*)", call(url, "GET", "/metrics")[1])[1]
    except ConnectionError:
        return None


def until(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
    return True


def workers(process):
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(pid) for pid in text.split()]


def gone(pids):
    return until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_it_ends_politely_with_its_processes_and_folders(made, csv, tmp_path):
    log = tmp_path / "log"
    with serving(made.folder, "--log-requests", str(log)) as (process, url):
        status, predictions = ask(url, csv)
        assert status == 200
        found = [row["probability"] for row in predictions]
        np.testing.assert_allclose(found, made.scores[:3], rtol=0, atol=1e-12)
        (pid,) = workers(process)
        home = Path(f"/proc/{pid}/cwd").readlink()
        # A request that is in flight when the end is asked for is answered.
        os.kill(pid, signal.SIGSTOP)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(ask(url, csv)))
        asking.start()
        until(lambda: in_flight(url) == "1.0")
        process.send_signal(signal.SIGTERM)
        until(lambda: in_flight(url) is None)
        assert process.poll() is None
        os.kill(pid, signal.SIGCONT)
        assert process.wait(SECONDS) == 0
        asking.join()
    assert answers == [(200, predictions)]
    assert gone([pid])
    assert not home.exists()
    # What was scored is in the log, whole.
    logged = pd.concat(map(pd.read_parquet, log.iterdir()))
    np.testing.assert_array_equal(logged["_mergeline_probability"], found * 2)


def test_a_server_that_is_killed_leaves_nothing_behind(made, csv):
    with serving(made.folder) as (process, url):
        assert ask(url, csv)[0] == 200
        pids = workers(process)
        homes = [Path(f"/proc/{pid}/cwd").readlink() for pid in pids]
        process.kill()
        process.wait(SECONDS)
        assert pids
        assert gone(pids)
    assert not any(home.exists() for home in homes)


def fails(*arguments):
    done = subprocess.run(
        [*SERVE, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_release_that_does_not_pass_is_not_served(made, tmp_path):
    folder = shutil.copytree(made.folder, tmp_path / "release")
    change_scores(folder)
    code, said = fails("--release", str(folder), "--port", "0", "--workers", "1")
    assert code == 3
    assert said.startswith("ERROR the model scores 20 of 20 probe rows otherwise")
    assert "\nTIP   " in said


def test_a_folder_that_is_no_release_is_refused(tmp_path):
    code, said = fails("--release", str(tmp_path))
    assert code == 3
    assert "release.json is not the description of a release" in said


def test_an_address_that_is_taken_is_said_before_anything_is_loaded(made):
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        code, said = fails("--release", str(made.folder), "--port", str(port))
    assert code == 4
    assert said.startswith(f"ERROR cannot listen on 127.0.0.1:{port}: Address already in use")
