"""`mergeline doctor`: what is missing, and the next command."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mergeline.project.doctor.finding import State

_COLOURS = {"ok": "green", "warn": "yellow", "missing": "red", "unknown": "cyan"}


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor")(doctor)


def doctor(
    build: Annotated[
        bool,
        typer.Option(
            "--build", help="Make deepchecks' environment where it is missing; look at no more."
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what is missing: on this machine, in the project, at GitHub. Changes nothing.

    GitHub is asked when there is a token (GITHUB_TOKEN, GH_TOKEN or `gh auth token`) and a
    repository (GITHUB_REPOSITORY or the remote `origin`). Exit codes: 0 nothing that is needed
    is missing; 4 something is.
    """
    from mergeline.project.doctor.finding import exit_code
    from mergeline.project.doctor.machine import machine
    from mergeline.project.doctor.run import diagnose
    from mergeline.project.doctor.text import as_json, render

    if build:
        from mergeline.adapters.deepchecks import build_environment

        build_environment()
    groups = (machine(github=False),) if build else diagnose(Path.cwd(), os.environ)
    typer.echo(as_json(groups) if json else render(groups, _paint))
    raise typer.Exit(exit_code(groups))


def _paint(text: str, state: "State | None") -> str:
    colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    if not colours or os.environ.get("TERM") == "dumb":
        return text
    return typer.style(text, bold=True) if state is None else typer.style(text, fg=_COLOURS[state])
