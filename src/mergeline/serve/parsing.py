"""JSON of a request: exact, strict, and quick for many numbers."""

import json
from collections import Counter
from typing import Any

from mergeline.errors import BadRequest
from mergeline.serve.values import shown


def parse_json(body: bytes) -> Any:
    """Parse JSON; every double and every whole number comes out as it was written.

    Raises:
        BadRequest: It is not JSON in UTF-8, as with NaN, Infinity and half characters; or an
            object names a key twice, of which a parser would let the last one win in silence.
    """
    from pydantic_core import from_json

    try:
        said = from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise BadRequest(
            f"the body is not JSON: {str(error)[:200]}",
            hint="send JSON in UTF-8; it knows no NaN and no Infinity, null is missing",
        ) from error
    # As many keys as the text has: nearly always so, and much quicker than to look at each.
    if body.count(b'":') != _keys(said):
        json.loads(body, object_pairs_hook=_object)
    return said


def _keys(said: Any) -> int:
    """Count the keys where the protocol has any: of the body, a form in it, and its records."""
    if type(said) is not dict:
        return 0
    objects = [said, *said.values()]
    objects += [row for value in said.values() if type(value) is list for row in value]
    return sum(len(value) for value in objects if type(value) is dict)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise BadRequest(f"the key {shown(twice)} comes twice", hint="give every key once")
    return found
