"""What each column of the table holds, in numbers that name no single row."""

from math import isfinite
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import FEWEST_TOLD, ColumnProfile
from mergeline.core.labels import category_text, plain
from mergeline.model.table import column_kind

if TYPE_CHECKING:
    import pandas as pd

_MOST_NAMED = 10


def profile_columns(frame: "pd.DataFrame") -> tuple[ColumnProfile, ...]:
    """Profile every column, in the table's order."""
    return tuple(_profile(str(name), frame[name]) for name in frame.columns)


def _profile(name: str, column: "pd.Series[Any]") -> ColumnProfile:
    kind: Any = column_kind(column)
    return ColumnProfile(
        name=name,
        kind=kind,
        missing=int(column.isna().sum()),
        distinct=int(column.nunique()),
        summary=_summary(kind, column.dropna()),
        top=_top(column) if kind in ("category", "boolean") else (),
    )


def _summary(kind: str, column: "pd.Series[Any]") -> dict[str, float | str | None]:
    import numpy as np

    if column.empty or kind not in ("number", "integer", "datetime"):
        return {}
    if kind == "datetime":
        return {"min": column.min().isoformat(), "max": column.max().isoformat()}
    numbers = column.astype("float64")
    with np.errstate(invalid="ignore"):  # an infinity makes mean and spread no numbers
        values = {
            "min": numbers.min(),
            "mean": numbers.mean(),
            "median": numbers.median(),
            "max": numbers.max(),
            "std": numbers.std(ddof=0),
        }
    return {key: float(value) if isfinite(value) else None for key, value in values.items()}


def _top(column: "pd.Series[Any]") -> tuple[tuple[str, int], ...]:
    counts = column.value_counts()
    named = sorted(
        ((category_text(plain(value)), int(count)) for value, count in counts.items()),
        key=lambda item: (-item[1], item[0]),
    )
    return tuple(item for item in named[:_MOST_NAMED] if item[1] >= FEWEST_TOLD)
