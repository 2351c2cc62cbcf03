"""Whether two builds are equivalent: read from their predictions, no model is loaded.

They are when every held-out row scores within 1e-6 and no class changes. Rows that cannot be
told to be the same ones make two builds different, not an error.
"""

from typing import TYPE_CHECKING, Any

from mergeline.core.strict_json import shortened
from mergeline.errors import first_line

if TYPE_CHECKING:
    import pyarrow as pa

TOLERANCE = 1e-6

# A header of a few bytes can ask for any number of rows.
_MOST_ROWS = 20_000_000
_MOST_BYTES = 2**30
# A key that all rows share stands in a file once; in memory it would stand there once a row.
_LONGEST_KEY = 4096
_AT_ONCE = 2**16
_COLUMNS = ("key", "positive", "score", "predicted")


def differences(reviewed: bytes, rebuilt: bytes) -> tuple[str, ...]:
    """Say in what two `predictions.parquet` differ; nothing where they are equivalent.

    Args:
        reviewed: Of the build that was reviewed; read as hostile.
        rebuilt: Of the build on main.
    """
    tables = []
    for whose, data in (("reviewed", reviewed), ("rebuilt", rebuilt)):
        try:
            tables.append(_read(data))
        except _failures() as error:
            return (f"The {whose} predictions cannot be read: {first_line(error)}.",)
    first, second = tables
    if first.num_rows != second.num_rows:
        counts = f"{first.num_rows:,} held-out rows were reviewed, {second.num_rows:,} are rebuilt"
        return (f"{counts}.",)
    if moved := _moved(first, second):
        return (f"{moved:,} of {first.num_rows:,} held-out rows are others, or in another order.",)
    return tuple(filter(None, _of_rows(first, second)))


def _of_rows(first: "pa.Table", second: "pa.Table") -> tuple[str, ...]:
    of = f"of {first.num_rows:,} held-out rows"
    labels, classes = (_unequal(first, second, name) for name in ("positive", "predicted"))
    apart, largest = _apart(first, second)
    how_far = f"by up to {largest:.3g}" if largest > TOLERANCE else "having no number"
    return (
        f"{labels:,} {of} have another label." if labels else "",
        f"{apart:,} {of} score further apart than {TOLERANCE:g}, {how_far}." if apart else "",
        f"{classes:,} {of} are predicted to be of the other class." if classes else "",
    )


def _moved(first: "pa.Table", second: "pa.Table") -> int:
    """Count the rows with another key, some at a time: written out they may be gigabytes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    count = 0
    for start in range(0, first.num_rows, _AT_ONCE):
        keys = (
            each["key"].slice(start, _AT_ONCE).cast(pa.large_string()) for each in (first, second)
        )
        count += _count(pc.not_equal(*keys))
    return count


def _unequal(first: "pa.Table", second: "pa.Table", name: str) -> int:
    import pyarrow.compute as pc

    return _count(pc.not_equal(first[name], second[name]))


def _apart(first: "pa.Table", second: "pa.Table") -> tuple[int, float]:
    """Count the rows whose scores are further apart than allowed, or no numbers; say how far."""
    import pyarrow.compute as pc

    distance = pc.abs(pc.subtract(first["score"], second["score"]))
    # NaN is neither near nor far.
    count = _count(pc.invert(pc.less_equal(distance, TOLERANCE)))
    finite = pc.filter(distance, pc.is_finite(distance))
    return count, float(pc.max(finite).as_py() or 0)


def _count(mask: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(mask).as_py() or 0)


def _read(data: bytes) -> "pa.Table":
    """Return the table of a file, its columns being what `evaluate` writes.

    Raises:
        ValueError: It is another table, or larger than any of ours.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(data))
    found = file.metadata
    size = sum(found.row_group(number).total_byte_size for number in range(found.num_row_groups))
    if found.num_rows > _MOST_ROWS or size > _MOST_BYTES:
        raise ValueError(f"they state {found.num_rows:,} rows of {size:,} bytes")
    if tuple(file.schema_arrow.names) != _COLUMNS:
        raise ValueError(f"their columns are {shortened(', '.join(file.schema_arrow.names))}")
    truth = pa.bool_()
    kinds = dict(zip(_COLUMNS[1:], (truth, pa.float64(), truth), strict=True))
    for field in file.schema_arrow:
        texts = (pa.string(), pa.large_string())
        if field.type not in (texts if field.name == "key" else (kinds[field.name],)):
            raise ValueError(f"their column {field.name} holds {field.type}")
    file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=["key"])
    table = file.read(use_threads=False)
    for part in table["key"].chunks:
        longest = pc.max(pc.binary_length(part.dictionary)).as_py() or 0
        if longest > _LONGEST_KEY:
            raise ValueError(f"a key has {longest:,} bytes, at most {_LONGEST_KEY:,} are allowed")
    if missing := [name for name in _COLUMNS if table[name].null_count]:
        raise ValueError(f"their column {missing[0]} has missing values")
    return table


def _failures() -> tuple[type[Exception], ...]:
    import pyarrow as pa

    # A damaged file is an OSError, a forged one may ask for more memory than there is.
    return (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)
