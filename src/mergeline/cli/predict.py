"""`mergeline predict`: score a table with the live release, or another one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mergeline.cli.released import ENVIRONMENT, REMOTE
from mergeline.errors import UsageError

if TYPE_CHECKING:
    from mergeline.cli.released import Line


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
    """Score the rows of a table; adds what the release says of each, and the release.

    For two classes that is probability, label and positive; for several label, its probability
    and the probability of each; for a number value. The columns of FILE stay as they stand
    there: those of CSV and TSV are text. The release's bytes come from the registry and are
    re-hashed first.
    """
    from mergeline.cli.released import open_line
    from mergeline.inputs.settings import require_settings_at
    from mergeline.release.fetched import fetched
    from mergeline.release.predict import Batch, Model
    from mergeline.release.predict import predict as score

    line = open_line(remote, environment)
    release = line.release(version or _live(line))
    data = require_settings_at(line.git, release.commit).data
    batch = Batch(source=file, target=output or _beside(file), data=data, chunk=chunk)
    with fetched(line.registry, release) as found:
        name = f"{release.version} {release.model[:12]}"
        model = Model(found.scorer, found.rule, name)
        rows = score(model, batch, _tell)
    typer.echo(f"{rows:,} rows scored by version {release.version}: {batch.target}")


def _live(line: "Line") -> str:
    live = line.history.live(line.environment)
    if live is None:
        raise UsageError(
            f"nothing is live in {line.environment} by the ledger",
            hint="see `mergeline status`; --version names a release that was declared",
        )
    return live.version


def _beside(file: Path) -> Path:
    """Return where the answer goes that nobody gave a name."""
    name = file.name.removesuffix(".gz")
    ending = Path(name).suffix
    suffix = ".parquet" if ending in (".parquet", ".pq") else ".csv"
    return file.with_name(f"{name.removesuffix(ending)}-scores{suffix}")


def _tell(done: int, total: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == total else ""
        typer.echo(f"\r{done:,} of {total:,} rows", nl=False, err=True)
        typer.echo(end, nl=False, err=True)
