"""Through switches and a rollback under load no request fails, and every answer is a model's."""

import os
import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "bench/switches.py"


def test_nobody_notices_switches_and_a_rollback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--switches", "2", "--rollbacks", "1", "--workers", "1"],
        env={**os.environ, "TMPDIR": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        timeout=570,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    requests, failed = re.search(r"requests +(\d+), failed: (\d+)", done.stdout).groups()
    answers = [int(number) for number in re.findall(r"answers +(\d+) by", done.stdout)]
    assert (int(failed), len(answers), sum(answers)) == (0, 2, int(requests))
    assert min(answers) > 0
    assert re.search(r"^switch +2, ", done.stdout, re.MULTILINE)
    assert re.search(r"^rollback +1, ", done.stdout, re.MULTILINE)
