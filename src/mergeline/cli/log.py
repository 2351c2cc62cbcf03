"""`mergeline log`: the ledger, the newest entry first."""

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from mergeline.cli.released import REMOTE


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("log")(log)


def log(
    environment: Annotated[
        str | None, typer.Option(help="Only its entries; reviews belong to none.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--number", "-n", min=1, help="At most so many entries.")
    ] = None,
    remote: REMOTE = "origin",
    json: Annotated[bool, typer.Option("--json", help="Print the entries as JSON.")] = False,
) -> None:
    """Print what was reviewed, promoted, live, rejected, rolled back and settled.

    A line an entry: when, its number, what, where, the version, the pull request, the
    start of the model's digest, who, and why. The last line says how far the chain of
    hashes holds. Exit codes: 0; 4 when the remote cannot be read or its ledger believed.
    """
    from mergeline.adapters.git import find_repository
    from mergeline.config.problem import unobeyed
    from mergeline.ledger.store import Ledger
    from mergeline.report.log import render_log

    ledger = Ledger(find_repository(Path.cwd()), remote)
    history = ledger.read()
    entries = history.entries if environment is None else history.of(environment)
    newest = entries[::-1][:number]
    if json:
        typer.echo(unobeyed(json_text.dumps([entry.as_json() for entry in newest], indent=2)))
        return
    if newest:
        typer.echo(unobeyed(render_log(newest)))
    where = f"{ledger.branch} at {ledger.tip[:12]}" if ledger.tip else f"no {ledger.branch} yet"
    count = len(history.entries)
    typer.echo(f"chain verified: {count} {'entry' if count == 1 else 'entries'}, {where}")
