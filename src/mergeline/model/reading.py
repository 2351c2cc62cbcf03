"""Reading a table as the settings say: CSV, TSV, Parquet, JSON lines."""

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data
from mergeline.core.evidence import Writing
from mergeline.errors import ContractError, first_line
from mergeline.model.columns import plain_columns
from mergeline.model.dialect import Dialect, find_dialect, known_dialect, require_even, undecodable

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
_SPACE = " \t"
_CHECK = "check data.format, data.encoding and data.separator in params.yaml"
_UNCLOSED = "close it there; a quote inside a quoted value is written twice"
_HINTS = {
    "csv": _CHECK,
    "tsv": _CHECK,
    "jsonl": "write one JSON object a line, or set data.format in params.yaml",
    "parquet": "fetch it again, or set data.format in params.yaml to what it is",
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
    is (`NA` can be a category). Space around the names and values of a CSV file is no part
    of them. Encoding and separator are those of `find_dialect`.

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
    except UnicodeDecodeError as error:
        raise undecodable(path, data, error.encoding) from error
    except (ValueError, LookupError, OSError, EOFError, NotImplementedError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system refused, not the parser
        raise ContractError(
            f"{data.source} cannot be read as {kind}: {_said(error, path, data)}",
            hint=_UNCLOSED if "EOF inside string" in str(error) else _HINTS[kind],
        ) from error
    if frame.empty:
        raise ContractError(
            f"{data.source} has {len(frame)} rows and {frame.shape[1]} columns; "
            "at least two rows are needed",
            hint="check that the file holds the table, and data.separator",
        )
    return plain_columns(frame, data.source)


def _said(error: Exception, path: Path, data: Data) -> str:
    """Return what a parser says, in our words where they are known."""
    unclosed = re.search(r"EOF inside string starting at row (\d+)", str(error))
    if unclosed:
        return f"a double quote is opened in row {int(unclosed[1])} and never closed"
    if "Parquet magic bytes not found" in str(error):
        return "it does not end as one does, so it was cut off or is another kind of file"
    return first_line(error).replace(str(path), data.source)


def find_writing(path: Path, data: Data) -> Writing | None:
    """Return how a source that `read_table` has read is written; None where it is no text."""
    kind = table_format(data)
    if kind == "parquet":
        return None
    dialect = known_dialect(path, kind, data)
    if kind == "jsonl":
        return Writing(encoding=dialect.encoding, separator=None, decimal=None, thousands=None)
    return Writing(
        encoding=dialect.encoding,
        separator=dialect.separator,
        decimal=data.decimal,
        thousands=data.thousands,
    )


def read_texts(path: Path, data: Data) -> "pd.DataFrame":
    """Read a CSV or TSV file that `read_table` reads, every cell as the text that it is.

    The rows are the same; an empty cell is the empty text.
    """
    import pandas as pd

    how = _csv_options(find_dialect(path, table_format(data), data))
    texts = pd.read_csv(path, dtype=str, na_filter=False, **how)
    return texts.rename(columns=_without_space)


def _without_space(text: str) -> str:
    return text.strip(_SPACE)


def _csv_options(dialect: Dialect) -> dict[str, Any]:
    return {
        "sep": dialect.separator,
        "encoding": dialect.encoding,
        "skipinitialspace": True,
        "keep_default_na": False,
    }


def _read(path: Path, kind: str, data: Data) -> "pd.DataFrame":
    import pandas as pd

    if kind == "parquet":
        frame = pd.read_parquet(path)
        named = [name for name in frame.index.names if name is not None]
        _refuse_twice([str(name) for name in (*named, *frame.columns)], data)
        frame = frame.reset_index(drop=not named)
        # Settings name texts; pandas gives columns that had no names numbers.
        return _blank_missing(frame.set_axis([str(name) for name in frame.columns], axis=1), data)
    if kind == "jsonl":
        return _blank_missing(pd.DataFrame(read_json_lines(path, data)), data)
    dialect = find_dialect(path, kind, data)
    require_even(path, dialect, data)
    return _read_csv(path, dialect, data)


def _read_csv(path: Path, dialect: Dialect, data: Data) -> "pd.DataFrame":
    import pandas as pd

    how = _csv_options(dialect)
    # pandas renames a column that comes twice, and takes a first field without a name for
    # an index, so that nobody would see either; a look at two rows shows both.
    start = pd.read_csv(path, header=None, nrows=2, dtype=str, **how)
    written = [name for name in start.iloc[0] if isinstance(name, str) and name]
    _refuse_twice([_without_space(name) for name in written], data)
    # 007 and 7 are two ids: read as numbers they would be one, and so would their keys.
    texts = {name: str for name in written if _without_space(name) in (data.id, data.group)}
    if data.thousands is not None:
        texts |= dict.fromkeys(_ungrouped(path, how, data), str)
    how |= {"na_values": ["", *data.missing], "low_memory": False}
    how |= {"decimal": data.decimal, "thousands": data.thousands}
    frame = pd.read_csv(path, dtype=texts, **how)
    del how["encoding"], how["sep"]
    return _trimmed(frame, texts, how).rename(columns=_without_space)


def _ungrouped(path: Path, how: Mapping[str, Any], data: Data) -> list[str]:
    """Return the columns in which the sign between thousands stands elsewhere too.

    pandas leaves it out wherever it is: 31.12.2026 would be 31122026, and 0.5 would be 5.
    """
    import pandas as pd

    sign, cells = str(data.thousands), pd.read_csv(path, dtype=str, na_filter=False, **how)
    number = rf"[+-]?\d{{1,3}}({re.escape(sign)}\d{{3}})+({re.escape(data.decimal)}\d*)?"
    names = []
    for name in cells.columns:
        held = cells[name].str.strip(_SPACE)
        if not held[held.str.contains(sign, regex=False)].str.fullmatch(number).all():
            names.append(name)
    return names


def _trimmed(
    frame: "pd.DataFrame", texts: Mapping[str, type], how: Mapping[str, Any]
) -> "pd.DataFrame":
    """Take space from around texts; what is a marker or a number without it is one then."""
    import pandas as pd

    for name in frame.select_dtypes(include=["string"]).columns:
        trimmed = frame[name].str.strip(_SPACE)
        if trimmed.equals(frame[name]):
            continue
        lines = StringIO(trimmed.to_csv(index=False, header=["x"], lineterminator="\n"))
        kind = str if name in texts else None
        again = pd.read_csv(lines, dtype=kind, skip_blank_lines=False, **how)
        frame[name] = again["x"].set_axis(frame.index)
    return frame


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
    encoding = find_dialect(path, "jsonl", data).encoding
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding=encoding) as file:
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
