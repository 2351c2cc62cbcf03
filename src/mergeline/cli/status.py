"""`mergeline status`: what is desired, what is live, what waits and why."""

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from mergeline.cli.released import ENVIRONMENT, REMOTE


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("status")(status)


def status(
    environment: ENVIRONMENT = None,
    remote: REMOTE = "origin",
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say whether what is live is what is desired, and what waits.

    Works in any clone, bare or shallow; asks the Git remote, not the server. Exit codes: 0
    whatever is found; 4 when the remote cannot be read or its ledger not be believed.
    """
    from mergeline.adapters.git import find_repository
    from mergeline.adapters.git_remote import Remote
    from mergeline.config.problem import unobeyed
    from mergeline.ledger.store import Ledger
    from mergeline.release.standing import look
    from mergeline.report.standing import render_status

    there = Remote(find_repository(Path.cwd()), remote)
    found = look(there, Ledger(there.git, remote).read(), environment)
    shown = json_text.dumps(found.as_json(), indent=2) if json else render_status(found)
    typer.echo(unobeyed(shown))
