"""The bench runs, on a small table, and its tables hold what was measured."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench/check.py"


def cells(text):
    """Return the last column by first column of every table row."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[-1] for row in rows}


@pytest.mark.slow
def test_a_small_bench(tmp_path, deepchecks):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--rows", "1000", "--repeats", "1"],
        env={**os.environ, **deepchecks, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = cells(done.stdout)
    assert found["`mergeline check`"] == "1,000 rows"
    cold, again = float(found["check, cold, s"]), float(found["check, nothing changed, s *"])
    assert 0 < again < cold
    assert float(found["whole check, cold"]) == cold
    assert float(found["largest process, cold, peak MB"]) > 100
    stages = ("prepare", "train", "evaluate", "check_data", "check_model", "fairness", "explain")
    assert all(0 < float(found[stage]) < cold for stage in stages)
    assert float(found["`mergeline --help`"]) > 1
    assert list(tmp_path.iterdir()) == []
