"""The whole server as a process: over HTTP, ended politely, and killed after every step."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mergeline.serve.memory import read_memory
from mergeline.serve.releases import Releases
from serve.lines_made import Line, Stocked, put, settled

LONGEST = 120.0  # seconds until a test gives up
ROWS = 60_000  # that take a moment to score


@dataclass
class Server:
    """A running `mergeline serve --follow`."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def until(self, seen: Callable[[], Any]) -> Any:
        """Wait for something to become true."""
        end = time.monotonic() + LONGEST
        while not (found := seen()):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.01)
        return found

    def until_said(self, text: str) -> None:
        self.until(lambda: text in self.said)

    @property
    def address(self) -> str:
        found = self.until(lambda: re.search(r"(http://127.0.0.1:\d+)/invocations", self.said))
        return str(found[1])

    def get(self, path: str, body: bytes | None = None) -> tuple[int, bytes, str]:
        """Return status, body, and the release that answered."""
        request = urllib.request.Request(self.address + path, data=body)  # noqa: S310
        request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=LONGEST) as answer:  # noqa: S310
                return answer.status, answer.read(), answer.headers["x-mergeline-release"] or ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), ""

    def release(self) -> dict[str, Any]:
        return dict(json.loads(self.get("/release")[1]))

    def until_live(self, entry: int) -> None:
        def seen() -> bool:
            said = self.release()
            return said["state"] == "live" and said["actual"]["entry"] == entry

        self.until(seen)

    def score(self, stocked: Stocked) -> tuple[int, float, str]:
        status, body, label = self.get("/invocations", stocked.row)
        return status, float(json.loads(body)["predictions"][0]["probability"]), label

    def children(self) -> list[int]:
        """Return the process ids of its model processes, and of a fetch."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                command = (folder / "cmdline").read_bytes()
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            except (OSError, IndexError):
                continue
            if int(parent) == self.process.pid and b"mergeline.serve" in command:
                found.append(int(folder.name))
        return found

    def kill(self) -> None:
        """Kill it, and see that nothing of it is left."""
        children = self.children()
        self.process.kill()
        self.process.wait()
        end = time.monotonic() + LONGEST
        while any(Path(f"/proc/{pid}").exists() for pid in children):
            assert time.monotonic() < end, "a process outlives the server"
            time.sleep(0.01)


@contextmanager
def serving(line: Line, state: Path, *more: str) -> Iterator[Server]:
    """Run a server that follows a line until the block ends."""
    log = state.parent / f"server-{time.monotonic_ns()}.log"
    command = [
        *(sys.executable, "-m", "mergeline", "serve", "--follow", str(line.remote)),
        *("--state", str(state), "--interval", "0.1", "--port", "0", "--workers", "1", *more),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=state.parent)
    try:
        yield Server(process, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def label_of(stocked: Stocked) -> str:
    return f"{stocked.release.version} {stocked.release.model[:12]}"


def test_it_serves_what_is_promoted_and_ends_politely(
    line: Line, plain: Stocked, forest: Stocked, state: Path
) -> None:
    with serving(line, state) as server:
        assert server.get("/ping")[0] == server.get("/health")[0] == 503
        status, body, _ = server.get("/invocations", plain.row)
        assert (status, json.loads(body)["message"]) == (503, "no release is live yet")
        assert (server.release()["actual"], server.release()["desired"]) == (None, None)

        put(state, line, plain, 1)
        first = line.promote(plain)
        server.until_live(first)
        assert server.score(plain) == (200, plain.score, label_of(plain))
        assert server.get("/ping")[0] == server.get("/health")[0] == 200
        assert server.release()["reason"] == ""
        put(state, line, forest, 1)
        second = line.promote(forest)
        server.until_live(second)
        assert server.score(plain) == (200, forest.score, label_of(forest))
        metrics = server.get("/metrics")[1].decode()
        release = forest.release
        said = f'mergeline_release_info{{model="{release.model}",version="{release.version}"}} 1.0'
        assert said in metrics

        server.until_said(f"reported: entry {second} is live")
        children = server.children()
        assert children
        row = json.loads(plain.row)
        row["dataframe_split"]["data"] *= ROWS
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(server.get, "/invocations", json.dumps(row).encode())
            server.until(lambda: b"requests_in_flight 1.0" in server.get("/metrics")[1])
            server.process.send_signal(signal.SIGTERM)
            status, body, label = answer.result()
        assert (status, label) == (200, label_of(forest))
        assert len(json.loads(body)["predictions"]) == ROWS
        assert server.process.wait(LONGEST) == 0
        assert server.said.rstrip().endswith("ended")
        assert not any(Path(f"/proc/{pid}").exists() for pid in children)
        # One line an event: when, what, why.
        stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ .+")
        assert all(stamp.fullmatch(said) for said in server.said.splitlines())


def test_one_state_folder_has_one_follower(line: Line, state: Path) -> None:
    with serving(line, state) as one:
        one.until_said("follows production")
        with serving(line, state) as other:
            assert other.process.wait(LONGEST) == 2
            assert f"process {one.process.pid}" in other.said
        one.kill()
    with serving(line, state) as again:
        again.until_said("follows production")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "exactly one of --release and --follow"),
        (("--release", "a", "--follow", "b"), "exactly one of --release and --follow"),
        (("--follow", "b", "--environment", "../x"), "no name for a branch"),
        (("--follow", "b", "--environment", "a..b"), "no name for a branch"),
        (("--follow", "b", "--environment", "a.lock"), "no name for a branch"),
    ],
)
def test_arguments_that_do_not_fit(
    arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "mergeline", "serve", "--port", "0", *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST, check=False
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- killed ----------------------------------------------------------------------------

FIRST = (
    "follows production",
    "fetches version",
    "is fetched and verified",
    "starts version",
    "answers and is watched",
    "is live",
    "answers again, from disk",
)
SECOND = ("fetches version", "is fetched and verified", "answers and is watched", "is live")


def test_killed_after_every_step_it_comes_to_the_same_state(
    line: Line, plain: Stocked, forest: Stocked, state: Path
) -> None:
    """Twelve kills on the way through two releases, each followed by a start."""
    first = line.promote(plain)
    for step in FIRST:
        with serving(line, state) as server:
            server.until_said(step)
            server.kill()
        if step == "answers and is watched":
            assert read_memory(state).attempts(first) > 0
    with serving(line, state) as server:
        server.until(line.report)
        server.kill()
    second = line.promote(forest)
    for step in SECOND:
        with serving(line, state) as server:
            server.until_said("answers again, from disk")
            assert server.score(plain)[1] in (plain.score, forest.score)
            server.until_said(step)
            server.kill()
    with serving(line, state) as server:
        server.until_live(second)
        assert server.score(plain) == (200, forest.score, label_of(forest))
        server.until(lambda: (said := line.report()) and said.entry == second)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(LONGEST) == 0
    report = line.report()
    assert report is not None
    assert (report.state, report.serving, first) == ("live", second, 1)
    releases, folders = Releases(state), (plain, forest)
    names = {releases.folder(stocked.release).name for stocked in folders}
    assert {path.name for path in (state / "releases").iterdir()} == names
    assert releases.linked("current") == releases.folder(forest.release)
    assert releases.linked("previous") == releases.folder(plain.release)
    memory = read_memory(state)
    assert (memory.trying, memory.rejected) == (None, {})
    left = {path.name for path in state.iterdir() if not path.name.startswith(".")}
    known = {"current", "previous", "releases", "memory.json", "lock", "scratch"}
    assert left - known == {"ledger.git", "project.git"}
    assert not list((state / "scratch").glob("*")) if (state / "scratch").exists() else True


def test_credentials_stay_in_the_front_process(
    line: Line, plain: Stocked, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(state, line, plain)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    with serving(line, state) as server:
        server.until_said("answers again, from disk")
        (worker,) = server.children()
        assert b"secret" not in Path(f"/proc/{worker}/environ").read_bytes()
        assert b"secret" in Path(f"/proc/{server.process.pid}/environ").read_bytes()
        held = [os.readlink(path) for path in Path(f"/proc/{worker}/fd").iterdir()]  # noqa: PTH115
        assert not [path for path in held if path.startswith(str(state)) and "log" not in path]
