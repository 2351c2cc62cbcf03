"""Measure the page: its size, and what making it adds to a `mergeline check` where nothing ran.

    python bench/page.py [--rows 20000,1000000] [--repeats 5]

Prints a Markdown table. Works in a temporary folder, which it removes.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from check import DVC, LONGEST, MERGELINE, SHORT, Run, middle, note, project, run, sizes, table
from mergeline.core import layout

VERDICTS = (0, 10)


@dataclass(frozen=True)
class Page:
    """A page of a project of some rows.

    Attributes:
        size: Bytes.
        kept: Checks that found it up to date.
        made: Checks that had to make it.
        repro: Bare `dvc repro`, nothing to do.
    """

    rows: int
    size: int
    kept: list[Run]
    made: list[Run]
    repro: list[Run]


def measure(rows: int, repeats: int) -> Page:
    """Measure one size in a folder of its own."""
    check = [*MERGELINE, "check"]
    with tempfile.TemporaryDirectory(prefix="mergeline-page-") as folder:
        root = Path(folder)
        project(root, rows)
        note(f"{rows:,} rows: cold")
        run(check, root, LONGEST, VERDICTS)
        run(check, root, SHORT, VERDICTS)
        kept, made, repro = [], [], []
        for _ in range(repeats):
            note(f"{rows:,} rows: again")
            kept.append(run(check, root, SHORT, VERDICTS))
            (root / layout.PAGE).unlink()
            made.append(run(check, root, SHORT, VERDICTS))
            repro.append(run([*DVC, "repro"], root, SHORT))
        return Page(rows, (root / layout.PAGE).stat().st_size, kept, made, repro)


def pages(found: Sequence[Page]) -> str:
    """Lay out sizes and seconds by rows."""
    head = ["rows", "page, kB", "check, page kept, s", "check, page made, s", "dvc repro, s"]
    rows = [
        [
            f"{page.rows:,}",
            f"{page.size / 1000:,.0f}",
            f"{middle(page.kept):.2f}",
            f"{middle(page.made):.2f}",
            f"{middle(page.repro):.2f}",
        ]
        for page in found
    ]
    return table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=sizes, default=[20_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print(pages([measure(rows, arguments.repeats) for rows in arguments.rows]))


if __name__ == "__main__":
    main()
