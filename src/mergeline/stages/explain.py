"""explain: which columns move the predictions, within the budget whatever the model is.

SHAP runs in a process of its own, which is stopped at the budget. How many rows it explains
follows from the model's size and never from the clock; only being stopped depends on the
machine.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from mergeline import errors
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.evidence import ExplainContent
from mergeline.errors import ToolError
from mergeline.stages.base import Clock, Result
from mergeline.stages.pinned import pinned_variables
from mergeline.stages.plots import plot_csv
from mergeline.stages.shapley import worker

IMPORTANCE = "importance.csv"
# Loading is not explaining: the budget begins when the worker is ready.
_LOAD_SECONDS = 600.0
_LOOK_SECONDS = 0.02
_LONGEST_REASON = 300
_MOST_DRAWN = 20


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Explain the held-out rows, or say why they are not explained.

    Raises:
        ContractError: A table is missing or does not fit the model.
        ModelError: The model cannot be loaded.
        ToolError: The process cannot start, or dies before it begins.
    """
    with tempfile.TemporaryDirectory(prefix="mergeline-explain-") as name:
        folder = Path(name)
        request = worker.Request(root=os.fspath(root.resolve()), settings=settings)
        (folder / worker.REQUEST).write_text(request.model_dump_json())
        with (folder / "stderr").open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", worker.__name__, os.fspath(folder)],
                cwd=root,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
        try:
            with clock.part("load"):
                planned = _wait_for_plan(process, folder)
            with clock.part("shap"):
                finished = _wait(process, settings.explain.budget_seconds)
        finally:
            _stop(process)
        content = _outcome(process, folder, planned, settings, finished=finished)
        return Result(content, files={f"{layout.PLOTS}/{IMPORTANCE}": _importances(content)})


def _importances(content: ExplainContent) -> bytes:
    rows = ((feature.column, feature.share) for feature in content.features[:_MOST_DRAWN])
    return plot_csv(("column", "share"), rows)


def _environment() -> Mapping[str, str]:
    # Compiling SHAP's loops takes longer than running the few that are needed.
    return {**os.environ, **pinned_variables(), "NUMBA_DISABLE_JIT": "1"}


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _wait_for_plan(process: "subprocess.Popen[bytes]", folder: Path) -> ExplainContent:
    """Return the content as it is to be should the process be stopped."""
    end = time.monotonic() + _LOAD_SECONDS
    ready = folder / worker.READY
    while not ready.exists():
        if _wait(process, _LOOK_SECONDS) and not ready.exists():
            _raise_failure(folder)
            raise ToolError(
                f"the process that explains the model died while loading it: "
                f"{_last_words(process, folder)}",
                hint="run it alone and look: mergeline stage explain",
            )
        if time.monotonic() > end:
            raise ToolError(
                f"the process that explains the model was not ready after {_LOAD_SECONDS:.0f} s",
                hint="free memory and processors, then run: mergeline check",
            )
    return ExplainContent.model_validate_json(ready.read_bytes())


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop the process and what it may have started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _outcome(
    process: "subprocess.Popen[bytes]",
    folder: Path,
    planned: ExplainContent,
    settings: Settings,
    *,
    finished: bool,
) -> ExplainContent:
    _raise_failure(folder)
    answer = folder / worker.CONTENT
    if answer.exists():
        content = ExplainContent.model_validate_json(answer.read_bytes())
        return content if content.outcome == "explained" else _nothing(content, content.reason)
    budget = settings.explain.budget_seconds
    reason = (
        f"The process that explains died: {_last_words(process, folder)}"
        if finished
        else f"Stopped at explain.budget_seconds ({budget:g} s) before {planned.rows} rows were "
        "explained."
    )
    return _nothing(planned, reason)


def _nothing(content: ExplainContent, reason: str) -> ExplainContent:
    return content.model_copy(update={"rows": 0, "reason": reason})


def _raise_failure(folder: Path) -> None:
    """Raise the worker's error as if it had happened here."""
    file = folder / worker.ERROR
    if file.exists():
        failure = worker.Failure.model_validate_json(file.read_bytes())
        kind: type[errors.MergelineError] = getattr(errors, failure.kind)
        raise kind(failure.message, hint=failure.hint)


def _last_words(process: "subprocess.Popen[bytes]", folder: Path) -> str:
    if process.returncode is not None and process.returncode < 0:
        return f"{signal.Signals(-process.returncode).name}, perhaps for lack of memory."
    lines = (folder / "stderr").read_text(errors="replace").strip().splitlines()
    return lines[-1][:_LONGEST_REASON] if lines else f"exit code {process.returncode}."
