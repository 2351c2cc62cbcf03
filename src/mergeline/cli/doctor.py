"""`mergeline doctor`: what is missing, and the next command."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor")(doctor)


def doctor(
    build: Annotated[
        bool, typer.Option("--build", help="Make deepchecks' environment where it is missing.")
    ] = False,
) -> None:
    """Say what is missing on this machine; exit code 4 if anything is."""
    from mergeline.project.doctor import diagnose

    if build:
        from mergeline.adapters.deepchecks import build_environment

        build_environment()
    findings = diagnose()
    for finding in findings:
        typer.echo(f"{'ok     ' if finding.ok else 'MISSING'} {finding.name}: {finding.detail}")
        if not finding.ok:
            typer.echo(f"        next: {finding.next_command}")
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 4)
