"""`mergeline stage NAME`: what DVC runs. Plumbing."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("stage", hidden=True)(stage)


def stage(
    name: Annotated[str, typer.Argument(help="prepare, train, evaluate, ...")],
) -> None:
    """Run one stage of the pipeline in the current folder."""
    from mergeline.stages.pinned import pin_process

    pin_process(["stage", name])  # before anything else is loaded: it starts again
    from mergeline.stages.base import run_stage

    run_stage(name, Path.cwd())
