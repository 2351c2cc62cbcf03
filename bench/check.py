"""Measure start-up and `mergeline check`: cold, and with nothing changed beside a bare `dvc repro`.

    python bench/check.py [--rows 20000,200000] [--repeats 3]

Prints Markdown tables. Works in a temporary folder, which it removes.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import mergeline
from mergeline.core import layout
from mergeline.core.evidence import STAGES
from mergeline.project.template import PINS, write_pipeline

REPOSITORY = Path(__file__).resolve().parents[1]
PYTHON = sys.executable
MERGELINE = [PYTHON, "-m", "mergeline"]
DVC = [PYTHON, "-m", "dvc"]
SOURCE = "data/applications.parquet"

STARTS = 5
LONGEST = 1800.0  # seconds of one command
SHORT = 120.0

# Nothing of a surrounding CI job or tracking server speaks into the measurement, and DVC
# tells nobody of it.
HIDDEN = ("GITHUB_STEP_SUMMARY", "GITHUB_BASE_REF", "MLFLOW_TRACKING_URI")


@dataclass(frozen=True)
class Run:
    """One command: wall and processor seconds, and the peak memory of its largest process in MB.

    Processor seconds hardly depend on what else the machine does.
    """

    code: int
    seconds: float
    processor: float
    peak: float
    output: str


@dataclass(frozen=True)
class Measured:
    """One project: its size, and what each command took."""

    rows: int
    table: float
    cold: Run
    stages: dict[str, float]
    second: list[Run]
    repro: list[Run]


def run(command: Sequence[str], folder: Path, limit: float, good: Sequence[int] = (0,)) -> Run:
    """Run a command to its end, and end it and its children when it takes too long."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        code, processor, peak = wait(process, start + limit)
        seconds = time.perf_counter() - start
        output.seek(0)
        text = output.read().decode(errors="replace")
    if code not in good:
        sys.exit(f"{' '.join(command)} ended with {code} after {seconds:.0f} s:\n{text[-4000:]}")
    return Run(code, seconds, processor, peak, text)


def environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    return {**ours, "DVC_NO_ANALYTICS": "1"}


def wait(process: subprocess.Popen[bytes], end: float) -> tuple[int, float, float]:
    """Return the exit code, the tree's processor seconds, and its largest process's peak in MB.

    The system counts a process and the children that it waited for, and never less than this
    script's own 40 MB.
    """
    while True:
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if time.perf_counter() > end:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(0.002)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    return process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6


def project(root: Path, rows: int) -> float:
    """Make a project like this repository's own; return its table's size in memory, in MB."""
    for name in (layout.SETTINGS, "data/contract.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, root / name)
    (root / PINS).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "requirements/main.txt", root / PINS)
    generator = [PYTHON, str(REPOSITORY / "data/generate.py")]
    run([*generator, "--rows", str(rows), "--seed", "7", "--out", SOURCE], root, LONGEST)
    write_pipeline(root)
    for command in (
        ["git", "init", "--quiet", "--initial-branch=main"],
        ["git", "config", "user.name", "Mergeline bench"],
        ["git", "config", "user.email", "bench@example.invalid"],
        ["git", "config", "commit.gpgsign", "false"],
        [*DVC, "init", "--quiet"],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "A project"],
    ):
        run(command, root, SHORT)
    size = f"import pandas as pd; print(pd.read_parquet({SOURCE!r}).memory_usage(deep=True).sum())"
    return int(run([PYTHON, "-c", size], root, SHORT).output) / 1e6


def measure(rows: int, repeats: int) -> Measured:
    """Measure one size in a folder of its own."""
    check = [*MERGELINE, "check"]
    verdicts = (0, 10)
    with tempfile.TemporaryDirectory(prefix="mergeline-bench-") as folder:
        root = Path(folder)
        table = project(root, rows)
        note(f"{rows:,} rows: cold check")
        cold = run(check, root, LONGEST, verdicts)
        files = {stage: json.loads((root / layout.evidence(stage)).read_text()) for stage in STAGES}
        stages = {stage: item["timing"]["seconds"]["total"] for stage, item in files.items()}
        note(f"{rows:,} rows: nothing changed")
        second = [run(check, root, LONGEST, verdicts) for _ in range(repeats)]
        repro = [run([*DVC, "repro"], root, LONGEST) for _ in range(repeats)]
        same = {stage: (root / layout.evidence(stage)).read_text() for stage in STAGES}
    if any(json.loads(text) != files[stage] for stage, text in same.items()):
        sys.exit("a stage ran again although nothing had changed")
    return Measured(rows, table, cold, stages, second, repro)


def note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# --- tables --------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def middle(runs: Sequence[Run]) -> float:
    return median(item.seconds for item in runs)


def processor(runs: Sequence[Run]) -> float:
    return median(item.processor for item in runs)


def start_up() -> str:
    """Time how long it takes until anything happens at all."""
    commands = {
        "`python -c pass`": [PYTHON, "-c", "pass"],
        "`mergeline --version`": [*MERGELINE, "--version"],
        "`mergeline --help`": [*MERGELINE, "--help"],
    }
    home = Path.home()
    found = {
        name: [run(command, home, SHORT) for _ in range(STARTS)]
        for name, command in commands.items()
    }
    bare = middle(found["`python -c pass`"])
    rows = [
        [name, f"{middle(runs):.3f}", f"{middle(runs) / bare:.1f}"] for name, runs in found.items()
    ]
    return table(["start-up", f"seconds, median of {STARTS}", "times Python's"], rows)


def checks(found: Sequence[Measured]) -> str:
    """Lay out the whole check beside DVC."""
    values: dict[str, Callable[[Measured], str]] = {
        "table in memory, MB": lambda item: f"{item.table:.1f}",
        "check, cold, s": lambda item: f"{item.cold.seconds:.1f}",
        "- processor seconds of it": lambda item: f"{item.cold.processor:.1f}",
        "check, nothing changed, s *": lambda item: f"{middle(item.second):.2f}",
        "- processor seconds of it *": lambda item: f"{processor(item.second):.2f}",
        "bare `dvc repro`, nothing changed, s *": lambda item: f"{middle(item.repro):.2f}",
        "- processor seconds of the `dvc repro` *": lambda item: f"{processor(item.repro):.2f}",
        "nothing changed: check / `dvc repro`": lambda item: (
            f"{middle(item.second) / middle(item.repro):.2f}"
        ),
        "check: cold / nothing changed": lambda item: (
            f"{item.cold.seconds / middle(item.second):.0f}"
        ),
        "largest process, cold, peak MB": lambda item: f"{item.cold.peak:.0f}",
        "largest process, nothing changed, peak MB": lambda item: f"{item.second[0].peak:.0f}",
        "largest process, `dvc repro`, peak MB": lambda item: f"{item.repro[0].peak:.0f}",
        "exit code of the check": lambda item: str(item.cold.code),
    }
    rows = [[name, *(value(item) for item in found)] for name, value in values.items()]
    head = ["`mergeline check`", *(f"{item.rows:,} rows" for item in found)]
    return table(head, rows) + f"\n\\* median of {len(found[0].second)}\n"


def stages(found: Sequence[Measured]) -> str:
    """Lay out the stages' own seconds; those side by side overlap."""
    rows = [[stage, *(f"{item.stages[stage]:.1f}" for item in found)] for stage in STAGES]
    rows += [
        ["sum of the stages", *(f"{sum(item.stages.values()):.1f}" for item in found)],
        ["whole check, cold", *(f"{item.cold.seconds:.1f}" for item in found)],
    ]
    return table(["seconds by stage, cold", *(f"{item.rows:,} rows" for item in found)], rows)


def sizes(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=sizes, default=[20_000, 200_000], help="e.g. 20000,200000")
    parser.add_argument("--repeats", type=int, default=3, help="of what takes seconds")
    arguments = parser.parse_args()
    print(
        f"Mergeline {mergeline.__version__}, {platform.python_implementation()} "
        f"{platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, "
        f"{platform.system()}; load average before: {os.getloadavg()[0]:.1f}\n"
    )
    print(start_up(), flush=True)
    found = [measure(rows, arguments.repeats) for rows in arguments.rows]
    print(checks(found))
    print(stages(found))


if __name__ == "__main__":
    main()
