"""Columns that are read as text and were meant as something else: said, not guessed.

A number that is text is a category of its own to a model, which then learns nothing from
the column, and nobody sees why. The settings say what is meant; see `refuse_doubtful`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data
from mergeline.errors import ContractError
from mergeline.model.reading import table_format

if TYPE_CHECKING:
    import pandas as pd

# What stands for "no value" in the files of many, in the order in which it is named.
MARKERS = ("?", "NA", "N/A", "n/a", "NaN", "nan", "None", "null", "NULL", "#N/A", "-", "--", ".")
# Text with no more values than this is a good category, numbers or not.
_FEW_VALUES = 20
# Of the different values: so many are numbers where a column of numbers was meant. Codes of
# which some have letters, as in lists of diseases, stay below.
_MOST = 0.95
_LOOKED_AT = 1000
_PLAIN = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_BEGINNING = r"[-+$€£]?\s?[\d.,]"


@dataclass(frozen=True)
class _Style:
    """A way to write numbers that a parser takes for text.

    Attributes:
        pattern: Of one value.
        name: In a message.
        hint: What to do in a CSV file.
    """

    pattern: str
    name: str
    hint: str


_PLAINLY = "write them as plain numbers, e.g. 1234.5"
_STYLES = (
    _Style(
        r"[+-]?\d{1,3}(,\d{3})+",
        "with commas, as in 1,234",
        "set data.thousands: ',' in params.yaml where that is 1234, data.decimal: ',' where "
        "it is a bit more than 1",
    ),
    _Style(
        r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?",
        "with commas between thousands, as in 1,234.5",
        "set data.thousands: ',' in params.yaml",
    ),
    _Style(
        r"[+-]?\d*,\d+",
        "with a decimal comma, as in 12,5",
        "set data.decimal: ',' in params.yaml",
    ),
    _Style(
        r"[+-]?\d{1,3}(\.\d{3})*(,\d+)?",
        "with a decimal comma, as in 1.234,5",
        "set data.decimal: ',' and data.thousands: '.' in params.yaml",
    ),
    _Style(
        r"[+-]?\d{1,3}('\d{3})+(\.\d*)?",
        "with apostrophes, as in 1'234.5",
        'set data.thousands: "\'" in params.yaml',
    ),
    _Style(
        r"[+-]?\d{1,3}([ \u00a0\u202f]\d{3})+([.,]\d*)?",
        "with spaces, as in 1 234.5",
        "set data.thousands: ' ' in params.yaml, or write them without",
    ),
    _Style(r"[+-]?[\d.,]+\s?%", "with percent signs, as in 12.5%", _PLAINLY),
    _Style(
        r"[+-]?[$€£]\s?[\d.,]+|[+-]?[\d.,]+\s?[$€£]",
        "with a currency's sign, as in $12.50",
        _PLAINLY,
    ),
)


def missing_markers(frame: "pd.DataFrame") -> tuple[str, ...]:
    """Return the texts that stand for "no value": `?`, and what alone makes numbers text."""
    found: set[str] = set()
    for name in frame.columns:
        found |= _markers_of(frame[name])
    return tuple(marker for marker in MARKERS if marker in found)


def _markers_of(column: "pd.Series[Any]") -> set[str]:
    import pandas as pd

    if column.dtype != "str":
        return set()
    values = set(column.dropna().unique())
    marked = values & set(MARKERS)
    others = pd.Series(sorted(values - marked), dtype="str")
    if marked and len(others) and pd.to_numeric(others, errors="coerce").notna().all():
        return marked
    return marked & {"?"}


def refuse_doubtful(frame: "pd.DataFrame", data: Data) -> None:
    """Refuse a table with columns that were hardly meant as they are read.

    That is where a text column holds `?`, or numbers besides a marker such as `NA`, and
    `data.missing` is not given (`[]` says that they are values); and where a feature of many
    values holds numbers that no parser knows. Columns of `data.exclude` may hold anything.

    Raises:
        ContractError: There is such a column; the hint names the key that settles it.
    """
    roles = {data.target, data.id, data.group, data.time}
    names = [name for name in frame.columns if name not in roles]
    features = [name for name in names if name not in data.exclude]
    if "missing" not in data.model_fields_set:
        shown = [name for name in names if name in features or name in data.sensitive]
        _refuse_markers(frame[shown], data)
    for name in features:
        _refuse_numbers_as_text(frame[name], data)


def _refuse_markers(frame: "pd.DataFrame", data: Data) -> None:
    markers = missing_markers(frame)
    for name in frame.columns if markers else ():
        marked = sorted(_markers_of(frame[name]), key=MARKERS.index)
        if not marked:
            continue
        rows = int(frame[name].isin(marked).sum())
        raise ContractError(
            f"column {name!r} of {data.source} holds {' and '.join(map(repr, marked))} in {rows} "
            f"of {len(frame)} rows, which often means that there is no value",
            hint=f"set data.missing: [{', '.join(map(repr, markers))}] in params.yaml; or "
            "data.missing: [] where these are values like others",
        )


def _refuse_numbers_as_text(column: "pd.Series[Any]", data: Data) -> None:
    values = column.dropna().drop_duplicates()
    if column.dtype != "str" or len(values) <= _FEW_VALUES:
        return
    if values.iloc[:_LOOKED_AT].str.match(_BEGINNING).mean() < _MOST / 2:
        return
    is_csv = table_format(data) in ("csv", "tsv")
    plain = values.str.fullmatch(_PLAIN)
    for style in _STYLES:
        odd = values.str.fullmatch(style.pattern) & ~plain
        if odd.mean() > 1 - _MOST and (odd | plain).mean() >= _MOST:
            raise ContractError(
                f"column {column.name!r} of {data.source} holds numbers written {style.name}: "
                "they are read as text",
                hint=style.hint if is_csv else _PLAINLY,
            )
    measured = values[plain].str.contains(".", regex=False).any()
    if is_csv and measured and data.decimal == "," and plain.mean() >= _MOST:
        raise ContractError(
            f"column {column.name!r} of {data.source} holds numbers written with a point, and "
            "data.decimal is ',': they are read as text",
            hint="set data.thousands: '.' in params.yaml where 1.234 is 1234; else write all "
            "numbers of the file with one decimal sign",
        )
    # With a fraction it is a measure; codes, too, are digits but for a few.
    others = int(column.isin(values[~plain]).sum())
    if is_csv and measured and 0 < max(others / len(column), 1 - plain.mean()) <= 1 - _MOST:
        raise ContractError(
            f"column {column.name!r} of {data.source} holds numbers, but another text in "
            f"{others} of {len(column)} rows: so all are read as text",
            hint="mend these rows, or list what they hold in data.missing; or name the column "
            "in data.exclude",
        )


def beyond(frame: "pd.DataFrame", largest: float) -> dict[str, int]:
    """Return by column how many rows hold an infinity or a number beyond a limit."""
    import numpy as np

    numbers = frame.select_dtypes(include="number")
    counts = {str(name): int((np.abs(numbers[name]) > largest).sum()) for name in numbers.columns}
    return {name: count for name, count in counts.items() if count}
