"""What the verbs of the line have in common: who is at work, how they end, what is asked."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mergeline.adapters.git import Git
    from mergeline.adapters.registry import Registry
    from mergeline.config.settings import Settings
    from mergeline.core.answers import Answer

Environment = Annotated[
    str | None,
    typer.Option(help="The environment.", show_default="deploy.environment in params.yaml"),
]
LineRemote = Annotated[
    str, typer.Option(help="The Git remote with main, the ledger and the follower's report.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def worker(environ: Mapping[str, str], repository: str) -> str:
    """Return who appends to the ledger: the run of a workflow, else the user of the machine."""
    import getpass

    run = environ.get("GITHUB_RUN_ID", "").strip()
    return f"run {run} of {repository}" if run else getpass.getuser()


def run_url(environ: Mapping[str, str], repository: str) -> str:
    """Return the address of the workflow's run; empty outside of one."""
    server, run = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_RUN_ID", "").strip()
    return f"{server.rstrip('/')}/{repository}/actions/runs/{run}" if server and run else ""


def registry_opener(git: "Git") -> "Callable[[Settings], Registry]":
    """Return what opens the registry that settings name."""
    from mergeline.adapters.registry import Registry, registry_uri

    def opened(settings: "Settings") -> "Registry":
        uri = registry_uri(settings.registry.uri, os.environ)
        return Registry(uri, git.root, settings.project)

    return opened


def say(line: str) -> None:
    """Tell what is going on."""
    from mergeline.config.problem import printable

    typer.echo(printable(line), err=True)


def summarize(markdown: str) -> None:
    """Append to the summary of the job, where there is one."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown)


def end(ended: "Answer", *, as_json: bool) -> NoReturn:
    """Print how it ended, here and in the summary of the job, and end with its exit code."""
    from mergeline.config.problem import printable, unobeyed
    from mergeline.report.markdown import text

    then = f"\n\nNext: {text(ended.next_step, 2000)}" if ended.next_step else ""
    summarize(f"**{ended.name}** {text(ended.reason, 2000)}{then}\n")
    if as_json:
        typer.echo(unobeyed(ended.model_dump_json(indent=1)))
    else:
        typer.echo(printable(f"{ended.name}: {ended.reason}"))
        if ended.next_step:
            typer.echo(printable(f"next: {ended.next_step}"))
    raise typer.Exit(ended.name.exit_code)
