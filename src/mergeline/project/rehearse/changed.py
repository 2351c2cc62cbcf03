"""What a pull request changes: its settings, old to new, and the whole difference."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mergeline.config.document import plain, read_document
from mergeline.core import layout
from mergeline.errors import ConfigError
from mergeline.rehearsal.repository import Repository
from mergeline.rehearsal.state import Pull

_MOST = 60_000  # characters of one file's difference
_LONGEST = 200  # characters of one value
_DEEPEST = 8
_OPTIONS = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--unified=3")


@dataclass(frozen=True)
class Setting:
    """One setting; None where it is not there."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class File:
    """One file's difference; its lines with how each is shown."""

    path: str
    lines: tuple[tuple[str, str], ...]
    added: int
    removed: int
    cut: bool


def base_of(git: Repository, pull: Pull) -> str:
    """Return the commit that a pull request's changes are seen against."""
    if pull.commits:  # merged: what it brought, frozen
        first = git.commit(pull.commits[0])
        return first.parents[0] if first.parents else pull.base_sha
    return git.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha


def settings(git: Repository, base: str, head: str) -> tuple[Setting, ...]:
    """Return the settings that differ, by their dotted names."""
    old, new = (dict(_flat(_read(git, commit))) for commit in (base, head))
    names = [name for name in dict.fromkeys((*new, *old)) if old.get(name) != new.get(name)]
    return tuple(Setting(name, old.get(name), new.get(name)) for name in names)


def files(git: Repository, base: str, head: str) -> tuple[File, ...]:
    """Return the whole difference, a file each."""
    names = git.text("diff", "--name-only", "-z", "--no-renames", base, head, strip=False)
    return tuple(_file(git, base, head, path) for path in names.split("\0") if path)


def _file(git: Repository, base: str, head: str, path: str) -> File:
    text = git.text("diff", *_OPTIONS, base, head, "--", f":(literal){path}", strip=False)
    cut = len(text) > _MOST
    shown = text[:_MOST].split("\n")
    # What stands before the first hunk names the file, which the heading does.
    start = next((n for n, line in enumerate(shown) if line.startswith(("@@", "Binary"))), 0)
    lines = tuple((_kind(line), line) for line in shown[start:] if line)
    added = sum(kind == "added" for kind, _ in lines)
    return File(path, lines, added, sum(kind == "removed" for kind, _ in lines), cut)


def _kind(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")


def _read(git: Repository, commit: str) -> Any:
    """Return the settings of a commit; nothing where they cannot be read."""
    text = git.ask("show", f"{commit}:{layout.SETTINGS}")
    try:
        return plain(read_document(text, origin=layout.SETTINGS).data, ())[0] if text else {}
    except ConfigError:
        return {}


def _flat(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value and depth < _DEEPEST:
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key), depth + 1)
        return
    if name:
        text = (
            value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
        )
        yield name[:_LONGEST], text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
