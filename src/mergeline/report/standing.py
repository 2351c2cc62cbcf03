"""The status of a line as text: for somebody on call, the first line is the answer."""

from mergeline.ledger.entries import Declared, Promoted, Release, moment
from mergeline.ledger.status import Status
from mergeline.report.markdown import NAME, plain

_WORD = {"agrees": "OK", "differs": "DIFFERS", "unknown": "UNKNOWN", "nothing": "NOTHING"}
_WIDTH, _LONGEST = 10, 600
_UNITS = ((86400, "days"), (3600, "h"), (60, "min"))


def render_status(status: Status) -> str:
    """Return a status as lines of text; what others wrote is shown, never acted on."""
    where = plain(status.environment, NAME)
    lines = [f"{_WORD[status.state]:<8} {where}: {plain(status.answer, _LONGEST)}", ""]
    for name, told in (
        ("desired", _desired(status)),
        ("follower", _follower(status)),
        ("ledger", _ledger(status)),
        ("position", [status.position or "none yet"]),
        ("waits", _waits(status)),
        ("rollback", [_rollback(status.rollback_to)]),
        ("barred", [f"{model[:12]}  {why}" for model, why in status.barred.items()]),
        ("note", list(status.notes)),
    ):
        for number, line in enumerate(told):
            indent = " " * (len(line) - len(line.lstrip()))
            label = "" if number else name
            lines.append(f"{label:<{_WIDTH}}{indent}{plain(line, _LONGEST)}".rstrip())
    return "\n".join(lines)


def ago(then: str, now: str) -> str:
    """Return how long ago a time of the ledger was, in the largest fitting unit."""
    seconds = (moment(now) - moment(then)).total_seconds()
    if seconds < 0:
        return "by a clock that is ahead of ours"
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _desired(status: Status) -> list[str]:
    entry = status.desired
    if entry is None:
        return ["nothing"]
    return [
        _release(entry.release),
        f"declared {entry.time} ({ago(entry.time, status.time)}) by {entry.by}, "
        f"entry {entry.number}{_approved(entry)}",
    ]


def _approved(entry: Declared) -> str:
    if not isinstance(entry, Promoted):
        return ", a rollback"
    return f", approved by {', '.join(entry.approvers) or 'nobody'}"


def _release(release: Release) -> str:
    request = f", pull request #{release.pull_request}" if release.pull_request else ""
    return (
        f"version {release.version} of {release.project}, model {release.model[:12]}, "
        f"key {release.key[:12]}, commit {release.commit[:12]}{request}"
    )


def _follower(status: Status) -> list[str]:
    report = status.report
    if report is None:
        return ["no report"]
    said = f"reported {report.time} ({ago(report.time, status.time)}): entry {report.entry}, "
    lines = [f"{said}version {report.version}, {report.state} since {report.since}"]
    if status.serving is None:
        return [*lines, "answers with nothing that the ledger knows"]
    serving = status.serving
    return [*lines, f"answers with {_release(serving.release)} (entry {serving.number})"]


def _ledger(status: Status) -> list[str]:
    live = status.live
    if live is None:
        return ["nothing was ever live"]
    said = f"version {live.version} (entry {live.of}) live since {live.since}"
    return [f"{said}, written {live.time} as entry {live.number}"]


def _waits(status: Status) -> list[str]:
    ahead = status.ahead
    lines = [f"not wholly known: {ahead.problem}"] if ahead.problem else []
    if not ahead.waiting:
        return lines or ["nothing: main is where the line is"]
    count = len(ahead.waiting) + ahead.more
    some = f", the last {len(ahead.waiting)} of them" if ahead.more else ""
    lines.append(f"{count} commit{'s' if count > 1 else ''} of main, the oldest first{some}")
    for each in ahead.waiting:
        request = f"#{each.pull_request}: " if each.pull_request else ""
        lines += [f"{each.commit[:12]} {plain(each.subject, NAME)}", f"  {request}{each.why}"]
    return lines


def _rollback(target: Release | None) -> str:
    return f"would return to {_release(target)}" if target else "has nothing to return to"
