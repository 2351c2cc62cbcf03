"""`mergeline predict`: score a table with the live release, or another one."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mergeline.cli.released import ENVIRONMENT, REMOTE


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("predict")(predict)


def predict(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or JSON lines.")],
    output: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet.", show_default="FILE with -scores before its ending"),
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="In the registry.", show_default="the live one")
    ] = None,
    chunk: Annotated[int, typer.Option(min=1, help="Rows at a time.")] = 50_000,
    environment: ENVIRONMENT = None,
    remote: REMOTE = "origin",
) -> None:
    """Score the rows of a table; adds probability, label, positive and release to each.

    The release's bytes come from the registry and are re-hashed first.
    """
    from mergeline.cli.released import open_line
    from mergeline.release.fetched import fetched
    from mergeline.release.predict import Batch
    from mergeline.release.predict import predict as score

    line = open_line(remote, environment)
    live = line.history.live(line.environment)
    release = line.find(version or (live.version if live else None)).release
    suffix = ".parquet" if file.suffix == ".parquet" else ".csv"
    target = output or file.with_name(f"{file.stem}-scores{suffix}")
    batch = Batch(source=file, target=target, data=line.settings.data, chunk=chunk)
    with fetched(line.registry, release) as model:
        name = f"{release.version} {release.model[:12]}"
        rows = score(model.scorer, model.threshold, name, batch, _tell)
    typer.echo(f"{rows:,} rows scored by version {release.version}: {target}")


def _tell(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        typer.echo(f"\r{done:,} of {total:,} rows", nl=False, err=True)
        typer.echo(end, nl=False, err=True)
