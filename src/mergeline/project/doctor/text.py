"""Findings as text for people, and as JSON for machines."""

import json
from collections import Counter
from collections.abc import Callable, Sequence

from mergeline.config.problem import printable
from mergeline.project.doctor.finding import Finding, Group, State, exit_code

Paint = Callable[[str, State | None], str]

_LABELS: dict[State, str] = {
    "ok": "ok",
    "warn": "warn",
    "missing": "MISSING",
    "unknown": "unknown",
}
_WIDTH = max(map(len, _LABELS.values()))
_COUNTED: tuple[tuple[State, str, str], ...] = (
    ("missing", "missing", "missing"),
    ("warn", "warning", "warnings"),
    ("unknown", "not known", "not known"),
)


def plain(text: str, _state: State | None) -> str:
    """Return text without colours."""
    return text


def render(groups: Sequence[Group], paint: Paint = plain) -> str:
    """Return the findings as aligned lines.

    Args:
        groups: What was found.
        paint: Colours a label by its state, a title by None.
    """
    names = [finding.name for group in groups for finding in group.findings]
    width = max(map(len, names), default=0)
    parts = []
    for group in groups:
        lines = [paint(group.title, None)]
        for finding in group.findings:
            lines += _lines(finding, width, paint)
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, _total(groups)])


def as_json(groups: Sequence[Group]) -> str:
    """Return the findings as JSON: a flat list, each with its group."""
    findings = [
        {"group": group.title, **finding.model_dump()}
        for group in groups
        for finding in group.findings
    ]
    return json.dumps({"exit_code": exit_code(groups), "findings": findings}, indent=2)


def _lines(finding: Finding, width: int, paint: Paint) -> list[str]:
    label = paint(_LABELS[finding.state].ljust(_WIDTH), finding.state)
    lines = [f"  {label}  {finding.name.ljust(width)}  {printable(finding.detail)}".rstrip()]
    indent = " " * (width + _WIDTH + 6)
    if finding.next_step:
        lines.append(f"{indent}next: {printable(finding.next_step)}")
    # A block is copied: it starts at the margin, where a here-document ends as well.
    lines += [printable(line) for line in finding.block.splitlines()]
    return lines


def _total(groups: Sequence[Group]) -> str:
    counts = Counter(finding.state for group in groups for finding in group.findings)
    said = [
        f"{counts[state]} {one if counts[state] == 1 else many}"
        for state, one, many in _COUNTED
        if counts[state]
    ]
    return ", ".join(said) if said else "all is as it should be"
