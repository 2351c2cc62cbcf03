"""JSON that nobody vouches for: read in one way only, and bounded.

`json.loads` lets the last of two equal keys win, takes NaN, infinities and half characters,
and builds whatever fits into memory. Two readers that differ there would see two documents.
"""

import json
from math import isfinite
from typing import Any

_DEEPEST = 100
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_SHOWN = 60


def read_json(data: bytes, *, values: int, text: int, deepest: int = _DEEPEST) -> Any:
    """Parse JSON, or refuse it.

    Args:
        data: UTF-8 without a byte-order mark.
        values: How many values it may hold; a text counts once more for each comma,
            bracket and brace in it.
        text: How many characters a key or a text may have.
        deepest: How deep lists and objects may lie in each other.

    Raises:
        ValueError: It is not such JSON; the message says what was found.
    """
    found = count_values(data)
    if found > values:
        raise ValueError(f"it holds {found:,} values, at most {values:,} are allowed")
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start} is not UTF-8") from error
    except RecursionError as error:
        raise ValueError("its lists and objects are nested too deep") from error
    _require_plain(value, text, deepest)
    return value


def count_values(data: bytes) -> int:
    """Return how many values JSON holds at most, without parsing it."""
    return sum(map(data.count, (b",", b"[", b"{"))) + 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {shortened(key)} is given twice")
        found[key] = value
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _require_plain(root: Any, longest: int, deepest: int) -> None:
    """Refuse what JSON's grammar allows and nobody needs; iterative, layer by layer."""
    layer, depth = [root], 0
    while layer:
        if depth > deepest:
            raise ValueError(f"its lists and objects are nested deeper than {deepest}")
        inside: list[Any] = []
        for value in layer:
            match value:
                case str():
                    _require_text(value, longest)
                case dict():
                    inside += value.keys()
                    inside += value.values()
                case list():
                    inside += value
                case float() if not isfinite(value):
                    raise ValueError("a number is beyond what a double holds")
                case int() if not _SMALLEST <= value <= _LARGEST:
                    raise ValueError("a whole number is beyond 64 bits")
        layer, depth = inside, depth + 1


def _require_text(value: str, longest: int) -> None:
    if len(value) > longest:
        raise ValueError(
            f"a text has {len(value):,} characters, at most {longest:,} are allowed: "
            f"{shortened(value)}"
        )
    if not value.isascii() and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError(f"a text holds half a character: {shortened(value)}")


def shortened(value: object) -> str:
    """Return a value as printable text of at most 60 characters, for a message."""
    match value:
        case dict():
            return f"an object of {len(value)} keys"
        case list() | tuple():
            return f"a list of {len(value)} values"
        case str() | bytes():
            value = value[:_SHOWN]
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
