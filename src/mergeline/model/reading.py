"""Reading a table as the settings say: CSV, TSV, Parquet, JSON lines."""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data
from mergeline.errors import ContractError, first_line
from mergeline.model.columns import plain_columns

if TYPE_CHECKING:
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


def require_source(path: Path, data: Data) -> None:
    """Refuse a source that is not there.

    Raises:
        ContractError: There is no such file.
    """
    if not path.is_file():
        raise ContractError(
            f"data.source is {data.source!r}: there is no such file",
            hint="check the path in params.yaml; if DVC tracks the file, run `dvc pull`",
        )


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
    require_source(path, data)
    if path.stat().st_size == 0:
        raise ContractError(
            f"data.source is {data.source!r}: the file is empty (0 bytes)",
            hint="put the table there, a header line and at least two rows",
        )
    kind = table_format(data)
    try:
        frame = _read(path, kind, data)
    except (ValueError, LookupError, OSError, EOFError, NotImplementedError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system refused, not the parser
        raise ContractError(
            f"{data.source} cannot be read as {kind}: {first_line(error)}",
            hint="check data.format, data.encoding and data.separator in params.yaml",
        ) from error
    if frame.empty:
        raise ContractError(
            f"{data.source} has {len(frame)} rows and {frame.shape[1]} columns; "
            "at least two rows are needed",
            hint="check that the file holds the table, and data.separator",
        )
    return plain_columns(frame, data.source)


def read_texts(path: Path, data: Data) -> "pd.DataFrame":
    """Read a CSV or TSV file that `read_table` reads, every cell as the text that it is.

    The rows are the same; an empty cell is the empty text.
    """
    import pandas as pd

    separator = _separator(table_format(data), data)
    return pd.read_csv(path, dtype=str, na_filter=False, **_csv_options(separator, data))


def _separator(kind: str, data: Data) -> str:
    return data.separator or ("\t" if kind == "tsv" else ",")


def _csv_options(separator: str, data: Data) -> dict[str, Any]:
    return {
        "sep": separator,
        "encoding": data.encoding,
        "skipinitialspace": True,
        "keep_default_na": False,
    }


def _read(path: Path, kind: str, data: Data) -> "pd.DataFrame":
    import pandas as pd

    if kind == "parquet":
        frame = pd.read_parquet(path)
        _refuse_twice(list(frame.columns), data)
        named = any(name is not None for name in frame.index.names)
        return _blank_missing(frame.reset_index(drop=not named), data)
    if kind == "jsonl":
        return _blank_missing(pd.DataFrame(read_json_lines(path, data)), data)
    return _read_csv(path, _separator(kind, data), data)


def _read_csv(path: Path, separator: str, data: Data) -> "pd.DataFrame":
    import pandas as pd

    how = _csv_options(separator, data)
    # pandas renames a column that comes twice, and takes a first field without a name for
    # an index, so that nobody would see either; a look at two rows shows both.
    start = pd.read_csv(path, header=None, nrows=2, dtype=str, **how)
    _refuse_twice([name for name in start.iloc[0] if name], data)
    # 007 and 7 are two ids: read as numbers they would be one, and so would their keys.
    names = {name: str for name in (data.id, data.group) if name is not None}
    missing = ["", *data.missing]
    return pd.read_csv(path, na_values=missing, dtype=names, low_memory=False, **how)


def _refuse_twice(names: Sequence[Any], data: Data) -> None:
    twice = sorted(str(name) for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ContractError(
            f"{data.source} has a column name twice: {', '.join(twice)}",
            hint="rename the column",
        )


def read_json_lines(path: Path, data: Data) -> list[dict[str, Any]]:
    """Read one object a line; unlike pandas' own reader it keeps every digit of a number.

    Raises:
        ValueError: A line is no JSON object.
    """
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding=data.encoding) as file:
        return [_record(number, line) for number, line in enumerate(file, 1) if line.strip()]


def _record(number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise ValueError(f"line {number} is not a JSON object")  # noqa: TRY004 - a parser's error
    return record


def _blank_missing(frame: "pd.DataFrame", data: Data) -> "pd.DataFrame":
    """Take the empty text and the markers for missing; the CSV parser does so by itself."""
    markers = {"", *data.missing}
    for name in frame.select_dtypes(include=["object", "string", "category"]).columns:
        column = frame[name].astype(object)
        marked = [isinstance(value, str) and value in markers for value in column]
        if any(marked):
            frame[name] = column.mask(marked, None)
    return frame
