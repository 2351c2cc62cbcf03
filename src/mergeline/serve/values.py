"""The values of one column of a request, as the pipeline was fitted on them."""

from collections.abc import Callable, Sequence, Set
from math import isfinite
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import Feature
from mergeline.core.labels import category_text
from mergeline.errors import BadRequest

if TYPE_CHECKING:
    import numpy as np

_MOST_SHOWN = 60
# From here on a double is not one whole number, and its text not one category.
_EXACT = 2**53
WANTED = {
    "number": "a number or null",
    "boolean": "true, false, 1, 0 or null",
    "category": "a text or null",
}
_HINTS = {
    "number": "send a number, or null for a missing one; a date is its days since 1970-01-01",
    "boolean": "send a truth value, or null for a missing one",
    "category": "send one text a row, or null for a missing one",
}
# What pandas takes for truth values in a CSV file.
_TRUTHS = {
    text: value
    for value, texts in ((True, ("True", "TRUE", "true")), (False, ("False", "FALSE", "false")))
    for text in texts
}
_NULL = type(None)


def column_array(
    feature: Feature, values: Sequence[Any], missing: Set[str]
) -> "np.ndarray[Any, Any]":
    """Return the values of JSON as `cast_features` would, shape (n,).

    Numbers and truth values become float64, categories objects: text, or NaN.

    Args:
        feature: The column.
        values: Of JSON.
        missing: Texts that are a missing category, as when a table is read for training.

    Raises:
        BadRequest: One of them is of another kind; the message names column and row.
    """
    if feature.kind == "category":
        return _texts(feature, values, missing)
    return _numbers(feature, values)


def _numbers(feature: Feature, values: Sequence[Any]) -> "np.ndarray[Any, Any]":
    import numpy as np

    is_truth = feature.kind == "boolean"
    allowed = {float, int, _NULL, bool} if is_truth else {float, int, _NULL}
    if not allowed.issuperset(map(type, values)):
        raise _wrong_value(feature, values, lambda value: type(value) in allowed)
    try:
        found = np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise _wrong_value(feature, values, _is_double) from error
    if np.isinf(found).any():
        raise _wrong_value(feature, values, _is_double)
    if is_truth and not np.isin(found[~np.isnan(found)], (0.0, 1.0)).all():
        raise _wrong_value(feature, values, lambda value: value in (None, 0, 1))
    return found


def _texts(feature: Feature, values: Sequence[Any], missing: Set[str]) -> "np.ndarray[Any, Any]":
    import numpy as np

    found = np.empty(len(values), dtype=object)
    if {str, _NULL}.issuperset(map(type, values)):
        found[:] = [np.nan if value is None or value in missing else value for value in values]
        return found
    if not all(map(_is_category, values)):
        raise _wrong_value(feature, values, _is_category)
    found[:] = [
        np.nan if value is None or value in missing else category_text(value) for value in values
    ]
    return found


def _is_double(value: Any) -> bool:
    try:
        return value is None or isfinite(value)
    except OverflowError:
        return False


def _is_category(value: Any) -> bool:
    """Whether a value is one category and no other: not a list, not a rounded number."""
    if isinstance(value, float):
        return abs(value) < _EXACT
    return value is None or isinstance(value, str | int)


def _wrong_value(
    feature: Feature, values: Sequence[Any], good: Callable[[Any], bool]
) -> BadRequest:
    place, value = next((p, v) for p, v in enumerate(values, 1) if not good(v))
    return BadRequest(
        f"column {shown(feature.name)}, row {place}: {WANTED[feature.kind]} is expected, "
        f"found {described(value)}",
        hint=_HINTS[feature.kind],
    )


def cell_values(
    feature: Feature, texts: Sequence[str], missing: Set[str], *, truths: bool
) -> list[Any]:
    """Return the cells of a CSV column as the values that JSON would hold.

    Space around a cell is no part of it, as when a table is read for training.

    Args:
        feature: The column.
        texts: Its cells.
        missing: Texts that are a missing value.
        truths: It is a category of `true` and `false` alone, which CSV also writes as
            `True` and `False`.
    """
    stripped = (text.strip(" \t") for text in texts)
    texts = ["" if text in missing else text for text in stripped]
    if feature.kind == "number":
        return [_number(text) for text in texts]
    if feature.kind == "boolean":
        return [_TRUTHS[text] if text in _TRUTHS else _number(text) for text in texts]
    if truths:
        return [text.lower() if text in _TRUTHS else text for text in texts]
    return texts


def _number(text: str) -> Any:
    """Return the number that a cell holds, None for an empty one, else the cell itself."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    # Python reads more than CSV writes: inf, 1_000, digits of other scripts.
    return number if isfinite(number) and text.isascii() and "_" not in text else text


def shown(name: object) -> str:
    """Return a name or text from a request for a message: quoted, printable and short."""
    text = ascii(name) if not str(name).isprintable() else repr(name)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."


def described(value: object) -> str:
    """Return what a value of JSON is, for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {shown(value)}"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"an object of {len(value)}"
        case int() if value.bit_length() > 1024:  # noqa: PLR2004 -- beyond every double
            return "a whole number beyond what a double holds"
    return f"the number {value}"
