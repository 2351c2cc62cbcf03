"""One thing that is wrong with a settings file, and how values are shown in messages."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

Steps = tuple[str | int, ...]

_LONGEST = 60
_COMMAND = re.compile(r"(?<![^\r\n])(\s*):(?=:)")


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where.

    Attributes:
        path: The keys that lead to the value; empty for the file itself.
        text: A sentence without the place.
    """

    path: Steps
    text: str


def dotted(path: Sequence[str | int]) -> str:
    """Return a path as people write it, e.g. `waivers[0].expires`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            word = step if re.fullmatch(r"[A-Za-z0-9_-]+", step) else shown(step)
            text += f".{word}" if text else word
    return text


def shown(value: Any) -> str:
    """Return a value as it may stand in a message: short, on one line, harmless to a terminal."""
    if value is None:
        return "nothing"
    text = printable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


def printable(text: str) -> str:
    """Return text as one line: escaped is what a terminal or GitHub's runner obeys, or hides."""
    line = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    return unobeyed(line)


def printable_lines(text: str) -> str:
    """Return text of our own lines, each of which is `printable`."""
    return "\n".join(map(printable, text.split("\n")))


def unobeyed(text: str) -> str:
    """Escape what GitHub's runner takes for a command in the log: JSON stays the same JSON.

    `::name` is one at the start of a line, `##[name` anywhere in it.
    """
    return _COMMAND.sub(r"\1\\u003a", text).replace("##[", r"#\u0023[")


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known word that is closest to a misspelt one, if any is close."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None
