"""`mergeline check`: from a project to a verdict and the comment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mergeline.cli.jobs import end, summarize
from mergeline.config.problem import printable, printable_lines, unobeyed
from mergeline.core import layout
from mergeline.errors import UsageError

if TYPE_CHECKING:
    from mergeline.core.plan import Plan
    from mergeline.ledger.entries import Reviewed


_BEGINNING = 10_000  # characters of a page; its digest is among them


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("check")(check)


def check(
    base: Annotated[
        str | None,
        typer.Option(help="Compare with this Git revision.", show_default="the tip of main"),
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Bring this stage up to date, and judge nothing.")
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh", help="Run every stage, whatever caches hold: a build that is to prove it."
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the verdict as JSON instead of a table.")
    ] = False,
) -> None:
    """Run what is stale, compare, judge, write the comment, the page and the model card.

    In the job of a merge queue (GITHUB_EVENT_NAME is merge_group) the base is what the pull
    request is brought onto; nothing runs where its review was made from the same inputs.

    With --fresh no stage of the head is restored, and no review is served: data comes from
    the remote, outputs do not. The base may be restored.

    MERGELINE_DVC_CONFIG, where it is set, is the text of a .dvc/config.local with sections
    of remotes alone: a credential for the data. Stages do not get the variable.

    Exit codes: 0 passed, warned or waived; 10 a gate FAILED; 11 ERRORED; 2 usage; 3
    settings, data or model; 4 a tool, the network or the disk, or DATA_UNAVAILABLE.
    """
    from mergeline.adapters.dvc_credentials import data_credential
    from mergeline.adapters.git import find_root
    from mergeline.check.unavailable import origin_of, unavailable
    from mergeline.cli.annotate import commands
    from mergeline.errors import DataUnavailable, MergelineError

    root = find_root(Path.cwd())
    try:
        with data_credential(root):
            # A workflow hands on an input that nobody gave as an empty text.
            _check(root, (base or "").strip() or None, only, fresh=fresh, json=json)
    except DataUnavailable as error:
        end(unavailable(error, origin_of(os.environ)), as_json=json)
    except MergelineError as error:
        for command in commands(error, root, os.environ):
            typer.echo(command, err=True)
        raise


def _check(root: Path, base: str | None, only: str | None, *, fresh: bool, json: bool) -> None:
    from mergeline.adapters.git import Git
    from mergeline.check.queue import group_of, serving_review
    from mergeline.check.run import Request, run_check, today, write_plan
    from mergeline.report.comment import render_comment
    from mergeline.report.log import entry_said

    if only is not None:
        refused = {"--base": base is not None, "--fresh": fresh, "--json": json}
        _check_only(root, only, refused=refused)
        return
    if base is None:
        git = Git(root)
        group = group_of(git, os.environ)
        review = serving_review(git, group) if group and not fresh else None
        if review is not None:
            _say_served(review, as_json=json)
            return
        base = group.parent if group else None
    asked = Request(root=root, base=base, today=today(), fresh=fresh, said=entry_said)
    plan = run_check(asked, _say)
    comment = render_comment(plan)
    write_plan(root, plan, {layout.COMMENT: comment, **_for_people(root, plan)})
    summarize(comment)
    # Shown first: a tracking server that is down must not hide the verdict.
    _show(plan, as_json=json)
    _track(root, plan)
    raise typer.Exit(plan.judgement.outcome.exit_code)


def _for_people(root: Path, plan: "Plan") -> dict[str, str]:
    """Return page and model card by path; nothing where those that are there are of this plan."""
    from mergeline.report.page import is_page_of, plan_digest, render_page

    try:
        with (root / layout.PAGE).open(encoding="utf-8") as file:
            beginning = file.read(_BEGINNING)
    except (OSError, ValueError):
        beginning = ""
    if is_page_of(beginning, plan_digest(plan)) and (root / layout.CARD).is_file():
        return {}
    from mergeline.report.card import render_card

    return {layout.PAGE: render_page(plan), layout.CARD: render_card(plan)}


def _check_only(root: Path, stage: str, *, refused: Mapping[str, bool]) -> None:
    from mergeline.check.run import run_only

    for option, given in refused.items():
        if given:
            raise UsageError(
                f"--only judges nothing, so {option} has no meaning beside it",
                hint=f"leave out one of --only and {option}",
            )
    for done in run_only(root, stage, _say):
        typer.echo(printable(f"{done.name:<12} {done.action:<10} {done.seconds:6.1f} s"))


def _say_served(review: "Reviewed", *, as_json: bool) -> None:
    line = (
        f"Nothing is built: the review of #{review.pull_request} at {review.commit[:12]} "
        f"({review.outcome.name}, entry {review.number} of the ledger) was made from the same "
        f"inputs, {review.inputs[:12]}."
    )
    summarize(f"{line}\n")
    typer.echo(line, err=as_json)


def _say(text: str) -> None:
    typer.echo(printable_lines(text), err=True)


def _track(root: Path, plan: "Plan") -> None:
    from mergeline.check.tracking import track
    from mergeline.cli.tracked import rendered

    track(root, plan, _say, lambda: rendered(root, plan))


def _show(plan: "Plan", *, as_json: bool) -> None:
    if as_json:
        from mergeline.check.run import verdict_json

        typer.echo(unobeyed(verdict_json(plan)), nl=False)
        return
    from rich.console import Console

    from mergeline.report.terminal import print_plan

    console = Console()
    with console.capture() as shown:
        print_plan(plan, console)
    # Where a line is broken, any word may come to stand at its start.
    typer.echo(unobeyed(shown.get()), nl=False)
