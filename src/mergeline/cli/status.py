"""`mergeline status`: what is desired, what is live, what waits and why."""

import json as json_text
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mergeline.cli.released import ENVIRONMENT, REMOTE

if TYPE_CHECKING:
    from mergeline.adapters.git_remote import Remote
    from mergeline.config.settings import Settings
    from mergeline.ledger.history import History
    from mergeline.ledger.status import Ahead, Heard

_SHOWN = 50  # commits that wait


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("status")(status)


def status(
    environment: ENVIRONMENT = None,
    remote: REMOTE = "origin",
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say whether what is live is what is desired, and what waits.

    Works in any clone, bare or shallow; asks the Git remote, not the server. Exit codes: 0
    whatever is found; 4 when the remote cannot be read or its ledger not be believed.
    """
    from mergeline.adapters.git import find_repository
    from mergeline.adapters.git_remote import Remote
    from mergeline.config.problem import unobeyed
    from mergeline.ledger.entries import utc_now
    from mergeline.ledger.status import status_of
    from mergeline.ledger.store import Ledger
    from mergeline.report.standing import render_status

    there = Remote(find_repository(Path.cwd()), remote)
    history = Ledger(there.git, remote).read()
    main = _look_at_main(there)
    name = environment or _environment(main.settings, history)
    time = utc_now()
    found = status_of(history, name, _heard(there, name), _ahead(there, history, name, main), time)
    shown = json_text.dumps(found.as_json(), indent=2) if json else render_status(found)
    typer.echo(unobeyed(shown))


@dataclass(frozen=True)
class _Main:
    """Main's tip and its settings; `problem` says why one of them is not known."""

    tip: str = ""
    settings: "Settings | None" = None
    problem: str = ""


def _look_at_main(remote: "Remote") -> _Main:
    from mergeline.config.load import parse_settings
    from mergeline.core import layout
    from mergeline.errors import ConfigError, ToolError

    try:
        tip = remote.fetched(remote.default_branch())
    except ToolError as error:
        return _Main(problem=error.message)
    if tip is None:
        return _Main(problem=f"{remote} has no main branch")
    data = remote.git.read(tip, layout.SETTINGS)
    if data is None:
        return _Main(tip)
    try:
        text = data.decode("utf-8-sig", errors="replace")
        return _Main(tip, parse_settings(text, origin=f"{layout.SETTINGS} at {tip[:12]}"))
    except ConfigError as error:
        return _Main(tip, problem=error.message)


def _environment(settings: "Settings | None", history: "History") -> str:
    """Return the environment that is meant when nobody names one."""
    from mergeline.config.services import Deploy

    known = history.environments()
    if settings is None and len(known) == 1:
        return known[0]
    return settings.deploy.environment if settings else Deploy().environment


def _heard(remote: "Remote", environment: str) -> "Heard":
    from mergeline.errors import ReportInvalid
    from mergeline.ledger.report import read_report
    from mergeline.ledger.status import Heard

    try:
        return Heard(read_report(remote, environment))
    except ReportInvalid as error:
        return Heard(problem=error.message)


def _ahead(remote: "Remote", history: "History", environment: str, main: _Main) -> "Ahead":
    """Return what main holds beyond the position."""
    from mergeline.core.policy import Promotion
    from mergeline.errors import ToolError
    from mergeline.ledger.status import Ahead
    from mergeline.ledger.waiting import Line

    if not main.tip:
        return Ahead(problem=main.problem)
    promotion = main.settings.promotion if main.settings else Promotion()
    start = history.position(environment) or promotion.since
    line = Line(remote.git, history, environment, main.tip)
    try:
        # Without a position nothing was promised of what came before the last merge.
        commits = remote.git.first_parents(start, main.tip) if start else (main.tip,)
        waiting = line.waiting(commits[-_SHOWN:])
    except ToolError as error:
        return Ahead(problem=f"{error.message}; {error.hint}")
    return Ahead(waiting=waiting, more=len(commits) - len(waiting), problem=main.problem)
