"""`mergeline rehearse`: a review in the browser, on one machine."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("rehearse")(rehearse)


def rehearse(
    folder: Annotated[
        Path,
        typer.Option(help="Its own folder: emptied first, but for its cache."),
    ] = Path(".mergeline/rehearsal"),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the site; 0 takes any that is free.")
    ] = 0,
) -> None:
    """Live through a review in the browser: read, approve, merge, predict, roll back.

    A stand-in for GitHub, a model server and the site run on this machine until Ctrl-C.
    Run it in a checkout of Mergeline, which holds the example.
    """
    from mergeline.project.example import Example
    from mergeline.project.line import Line
    from mergeline.project.own_folder import CACHE, emptied
    from mergeline.project.rehearse.serve import Options, serve

    where = folder.resolve()
    example = Example(Path.cwd(), where / "project", where / CACHE)
    example.require_source()
    with emptied(where):
        typer.echo("Starting a stand-in for GitHub and a model server ...")
        with Line(example, where) as line:
            serve(line, Options(port=port), _say)
        typer.echo("\nEnded; nothing is left running.")


def _say(address: str) -> None:
    typer.echo(f"\nOpen {address} in a browser. Ctrl-C ends it.")
