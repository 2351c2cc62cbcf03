"""The follower's report: one file on a branch of its own, replaced every time."""

import re
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, ValidationError

from mergeline.adapters.git_remote import Remote
from mergeline.config.problem import printable
from mergeline.core.base import Frozen
from mergeline.core.digest import canonical_json
from mergeline.errors import ReportInvalid, ToolError
from mergeline.ledger.entries import Number, Sha256, Time

FILE = "follower.json"
_ATTEMPTS = 5
_NOT_IN_REFS = re.compile(r"^\.|\.(?=\.)|\.(?=lock$)|\.$")
_MOST = 64 * 1024  # bytes of a report


class FollowerReport(Frozen):
    """What a model server says of the last declared release that it looked at.

    Attributes:
        entry: The number of the `promoted` or `rolled_back` entry.
        version: Of that entry's release; `model` is its M.
        state: Whether that release answers requests, or the old one was kept.
        reason: Why it was rejected, else empty.
        since: When this state began.
        time: When this was written.
        serving: The number of the entry whose release answers; None when none does.
    """

    schema_version: Literal[1] = 1
    project: str
    environment: str
    entry: Number
    version: str
    model: Sha256
    state: Literal["live", "rejected"]
    reason: Annotated[str, Field(max_length=2000)] = ""
    since: Time
    time: Time
    serving: Number | None


def branch_of(environment: str) -> str:
    """Return the branch on which the follower of an environment reports."""
    # An environment's name is free text at GitHub; a plain one is left as it is.
    name = quote(environment, safe="").replace("~", "%7E")
    return f"mergeline/follower/{_NOT_IN_REFS.sub('%2E', name)}"


def read_report(remote: Remote, environment: str) -> FollowerReport | None:
    """Return the follower's last report; None when there never was one.

    Raises:
        ReportInvalid: What lies there is no report.
        ToolError: The remote cannot be read.
    """
    branch = branch_of(environment)
    tip = remote.fetched(branch)
    if tip is None:
        return None
    return _parsed(remote.git.read(tip, FILE), branch, environment)


def _parsed(data: bytes | None, branch: str, environment: str) -> FollowerReport:
    hint = "look at the follower's log; its next report replaces this one"
    if data is None or len(data) > _MOST:
        problem = "no such file" if data is None else f"{len(data)} bytes"
        raise ReportInvalid(f"{FILE} on the branch {branch}: {problem}", hint=hint)
    try:
        report = FollowerReport.model_validate_json(data)
    except ValidationError as error:
        problem = printable(str(error.errors(include_url=False)[0]["msg"]))
        message = f"{FILE} on the branch {branch} is no report: {problem}"
        raise ReportInvalid(message, hint=hint) from error
    if report.environment != environment:
        message = f"{FILE} on the branch {branch} speaks of {report.environment!r}"
        raise ReportInvalid(message, hint=hint)
    return report


def write_report(remote: Remote, report: FollowerReport) -> None:
    """Replace the follower's report.

    Raises:
        ToolError: The remote cannot be reached or refuses.
    """
    branch = branch_of(report.environment)
    data = canonical_json(report.as_json()) + b"\n"
    message = f"{report.state}: version {report.version}, entry {report.entry}\n"
    commit = remote.commit_files({FILE: data}, None, message)
    for _ in range(_ATTEMPTS):
        if remote.push(branch, commit, remote.tip(branch)):
            return
    raise ToolError(
        f"the branch {branch} of {remote} was changed by somebody else at each attempt",
        hint="see that one follower only reports for this environment",
    )
