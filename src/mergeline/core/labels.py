"""How a class of the target is written: in evidence, in models and in `model.class_weight`."""

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
