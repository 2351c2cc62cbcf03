"""Tables: reading them as the settings say, and what a column means to a model."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data
from mergeline.core import layout
from mergeline.core.evidence import Feature
from mergeline.errors import ContractError
from mergeline.files import whole_file
from mergeline.model.cast import plain

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


def table_format(data: Data) -> str:
    """Return the format of the source: the one given, else by the file's ending.

    Raises:
        ContractError: Neither says.
    """
    if data.format is not None:
        return data.format
    name = data.source.lower().removesuffix(".gz")
    found = FORMATS.get(Path(name).suffix)
    if found is None:
        raise ContractError(
            f"data.source is {data.source!r}: the ending says no known format "
            f"(known: {', '.join(sorted(FORMATS))})",
            hint="set data.format to csv, tsv, parquet or jsonl",
        )
    return found


def read_table(path: Path, data: Data) -> "pd.DataFrame":
    """Read the source table.

    Text cells that are empty, or listed in `data.missing`, are missing; nothing else
    is (`NA` can be a category). Space after a separator is skipped.

    Args:
        path: The file.
        data: Its format, encoding, separator and missing markers.

    Raises:
        ContractError: The file is missing, empty, or cannot be parsed.
    """
    if not path.is_file():
        raise ContractError(
            f"data.source is {data.source!r}: there is no such file",
            hint="check the path in params.yaml; if DVC tracks the file, run `dvc pull`",
        )
    if path.stat().st_size == 0:
        raise ContractError(
            f"data.source is {data.source!r}: the file is empty (0 bytes)",
            hint="put the table there, a header line and at least two rows",
        )
    kind = table_format(data)
    try:
        frame = _read(path, kind, data)
    except (ValueError, UnicodeError, OSError, LookupError) as error:
        raise ContractError(
            f"{data.source} cannot be read as {kind}: {_first_line(error)}",
            hint="check data.format, data.encoding and data.separator in params.yaml",
        ) from error
    if frame.empty:
        raise ContractError(
            f"{data.source} has {len(frame)} rows and {frame.shape[1]} columns; "
            "at least two rows are needed",
            hint="check that the file holds the table, and data.separator",
        )
    return frame


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__


def _read(path: Path, kind: str, data: Data) -> "pd.DataFrame":
    import pandas as pd

    if kind == "parquet":
        return _blank_missing(pd.read_parquet(path), data)
    if kind == "jsonl":
        frame = pd.read_json(
            path, lines=True, encoding=data.encoding, convert_dates=False, dtype=False
        )
        return _blank_missing(frame, data)
    separator = data.separator or ("\t" if kind == "tsv" else ",")
    return pd.read_csv(
        path,
        sep=separator,
        encoding=data.encoding,
        keep_default_na=False,
        na_values=["", *data.missing],
        skipinitialspace=True,
        low_memory=False,
    )


def _blank_missing(frame: "pd.DataFrame", data: Data) -> "pd.DataFrame":
    text = frame.select_dtypes(include=["object", "string"]).columns
    frame[text] = frame[text].mask(frame[text].isin(["", *data.missing]))
    return frame


def label_text(value: Any) -> str:
    """Return a class of the target as text; 1, 1.0 and "1" are the same class."""
    if value is True or value is False:
        return str(value).lower()
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else text


def label_texts(column: "pd.Series[Any]") -> "np.ndarray[Any, Any]":
    """Return a column of classes as an array of text, shape (n,)."""
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(column, use_na_sentinel=False)
    texts = np.array(["" if pd.isna(v) else label_text(plain(v)) for v in values], dtype=str)
    return texts[codes]


def is_positive(column: "pd.Series[Any]", positive: Any) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Return which rows have the positive class, shape (n,)."""
    import numpy as np

    return np.asarray(label_texts(column) == label_text(positive))


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


def write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table as Parquet, whole or not at all."""
    with whole_file(path) as temporary:
        frame.to_parquet(temporary, index=False, compression="zstd")
