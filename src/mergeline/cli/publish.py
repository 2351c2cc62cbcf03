"""`mergeline publish`: what was promoted goes to the DVC remote."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mergeline.cli.jobs import Environment, end, say, summarize

if TYPE_CHECKING:
    from mergeline.adapters.dvc_publish import Pushed


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("publish")(publish)


def publish(
    commit: Annotated[
        str | None,
        typer.Option(help="A commit of main.", show_default="GITHUB_SHA, else HEAD"),
    ] = None,
    environment: Environment = None,
    rebuilt_run: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Id of a GitHub run that may have built that commit again: its outputs stand in "
            "for those of a fork, or that are gone.",
        ),
    ] = None,
    remote: Annotated[str, typer.Option(help="The Git remote that holds the ledger.")] = "origin",
) -> None:
    """Push a promoted commit's outputs and runs to the DVC remote, and see that they arrived.

    A fresh clone then restores those stages instead of training. The bytes are those that
    were reviewed, hashed again; the prepared tables, which say of which inputs they are, are
    made here from main's data and not sent. Loads no model and runs no code of the project.
    What is there already is not sent again, and another result of the same inputs stays.

    Needs GITHUB_TOKEN and GITHUB_REPOSITORY (`actions: read`, `contents: read`), and in
    MERGELINE_DVC_CONFIG the text of a .dvc/config.local that may read and write.

    Exit codes: 0 pushed, or nothing to push, which is said; 12 the commit was not promoted,
    or the remote has another result of its inputs; 3 settings; 4 GitHub, the remote, data
    that cannot be got, or something that did not arrive.
    """
    from mergeline.adapters.dvc_credentials import data_credential
    from mergeline.adapters.git import Git, find_root
    from mergeline.adapters.git_remote import Remote
    from mergeline.adapters.github import connect
    from mergeline.core.answers import Answer
    from mergeline.ledger.store import Ledger
    from mergeline.release.publish import Job, Nothing
    from mergeline.release.publish import publish as run
    from mergeline.stages.tables import make_tables

    root = find_root(Path.cwd())
    with data_credential(root):
        git = Git(root)
        job = Job(
            git=git,
            github=connect(os.environ),
            history=Ledger(git, remote).read(),
            remote=Remote(git, remote),
            commit=git.resolve(commit or os.environ.get("GITHUB_SHA") or "HEAD"),
            make_tables=make_tables,
            environment=environment,
            rebuilt=rebuilt_run,
        )
        done = run(job, say)
    if isinstance(done, Answer):
        end(done, as_json=False)
    if isinstance(done, Nothing):
        _tell(f"{done.why} Nothing is published.")
        return
    for line in _lines(done):
        _tell(line)


def _lines(pushed: "Pushed") -> list[str]:
    stages = ", ".join(pushed.stages) or "no stage"
    lines = [
        f"Published to the DVC remote {pushed.remote!r}: {stages}; {pushed.objects} files and "
        f"{pushed.runs} runs are there, {pushed.sent} of them sent now."
    ]
    lines += [f"Not published, it runs again: {name}: {why}." for name, why in pushed.left.items()]
    return [*lines, *pushed.notices]


def _tell(line: str) -> None:
    """Print a line, here and in the summary of the job."""
    from mergeline.config.problem import printable
    from mergeline.report.markdown import text

    typer.echo(printable(line))
    summarize(f"- {text(line, 2000)}\n")
