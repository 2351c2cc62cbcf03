"""How a plan is shown by the verbs that only show: in which form, where to, with which code."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mergeline.core.plan import Plan

_WIDTH = 100


class Format(StrEnum):
    """The forms of a report."""

    TERMINAL = "terminal"
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"
    CARD = "card"


FORMAT = Annotated[
    Format,
    typer.Option(
        "--format",
        help="For a terminal; the comment (md); the page (html); the whole plan (json); the "
        "model card (card).",
    ),
]
OUTPUT = Annotated[
    Path | None,
    typer.Option(help="Write it to this file, whole or not at all.", show_default="print it"),
]


def show(plan: "Plan", how: Format, output: Path | None, *, files: bool) -> None:
    """Print a plan or write it to a file, and end with the exit code of its verdict.

    Args:
        plan: What was found out.
        how: In which form.
        output: The file; None to print.
        files: Whether it is that of the files in reports/.

    Raises:
        UsageError: The file's folder is not there, or its name is that of something else.
        OSError: It cannot be written; it is as it was.
    """
    from mergeline.cli.jobs import say
    from mergeline.config.problem import unobeyed
    from mergeline.errors import UsageError
    from mergeline.files import write_whole

    if output is None:
        # Where a line is broken, any word may come to stand at its start.
        typer.echo(unobeyed(_rendered(plan, how, to_file=False, files=files)), nl=False)
    elif not output.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {output.parent}", hint="make it, or name another")
    elif output.exists() and not output.is_file():  # a device would be replaced by a file
        raise UsageError(
            f"--output {output} is there and is no file", hint="name a file, or leave it out"
        )
    else:
        write_whole(output, _rendered(plan, how, to_file=True, files=files).encode())
        say(f"written to {output}")
    raise typer.Exit(plan.judgement.outcome.exit_code)


def _rendered(plan: "Plan", how: Format, *, to_file: bool, files: bool) -> str:
    match how:
        case Format.TERMINAL:
            return _terminal(plan, to_file=to_file, files=files)
        case Format.MARKDOWN:
            from mergeline.report.comment import render_comment

            return render_comment(plan)
        case Format.HTML:
            from mergeline.report.page import render_page

            return render_page(plan)
        case Format.JSON:
            return plan.model_dump_json(indent=1) + "\n"
        case Format.CARD:
            from mergeline.report.card import render_card

            return render_card(plan)


def _terminal(plan: "Plan", *, to_file: bool, files: bool) -> str:
    from io import StringIO

    from rich.console import Console

    from mergeline.report.terminal import print_plan

    console = Console(file=StringIO(), width=_WIDTH) if to_file else Console()
    with console.capture() as shown:
        print_plan(plan, console, files=files)
    return shown.get()
