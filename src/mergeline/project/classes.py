"""Cells and classes of a table: which texts are no value, which class is the positive one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mergeline.config.problem import shown
from mergeline.core.labels import label_text
from mergeline.model import doubtful
from mergeline.model.table import is_positive, label_texts

if TYPE_CHECKING:
    import pandas as pd

_POSITIVE = {"true", "yes", "positive", "pos", "default", "fraud", "spam"}
_NEGATIVE = {"0", "-1", "false", "no", "negative", "neg", "none", "ham"}
# Single letters say something in pairs only: beside m, f is no "false".
_PAIRS = {("y", "n"), ("t", "f"), ("p", "n")}
_NO = tuple(f"{no}{gap}" for no in ("no", "not", "non") for gap in " -_")
_RARE = 0.3


@dataclass(frozen=True)
class Positive:
    """The class taken for the positive one, as the settings name it, and why."""

    value: str | int | bool
    why: str


def missing_markers(frame: "pd.DataFrame", target: str) -> tuple[str, ...]:
    """Return the texts that stand for "no value", but for those that are classes."""
    classes = set(frame[target].astype(str))
    return tuple(marker for marker in doubtful.missing_markers(frame) if marker not in classes)


def guess_positive(column: "pd.Series[Any]") -> Positive:
    """Return which of the two classes is meant by "positive".

    Args:
        column: The target; two classes, none missing.
    """
    texts = label_texts(column)
    first, second = sorted(set(texts.tolist()))
    for name, other in ((first, second), (second, first)):
        if _is_positive_of(name.lower(), other.lower()):
            return Positive(_as_written(name, column), f"the other class is {shown(other)}")
    rarer = first if (texts == first).sum() < (texts == second).sum() else second
    other = second if rarer == first else first
    return Positive(_as_written(rarer, column), f"rarer than {shown(other)}")


def _is_positive_of(name: str, other: str) -> bool:
    if other in {no + name for no in _NO} or (name, other) in _PAIRS:
        return True
    said = name in _POSITIVE, other in _NEGATIVE
    return any(said) and name not in _NEGATIVE and other not in _POSITIVE


def _as_written(name: str, column: "pd.Series[Any]") -> str | int | bool:
    """Return a class as the settings name it: 1 for a column of numbers, else its text."""
    from pandas.api import types

    if types.is_bool_dtype(column.dtype) or (column.dtype == object and name in ("true", "false")):
        return name == "true"
    if types.is_numeric_dtype(column.dtype) and label_text(name).lstrip("-").isdecimal():
        return int(name)
    return name


def guess_threshold(column: "pd.Series[Any]", positive: Any) -> float:
    """Return 0.5, or the share of positive rows where they are rare."""
    share = float(is_positive(column, positive).mean())
    return max(round(share, 2), 0.01) if share < _RARE else 0.5
