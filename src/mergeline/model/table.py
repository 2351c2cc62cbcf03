"""Tables: what a column means to a model, what is true of each row, writing."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.problem import shown
from mergeline.config.settings import Data
from mergeline.core import layout
from mergeline.core.evidence import Feature
from mergeline.core.labels import label_text, plain
from mergeline.errors import ContractError
from mergeline.files import write_whole

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_MOST_LISTED = 30
# Its square, added over all rows, is still a number.
_LARGEST = 1e100


def label_texts(column: "pd.Series[Any]") -> "np.ndarray[Any, Any]":
    """Return a column of classes as an array of text, shape (n,)."""
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(column, use_na_sentinel=False)
    texts = np.array(["" if pd.isna(v) else label_text(plain(v)) for v in values], dtype=str)
    found: np.ndarray[Any, Any] = texts[codes]
    return found


def is_positive(column: "pd.Series[Any]", positive: Any) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Return which rows have the positive class, shape (n,)."""
    import numpy as np

    return np.asarray(label_texts(column) == label_text(positive))


def outcomes(frame: "pd.DataFrame", data: Data, classes: Sequence[str]) -> "np.ndarray[Any, Any]":
    """Return what is true of each row, as `Predictions.actual` has it, shape (n,).

    Args:
        frame: Holds the target.
        data: Names the target and the task.
        classes: Of several classes: in the model's order.

    Raises:
        ContractError: A row is of a class that is not among them, or has no number.
    """
    import numpy as np
    import pandas as pd

    target = frame[data.target]
    if data.task == "binary":
        return is_positive(target, data.positive)
    if data.task == "regression":
        return _numbers(target, data)
    texts = label_texts(target)
    numbers = np.asarray(pd.Index(classes).get_indexer(texts), dtype=np.int64)
    if (numbers < 0).any():
        raise ContractError(
            f"data.target {data.target!r} has classes that the model does not know: "
            f"{counted(texts[numbers < 0])}",
            hint="train the model on rows of every class: mergeline check",
        )
    return numbers


def _numbers(target: "pd.Series[Any]", data: Data) -> "np.ndarray[Any, np.dtype[np.float64]]":
    import numpy as np
    from pandas.api import types

    if not types.is_numeric_dtype(target.dtype) or types.is_bool_dtype(target.dtype):
        raise ContractError(
            f"data.target {data.target!r} holds {_held(target)}, and data.task is regression: "
            "numbers are expected",
            hint="name what means no value in data.missing and remove those rows, set data.decimal "
            "where it is a comma, or set data.task: multiclass or binary in params.yaml",
        )
    values: np.ndarray[Any, np.dtype[np.float64]] = target.to_numpy(dtype=np.float64)
    bad = ~(np.abs(values) <= _LARGEST)
    if bad.any():
        raise ContractError(
            f"data.target {data.target!r} is infinite, no number, or beyond {_LARGEST:g} in "
            f"{int(bad.sum())} of {len(values)} rows",
            hint="remove these rows, fill in the outcome, or give it in another unit",
        )
    return values


def _held(target: "pd.Series[Any]") -> str:
    """Say what a column holds that is no column of numbers."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(target.dtype):
        return "dates"
    if pd.api.types.is_bool_dtype(target.dtype):
        return "true and false"
    bad = pd.to_numeric(target.astype(str), errors="coerce").isna() & target.notna()
    return f"{int(bad.sum())} texts that are no numbers in {len(target)} rows"


def counted(texts: "np.ndarray[Any, Any]", most: int = 10) -> str:
    """Return classes with how many rows each has, the first few of them."""
    import numpy as np

    names, counts = np.unique(texts, return_counts=True)
    told = [
        f"{shown(str(name))} ({count} {'row' if count == 1 else 'rows'})"
        for name, count in zip(names, counts, strict=True)
    ]
    return listed(told, most)


def column_kind(column: "pd.Series[Any]") -> str:
    """Return what a column is taken for: a `ColumnProfile.kind`.

    Text with more than 20 values, of which more than half are different, is `text`.
    """
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return "boolean"
    if types.is_integer_dtype(column.dtype):
        return "integer"
    if types.is_numeric_dtype(column.dtype):
        return "number"
    if types.is_datetime64_any_dtype(column.dtype):
        return "datetime"
    present = column.dropna()
    distinct = present.nunique()
    return "text" if distinct > max(20, len(present) / 2) else "category"


def feature_columns(frame: "pd.DataFrame", data: Data) -> tuple[Feature, ...]:
    """Return the columns that the model reads, in the table's order.

    All but the target, id, group, time and excluded ones; a column without any value
    carries nothing and is left out.

    Args:
        frame: The training table.
        data: Which columns have another role.
    """
    other = {data.target, data.id, data.group, data.time, layout.KEY, *data.exclude}
    return tuple(
        Feature(name=str(name), kind=_feature_kind(frame[name]))
        for name in frame.columns
        if name not in other and frame[name].notna().any()
    )


def _feature_kind(column: "pd.Series[Any]") -> Any:
    kind = column_kind(column)
    if kind in ("integer", "number", "datetime"):
        return "number"
    return "boolean" if kind == "boolean" else "category"


def table_bytes(frame: "pd.DataFrame") -> bytes:
    """Return a table as Parquet; equal tables have equal bytes."""
    data: bytes = frame.to_parquet(index=False, compression="zstd")
    return data


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table as Parquet, whole or not at all."""
    write_whole(path, table_bytes(frame))


def require_columns(frame: "pd.DataFrame", wanted: Mapping[str, str], source: str) -> None:
    """Refuse settings that name a column which is not there.

    Args:
        frame: The table.
        wanted: By column the key of the settings that names it.
        source: What to call the table.

    Raises:
        ContractError: One is not there; the message names the closest that is.
    """
    names = [str(name) for name in frame.columns if name != layout.KEY]
    for name, key in wanted.items():
        if name not in names:
            close = get_close_matches(name, names, n=1)
            raise ContractError(
                f"{key} names the column {name!r}, which {source} does not have"
                + (f"; did you mean {close[0]!r}?" if close else ""),
                hint=f"the columns are: {listed(names)}",
            )


def listed(names: Sequence[str], most: int = _MOST_LISTED) -> str:
    """Return names as one text, the first few of them."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
