"""The script that counts how often intervals hold the truth: a small form of it."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.slow
def test_intervals_hold_the_truth_about_as_often_as_they_say():
    small = ("--sets", "60", "--replicates", "200", "--population", "200000", "--jobs", "1")
    cases = ("--cases", "multiclass,regression,gaps")
    done = subprocess.run(
        [sys.executable, str(BENCH / "coverage.py"), *cases, *small],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "a skewed target, n = 500 | root_mean_squared_error |" in done.stdout
    assert done.stdout.endswith("All intervals hold the truth as often as they should.\n")
