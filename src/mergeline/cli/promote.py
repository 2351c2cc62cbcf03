"""`mergeline promote`: the merge takes what was reviewed live, or the reason is said."""

import os
import re
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
    from mergeline.promote.run import Needs

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("promote")(promote)


def promote(
    commit: Annotated[
        str | None,
        typer.Option(help="The tip of main.", show_default="GITHUB_SHA, else HEAD"),
    ] = None,
    rebuilt: Annotated[
        Path | None,
        typer.Option(
            help="A second build of that commit: a checked project, or the folder that the "
            "artifacts of a build were unpacked into."
        ),
    ] = None,
    rebuilt_run: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Id of the GitHub run that made a second build; its artifacts are taken if one "
            "is wanted.",
        ),
    ] = None,
    environment: Environment = None,
    remote: LineRemote = "origin",
    needs: Annotated[
        bool,
        typer.Option(
            "--needs",
            help="Print `rebuild` if a second build is wanted, else `reuse` (`nothing` while main "
            "has no project), and end; in a workflow the outputs `build` and `base` say so.",
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Identify, ask for approvals, verify, register, declare, confirm.

    Promotes exactly the model that was reviewed, or changes nothing that is live and says
    why. Runs in a whole clone of main; loads no model and runs no code of the project. Run
    again at any time it finishes what was begun.

    Needs GITHUB_TOKEN and GITHUB_REPOSITORY (GITHUB_API_URL for an enterprise server), and
    of a workflow's permissions `contents: write`, `actions: read`, `pull-requests: write`,
    `deployments: write`.

    Exit codes: 0 LIVE, ALREADY_LIVE, POLICY_ONLY or SUPERSEDED; 12 refused, the answer says
    by what; 4 UNDECIDED (also where a second build is wanted), UNCONFIRMED,
    REGISTRY_UNAVAILABLE, or a tool or the network; 3 settings; 2 usage.
    """
    from datetime import UTC, datetime

    from mergeline.adapters.git import Git, find_root
    from mergeline.adapters.git_remote import Remote
    from mergeline.adapters.github import connect
    from mergeline.promote.run import Job, build_needed
    from mergeline.promote.run import promote as run
    from mergeline.report.card import render_card

    if rebuilt is not None and rebuilt_run is not None:
        raise UsageError(
            "--rebuilt and --rebuilt-run name two second builds", hint="leave out one of them"
        )
    git = Git(find_root(Path.cwd()))
    github = connect(os.environ)
    job = Job(
        git=git,
        remote=Remote(git, remote),
        github=github,
        commit=git.resolve(commit or os.environ.get("GITHUB_SHA") or "HEAD"),
        environment=environment,
        by=worker(os.environ, github.repository),
        url=run_url(os.environ, github.repository),
        today=datetime.now(UTC).date(),
        open_registry=registry_opener(git),
        render_card=render_card,
        rebuilt=rebuilt if rebuilt_run is None else rebuilt_run,
    )
    if needs:
        _tell_needs(build_needed(job))
        return
    end(run(job, say), as_json=json)


def _tell_needs(needs: "Needs") -> None:
    """Print whether a second build is wanted, and hand it on to the workflow's next job."""
    typer.echo(needs.build)
    base = needs.base if needs.base and _COMMIT.fullmatch(needs.base) else ""
    output = os.environ.get("GITHUB_OUTPUT")
    if output:
        with Path(output).open("a", encoding="utf-8") as file:
            file.write(f"build={needs.build}\nbase={base}\n")
