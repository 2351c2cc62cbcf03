"""deepchecks' own environment: where it is, whether it is up to date, and how it is built."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from mergeline.core.digest import sha256
from mergeline.errors import ToolError

PYTHON = "MERGELINE_DEEPCHECKS_PYTHON"
BUILD = "mergeline doctor --build"
STAMP = "mergeline-lock.sha256"

# The file of `requirements/`, which a wheel carries along through this link.
LOCK = Path(__file__).with_name("deepchecks.txt")

_OLDEST, _NEWEST = (3, 10), (3, 12)
_BUILD_SECONDS = 1800
State = Literal["chosen", "missing", "outdated", "ready"]


def environment() -> Path:
    """Return the folder of the environment, inside the one that runs this."""
    return Path(sys.prefix) / "deepchecks"


def chosen_python() -> Path | None:
    """Return the interpreter that `MERGELINE_DEEPCHECKS_PYTHON` names, if it does."""
    name = os.environ.get(PYTHON)
    return Path(name) if name else None


def state() -> State:
    """Return whether the environment is there and was made from this lock.

    `chosen`: the variable names an interpreter, about which nothing is known.
    """
    if chosen_python() is not None:
        return "chosen"
    if not _python_of(environment()).exists():
        return "missing"
    stamp = environment() / STAMP
    made_from = stamp.read_text().strip() if stamp.exists() else ""
    return "ready" if made_from == _lock_digest() else "outdated"


def interpreter() -> Path:
    """Return the Python that has deepchecks.

    Raises:
        ToolError: There is none, or it was made from another lock.
    """
    chosen = chosen_python()
    if chosen is not None:
        if not chosen.exists():
            raise ToolError(
                f"{PYTHON} is {str(chosen)!r}: there is no such interpreter",
                hint=f"unset it and run `{BUILD}`, or name a Python that has deepchecks",
            )
        return chosen
    now = state()
    if now == "missing":
        raise ToolError(
            f"deepchecks' environment is missing: there is no {_python_of(environment())}",
            hint=f"build it: `{BUILD}`",
        )
    if now == "outdated":
        raise ToolError(
            f"deepchecks' environment {environment()} was not made from this version's lock",
            hint=f"build it again: `{BUILD}`",
        )
    return _python_of(environment())


def build_environment() -> bool:
    """Make the environment from the hashed lock, whole or not at all.

    Returns:
        Whether anything was done: not when it is up to date, or another Python is chosen.

    Raises:
        ToolError: No Python fits, or installing failed; what was there stays.
    """
    if state() in ("chosen", "ready"):
        return False
    target = environment()
    python = _find_python()
    try:
        folder = Path(tempfile.mkdtemp(prefix=".deepchecks-", dir=target.parent))
    except OSError as error:
        raise ToolError(
            f"{target.parent} cannot be written: {error}",
            hint=f"build as a user who may, or set {PYTHON} to a Python that has deepchecks",
        ) from error
    try:
        _make(folder / "new", python)
        _replace(target, folder / "new", folder / "old")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _replace(target: Path, new: Path, old: Path) -> None:
    """Put a new folder in the place of another; the other comes back when that fails."""
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise


def _make(folder: Path, python: str) -> None:
    _run([python, "-m", "venv", "--without-pip", str(folder)])
    _run([*_installer(_python_of(folder)), "--require-hashes", "-r", str(LOCK)])
    (folder / STAMP).write_text(_lock_digest() + "\n")


def _python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def _lock_digest() -> str:
    return sha256(LOCK.read_bytes())


def _find_python() -> str:
    """Return a Python that deepchecks' NumPy has wheels for: this one, else one on PATH."""
    if _OLDEST <= sys.version_info[:2] <= _NEWEST:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(_NEWEST[1], _OLDEST[1] - 1, -1)]
    for name in names:
        if shutil.which(name) and _works(name):
            return name
    raise ToolError(
        f"deepchecks needs Python 3.10, 3.11 or 3.12; this one is "
        f"{'.'.join(map(str, sys.version_info[:2]))}, and none of {', '.join(names)} on PATH works",
        hint=f"install one of them and run `{BUILD}`, or set {PYTHON}",
    )


def _works(name: str) -> bool:
    """Return whether a name on PATH is a Python that starts: it can be a shim without one."""
    done = subprocess.run([name, "-c", "import venv"], capture_output=True, check=False)
    return done.returncode == 0


def _installer(python: Path) -> list[str]:
    """Return the command that installs into another environment: uv where it is, else pip."""
    beside = shutil.which("uv", path=str(Path(sys.executable).parent))
    if find_spec("uv") is not None or beside:
        uv = [sys.executable, "-m", "uv"] if find_spec("uv") is not None else [str(beside)]
        return [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
    if find_spec("pip") is None:
        raise ToolError(
            "neither uv nor pip is installed beside this Python",
            hint=f"install one of them into {sys.prefix}, then run `{BUILD}`",
        )
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    return [*pip, "install", "--quiet"]


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(
            f"building deepchecks' environment failed: {error}", hint=f"try again: `{BUILD}`"
        ) from error
    if done.returncode != 0:
        last = " | ".join((done.stderr or done.stdout).strip().splitlines()[-4:])[-600:]
        raise ToolError(
            f"building deepchecks' environment failed: {last}",
            hint=f"check the connection to your package registry, then run `{BUILD}`",
        )
