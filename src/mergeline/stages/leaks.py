"""Which columns may tell the outcome, or are known only afterwards: called by prepare.

Every column is scored by itself (`stats.alone`), whether the model reads it or not. A score is
no verdict: a good column of a simple world tells much. What is noticed is named for people, and
a gate (`data: leak`) can hold a limit.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from mergeline.config.settings import Data
from mergeline.core import layout
from mergeline.core.evidence import ColumnProfile, Leak
from mergeline.model.table import feature_columns, is_positive, label_texts
from mergeline.stats.alone import Classes, Told, told_by

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Numbers = np.ndarray[Any, np.dtype[np.float64]] | np.ndarray[Any, np.dtype[np.int64]]

Sign = Literal["alone", "name", "time", "id"]

# A column that tells so much alone is rarely known before the outcome is.
ALONE = 0.9
# From here on a name, an id or a time is worth a word, beyond what chance explains.
SOME = 0.2
# More rows make a score no more certain than anybody needs; they are drawn by hash.
_MOST_ROWS = 200_000
_DIGITS = 6
# Whole words of a name, or neighbouring ones, that are said of what came after.
_AFTERWARDS = frozenset(
    {
        *("outcome", "result", "verdict", "decision", "resolution", "final", "actual"),
        *("closed", "settled", "repaid", "refunded", "recovered", "recoveries", "cancelled"),
        *("canceled", "terminated", "discharged", "paid back", "status after", "written off"),
        *("charged off", "end reason", "exit reason"),
    }
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOOKED_AT = 100


class _Side(NamedTuple):
    """Rows that are looked at.

    Attributes:
        outcome: As `stats.alone` takes it.
        total: How many rows there are, looked at or not.
        names: Of several classes.
    """

    frame: "pd.DataFrame"
    held_out: "Bools"
    outcome: Any
    total: int
    names: Sequence[str] = ()


def find_leaks(
    frame: "pd.DataFrame", held_out: "Bools", data: Data, columns: Sequence[ColumnProfile]
) -> tuple[tuple[ColumnProfile, ...], tuple[Leak, ...]]:
    """Score every column alone, and name those that look as if they told the outcome.

    Args:
        frame: The table after the split, with the column `layout.KEY`.
        held_out: Which rows are; the other ones are learned from.
        data: The task, the target, and which columns have another role.
        columns: Profiles of all columns.

    Returns:
        The profiles with their scores; what was noticed, what the model reads first, then by
        falling score.
    """
    rows = _looked_at(frame, held_out, data)
    read = {each.name for each in feature_columns(rows.frame[~rows.held_out], data)}
    scored, leaks = [], []
    for column in columns:
        told = None if column.name == data.target else _told(rows, column)
        score = None if told is None else round(told.score, _DIGITS)
        scored.append(column.model_copy(update={"alone": score}))
        noticed = None if told is None else _noticed(rows, column, told, data)
        if noticed is not None:
            sign, reason = noticed
            leak = Leak(
                column=column.name,
                sign=sign,
                score=score,
                reason=reason,
                feature=column.name in read,
            )
            leaks.append(leak)
    leaks.sort(key=lambda leak: (not leak.feature, -(leak.score or 0.0), leak.column))
    return tuple(scored), tuple(leaks)


def _looked_at(frame: "pd.DataFrame", held_out: "Bools", data: Data) -> _Side:
    """Return the rows to look at: all, or as many as are enough, drawn by the hash of their key."""
    import numpy as np

    total = len(frame)
    if total > _MOST_ROWS:
        # The first digits decide the side, so that the last ones draw.
        limit = f"{int(_MOST_ROWS / total * 16**8):08x}"
        drawn = (frame[layout.KEY].str[-8:] < limit).to_numpy(dtype=bool)
        frame, held_out = frame[drawn], held_out[drawn]
    target = frame[data.target]
    if data.task == "regression":
        return _Side(frame, held_out, target.to_numpy(dtype=np.float64), total)
    if data.task == "binary":
        positive = is_positive(target, data.positive).astype(np.int64)
        return _Side(frame, held_out, Classes(positive, 2), total)
    names, codes = np.unique(label_texts(target), return_inverse=True)
    return _Side(
        frame, held_out, Classes(codes.astype(np.int64), len(names)), total, [*map(str, names)]
    )


# --- one column --------------------------------------------------------------------


def _told(rows: _Side, column: ColumnProfile) -> Told | None:
    return told_by(_values(rows.frame[column.name], column), rows.outcome, rows.held_out)


def _values(values: "pd.Series[Any]", column: ColumnProfile) -> "Numbers":
    """Return a column as numbers, or as codes of its categories.

    Free text, an id above all, counts by its place in the alphabet: no value of it comes again.
    """
    import numpy as np
    import pandas as pd

    if column.kind == "text":
        codes, _ = pd.factorize(values, sort=True)
        places: np.ndarray[Any, np.dtype[np.float64]] = codes.astype(np.float64)
        places[codes < 0] = np.nan
        return places
    if column.kind in ("category", "boolean"):
        kinds: np.ndarray[Any, np.dtype[np.int64]] = pd.factorize(values)[0].astype(np.int64)
        return kinds
    if column.kind == "datetime":
        return _moments(values)
    numbers: np.ndarray[Any, np.dtype[np.float64]] = values.to_numpy(
        dtype=np.float64, na_value=np.nan, copy=True
    )
    finite = numbers[np.isfinite(numbers)]
    if len(finite):
        np.clip(numbers, finite.min(), finite.max(), out=numbers)
    return numbers


def _moments(values: "pd.Series[Any]") -> "Numbers":
    """Return dates as numbers, NaN for a missing one."""
    import numpy as np
    import pandas as pd

    parsed = pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")
    moments: np.ndarray[Any, np.dtype[np.float64]] = (
        parsed.dt.as_unit("us").astype("int64").to_numpy().astype(np.float64)
    )
    moments[parsed.isna().to_numpy()] = np.nan
    return moments


def _noticed(rows: _Side, column: ColumnProfile, told: Told, data: Data) -> tuple[Sign, str] | None:
    """Return what is noticed of a column, the most telling first; None for nothing."""
    some = told.score >= max(SOME, told.noise)
    it_tells = f"it tells {_what(rows, told)} with a score of {told.score:.3f}"
    if column.name != data.time and _is_dated(rows.frame[column.name], column):
        said = _after(rows, column, data) or _missing_for_one(rows, column)
        if said:
            return "time", f"{said}; alone {it_tells}."
    if some and _is_id(column, data, rows.total):
        said = "It names rows, so it was given or sorted by the outcome"
        return "id", f"{said}; alone {it_tells}."
    if told.score >= ALONE:
        return "alone", f"Alone {it_tells}."
    word = min(_words(column.name) & _AFTERWARDS, default=None)
    if some and word is not None:
        return "name", f'Its name says "{word}", which is known afterwards; alone {it_tells}.'
    return None


def _what(rows: _Side, told: Told) -> str:
    return "the outcome" if told.code is None else f"the class {rows.names[told.code]}"


def _is_id(column: ColumnProfile, data: Data, rows: int) -> bool:
    if column.name in (data.id, data.group):
        return True
    unique = column.missing == 0 and column.distinct >= rows
    return unique and column.kind in ("integer", "text")


def _words(name: str) -> set[str]:
    """Return the words of a name in small letters, and each two that are neighbours."""
    words = [word.lower() for word in _WORD.findall(name)]
    return {*words, *(" ".join(pair) for pair in pairwise(words))}


# --- time --------------------------------------------------------------------------


def _is_dated(values: "pd.Series[Any]", column: ColumnProfile) -> bool:
    """Whether a column holds dates: as such, or as text in ISO 8601."""
    if column.kind == "datetime":
        return True
    if column.kind not in ("text", "category"):
        return False
    some = values.dropna().unique()[:_LOOKED_AT]
    return len(some) > 0 and all(_DATE.match(text) for text in _texts(some))


def _texts(values: Iterable[Any]) -> list[str]:
    return [value if isinstance(value, str) else "" for value in values]


def _after(rows: _Side, column: ColumnProfile, data: Data) -> str:
    """Say that most dates lie after the time of their row; empty where they do not."""
    if data.time is None:
        return ""
    import numpy as np

    dates, times = _moments(rows.frame[column.name]), _moments(rows.frame[data.time])
    both = ~np.isnan(dates) & ~np.isnan(times)
    late = int((dates[both] > times[both]).sum())
    if late * 2 <= int(both.sum()):
        return ""
    return f"{100 * late / int(both.sum()):.0f} % of its dates lie after {data.time}"


def _missing_for_one(rows: _Side, column: ColumnProfile) -> str:
    """Say that dates are there for one outcome alone; empty where they are not."""
    import numpy as np

    if not isinstance(rows.outcome, Classes):
        return ""
    missing = rows.frame[column.name].isna().to_numpy().astype(np.int64)
    told = told_by(missing, rows.outcome, rows.held_out)
    if told is None or told.score < ALONE:
        return ""
    return "It has a date for one outcome and none for another"
