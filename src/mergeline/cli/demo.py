"""`mergeline demo`: four pull requests, and the comments that they get."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo's project is made.")] = Path(
        ".mergeline/demo"
    ),
    example: Annotated[
        Path | None, typer.Option(help="Keep the first pull request's report in this folder.")
    ] = None,
) -> None:
    """Show four pull requests and their comments, in a fresh project."""
    from mergeline.project.demo import PULL_REQUESTS, Demo

    started = time.monotonic()
    made = Demo(Path.cwd(), folder.resolve())
    _say("main: a first model, logistic regression")
    made.start()
    made.first_check()
    for number, request in enumerate(PULL_REQUESTS, start=1):
        _say(f"pull request {number}: {request.title}")
        comment = made.open(request)
        typer.echo(_above_the_fold(comment))
        typer.echo(f"\n(exit code {request.exit_code}; a merge would get {request.answer})")
        if example is not None and number == 1:
            made.keep_report(example)
    _say(f"done in {time.monotonic() - started:.0f} s")
    typer.echo(
        f"The whole comments: {made.comments}\n"
        f"The project:        {made.project}\n\n"
        "Try next, in that folder, after "
        f"`export PATH={Path(sys.prefix) / 'bin'}:$PATH`:\n"
        "  git switch better-model && mergeline check --base main   nothing changed: it is quick\n"
        "  edit params.yaml, commit, mergeline check --base main    your own pull request\n"
        "  dvc metrics diff main better-model; dvc plots show       what DVC says of it"
    )


def _above_the_fold(comment: str) -> str:
    return comment.split("<details>", 1)[0].strip()


def _say(title: str) -> None:
    typer.echo(f"\n=== {title} ===\n")
