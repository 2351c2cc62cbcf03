"""Values as YAML on one line, as any version of it reads them back."""

import json
import re
from collections.abc import Iterable

# What YAML 1.1, which the contract is read as, takes for something else than text.
_NO_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")


def scalar(value: str | float | bool) -> str:
    """Return a value as YAML of any version reads it back, on one line."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXT:
        return value
    text = json.dumps(value, ensure_ascii=False)
    # YAML allows no control characters, and would fold what some take for the end of a line.
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    """Return a character as an escape: as a surrogate pair, JSON's, YAML would read two."""
    return json.dumps(char)[1:-1] if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"  # noqa: PLR2004


def listed(values: Iterable[str | float | bool]) -> str:
    """Return values as a list on one line."""
    return f"[{', '.join(map(scalar, values))}]"
