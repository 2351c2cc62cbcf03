"""How a text file writes its numbers: its decimal sign and the one between thousands, guessed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mergeline.config.settings import Data
from mergeline.model.doubtful import MARKERS
from mergeline.model.reading import read_texts, table_format

if TYPE_CHECKING:
    import pandas as pd

_LIKE_A_NUMBER = r"[+-]?[\d.,' ]*\d[\d.,' ]*"
# Of a column's different values: so many are numbers where a column of numbers was meant.
_MOST = 0.95


@dataclass(frozen=True)
class Signs:
    """How numbers are written, as the settings name it.

    Attributes:
        decimal: Before the fraction.
        thousands: Between groups of three digits; None where nothing is.
        example: A cell that says so.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None
    example: str = ""


_PLAIN = Signs()
_COMMA, _COMMA_BETWEEN = Signs(","), Signs(".", ",")
_OTHERS = (Signs(",", "."), Signs(".", "'"), Signs(".", " "), Signs(",", " "))


def find_signs(file: Path, data: Data, frame: "pd.DataFrame") -> Signs:
    """Return the signs by which all columns of numbers are numbers, where there are such.

    `1,234` alone can mean two numbers: in a file with semicolons, which leave the comma free
    for fractions, it is taken for a bit more than 1, elsewhere for a bit more than 1,000.

    Args:
        file: The table.
        data: How the file is read otherwise.
        frame: The table as it is read so; numbers of another style are text there.

    Returns:
        The signs; a plain point where nothing else is there, or no one way fits all columns.
    """
    if table_format(data) not in ("csv", "tsv") or not _may_hold_others(frame):
        return _PLAIN
    cells = _cells(read_texts(file, data))
    likely = (_COMMA, _COMMA_BETWEEN) if data.separator == ";" else (_COMMA_BETWEEN, _COMMA)
    fitting = {signs: _numbers(cells, signs) for signs in (_PLAIN, *likely, *_OTHERS)}
    meant = set().union(*fitting.values())
    found = next((signs for signs, names in fitting.items() if names == meant), _PLAIN)
    if found == _PLAIN:
        return _PLAIN
    return replace(found, example=_example(cells, meant - fitting[_PLAIN]))


def _may_hold_others(frame: "pd.DataFrame") -> bool:
    texts = frame.select_dtypes(include=["string"])
    return any(texts[name].str.fullmatch(_LIKE_A_NUMBER).any() for name in texts.columns)


def _cells(texts: "pd.DataFrame") -> Mapping[str, "pd.Series[Any]"]:
    """Return the different values of each column, but for those that mean no value."""
    found = {str(name): texts[name].str.strip().drop_duplicates() for name in texts.columns}
    return {name: values[~values.isin(["", *MARKERS])] for name, values in found.items()}


def _numbers(cells: Mapping[str, "pd.Series[Any]"], signs: Signs) -> set[str]:
    """Return the columns that hold numbers where they are written with these signs."""
    whole = r"\d*"
    if signs.thousands is not None:
        whole = rf"(\d*|\d{{1,3}}({re.escape(signs.thousands)}\d{{3}})+)"
    pattern = rf"[+-]?(?=\D?\d){whole}({re.escape(signs.decimal)}\d*)?([eE][+-]?\d+)?"
    shares = {name: values.str.fullmatch(pattern).mean() for name, values in cells.items()}
    return {name for name, share in shares.items() if share >= _MOST}


def _example(cells: Mapping[str, "pd.Series[Any]"], names: set[str]) -> str:
    """Return a cell with a sign that a plain number does not have."""
    odd = (value for name in sorted(names) for value in cells[name] if re.search("[,' ]", value))
    return next(odd, "")
