"""In a build on GitHub, an error that names a line of a file is shown at that line.

A build that stops hands over nothing, so that the trusted job has nothing to remark on: what
is wrong with settings or contract the build's own log says, by GitHub's workflow commands.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mergeline.errors import MergelineError

_PLACED = re.compile(r"(?:stage \w+: )?(?P<path>\S+\.ya?ml):(?P<line>\d+)(?::\d+)?: (?P<text>.+)")
_CONTRACT = re.compile(r"breaks its contract (?P<path>.+):$")
_MOST = 10  # of a step; GitHub shows no more


def commands(error: MergelineError, root: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the workflow commands that show an error at its lines; none outside of GitHub.

    Args:
        error: What stopped the build.
        root: The project's root.
        environ: Of the process.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    for path, line, text in list(_places(error.message, root))[:_MOST]:
        where = f"file={_escaped(path, ':,')},line={line}"
        yield f"::error {where}::{_escaped(text)}"


def _places(message: str, root: Path) -> Iterator[tuple[str, int, str]]:
    first, *more = message.splitlines() or [""]
    broken = _CONTRACT.search(first)
    if broken is not None:
        yield from _breaches(broken["path"], more, root)
        return
    for line in (first, *more):
        placed = _PLACED.fullmatch(line.strip())
        if placed is not None:
            yield placed["path"], int(placed["line"]), placed["text"]


def _breaches(path: str, breaches: list[str], root: Path) -> Iterator[tuple[str, int, str]]:
    """Yield each breach at the line of the column that it is of."""
    from mergeline.config.document import read_document
    from mergeline.errors import ConfigError

    try:
        document = read_document((root / path).read_text(encoding="utf-8-sig"), origin=path)
    except (OSError, ValueError, ConfigError):
        return
    columns = document.data.get("columns")
    names = [str(name) for name in columns] if isinstance(columns, dict) else []
    for breach in breaches:
        said = breach.strip()
        ours = [name for name in names if said.startswith(f"{name}: ")]
        steps = ("columns", max(ours, key=len)) if ours else ("columns",)
        yield path, document.line(steps) or 1, said


def _escaped(text: str, more: str = "") -> str:
    """Return text as a workflow command holds it."""
    return "".join(f"%{ord(sign):02X}" if sign in f"%\r\n{more}" else sign for sign in text)
