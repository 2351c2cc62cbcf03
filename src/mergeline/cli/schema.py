"""`mergeline schema`: JSON Schema of `params.yaml`, for editors. Plumbing."""

import json

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("schema", hidden=True)(schema)


def schema() -> None:
    """Print the JSON Schema of Mergeline's sections of params.yaml."""
    from mergeline.config.schema import settings_schema

    typer.echo(json.dumps(settings_schema(), indent=2))
