"""`mergeline serve`: answer scoring requests with a release."""

from pathlib import Path
from typing import Annotated

import typer

_FOLDER = "Write requests and answers to Parquet files in this folder."


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("serve")(serve)


def serve(
    release: Annotated[
        Path, typer.Option(help="The release folder: release.json, model/, probes.json, evidence/.")
    ],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Model processes.")] = 2,
    log_requests: Annotated[Path | None, typer.Option(help=_FOLDER, show_default="off")] = None,
) -> None:
    """Answer scoring requests (MLflow's protocol) with a release, until it is ended."""
    from mergeline.serve.alone import Options, serve_alone
    from mergeline.serve.listen import run
    from mergeline.serve.request_log import LogSettings

    log = LogSettings(folder=str(log_requests.absolute())) if log_requests is not None else None
    options = Options(release, host=host, port=port, workers=workers, log=log)
    run(lambda stop: serve_alone(options, typer.echo, stop))
