"""The scripts that disturb the line's jobs run, and find nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        ("job_kills.py", ("--job", "comment", "--rounds", "1"), "1 rounds, 0 violations, seed 3"),
        ("races.py", ("--rounds", "1"), "1 rounds, 0 violations, seed 3"),
        ("faults.py", ("--jobs", "edit", "--sample", "1"), "1 faults, 0 amiss"),
    ],
)
def test_a_few_rounds(script: str, arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    seed = () if script == "faults.py" else ("--seed", "3")
    done = subprocess.run(
        [sys.executable, str(BENCH / script), *arguments, *seed],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert said in done.stdout
    # Nothing is left when nothing was wrong.
    assert list(tmp_path.iterdir()) == []
