"""What the follower says of a declaration, brought into the ledger: by whoever comes first."""

from collections.abc import Callable

from mergeline.config.problem import printable
from mergeline.errors import LedgerInvalid, RemoteRefused, ToolError
from mergeline.ledger.entries import Declared, Entry, Live, Rejected, utc_now
from mergeline.ledger.history import History
from mergeline.ledger.report import FollowerReport, read_report
from mergeline.promote.line import Line

Say = Callable[[str], None]


def settle(line: Line, say: Say) -> tuple[History, Declared | None]:
    """Write what the follower said since into the ledger, where a declaration was left open.

    A report that cannot be read now settles nothing, and hinders nothing.

    Returns:
        The ledger, and the declaration that was settled; None for none.

    Raises:
        ToolError: The ledger cannot be read, believed or appended to.
    """
    history = line.ledger.read()
    left_open = history.desired(line.environment)
    if left_open is None or history.outcome(left_open) is not None:
        return history, None
    try:
        outcome = hear(line, left_open)
    except (LedgerInvalid, RemoteRefused):
        raise
    except ToolError as error:
        say(f"entry {left_open.number} stays open: {error.message}")
        return history, None
    if outcome is None:
        return history, None
    say(f"entry {left_open.number}, version {outcome.version}, is settled: {outcome.kind}")
    return line.ledger.read(), left_open


def hear(line: Line, declared: Declared) -> Live | Rejected | None:
    """Return what became of a declaration; the follower's report on it is appended.

    Raises:
        ToolError: Report or ledger cannot be read, or the ledger cannot be appended to.
    """
    report = read_report(line.remote, line.environment)
    if report is None or not _speaks_of(report, declared):
        return None

    def make(history: History) -> Entry | None:
        return None if history.outcome(declared) else _outcome(line, declared, report)

    return line.ledger.append(make).outcome(declared)


def _speaks_of(report: FollowerReport, declared: Declared) -> bool:
    release = declared.release
    ours = (declared.number, release.project, release.version, release.model)
    return ours == (report.entry, report.project, report.version, report.model)


def _outcome(line: Line, declared: Declared, report: FollowerReport) -> Live | Rejected:
    release = declared.release
    if report.state == "live":
        return Live(
            time=utc_now(),
            project=release.project,
            by=line.by,
            environment=line.environment,
            of=declared.number,
            version=release.version,
            model=release.model,
            position=declared.position,
            since=report.since,
        )
    return Rejected(
        time=utc_now(),
        project=release.project,
        by=line.by,
        environment=line.environment,
        of=declared.number,
        version=release.version,
        model=release.model,
        reason=printable(report.reason) or "The follower gave no reason.",
    )
