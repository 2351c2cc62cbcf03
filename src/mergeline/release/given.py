"""A table as it was given: every column as it stands in the file, for the answer.

Scoring reads tables as training does: `007` in a number column is 7, a marker such as `?` is
missing. Whoever asks for scores wants his own columns back untouched.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data
from mergeline.core.labels import category_text
from mergeline.model.reading import read_json_lines, read_texts, table_format

if TYPE_CHECKING:
    import pyarrow


def read_given(path: Path, data: Data) -> "pyarrow.Table":
    """Read a table that `read_table` has read: the same rows, in the same order.

    The cells of CSV and TSV are text. Parquet keeps its types. A column of JSON lines is of
    the type that its values share; text where they share none.
    """
    import pyarrow
    import pyarrow.parquet

    kind = table_format(data)
    if kind == "parquet":
        # From one file: a folder in its path that is called `a=b` is no column.
        return pyarrow.parquet.ParquetFile(path).read()
    if kind == "jsonl":
        records = read_json_lines(path, data)
        names = dict.fromkeys(name for record in records for name in record)
        return pyarrow.table({name: _column(records, name) for name in names})
    texts = read_texts(path, data)
    return pyarrow.table({name: pyarrow.array(texts[name], pyarrow.string()) for name in texts})


def _column(records: Sequence[Mapping[str, Any]], name: str) -> "pyarrow.Array":
    import pyarrow

    values = [record.get(name) for record in records]
    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowException, OverflowError):
        return pyarrow.array([None if value is None else category_text(value) for value in values])
