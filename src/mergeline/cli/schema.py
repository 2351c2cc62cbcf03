"""`mergeline schema`: JSON Schema of `params.yaml`, for editors, and of a report. Plumbing."""

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("schema", hidden=True)(schema)


def schema(
    report: Annotated[
        bool, typer.Option("--report", help="Of what `mergeline report --format json` prints.")
    ] = False,
) -> None:
    """Print the JSON Schema of Mergeline's sections of params.yaml."""
    from mergeline.config.schema import report_schema, settings_schema

    typer.echo(json.dumps(report_schema() if report else settings_schema(), indent=2))
