"""Slices of the held-out rows: by category, or by quarter of a column of numbers."""

from typing import TYPE_CHECKING, Any

from mergeline.core.labels import category_text, plain

if TYPE_CHECKING:
    import pandas as pd

_MOST_SLICES = 20
_SLICE_QUANTILES = 4
_MISSING = "(missing)"


def slice_labels(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the slice of each row: a category, or a quarter of a column of numbers.

    The slices are the categories of the result, in the order of a reader; rows of
    categories beyond the 20 most frequent are in none.
    """
    from pandas.api import types

    numeric = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    found = _quarters(column) if numeric and column.nunique() > _MOST_SLICES else _common(column)
    if column.isna().any():
        if _MISSING not in found.cat.categories:
            found = found.cat.add_categories(_MISSING)
        found = found.mask(column.isna(), _MISSING)
    return found


def _quarters(column: "pd.Series[Any]") -> "pd.Series[Any]":
    import numpy as np
    import pandas as pd

    # Infinities belong to the outer quarters, whose ends are those of the finite values.
    column = column.clip(*column[np.isfinite(column)].agg(["min", "max"]))
    found = pd.qcut(column, _SLICE_QUANTILES, duplicates="drop").cat.remove_unused_categories()
    ends = column.groupby(found, observed=True).agg(["min", "max"])
    names = [f"{_text(low)} to {_text(high)}" for low, high in ends.itertuples(index=False)]
    return found.cat.rename_categories(names)


def _common(column: "pd.Series[Any]") -> "pd.Series[Any]":
    import pandas as pd

    values = sorted(column.value_counts().index[:_MOST_SLICES])
    known = column.where(column.isin(values))
    found = pd.Series(pd.Categorical(known, categories=values), index=column.index)
    return found.cat.rename_categories([_text(value) for value in values])


def _text(value: Any) -> str:
    return category_text(plain(value))
