"""Seconds from a merge to the new model answering, and from a rollback to the old one.

The line is the demo's: GitHub's stand-in, an embedded registry and one model server on this
machine, which looks at the ledger twice a second. A job's own process is in the numbers, a
runner's start is not; nor is training, since the reviewed bytes are reused. Each merge but the
first finds a registry and a model that answers.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from mergeline.project.example import FIRST, Example
from mergeline.project.line import AUTHOR, Ended, Line

ROOT = Path(__file__).parents[1]
# Small changes of a model that trains quickly: each makes another version.
MODELS = tuple(f"params: {{max_iter: {number}}}" for number in range(1000, 0, -50))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    merges = range(1, len(MODELS))
    parser.add_argument("--merges", type=int, default=5, choices=merges, metavar="N")
    parser.add_argument("--rollbacks", type=int, default=10, metavar="N")
    parser.add_argument("--cache", type=Path, help="of DVC; a demo's spares training the first")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cache = chosen.cache.resolve() if chosen.cache else folder / "cache"
        example = Example(ROOT, folder / "project", cache)
        with Line(example, folder) as line:
            first, *promoted = [_merge(line, number) for number in range(chosen.merges + 1)]
            # One after the other between the two oldest: each rollback bars what it replaces.
            back = [_rollback(line, str(1 + number % 2)) for number in range(chosen.rollbacks)]
    print(f"{'seconds':36} {'median':>7} {'least':>7} {'most':>7} {'n':>3}")
    for name, times in (
        ("first merge to its model answering", [first]),
        ("merge to the new model answering", promoted),
        ("rollback to the old model answering", back),
    ):
        if times:
            said = (f"{value:7.2f}" for value in (median(times), min(times), max(times)))
            print(f"{name:36} {' '.join(said)} {len(times):3}", flush=True)


def _merge(line: Line, number: int) -> float:
    """Review and merge another model; time from the merge to its first answer."""
    example = line.example
    branch = f"model-{number}"
    example.branch(branch)
    if number == 0:
        example.bring()
        example.change(FIRST)
        example.complete()
    else:
        example.change(((MODELS[number - 1], MODELS[number]),))
    commit = example.commit(branch, author=AUTHOR)
    pull = line.open_pull(branch, branch)
    line.comment(line.build(commit, branch, code=0))
    line.approve(pull)
    line.merge(pull, "squash")
    return _until_answering(line, str(number + 1), line.promote)


def _rollback(line: Line, to: str) -> float:
    return _until_answering(line, to, lambda: line.rollback("a benchmark", to))


def _until_answering(line: Line, version: str, act: Callable[[], Ended]) -> float:
    """Time from the start of a job until a version answers."""
    if _answering(line) == version:
        raise SystemExit(f"version {version} answers before the job begins")
    with ThreadPoolExecutor(1) as pool:
        start = time.perf_counter()
        job = pool.submit(act)
        while _answering(line) != version and not job.done():
            time.sleep(0.01)
        seconds = time.perf_counter() - start
        ended = job.result()
    if ended.said["name"] != "LIVE" or ended.said["version"] != version:
        raise SystemExit(f"the job ended with {ended.said}")
    return seconds


def _answering(line: Line) -> str | None:
    """Return the version that answers now; None for none."""
    release = line.release()
    if not release or release.get("actual") is None:
        return None
    version: str = release["actual"]["version"]
    return version


if __name__ == "__main__":
    main()
