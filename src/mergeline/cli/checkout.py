"""`mergeline checkout`: a worktree with the code, parameters and data of a release."""

from pathlib import Path
from typing import Annotated

import typer

from mergeline.cli.released import ENVIRONMENT, REMOTE


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("checkout")(checkout)


def checkout(
    version: Annotated[str, typer.Argument(help="In the registry.")],
    to: Annotated[
        Path | None, typer.Option(help="Where to.", show_default="../PROJECT-vVERSION")
    ] = None,
    environment: ENVIRONMENT = None,
    remote: REMOTE = "origin",
) -> None:
    """Make a worktree with the code, the parameters, the data and the model of a release.

    Remove it with `git worktree remove --force FOLDER`.
    """
    from mergeline.cli.released import open_line
    from mergeline.release.checkout import checkout as make

    line = open_line(remote, environment)
    release = line.release(version)
    folder = to or line.root.parent / f"{line.settings.project}-v{release.version}"
    make(line.git, line.registry, release, folder.resolve(), typer.echo)
