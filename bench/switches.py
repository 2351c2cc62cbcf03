"""Switches and rollbacks of `mergeline serve --follow` under steady load: nobody may notice.

    python bench/switches.py [--switches 50] [--rollbacks 10] [--rate 50] [--workers 2]

Two small models take turns in a real ledger and a real registry, and one server follows
them. A second process sends the same row at a steady rate over connections that are kept
alive, and holds every answer against the scores of both models. Prints what it saw; ends
with 1 when a request failed or an answer was neither model's. Works in a temporary folder.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from serve.lines_made import Line, Stock, Stocked  # noqa: E402 -- the tests' line is a real one
from serve.releases_made import FOREST, make_release  # noqa: E402

CONNECTIONS = 4
LONGEST = 300.0  # seconds until one release is live
CLOSE = 1e-12


@dataclass
class Seen:
    """What the client saw.

    Attributes:
        answers: By release.
        failed: What was not an answer of one of the two models.
        milliseconds: Of every request.
    """

    answers: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


# --- the client: a second process ------------------------------------------------------


async def send(
    address: tuple[str, int], body: bytes, scores: dict[str, float], rate: float
) -> Seen:
    """Send a request at every tick until standard input ends."""
    seen, ended = Seen(), asyncio.Event()
    asyncio.get_running_loop().run_in_executor(None, sys.stdin.read).add_done_callback(
        lambda _: ended.set()
    )
    head = ("POST /invocations HTTP/1.1", "Host: server", "Content-Type: application/json")
    length = f"Content-Length: {len(body)}"
    request = "\r\n".join((*head, length, "", "")).encode() + body

    async def one(number: int) -> None:
        pipe = await asyncio.open_connection(*address)
        start, tick = time.perf_counter(), number / rate
        while not ended.is_set():
            await asyncio.sleep(max(0.0, start + tick - time.perf_counter()))
            tick += CONNECTIONS / rate
            sent = time.perf_counter()
            try:
                problem = await ask(pipe, request, scores, seen)
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                problem = repr(error)
                pipe = await asyncio.open_connection(*address)
            seen.milliseconds.append((time.perf_counter() - sent) * 1000)
            if problem:
                seen.failed.append(problem)

    await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))
    return seen


async def ask(pipe: Any, request: bytes, scores: dict[str, float], seen: Seen) -> str:
    """Send one request; return what is wrong with its answer, empty when nothing is."""
    reader, writer = pipe
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    body = await reader.readexactly(int(length[1]) if length else 0)
    label = re.search(r"x-mergeline-release: (.*)\r", head, re.IGNORECASE)
    name = label[1] if label else ""
    if not head.startswith("HTTP/1.1 200 "):
        return f"{head.splitlines()[0]} {body[:200]!r}"
    found = json.loads(body)["predictions"][0]["probability"]
    if name not in scores or abs(found - scores[name]) > CLOSE:
        return f"release {name!r} scored {found}, expected {scores.get(name)}"
    seen.answers[name] += 1
    return ""


def client(argument: str) -> None:
    """Be the second process."""
    asked = json.loads(argument)
    address = (asked["host"], asked["port"])
    seen = asyncio.run(send(address, asked["body"].encode(), asked["scores"], asked["rate"]))
    times = sorted(seen.milliseconds)
    told = {
        "requests": len(times),
        "failed": seen.failed,
        "answers": seen.answers,
        "p50": median(times),
        "p99": times[int(0.99 * len(times))],
        "most": times[-1],
    }
    print(json.dumps(told))


# --- the server ------------------------------------------------------------------------


@contextmanager
def server(line: Line, folder: Path, workers: int) -> Iterator[tuple[int, Path]]:
    """Run a server that follows the line; give its port and its log."""
    log = folder / "server.log"
    command = [
        *(sys.executable, "-m", "mergeline", "serve", "--follow", str(line.remote)),
        *("--state", str(folder / "state"), "--interval", "0.2", "--port", "0"),
        *("--workers", str(workers)),
    ]
    environ = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environ)
    try:
        while not (found := re.search(r"http://[^:]+:(\d+)/", log.read_text())):
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            time.sleep(0.05)
        yield int(found[1]), log
        process.send_signal(signal.SIGTERM)
        if process.wait(60) != 0:
            raise SystemExit(f"the server ended with {process.returncode}\n{log.read_text()}")
    finally:
        process.kill()
        process.wait()


def until_live(port: int, entry: int, log: Path) -> float:
    """Wait until an entry is live; return the seconds that it took."""
    start = time.monotonic()
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/release", timeout=30) as answer:
            said = json.load(answer)
        if said["state"] == "live" and said["actual"]["entry"] == entry:
            return time.monotonic() - start
        if said["state"] == "rejected" or time.monotonic() > start + LONGEST:
            raise SystemExit(f"entry {entry} is not live: {said}\n{log.read_text()}")
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=50)
    parser.add_argument("--rollbacks", type=int, default=10)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.client:
        client(chosen.client)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        stock = Stock(folder)
        two = [
            stock.add(make_release(folder / name, model=model).folder)
            for name, model in (("line", None), ("forest", FOREST))
        ]
        line = Line(folder, stock.uri, watch=0.5)
        with server(line, folder, chosen.workers) as (port, log):
            told, seconds = switch(line, two, port, log, chosen)
    report(told, seconds, chosen)
    sys.exit(1 if told["failed"] or len(told["answers"]) != len(two) else 0)


def switch(
    line: Line, two: list[Stocked], port: int, log: Path, chosen: argparse.Namespace
) -> tuple[dict[str, Any], dict[str, list[float]]]:
    """Let the two take turns while the client sends; return what it says, and the times."""
    until_live(port, line.promote(two[0]), log)
    labels = [f"{item.release.version} {item.release.model[:12]}" for item in two]
    asked = {
        "host": "127.0.0.1",
        "port": port,
        "body": two[0].row.decode(),
        "scores": dict(zip(labels, (item.score for item in two), strict=True)),
        "rate": chosen.rate,
    }
    command = [sys.executable, __file__, "--client", json.dumps(asked)]
    pipe = subprocess.PIPE
    seconds: dict[str, list[float]] = {"switch": [], "rollback": []}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as sending:
        for number in range(chosen.switches + chosen.rollbacks):
            old, new = two[number % 2], two[(number + 1) % 2]
            if _is_rollback(number, chosen):
                seconds["rollback"].append(until_live(port, line.roll_back(new, of=old), log))
            else:
                seconds["switch"].append(until_live(port, line.promote(new), log))
        said, _ = sending.communicate()
    return json.loads(said), seconds


def _is_rollback(number: int, chosen: argparse.Namespace) -> bool:
    """Spread the rollbacks evenly; the last change is one if there are any."""
    every = (chosen.switches + chosen.rollbacks) / max(chosen.rollbacks, 1)
    return bool(chosen.rollbacks) and int((number + 1) / every) > int(number / every)


def report(told: dict[str, Any], seconds: dict[str, list[float]], chosen: Any) -> None:
    """Print what was seen."""
    print(f"{chosen.rate:g} requests a second, {CONNECTIONS} connections, {chosen.workers} workers")
    for name, times in seconds.items():
        if times:
            print(f"{name:9} {len(times):4}, seconds to live: {median(times):.2f} (median)")
    print(f"requests  {told['requests']}, failed: {len(told['failed'])}")
    for name, count in sorted(told["answers"].items()):
        print(f"answers   {count} by {name}")
    print(f"ms        p50 {told['p50']:.1f}, p99 {told['p99']:.1f}, most {told['most']:.1f}")
    for problem in told["failed"][:20]:
        print(f"FAILED    {problem}")


if __name__ == "__main__":
    main()
