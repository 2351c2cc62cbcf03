"""The bench of the server runs, briefly, and its tables hold what was measured."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench/serve.py"
LOADS = ("1 row, 1 connection", "1 row, 8 connections", "1,000 rows, 1 connection")


def rows(text):
    """Return the cells of every table row."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]


@pytest.mark.slow
@pytest.mark.long
def test_a_short_bench(tmp_path):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--seconds", "0.5", "--rounds", "1", "--workers", "1"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = rows(done.stdout)
    for load in LOADS:
        measured = {row[1]: [float(cell) for cell in row[2:]] for row in found if row[0] == load}
        assert [name.split(",")[0] for name in measured] == ["mergeline", "mlflow", "mlflow"]
        for rate, middle, late, processor in measured.values():
            assert rate > 0
            assert 0 < middle <= late
            assert processor > 0
    sizes = {row[0]: row[1:] for row in found if len(row) == 3}
    assert float(sizes["mergeline, 1 process"][1]) > 50
    assert list(tmp_path.iterdir()) == []
