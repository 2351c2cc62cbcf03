"""`mergeline serve`: answer scoring requests with a release, or with what a ledger declares."""

import re
from pathlib import Path
from typing import Annotated

import typer

from mergeline.errors import UsageError

_RELEASE = "The release folder: release.json, model/, probes.json, evidence/."
_FOLLOW = "A Git remote: serve what its ledger declares, and switch when that changes."
_STATE = "The follower's own folder.  [default: .mergeline/follow/ENVIRONMENT]"
_INTERVAL = "Seconds between two looks at the ledger."
_LOG = "Write requests and answers to Parquet files in this folder."
_ENVIRONMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.|lock$|$)){0,99}")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("serve")(serve)


def serve(
    release: Annotated[Path | None, typer.Option(help=_RELEASE, show_default=False)] = None,
    follow: Annotated[str | None, typer.Option(help=_FOLLOW, metavar="REMOTE")] = None,
    environment: Annotated[str, typer.Option(help="What to follow.")] = "production",
    state: Annotated[Path | None, typer.Option(help=_STATE, metavar="FOLDER")] = None,
    interval: Annotated[float, typer.Option(min=0.1, max=3600, help=_INTERVAL)] = 10.0,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Model processes.")] = 2,
    log_requests: Annotated[Path | None, typer.Option(help=_LOG, show_default="off")] = None,
) -> None:
    """Answer scoring requests (MLflow's protocol) until it is ended.

    With --release, one release folder; with --follow, whatever the ledger of a Git remote
    declares for an environment. The registry's address is MLFLOW_TRACKING_URI, else
    registry.uri of the release's own params.yaml; Git's credentials are Git's own.
    """
    from mergeline.serve.listen import run
    from mergeline.serve.request_log import LogSettings

    log = LogSettings(folder=str(log_requests.absolute())) if log_requests is not None else None
    if (release is None) == (follow is None):
        raise UsageError(
            "give exactly one of --release and --follow",
            hint="`--follow REMOTE` serves what is promoted, `--release FOLDER` one release",
        )
    if release is not None:
        from mergeline.serve import alone

        options = alone.Options(release, host=host, port=port, workers=workers, log=log)
        run(lambda stop: alone.serve_alone(options, typer.echo, stop))
    elif follow is not None:
        from mergeline.serve import supervise
        from mergeline.serve.serving import FollowSettings

        settings = FollowSettings(
            remote=follow,
            state=_state(state, environment),
            environment=environment,
            interval=interval,
            workers=workers,
            log=log,
        )
        following = supervise.Options(settings, host=host, port=port)
        run(lambda stop: supervise.serve_following(following, _print, stop))


def _state(given: Path | None, environment: str) -> Path:
    """Return the follower's folder.

    Raises:
        UsageError: The environment is no name for a branch and a folder.
    """
    from mergeline.core import layout

    if not _ENVIRONMENT.fullmatch(environment):
        raise UsageError(
            f"the environment {environment!r} is no name for a branch",
            hint="use letters, digits, dots, dashes and underscores, as in `production`",
        )
    # Absolute: the programs that the follower starts work in folders of their own.
    return (given or Path(layout.STATE, "follow", environment)).resolve()


def _print(line: str) -> None:
    """Print an event at once: whoever reads it may read a pipe."""
    print(line, flush=True)  # noqa: T201
