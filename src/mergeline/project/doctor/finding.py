"""What the doctor says: findings, in groups."""

from collections.abc import Sequence
from typing import Literal

from mergeline.core.base import Frozen

# ok: as it should be. warn: works, with a consequence that is said. missing: something that
# is needed is not there, or not right. unknown: it could not be seen; never taken for ok.
State = Literal["ok", "warn", "missing", "unknown"]


class Finding(Frozen):
    """One thing that was looked at.

    Attributes:
        name: What it is.
        state: See `State`.
        detail: What was found, in one line.
        next_step: The command, or the page and the setting; empty when it is fine.
        block: Lines to copy whole, where a command has several.
    """

    name: str
    state: State
    detail: str
    next_step: str = ""
    block: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is as it should be."""
        return self.state == "ok"


class Group(Frozen):
    """Findings that belong together."""

    title: str
    findings: tuple[Finding, ...]


def ok(name: str, detail: str) -> Finding:
    """Return a finding of something that is as it should be."""
    return Finding(name=name, state="ok", detail=detail)


def warn(name: str, detail: str, next_step: str, block: str = "") -> Finding:
    """Return a finding of something that works, with a consequence."""
    return Finding(name=name, state="warn", detail=detail, next_step=next_step, block=block)


def missing(name: str, detail: str, next_step: str, block: str = "") -> Finding:
    """Return a finding of something that is needed and not there, or not right."""
    return Finding(name=name, state="missing", detail=detail, next_step=next_step, block=block)


def unknown(name: str, detail: str, next_step: str = "") -> Finding:
    """Return a finding of something that could not be seen."""
    return Finding(name=name, state="unknown", detail=detail, next_step=next_step)


def exit_code(groups: Sequence[Group]) -> int:
    """Return 4 when something that is needed is missing, else 0."""
    states = {finding.state for group in groups for finding in group.findings}
    return 4 if "missing" in states else 0
