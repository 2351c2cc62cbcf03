"""Measure `mergeline serve` beside `mlflow models serve`: the same model, the same load.

    python bench/serve.py [--seconds 5] [--rounds 3] [--workers 2]

Trains this repository's own model, starts the servers on loopback, and sends held-out rows
from a second process over connections that are kept alive; the servers take turns, so that
whatever else the machine does falls on all of them. Prints Markdown tables. Works in a
temporary folder, which it removes.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import mergeline
from mergeline.core import layout
from mergeline.core.digest import promotion_key, sha256
from mergeline.ledger.entries import Release
from mergeline.model.canonical import directory_digest

REPOSITORY = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
SOURCE = "data/applications.parquet"
STAGES = ("prepare", "train", "evaluate")
ROWS = (1, 1000)
CONNECTIONS = (1, 8)
BODIES = 50  # different requests of one row
WARM = 8
SHORT = 300.0  # seconds for a stage, a start, an end
CLOSE = 1e-9
GOOD = 200
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# Nothing of a surrounding CI job or tracking server speaks into the measurement.
HIDDEN = ("GITHUB_STEP_SUMMARY", "GITHUB_BASE_REF", "MLFLOW_TRACKING_URI")


@dataclass(frozen=True)
class Load:
    """One kind of load."""

    rows: int
    connections: int

    def __str__(self) -> str:
        plural = "s" if self.rows > 1 else ""
        return f"{self.rows:,} row{plural}, {self.connections} connection" + (
            "s" if self.connections > 1 else ""
        )


@dataclass(frozen=True)
class Measured:
    """What a client saw: requests a second, milliseconds; processor milliseconds a request."""

    rate: float
    p50: float
    p99: float
    processor: float = 0.0


@dataclass(frozen=True)
class Kind:
    """A way to serve."""

    name: str
    command: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    url: str
    process: "subprocess.Popen[bytes]"
    started: float


# --- the model -------------------------------------------------------------------------


def environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    # MLflow starts uvicorn by its name.
    path = f"{Path(PYTHON).parent}{os.pathsep}{ours.get('PATH', os.defpath)}"
    return {**ours, "PATH": path, "DVC_NO_ANALYTICS": "1"}


def train(root: Path) -> None:
    """Train and evaluate the repository's own model."""
    for name in (layout.SETTINGS, SOURCE, "data/contract.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, root / name)
    for stage in STAGES:
        command = [PYTHON, "-m", "mergeline", "stage", stage]
        subprocess.run(command, cwd=root, env=environment(), check=True, timeout=SHORT)


def release_folder(root: Path) -> Path:
    """Lay out the trained model as a release."""
    folder = root / "release"
    shutil.copytree(root / layout.MODEL, folder / "model")
    shutil.copy(root / layout.PROBES, folder / "probes.json")
    (folder / "evidence").mkdir()
    shutil.copy(root / layout.evidence("evaluate"), folder / "evidence")
    inputs, model = sha256(b"bench"), directory_digest(folder / "model")
    release = Release(
        project="bench",
        version="1",
        key=promotion_key("bench", inputs, model),
        inputs=inputs,
        model=model,
        evidence=sha256((folder / "evidence/evaluate.json").read_bytes()),
        commit="0" * 40,
        tree="0" * 40,
        pull_request=None,
    )
    said = {"entry": None, "environment": "bench", "release": release.as_json()}
    (folder / "release.json").write_text(json.dumps(said))
    return folder


def write_bodies(root: Path) -> None:
    """Write the requests: held-out rows, as MLflow's clients send them."""
    import pandas as pd

    columns = json.loads((root / layout.PROBES).read_bytes())["columns"]
    table = pd.read_parquet(root / layout.TEST_TABLE)[columns]
    plain = table.astype(object).where(table.notna(), None)
    for rows in ROWS:
        parts = [plain.iloc[at * rows : (at + 1) * rows] for at in range(BODIES)]
        parts = [part for part in parts if len(part) == rows]
        texts = [json.dumps({"dataframe_split": part.to_dict("split")}) for part in parts]
        (root / f"bodies-{rows}.json").write_text(json.dumps(texts))


# --- servers ---------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


@contextmanager
def serving(kind: Kind, root: Path) -> Iterator[Server]:
    """Start a server, wait until it answers, and end it and its children."""
    port = free_port()
    note(f"start {kind.name}")
    begin = time.perf_counter()
    with (root / "servers.log").open("ab") as log:
        process = subprocess.Popen(
            [*kind.command, "--port", str(port)],
            cwd=root,
            env={**environment(), **kind.variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        while not answers(url):
            if process.poll() is not None or time.perf_counter() > begin + SHORT:
                sys.exit(
                    f"{kind.name} did not start:\n{(root / 'servers.log').read_text()[-4000:]}"
                )
            time.sleep(0.02)
        yield Server(kind.name, url, process, time.perf_counter() - begin)
    finally:
        family = tree(process.pid)
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in family:
                if Path(f"/proc/{pid}").exists():
                    os.kill(pid, number)
            end_by(process, 10.0)


def end_by(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        note(f"process {process.pid} takes long to end")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ping", timeout=5) as answer:
            return bool(answer.status == GOOD)
    except OSError:
        return False


def tree(pid: int) -> list[int]:
    """Return a process and all that it started."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def memory(pid: int) -> float:
    """Return the memory of a tree in MB; what processes share is counted once."""
    total = 0
    for member in tree(pid):
        text = Path(f"/proc/{member}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:")
    return total * 1024 / 1e6


def processor(pid: int) -> float:
    """Return the processor seconds of a tree."""
    ticks = 0
    for member in tree(pid):
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# --- the client: a process of its own --------------------------------------------------


async def send(url: str, bodies: Sequence[bytes], connections: int, seconds: float) -> Measured:
    """Keep every connection busy for so many seconds."""
    import aiohttp

    spent: list[float] = []
    headers = {"content-type": "application/json"}
    pool = aiohttp.TCPConnector(limit=connections)
    timeout = aiohttp.ClientTimeout(SHORT)
    async with aiohttp.ClientSession(connector=pool, timeout=timeout, headers=headers) as session:

        async def ask(number: int) -> None:
            body = bodies[number % len(bodies)]
            async with session.post(f"{url}/invocations", data=body) as answer:
                text = await answer.read()
                if answer.status != GOOD:
                    sys.exit(f"status {answer.status}: {text[:300]!r}")

        async def client(number: int, end: float) -> None:
            while time.perf_counter() < end:
                begin = time.perf_counter()
                await ask(number)
                spent.append(time.perf_counter() - begin)
                number += connections

        await asyncio.gather(*(ask(number) for number in range(WARM)))
        begin = time.perf_counter()
        await asyncio.gather(*(client(n, begin + seconds) for n in range(connections)))
        whole = time.perf_counter() - begin
    spent.sort()
    middle, late = spent[len(spent) // 2], spent[min(len(spent) - 1, int(len(spent) * 0.99))]
    return Measured(len(spent) / whole, middle * 1000, late * 1000)


def run_client(server: Server, load: Load, seconds: float, root: Path) -> Measured:
    command = [PYTHON, __file__, "--client", server.url, str(load.rows), str(load.connections)]
    before = processor(server.process.pid)
    done = subprocess.run(
        [*command, "--seconds", str(seconds)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=SHORT + seconds,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{server.name}, {load}: {done.stderr[-2000:]}")
    found = Measured(**json.loads(done.stdout))
    used = processor(server.process.pid) - before
    requests = found.rate * seconds + WARM
    return Measured(found.rate, found.p50, found.p99, used / requests * 1000)


# --- tables ----------------------------------------------------------------------------


def note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def require_same_scores(servers: Sequence[Server], root: Path) -> None:
    """End unless all servers score the same rows the same."""
    body = json.loads((root / f"bodies-{ROWS[-1]}.json").read_text())[0].encode()
    found = []
    for server in servers:
        request = urllib.request.Request(
            f"{server.url}/invocations", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=SHORT) as answer:
            rows = json.loads(answer.read())["predictions"]
        found.append([row["probability"] if isinstance(row, dict) else row[1] for row in rows])
    if any(abs(a - b) > CLOSE for other in found for a, b in zip(other, found[0], strict=True)):
        sys.exit("the servers do not give the same scores")


def measure(root: Path, seconds: float, rounds: int, workers: int) -> str:
    folder = release_folder(root)
    mlflow = [PYTHON, "-m", "mlflow", "models", "serve", "--model-uri", str(folder / "model")]
    mlflow += ["--env-manager", "local"]
    several = ["--workers", str(workers)]
    ours = [PYTHON, "-m", "mergeline", "serve", "--release", str(folder), *several]
    processes = f"{workers} process{'es' if workers > 1 else ''}"
    kinds = (
        Kind(f"mergeline, {processes}", ours),
        Kind("mlflow, as it comes", mlflow),
        # Tuned as well as its options and environment allow.
        Kind(f"mlflow, {processes}, 1 thread", [*mlflow, *several], ONE_THREAD),
    )
    loads = [Load(rows, connections) for rows in ROWS for connections in CONNECTIONS]
    found: dict[tuple[str, Load], list[Measured]] = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(kind, root)) for kind in kinds]
        require_same_scores(servers, root)
        for load in loads:
            for turn in range(rounds):
                note(f"{load}: round {turn + 1} of {rounds}")
                for server in servers:
                    measured = run_client(server, load, seconds, root)
                    found.setdefault((server.name, load), []).append(measured)
        sizes = [
            [server.name, f"{server.started:.1f}", f"{memory(server.process.pid):.0f}"]
            for server in servers
        ]
    return (
        speeds(found, [kind.name for kind in kinds], loads)
        + "\n"
        + table(["server", "seconds to the first answer", "memory after the load, MB"], sizes)
    )


def speeds(
    found: dict[tuple[str, Load], list[Measured]], names: Sequence[str], loads: Sequence[Load]
) -> str:
    """Lay out medians over the rounds, a load after the other."""
    head = ["load", "server", "requests/s", "p50, ms", "p99, ms", "processor ms a request"]
    rows = []
    for load in loads:
        for name in names:
            runs = [asdict(item) for item in found[name, load]]
            middle = {key: median(run[key] for run in runs) for key in runs[0]}
            numbers = [f"{middle[key]:.1f}" for key in ("rate", "p50", "p99", "processor")]
            rows.append([str(load), name, *numbers])
    return table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--client", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        url, rows, connections = given.client
        bodies = [text.encode() for text in json.loads(Path(f"bodies-{rows}.json").read_text())]
        found = asyncio.run(send(url, bodies, int(connections), given.seconds))
        print(json.dumps(asdict(found)))
        return
    print(
        f"Mergeline {mergeline.__version__}, {platform.python_implementation()} "
        f"{platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, "
        f"{platform.system()}; load average before: {os.getloadavg()[0]:.1f}\n"
    )
    with tempfile.TemporaryDirectory(prefix="mergeline-bench-") as folder:
        root = Path(folder)
        note("train")
        train(root)
        write_bodies(root)
        print(measure(root, given.seconds, given.rounds, given.workers))
    print(f"Medians of {given.rounds} rounds of {given.seconds:g} seconds.")


if __name__ == "__main__":
    main()
