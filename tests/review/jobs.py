"""`mergeline comment` as its workflow starts it: a process, and the memory that it took."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from review.lines import SmallLine

SECONDS = 120
# The kernel's own count for a process begins with what its parent had: this one does not.
_MEASURED = """
import atexit, os
from mergeline.cli import main
def tell():
    with open("/proc/self/status") as status, open(os.environ["PEAK"], "w") as file:
        file.write(next(line for line in status if line.startswith("VmHWM")).split()[1])
atexit.register(tell)
main()
"""


@dataclass(frozen=True)
class Job:
    """How a job ended.

    Attributes:
        megabytes: Of memory that was resident at the same time, at most.
        summary: What the job's summary holds.
    """

    code: int
    out: str
    err: str
    summary: str
    megabytes: int


def comment(line: SmallLine, run: int, **environ: str) -> Job:
    """Run `mergeline comment` for a run."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        summary, peak = folder / "summary.md", folder / "peak"
        ours = {"HOME": place, "GITHUB_STEP_SUMMARY": str(summary), "PEAK": str(peak)}
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, "comment", "--run", str(run)],
            cwd=line.clone,
            env={"PATH": os.environ["PATH"], **ours, **line.environ(), **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return Job(
            code=done.returncode,
            out=done.stdout,
            err=done.stderr,
            summary=summary.read_text() if summary.exists() else "",
            megabytes=int(peak.read_text()) // 1024,
        )
