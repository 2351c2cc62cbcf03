"""Logging a plan to MLflow, where a tracking server or store is set."""

import os
from collections.abc import Callable
from pathlib import Path

from mergeline.adapters.mlflow import Rendered, track_plan, tracking_uri
from mergeline.config.load import load_settings
from mergeline.core import layout
from mergeline.core.digest import json_digest
from mergeline.core.plan import Plan
from mergeline.files import write_whole


def track(
    root: Path, plan: Plan, say: Callable[[str], None], render: Callable[[], Rendered] = Rendered
) -> None:
    """Log a plan as one MLflow run, unless it was logged there before.

    Args:
        root: The project's root.
        plan: What `mergeline check` found out.
        say: Is told the run.
        render: Makes what people see of it; called only where it is logged.

    Raises:
        ToolError: The tracking server does not answer.
    """
    uri = tracking_uri(load_settings(root / layout.SETTINGS).tracking.uri, os.environ)
    if uri is None:
        return
    what = json_digest([uri, plan.candidate.as_json(), plan.judgement.as_json()])
    marker = root / layout.STATE / "tracked" / what
    if marker.is_file() and _is_there(root, uri):
        return
    run = track_plan(root, plan, uri, render())
    write_whole(marker, f"{run}\n".encode())
    say(f"tracked as MLflow run {run}")


def _is_there(root: Path, uri: str) -> bool:
    """Whether an embedded store still exists; of a server we cannot know without asking."""
    embedded = uri.removeprefix("sqlite:///")
    return embedded == uri or (root / embedded).is_file()
