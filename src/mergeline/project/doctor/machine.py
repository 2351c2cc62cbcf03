"""This machine: what Mergeline needs on it, and the next command where it is missing."""

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
from mergeline.project.doctor.finding import Finding, Group, missing, ok, warn

_OLDEST = (3, 11)
_SECONDS = 30


def machine(*, github: bool = True) -> Group:
    """Look at Python, Git, DVC and deepchecks' environment. Imports none of them.

    Args:
        github: Look at the programs that speak with GitHub too.
    """
    findings = (_python(), _git(), _dvc(), _deepchecks())
    more = (_cml(), _gh()) if github else ()
    return Group(title="This machine", findings=(*findings, *more))


def _python() -> Finding:
    if sys.version_info[:2] >= _OLDEST:
        return ok("python", platform.python_version())
    return missing(
        "python",
        f"{platform.python_version()}; 3.11 or newer is needed",
        "install Python 3.12 and make the environment again",
    )


def _git() -> Finding:
    found = first_line("git", "--version")
    if found:
        return ok("git", found.removeprefix("git version "))
    return missing(
        "git", "not on PATH, or it does not start", "install it, on Debian: apt-get install git"
    )


def _dvc() -> Finding:
    try:
        return ok("dvc", version("dvc"))
    except PackageNotFoundError:
        return missing(
            "dvc", f"not installed in {sys.prefix}", f"{sys.executable} -m pip install dvc"
        )


def _deepchecks() -> Finding:
    now = state()
    if now == "chosen":
        return _chosen_deepchecks()
    if now == "ready":
        return ok("deepchecks", str(environment()))
    details = {
        "missing": f"there is no environment {environment()}",
        "outdated": f"{environment()} was not made from this version's lock",
    }
    return missing("deepchecks", details[now], BUILD)


def _chosen_deepchecks() -> Finding:
    python = str(chosen_python())
    code = "from importlib.metadata import version; print(version('deepchecks'))"
    found = first_line(python, "-I", "-c", code)
    if found:
        return ok("deepchecks", f"{found} in {python}")
    return missing(
        "deepchecks", f"{PYTHON} names {python}, which has none", f"unset {PYTHON}, then {BUILD}"
    )


def _cml() -> Finding:
    """CML posts the comment of a job; on a machine of one's own it is not needed."""
    found = first_line("cml", "--version")
    if found:
        return ok("cml", found)
    return warn(
        "cml",
        "not on PATH: comments go through GitHub's API (the workflows install it for themselves)",
        "nothing, unless this machine comments: github.com/iterative/cml has its program",
    )


def _gh() -> Finding:
    found = first_line("gh", "--version")
    if found:
        return ok("gh", found.removeprefix("gh version "))
    return warn(
        "gh",
        "GitHub's command line is not on PATH; the commands below that set GitHub up use it",
        "install it (cli.github.com), then gh auth login",
    )


def first_line(*command: str, seconds: int = _SECONDS) -> str:
    """Return the first line that a command prints; empty when it cannot run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""
