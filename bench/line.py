"""Seconds from a merge to the new model answering, and from a rollback to the old one.

The line is the demo's: GitHub's stand-in, an embedded registry and one model server on this
machine, which looks at the ledger twice a second. Training is not in the numbers: the
reviewed bytes are reused.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from mergeline.project.example import FIRST, Example
from mergeline.project.line import AUTHOR, Ended, Line

ROOT = Path(__file__).parents[1]
# Small changes of a model that trains quickly: each makes another version.
MODELS = tuple(f"params: {{max_iter: {number}}}" for number in (1000, 900, 800, 700, 600, 500))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--merges", type=int, default=3, help="merges after the first one")
    parser.add_argument("--rollbacks", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        example = Example(ROOT, folder / "project", folder / "cache")
        with Line(example, folder) as line:
            promoted = [_merge(line, number) for number in range(chosen.merges + 1)]
            back = [_rollback(line) for _ in range(chosen.rollbacks)]
    print(f"{'':32} {'median s':>9} {'least':>7} {'most':>7} {'n':>3}")
    for name, times in (
        ("merge to live, reuse", promoted),
        ("rollback to old model answering", back),
    ):
        print(f"{name:32} {median(times):9.2f} {min(times):7.2f} {max(times):7.2f} {len(times):3}")


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
    return _until_other(line, line.promote, "LIVE")


def _rollback(line: Line) -> float:
    return _until_other(line, lambda: line.rollback("a benchmark"), "LIVE")


def _until_other(line: Line, act: Callable[[], Ended], wanted: str) -> float:
    """Time from the start of a job until another version answers than before."""
    before, ended = _answering(line), []
    job = threading.Thread(target=lambda: ended.append(act()))
    start = time.perf_counter()
    job.start()
    while _answering(line) == before and job.is_alive():
        time.sleep(0.01)
    seconds = time.perf_counter() - start
    job.join()
    if not ended or ended[0].said["name"] != wanted:
        raise SystemExit(f"the job ended with {ended[0].said if ended else 'nothing'}")
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
