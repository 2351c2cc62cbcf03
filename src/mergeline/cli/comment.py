"""`mergeline comment`: the trusted job behind a pull request."""

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mergeline.errors import UsageError

if TYPE_CHECKING:
    from mergeline.core.plan import Plan
    from mergeline.review.run import Reviewing, Words

# Of a run: nothing in it that Markdown would act on.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._/-]+/actions/runs/[0-9]+")
# Characters of a status that GitHub takes.
_STATUS = 140


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("comment")(comment)


def comment(
    run: Annotated[
        int | None,
        typer.Option(
            min=1, help="Id of the GitHub run.", show_default="the one of the workflow_run event"
        ),
    ] = None,
    remote: Annotated[
        str, typer.Option(help="The Git remote with main, the pull requests and the ledger.")
    ] = "origin",
    main: Annotated[
        str | None,
        typer.Option(
            help="The branch whose policy counts.", show_default="the remote's default branch"
        ),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the whole report to this file, too.")
    ] = None,
) -> None:
    """Judge what a run handed over and comment its pull request.

    Takes the artifacts of the run, computes digests and verdict anew with the policy at the
    tip of main, makes or edits one comment, appends `reviewed` to the ledger, and sets the
    commit's status `mergeline`. Believes and runs nothing of the pull request. Run again
    for the same run it comes to the same. CML writes the comment where `cml` is on PATH and
    main's `report.transport` is not `api`; whatever it cannot do goes by GitHub's API.

    With --page the page is made last: one that cannot be made costs a warning, not the
    comment. The comment links to the workflow's run, which is to upload the file.

    Needs GITHUB_TOKEN and GITHUB_REPOSITORY (for an enterprise server GITHUB_API_URL, and
    GITHUB_SERVER_URL for CML), and of a workflow's permissions `actions: read`,
    `pull-requests: write`, `statuses: write`, `contents: write`, and `checks: write` for
    remarks at the lines of files.

    Exit codes: 0 commented, whatever the verdict (the status says it); 12 refused
    (STALE_RUN, AMBIGUOUS, NO_EVIDENCE, EVIDENCE_INVALID, MOVED); 2 usage; 4 GitHub, Git or
    the ledger, or UNDECIDED: run it again.
    """
    from mergeline.adapters.cml import connect_cml
    from mergeline.adapters.git import Git, find_root
    from mergeline.adapters.git_remote import Remote
    from mergeline.adapters.github import connect
    from mergeline.cli.jobs import end, say, worker
    from mergeline.core.answers import Answer
    from mergeline.ledger.store import Ledger
    from mergeline.review.run import Job, review

    run_id = run or run_of_event(os.environ)
    github = connect(os.environ)
    git = Git(find_root(Path.cwd()))
    where = Remote(git, remote)
    done = review(
        Job(
            github=github,
            remote=where,
            ledger=Ledger(git, remote),
            words=words(),
            main=main or where.default_branch(),
            today=datetime.now(UTC).date(),
            by=worker(os.environ, github.repository),
            cml=connect_cml(os.environ, github.client.place, say),
            page=page_address(os.environ, github.repository) if page else "",
        ),
        run_id,
    )
    if isinstance(done, Answer):
        end(done, as_json=False)
    _say_done(done)
    if page is not None:
        _write_page(page, done.plan)


def page_address(environ: Mapping[str, str], repository: str) -> str:
    """Return where the page will be uploaded: the workflow's run; empty outside of one."""
    from mergeline.cli.jobs import run_url

    address = run_url(environ, repository)
    return address if _ADDRESS.fullmatch(address) else ""


def _write_page(file: Path, plan: "Plan") -> None:
    from mergeline.cli.jobs import say
    from mergeline.files import write_whole
    from mergeline.report.page import render_page

    try:
        write_whole(file, render_page(plan).encode())
    # The comment, the ledger and the status are done, and what a pull request wrote may be in
    # the error's text.
    except Exception as error:  # noqa: BLE001
        say(f"warning: there is no page: {type(error).__name__}")


def run_of_event(environ: Mapping[str, str]) -> int:
    """Return the id of the run whose end started this workflow.

    Raises:
        UsageError: This is no workflow that the end of a run started.
    """
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        event = json.loads(Path(path).read_bytes()) if path else {}
        run = event["workflow_run"]["id"]
    except (OSError, ValueError, LookupError, TypeError):
        run = None
    if not isinstance(run, int) or run < 1:
        found = f"{path} holds no `workflow_run` event" if path else "is not set"
        raise UsageError(
            f"no run is named: GITHUB_EVENT_PATH {found}",
            hint="name it: `mergeline comment --run ID`; in a workflow: `on: workflow_run`",
        )
    return run


def words() -> "Words":
    """Return how a plan is put into words."""
    from mergeline.report.check_run import render_check_run
    from mergeline.report.comment import render_comment
    from mergeline.report.log import entry_said
    from mergeline.report.markdown import inert, marker
    from mergeline.report.words import headline
    from mergeline.review.run import Words

    return Words(
        comment=render_comment,
        sentence=lambda plan: inert(headline(plan).within(_STATUS), _STATUS),
        marker=marker,
        check_run=render_check_run,
        line=lambda value: inert(value, _STATUS),
        entry=entry_said,
    )


def _say_done(done: "Reviewing") -> None:
    from mergeline.cli.jobs import say

    judgement, commit = done.plan.judgement, done.plan.candidate.commit
    seen = done.plan.forecast
    answer = seen.answer if seen else judgement.answer
    for warning in done.warnings:
        say(f"warning: {warning}")
    where = done.comment.url if done.comment else "no comment, as of every group of a merge queue"
    typer.echo(
        f"#{done.pull.number} at {commit[:12]}: {judgement.outcome.name}, if merged now "
        f"{answer}; entry {done.entry.number} of the ledger; {where}"
    )
