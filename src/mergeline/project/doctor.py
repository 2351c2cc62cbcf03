"""What Mergeline needs on this machine, and the next command where it is missing."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

from mergeline.adapters.deepchecks_environment import (
    BUILD,
    PYTHON,
    chosen_python,
    environment,
    state,
)
from mergeline.core.base import Frozen

_OLDEST = (3, 11)
_SECONDS = 30


class Finding(Frozen):
    """One thing that is needed.

    Attributes:
        name: What it is.
        ok: Whether it is there and usable.
        detail: The version or place found, or what is wrong with it.
        next_command: What to do; empty when it is fine.
    """

    name: str
    ok: bool
    detail: str
    next_command: str = ""


def diagnose() -> tuple[Finding, ...]:
    """Look at Python, Git, DVC and deepchecks' environment. Imports none of them."""
    return (_python(), _git(), _dvc(), _deepchecks())


def _python() -> Finding:
    if sys.version_info[:2] >= _OLDEST:
        return Finding(name="python", ok=True, detail=platform.python_version())
    return Finding(
        name="python",
        ok=False,
        detail=f"{platform.python_version()}; 3.11 or newer is needed",
        next_command="install Python 3.12 and make the environment again",
    )


def _git() -> Finding:
    found = _first_line("git", "--version")
    return Finding(
        name="git",
        ok=bool(found),
        detail=found.removeprefix("git version ") or "not on PATH, or it does not start",
        next_command="" if found else "install it, on Debian: apt-get install git",
    )


def _dvc() -> Finding:
    try:
        return Finding(name="dvc", ok=True, detail=version("dvc"))
    except PackageNotFoundError:
        return Finding(
            name="dvc",
            ok=False,
            detail=f"not installed in {sys.prefix}",
            next_command=f"{sys.executable} -m pip install dvc",
        )


def _deepchecks() -> Finding:
    now = state()
    if now == "chosen":
        return _chosen_deepchecks()
    details = {
        "ready": str(environment()),
        "missing": f"there is no environment {environment()}",
        "outdated": f"{environment()} was not made from this version's lock",
    }
    return Finding(
        name="deepchecks",
        ok=now == "ready",
        detail=details[now],
        next_command="" if now == "ready" else BUILD,
    )


def _chosen_deepchecks() -> Finding:
    python = str(chosen_python())
    code = "from importlib.metadata import version; print(version('deepchecks'))"
    found = _first_line(python, "-I", "-c", code)
    return Finding(
        name="deepchecks",
        ok=bool(found),
        detail=f"{found} in {python}" if found else f"{PYTHON} names {python}, which has none",
        next_command="" if found else f"unset {PYTHON}, then {BUILD}",
    )


def _first_line(*command: str) -> str:
    """Return the first line that a command prints; empty when it cannot run or fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""
