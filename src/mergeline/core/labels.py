"""How values are written as text: classes of the target, categories, groups."""

from typing import Any

# Up to here every whole number is a double of its own.
_EXACT = 2**53


def label_text(value: Any) -> str:
    """Return a class of the target as text; 1, 1.0 and "1" are the same class."""
    if value is True or value is False:
        return str(value).lower()
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else text


def category_text(value: Any) -> str:
    """Return a category as text: text as it is, 1.0 as `1`, True as `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python value that it holds."""
    return value.item() if hasattr(value, "item") else value
