"""Where a line stands, by its Git remote alone: ledger, the follower's report, main."""

from dataclasses import dataclass

from mergeline.adapters.git_remote import Remote
from mergeline.config.load import parse_settings
from mergeline.config.services import Deploy
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.policy import Promotion
from mergeline.errors import ConfigError, ReportInvalid, ToolError
from mergeline.ledger.entries import utc_now
from mergeline.ledger.history import History
from mergeline.ledger.report import read_report
from mergeline.ledger.status import Ahead, Heard, Status, status_of
from mergeline.ledger.waiting import Line

_SHOWN = 50  # commits that wait


def look(remote: Remote, history: History, environment: str | None = None) -> Status:
    """Put together what is desired, what is live and what waits.

    Args:
        remote: With main and the follower's report.
        history: Its ledger.
        environment: The one that main's settings name unless given.

    Raises:
        ToolError: The remote cannot be read.
    """
    main = _look_at_main(remote)
    name = environment or _environment(main.settings, history)
    heard, ahead = _heard(remote, name), _ahead(remote, history, name, main)
    return status_of(history, name, heard, ahead, utc_now())


@dataclass(frozen=True)
class _Main:
    """Main's tip and its settings; `problem` says why one of them is not known."""

    tip: str = ""
    settings: Settings | None = None
    problem: str = ""


def _look_at_main(remote: Remote) -> _Main:
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


def _environment(settings: Settings | None, history: History) -> str:
    """Return the environment that is meant when nobody names one."""
    known = history.environments()
    if settings is None and len(known) == 1:
        return known[0]
    return settings.deploy.environment if settings else Deploy().environment


def _heard(remote: Remote, environment: str) -> Heard:
    try:
        return Heard(read_report(remote, environment))
    except ReportInvalid as error:
        return Heard(problem=error.message)


def _ahead(remote: Remote, history: History, environment: str, main: _Main) -> Ahead:
    """Return what main holds beyond the position."""
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
