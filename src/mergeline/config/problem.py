"""One thing that is wrong with a settings file, and how values are shown in messages."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

Steps = tuple[str | int, ...]

_LONGEST = 60


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
    """Escape what a terminal would obey or hide."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known word that is closest to a misspelt one, if any is close."""
    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None
