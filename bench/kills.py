"""SIGKILL of `mergeline serve --follow` at random moments: one start later, all is as declared.

    python bench/kills.py [--kills 200] [--seed 1]

Two small models take turns in a real ledger and a real registry; some of the turns are
rollbacks, and some begin without the release on disk. The server is killed at a random moment
after each declaration and started once more. Ends with 1 when it does not come to what is
declared, answers with another score, or leaves a process. Works in a temporary folder.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from mergeline.serve.memory import read_memory  # noqa: E402
from mergeline.serve.releases import Releases  # noqa: E402
from serve.lines_made import Line, Stock, Stocked  # noqa: E402 -- the tests' line is a real one
from serve.releases_made import FOREST, make_release  # noqa: E402
from serve.test_supervise import Server, label_of, serving  # noqa: E402

FORGOTTEN = 0.3  # of the turns begin without the release on disk
BACK = 0.3  # of the turns are rollbacks
WATCH = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    random.seed(chosen.seed)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        stock = Stock(folder)
        two = [
            stock.add(make_release(folder / name, model=model).folder)
            for name, model in (("line", None), ("forest", FOREST))
        ]
        moments = run(Line(folder, stock.uri, watch=WATCH), two, folder / "state", chosen.kills)
    print(f"{chosen.kills} kills, each healed by one start; the last line before them:")
    for said, count in moments.most_common():
        print(f"{count:5} {said}")


def run(line: Line, two: list[Stocked], state: Path, kills: int) -> Counter[str]:
    """Kill and start; return what the server had said last when it was killed."""
    moments: Counter[str] = Counter()
    longest = 5.0  # seconds from a declaration to its report, as seen so far
    for number in range(kills):
        old, new = two[number % 2], two[(number + 1) % 2]
        with serving(line, state) as server:
            if number:
                server.until_said("answers again, from disk")
            if random.random() < FORGOTTEN:
                shutil.rmtree(Releases(state).folder(new.release), ignore_errors=True)
            back = number > 0 and random.random() < BACK
            entry = line.roll_back(new, of=old) if back else line.promote(new)
            time.sleep(random.uniform(0, longest))
            moments[kind(server.said)] += 1
            server.kill()
        start = time.monotonic()
        with serving(line, state) as server:
            check(server, line, state, entry, new)
            longest = 0.5 * longest + 0.5 * (time.monotonic() - start)
            server.kill()
    return moments


def check(server: Server, line: Line, state: Path, entry: int, new: Stocked) -> None:
    """Wait for what is declared, and see that everything says so."""
    server.until_live(entry)
    server.until(lambda: (said := line.report()) and said.entry == entry)
    report, memory, releases = line.report(), read_memory(state), Releases(state)
    found = (
        server.score(new),
        report and (report.state, report.serving),
        (memory.trying, memory.rejected),
        releases.linked("current"),
    )
    expected = (
        (200, new.score, label_of(new)),
        ("live", entry),
        (None, {}),
        releases.folder(new.release),
    )
    if found != expected:
        raise SystemExit(f"entry {entry}: {found}, expected {expected}\n{server.said}")


def kind(said: str) -> str:
    """Return what the last line of a log is about."""
    words = said.splitlines()[-1].split()[1:] if said else ["nothing"]
    return " ".join("N" if word.isdecimal() else word for word in words)[:60]


if __name__ == "__main__":
    main()
