"""Whether two builds are equivalent: read from their predictions, no model is loaded.

They are when every held-out row scores within 1e-6 (a predicted number a within 1e-6 + 1e-6 |a|)
and no class changes. Rows that cannot be told to be the same ones make two builds different,
not an error.
"""

from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import TrainContent
from mergeline.core.strict_json import shortened
from mergeline.core.task import Task
from mergeline.errors import first_line

if TYPE_CHECKING:
    import pyarrow as pa

TOLERANCE = 1e-6

# A header of a few bytes can ask for any number of rows.
_MOST_ROWS = 20_000_000
_MOST_SCORES = 50_000_000
_MOST_BYTES = 2**30
# A text that all rows share stands in a file once; in memory it would stand there once a row.
_LONGEST_TEXT = 4096
_AT_ONCE = 2**16
# What a column holds; `model.predictions` writes them.
_TEXT, _TRUTH, _NUMBER = "text", "truth", "number"


def differences(reviewed: bytes, rebuilt: bytes, made: TrainContent) -> tuple[str, ...]:
    """Say in what two `predictions.parquet` differ; nothing where they are equivalent.

    Args:
        reviewed: Of the build that was reviewed; read as hostile.
        rebuilt: Of the build on main.
        made: The task and the classes, which decide the table's columns.
    """
    tables, columns = [], _columns(made)
    for whose, data in (("reviewed", reviewed), ("rebuilt", rebuilt)):
        try:
            tables.append(_read(data, columns))
        except _failures() as error:
            return (f"The {whose} predictions cannot be read: {first_line(error)}.",)
    first, second = tables
    if first.num_rows != second.num_rows:
        counts = f"{first.num_rows:,} held-out rows were reviewed, {second.num_rows:,} are rebuilt"
        return (f"{counts}.",)
    if moved := _unequal(first, second, "key"):
        return (f"{moved:,} of {first.num_rows:,} held-out rows are others, or in another order.",)
    return tuple(filter(None, _of_rows(first, second, made.task)))


def _columns(made: TrainContent) -> dict[str, str]:
    """Return the columns of a table of predictions, and what each holds."""
    match made.task:
        case "binary":
            return {"key": _TEXT, "positive": _TRUTH, "score": _NUMBER, "predicted": _TRUTH}
        case "multiclass":
            scores = {f"score_{place}": _NUMBER for place in range(len(made.classes))}
            return {"key": _TEXT, "actual": _TEXT, "predicted": _TEXT, **scores}
        case "regression":
            return {"key": _TEXT, "actual": _NUMBER, "score": _NUMBER}


def _of_rows(first: "pa.Table", second: "pa.Table", task: Task) -> tuple[str, ...]:
    of = f"of {first.num_rows:,} held-out rows"
    labels = _unequal(first, second, "positive" if task == "binary" else "actual")
    classes = 0 if task == "regression" else _unequal(first, second, "predicted")
    apart, largest = _apart(first, second, relative=task == "regression")
    relative = f" and {TOLERANCE:g} of the value" if task == "regression" else ""
    how_far = f"by up to {largest:.3g}" if largest else "having no number"
    other = "the other class" if task == "binary" else "another class"
    return (
        f"{labels:,} {of} have another label." if labels else "",
        f"{apart:,} {of} score further apart than {TOLERANCE:g}{relative}, {how_far}."
        if apart
        else "",
        f"{classes:,} {of} are predicted to be of {other}." if classes else "",
    )


def _unequal(first: "pa.Table", second: "pa.Table", name: str) -> int:
    """Count the rows with another value, some at a time: texts may be gigabytes written out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    count = 0
    for start in range(0, first.num_rows, _AT_ONCE):
        parts = [each[name].slice(start, _AT_ONCE) for each in (first, second)]
        if pa.types.is_dictionary(first.schema.field(name).type):
            parts = [part.cast(pa.large_string()) for part in parts]
        count += _count(pc.not_equal(*parts))
    return count


def _apart(first: "pa.Table", second: "pa.Table", *, relative: bool) -> tuple[int, float]:
    """Count the rows whose scores are further apart than allowed, or no numbers; say how far."""
    import pyarrow.compute as pc

    near, largest = None, 0.0
    for name in (name for name in first.schema.names if name.startswith("score")):
        distance = pc.abs(pc.subtract(first[name], second[name]))
        allowed = pc.multiply(pc.abs(first[name]), TOLERANCE) if relative else 0.0
        # NaN is neither near nor far.
        within = pc.less_equal(distance, pc.add(allowed, TOLERANCE))
        near = within if near is None else pc.and_(near, within)
        # Of those that are too far: a large number may be right and further away than a small.
        far = pc.filter(distance, pc.and_(pc.is_finite(distance), pc.invert(within)))
        largest = max(largest, float(pc.max(far).as_py() or 0))
    return _count(pc.invert(near)), largest


def _count(mask: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(mask).as_py() or 0)


def _read(data: bytes, columns: dict[str, str]) -> "pa.Table":
    """Return the table of a file, its columns being what `evaluate` writes.

    Raises:
        ValueError: It is another table, or larger than any of ours.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(data))
    found = file.metadata
    size = sum(found.row_group(number).total_byte_size for number in range(found.num_row_groups))
    scores = found.num_rows * (len(columns) - 2)
    if found.num_rows > _MOST_ROWS or scores > _MOST_SCORES or size > _MOST_BYTES:
        raise ValueError(f"they state {found.num_rows:,} rows of {size:,} bytes")
    if file.schema_arrow.names != list(columns):
        raise ValueError(f"their columns are {shortened(', '.join(file.schema_arrow.names))}")
    kinds = {
        _TEXT: (pa.string(), pa.large_string()),
        _TRUTH: (pa.bool_(),),
        _NUMBER: (pa.float64(),),
    }
    for field in file.schema_arrow:
        if field.type not in kinds[columns[field.name]]:
            raise ValueError(f"their column {field.name} holds {field.type}")
    texts = [name for name, kind in columns.items() if kind == _TEXT]
    file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
    table = file.read(use_threads=False)
    for name in texts:
        _require_short(table, name)
    if missing := [name for name in columns if table[name].null_count]:
        raise ValueError(f"their column {missing[0]} has missing values")
    return table


def _require_short(table: "pa.Table", name: str) -> None:
    import pyarrow.compute as pc

    for part in table[name].chunks:
        longest = pc.max(pc.binary_length(part.dictionary)).as_py() or 0
        if longest > _LONGEST_TEXT:
            raise ValueError(
                f"a text of {name} has {longest:,} bytes, at most {_LONGEST_TEXT:,} are allowed"
            )


def _failures() -> tuple[type[Exception], ...]:
    import pyarrow as pa

    # A damaged file is an OSError, a forged one may ask for more memory than there is.
    return (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError)
