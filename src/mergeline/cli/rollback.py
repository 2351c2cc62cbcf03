"""`mergeline rollback`: an earlier release answers again; nothing is trained."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mergeline.cli.jobs import (
    AsJson,
    Environment,
    LineRemote,
    end,
    registry_opener,
    run_url,
    say,
    worker,
)
from mergeline.errors import UsageError

if TYPE_CHECKING:
    from mergeline.adapters.github import GitHub
    from mergeline.promote.rollback import RollbackEnded

# The token of the line's own key or app; GitHub's token for a job opens what is never checked.
OWN_TOKEN = "MERGELINE_TOKEN"  # noqa: S105 -- a name


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("rollback")(rollback)


def rollback(
    reason: Annotated[str, typer.Option(help="Why; it stands in the ledger.")],
    to: Annotated[
        str | None,
        typer.Option(
            help="A version that was live before.", show_default="the one that was live last"
        ),
    ] = None,
    environment: Environment = None,
    remote: LineRemote = "origin",
    json: AsJson = False,
) -> None:
    """Declare an earlier release live, and bar the model that it replaces.

    Checks first that the registry still has its bytes, then waits for the server. Nothing
    is trained. The barred model is not promoted again until promotion.reinstate names it.
    Opens the pull request that takes the merge back; in a workflow that needs the token of
    an app or a user in MERGELINE_TOKEN, else the commands are printed. The same reason given
    again by the same user finishes what was begun.

    Exit codes: 0 LIVE, or ALREADY_LIVE; 12 REJECTED, BYTES_MISMATCH or REGISTRY_MISMATCH;
    4 UNCONFIRMED, UNDECIDED, REGISTRY_UNAVAILABLE, or a tool or the network; 2 usage.
    """
    from mergeline.adapters.git import Git, find_root
    from mergeline.adapters.git_remote import Remote
    from mergeline.promote.rollback import RollbackJob, Wish
    from mergeline.promote.rollback import rollback as run

    if not reason.strip():
        raise UsageError("--reason is empty", hint="say in a few words why; others will read it")
    git = Git(find_root(Path.cwd()))
    github = _github(os.environ)
    repository = github.repository if github else ""
    ended = run(
        RollbackJob(
            git=git,
            remote=Remote(git, remote),
            github=github,
            may_open=bool(os.environ.get(OWN_TOKEN, "").strip())
            or os.environ.get("GITHUB_ACTIONS") != "true",
            # A workflow hands on an input that nobody gave as an empty text.
            wish=Wish(reason.strip(), (to or "").strip() or None),
            environment=environment,
            by=worker(os.environ, repository),
            url=run_url(os.environ, repository),
            open_registry=registry_opener(git),
        ),
        say,
    )
    _tell_revert(ended)
    end(ended, as_json=json)


def _github(environ: Mapping[str, str]) -> "GitHub | None":
    """Return GitHub; None where the environment does not name it: going back comes first."""
    from mergeline.adapters.github import connect

    own = environ.get(OWN_TOKEN, "").strip()
    try:
        return connect({**environ, "GITHUB_TOKEN": own} if own else environ)
    except UsageError as error:
        say(f"GitHub is left out: {error.message}")
        return None


def _tell_revert(ended: "RollbackEnded") -> None:
    """Say what became of the pull request that takes the merge back."""
    if ended.revert is not None:
        say(f"#{ended.revert} takes back what the replaced version brought: review and merge it")
    elif ended.left:
        say(f"no pull request was opened that takes the merge back: {ended.left}")
        for command in ended.commands:
            say(f"    {command}")
