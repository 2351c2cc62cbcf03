"""Columns of whatever origin as few plain types: text, integer, float, boolean, datetime.

Parquet and JSON lines can hold categories, nullable integers, decimals, dates, lists.
After this a column is pandas' `str`, a NumPy number, `bool`, `datetime64`, or, for
booleans with missing values, `object` of True, False and None.
"""

from typing import TYPE_CHECKING, Any

from mergeline.core.labels import category_text, plain
from mergeline.errors import ContractError

if TYPE_CHECKING:
    import pandas as pd

_NESTED = (list, dict, tuple, set, bytes)


def plain_columns(frame: "pd.DataFrame", source: str) -> "pd.DataFrame":
    """Give every column one of the plain types; what mixes types becomes text.

    Args:
        frame: The table as a parser made it.
        source: Names the file in messages.

    Raises:
        ContractError: A column holds lists, records or bytes.
    """
    import pandas as pd

    # By position: a Parquet file may hold a name twice, which is refused later.
    columns = [_plain(frame.iloc[:, place], source) for place in range(frame.shape[1])]
    return pd.concat(columns, axis=1) if columns else frame


def _plain(column: "pd.Series[Any]", source: str) -> "pd.Series[Any]":
    import numpy as np
    import pandas as pd

    kind = column.dtype
    numpy_type = isinstance(kind, np.dtype) and kind.kind in "biufM"
    if numpy_type or isinstance(kind, pd.DatetimeTZDtype) or kind == "str":
        return column
    values = column.astype(object)
    return _from_objects(values.where(values.notna(), None), source)


def _from_objects(values: "pd.Series[Any]", source: str) -> "pd.Series[Any]":
    import pandas as pd

    found = pd.api.types.infer_dtype(values, skipna=True)
    if found == "empty":
        return values.astype("float64")
    if found == "string":
        return values.astype("str")
    if found == "boolean":
        return values if values.isna().any() else values.astype(bool)
    if found in ("integer", "floating", "mixed-integer-float", "decimal"):
        return _numbers(values, found)
    if found in ("date", "datetime", "datetime64"):
        return pd.to_datetime(values)
    if any(isinstance(value, _NESTED) or hasattr(value, "__array__") for value in values):
        raise ContractError(
            f"column {values.name!r} of {source} holds lists, records or bytes; "
            "one text, number, truth value or time a row is expected",
            hint="spread it over columns of its own, or leave it out of the file",
        )
    return _texts(values)


def _numbers(values: "pd.Series[Any]", found: str) -> "pd.Series[Any]":
    if found != "integer" or values.isna().any():
        return values.astype("float64")
    try:
        return values.astype("int64")
    except OverflowError:  # an id of 30 digits, which no number type holds exactly
        return _texts(values)


def _texts(values: "pd.Series[Any]") -> "pd.Series[Any]":
    texts = values.map(lambda value: category_text(plain(value)), na_action="ignore")
    return texts.astype("str")
