"""`mergeline demo`: the whole line on one machine, from a pull request to a prediction."""

import os
import shlex
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mergeline.project.line import Line


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Option(help="The demo's own folder: it is emptied first.")] = (
        Path(".mergeline/demo")
    ),
    example: Annotated[
        Path | None, typer.Option(help="Keep the better model's report in this folder.")
    ] = None,
    browse: Annotated[
        bool | None,
        typer.Option(
            "--browse/--no-browse",
            help="Serve the pages of what happened at the end, until Ctrl-C.",
            show_default="in a terminal",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of these pages; 0 takes any that is free.")
    ] = 0,
) -> None:
    """Rehearse the whole line: pull requests, comments, merges, a model server, a rollback.

    A stand-in for GitHub and a model server run on this machine while it lasts.
    """
    from mergeline.project.demo import Demo

    started = time.monotonic()
    made = Demo(Path.cwd(), folder.resolve(), _Steps(started))
    wanted = sys.stdin.isatty() and sys.stdout.isatty() if browse is None else browse
    made.tell(keep=example, then=partial(_browse, port=port) if wanted else None)
    programs = shlex.quote(os.fspath(Path(sys.prefix) / "bin"))
    registry = shlex.quote(f"sqlite:///{made.folder / 'registry.db'}")
    typer.echo(
        f"\nDone in {time.monotonic() - started:.0f} s; nothing is left running.\n\n"
        f"The comments: {made.folder / 'comments'}\n"
        f"The project:  {made.example.folder}\n\n"
        "Try next:\n"
        f"  cd {shlex.quote(os.fspath(made.example.folder))}\n"
        f"  export PATH={programs}:$PATH MLFLOW_TRACKING_URI={registry}\n"
        "  mergeline status        # what is desired and what was live\n"
        "  mergeline log           # who promoted what, when and why\n"
        "  mergeline audit 2       # a version, back to the data that it was made from\n"
        "  mergeline predict data/applications.parquet --output scores.csv"
    )


def _browse(line: "Line", port: int) -> None:
    from mergeline.project.rehearse.serve import Options, serve

    def say(address: str) -> None:
        typer.echo(f"\nAll of it is still there: open {address} in a browser. Ctrl-C ends it.")

    serve(line, Options(port=port, demo=True), say)


class _Steps:
    def __init__(self, started: float) -> None:
        self._started = started

    def __call__(self, step: str, what: str) -> None:
        if not step:
            typer.echo(f"\n{what}")
            return
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        typer.echo(f"{minutes}:{seconds:02}  {step:<9} {what}")
