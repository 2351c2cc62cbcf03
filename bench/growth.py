"""Measure each stage by rows: seconds, processor seconds and peak memory of its largest process.

    python bench/growth.py [--rows 20000,200000,2000000] [--tutorial]

Each stage is one process, started alone, so that its memory and time are its own. With
`--tutorial`, the pipeline under `bench/tutorial` (what the libraries' tutorials come to, with
their defaults) is run in the same session on the smallest table, and so is a whole cold
`mergeline check`. Prints Markdown tables. Works in temporary folders, which it removes.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from check import DVC, LONGEST, MERGELINE, PYTHON, Run, note, project, run, sizes, table
from mergeline.adapters.deepchecks_environment import interpreter
from mergeline.core.evidence import STAGES

TUTORIAL = Path(__file__).parent / "tutorial"


@dataclass(frozen=True)
class Grown:
    """One size: its rows, the table's MB in memory, and what each stage took."""

    rows: int
    memory: float
    stages: Mapping[str, Run]


def measure(rows: int) -> Grown:
    """Run each stage of a project of some rows, one after the other."""
    with tempfile.TemporaryDirectory(prefix="mergeline-growth-") as folder:
        root = Path(folder)
        memory = project(root, rows)
        stages = {}
        for name in STAGES:
            note(f"{rows:,} rows: {name}")
            stages[name] = run([*MERGELINE, "stage", name], root, LONGEST)
    return Grown(rows, memory, stages)


def beside_tutorial(rows: int) -> str:
    """Run the tutorial's pipeline and a check, both cold, one after the other and again."""
    with tempfile.TemporaryDirectory(prefix="mergeline-tutorial-") as folder:
        root = Path(folder, "ours")
        root.mkdir()
        project(root, rows)
        theirs = Path(folder, "tutorial")
        shutil.copytree(TUTORIAL, theirs)
        (theirs / "pipeline.yaml").rename(theirs / "dvc.yaml")
        shutil.copy(root / "data/applications.parquet", theirs)
        (theirs / "params.yaml").write_text(f"python: {PYTHON}\ndeepchecks: {interpreter()}\n")
        for command in (["git", "init", "--quiet"], [*DVC, "init", "--quiet"]):
            run(command, theirs, LONGEST)
        note(f"{rows:,} rows: the tutorial's pipeline, cold")
        repro = [*DVC, "repro", "--quiet"]
        tutorial = run(repro, theirs, LONGEST)
        note(f"{rows:,} rows: mergeline check, cold")
        check = run([*MERGELINE, "check"], root, LONGEST, (0, 10))
        found = {
            "cold": (tutorial, check),
            "nothing changed": (
                run(repro, theirs, LONGEST),
                run([*MERGELINE, "check"], root, LONGEST, (0, 10)),
            ),
        }
    head = [f"{rows:,} rows", "tutorials, s", "check, s", "check / tutorials", "peak MB", "peak MB"]
    return table(
        head,
        [
            [
                name,
                f"{one.seconds:.1f}",
                f"{two.seconds:.1f}",
                f"{two.seconds / one.seconds:.2f}",
                f"{one.peak:.0f}",
                f"{two.peak:.0f}",
            ]
            for name, (one, two) in found.items()
        ],
    )


def growth(found: Sequence[Grown]) -> str:
    """Lay out seconds and memory by stage and rows."""
    head = ["stage", *(f"{item.rows:,} rows" for item in found)]
    seconds = [[name, *(f"{item.stages[name].seconds:.1f}" for item in found)] for name in STAGES]
    peaks = [[name, *(f"{item.stages[name].peak:.0f}" for item in found)] for name in STAGES]
    peaks += [
        ["table in memory", *(f"{item.memory:.0f}" for item in found)],
        [
            "largest process / (4 tables + 500)",
            *(
                f"{max(one.peak for one in item.stages.values()) / (4 * item.memory + 500):.2f}"
                for item in found
            ),
        ],
    ]
    return f"Seconds:\n\n{table(head, seconds)}\nPeak MB of the largest process:\n\n" + table(
        head, peaks
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=sizes, default=[20_000, 200_000, 2_000_000])
    parser.add_argument("--tutorial", action="store_true", help="beside the tutorials' pipeline")
    arguments = parser.parse_args()
    if arguments.tutorial:
        print(beside_tutorial(min(arguments.rows)), flush=True)
    print(growth([measure(rows) for rows in arguments.rows]))


if __name__ == "__main__":
    main()
