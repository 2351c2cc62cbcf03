"""Real registries for tests: a SQLite file, and an `mlflow server` on PostgreSQL."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pytest

from mergeline.adapters.registry import Registry

# Debian keeps the programs of each version apart, and off the PATH.
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
START = 120  # seconds
NUMBERS = count(1)


@dataclass(frozen=True)
class Place:
    """Where a registry is.

    Attributes:
        uri: As in the settings.
        root: Of the project.
    """

    uri: str
    root: Path

    def registry(self, project: str = "") -> Registry:
        """Return a registry of a project that nobody used before, unless one is named."""
        return Registry(self.uri, self.root, project or f"project-{next(NUMBERS)}")


def postgresql() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest installed; None without."""
    on_path = shutil.which("initdb")
    places = ([Path(on_path).resolve().parent] if on_path else []) + DEBIAN
    return next((place for place in reversed(places) if (place / "initdb").is_file()), None)


@contextmanager
def started(command: list[str], ready: Callable[[], bool], log: Path, **options: object):
    """Run a program in a process group of its own until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent,
            start_new_session=True, **options,
        )  # fmt: skip
    try:
        end = time.monotonic() + START
        while not ready():
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < end, f"not ready: {log.read_text(errors='replace')}"
            time.sleep(0.1)
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen) -> None:
    """End a program and its workers: the process group that `started` made."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=15)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait(timeout=15)


@contextmanager
def database() -> Iterator[str]:
    """Run PostgreSQL on a socket in a folder of its own, and give its URI."""
    programs = postgresql()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    # A short path: a socket's may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        # PostgreSQL refuses to run as root; Debian's package made this user.
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        options = user if os.geteuid() == 0 else {}
        if options:
            shutil.chown(folder, "postgres", "postgres")
        subprocess.run(
            [programs / "initdb", "-D", folder / "data", "-U", "mlflow", "-A", "trust",
             "--no-sync", "--no-instructions", "--locale=C.UTF-8", "--encoding=UTF8"],
            check=True, capture_output=True, timeout=START, cwd=folder, **options,
        )  # fmt: skip
        settings = {
            "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
            "listen_addresses": "", "unix_socket_directories": name, "max_connections": "50",
        }  # fmt: skip
        command = [str(programs / "postgres"), "-D", str(folder / "data")]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        rest = f"://mlflow@/postgres?host={name}"
        with started(command, lambda: _accepts(f"postgresql{rest}"), folder / "log", **options):
            yield f"postgresql+psycopg2{rest}"


def _accepts(uri: str) -> bool:
    import psycopg2

    try:
        psycopg2.connect(uri).close()
    except psycopg2.OperationalError:
        return False
    return True


@contextmanager
def server(store: str, folder: Path) -> Iterator[str]:
    """Run an MLflow server that keeps the artifacts itself, and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", store, "--serve-artifacts",
        "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    uri = f"http://127.0.0.1:{port}"
    with started(command, lambda: _healthy(uri), folder / "log", env=environ):
        yield uri


def _healthy(uri: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{uri}/health", timeout=2):
            return True
    except OSError:
        return False


# --- faults --------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What a server said, after it did what it was asked."""

    method: str
    path: str
    status: int
    body: bytes


@dataclass
class Proxy:
    """Stands before a server, forwards everything, and may say something else.

    Attributes:
        uri: Of the proxy.
        seen: What the server answered, in order.
        change: Is given each answer and returns status and body to send instead; None for
            the answer as it is.
        closed: Whether it hangs up and forwards nothing.
    """

    uri: str
    seen: list[Answer] = field(default_factory=list)
    change: Callable[[Answer], tuple[int, bytes] | None] = lambda _: None
    closed: bool = False

    def count(self, method: str, path: str) -> int:
        """Return how often something was asked."""
        return sum(item.method == method and item.path.endswith(path) for item in self.seen)


@contextmanager
def proxy_before(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in this process until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.proxy = Proxy(f"http://127.0.0.1:{server.server_port}")
    server.upstream = urllib.parse.urlsplit(upstream).netloc
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def _forward(self) -> None:
        if self.server.proxy.closed:
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=30)
        upstream.request(self.command, self.path, body, headers)
        said = upstream.getresponse()
        answer = Answer(
            self.command, urllib.parse.urlsplit(self.path).path, said.status, said.read()
        )
        upstream.close()
        self.server.proxy.seen.append(answer)
        status, sent = self.server.proxy.change(answer) or (answer.status, answer.body)
        self.send_response(status)
        self.send_header("Content-Type", said.headers.get("Content-Type", "text/plain"))
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def __getattr__(self, name: str) -> Callable[[], None]:
        if name.startswith("do_"):
            return self._forward
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        pass


# --- fixtures ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server on PostgreSQL, one for all tests of this process."""
    with ExitStack() as stack:
        store = stack.enter_context(database())
        yield stack.enter_context(server(store, tmp_path_factory.mktemp("mlflow")))


@pytest.fixture(scope="session")
def sqlite_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a project with the default registry."""
    return tmp_path_factory.mktemp("a folder") / "größe 50%"


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of this machine's, and MLflow's own variables as a user has them: unset."""
    monkeypatch.setenv("NO_PROXY", "*")
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def embedded(sqlite_root: Path, plain_environment: None) -> Place:
    """The default registry."""
    return Place("sqlite:///.mergeline/registry.db", sqlite_root)


@pytest.fixture
def served(postgresql_server: str, tmp_path: Path, plain_environment: None) -> Place:
    """A server."""
    return Place(postgresql_server, tmp_path)


@pytest.fixture
def proxy(postgresql_server: str, plain_environment: None) -> Iterator[Proxy]:
    """A proxy before the server."""
    with proxy_before(postgresql_server) as before:
        yield before


@pytest.fixture(params=["embedded", "served"])
def place(request: pytest.FixtureRequest) -> Place:
    """Each kind of registry in turn."""
    return request.getfixturevalue(request.param)
