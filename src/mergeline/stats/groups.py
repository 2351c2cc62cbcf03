"""Which group each row belongs to: by one sensitive column, or by several at once."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, combinations, count, pairwise
from typing import TYPE_CHECKING, Any

from mergeline.core.labels import category_text, plain
from mergeline.errors import ContractError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Labels = np.ndarray[Any, np.dtype[np.str_]]

MISSING = "(missing)"
# Numbers with more different values than this are binned before they are groups.
_MOST_VALUES = 10
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


def column_sets(columns: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return what bias is reported by: each column, each pair, and all where there are three."""
    triple = [tuple(columns)] if len(columns) == 3 else []  # noqa: PLR2004
    return (*((column,) for column in columns), *combinations(columns, 2), *triple)


def name_of(columns: Sequence[str]) -> str:
    """Return the name of a column, or of an intersection."""
    return " & ".join(columns)


def sensitive_groups(
    frame: "pd.DataFrame", columns: Sequence[str], bins: Mapping[str, Sequence[float]]
) -> "list[tuple[str, Labels]]":
    """Return the group of every row, by each of `column_sets(columns)` and in that order.

    Args:
        frame: The rows, shape (n, ...).
        columns: The sensitive columns.
        bins: Edges by column, rising.

    Returns:
        Pairs of name (`sex`, `sex & age`) and labels, shape (n,).
    """
    labels = {column: group_labels(frame[column], bins.get(column)) for column in columns}
    return [
        (name_of(chosen), _joined([labels[column] for column in chosen]))
        for chosen in column_sets(columns)
    ]


def _joined(labels: "Sequence[Labels]") -> "Labels":
    """Name the combination of each row's labels; two combinations never share a name.

    Where names would be equal, as those of "a & b" with "c" and of "a" with "b & c", the
    parts are quoted, and a number is added should even those be the name of another.
    """
    import numpy as np

    if len(labels) == 1:
        return labels[0]
    parts = [np.unique(label, return_inverse=True) for label in labels]
    codes, rows = np.unique(
        np.stack([code for _, code in parts], axis=1), axis=0, return_inverse=True
    )
    found = [
        tuple(str(names[c]) for (names, _), c in zip(parts, row, strict=True)) for row in codes
    ]
    return np.array(_distinct(found), dtype=str)[rows.reshape(-1)]


def _distinct(found: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a name of each combination, all different."""
    plainly = [name_of(parts) for parts in found]
    twice = Counter(plainly)
    taken = {name for name, times in twice.items() if times == 1}
    names = []
    for name, parts in zip(plainly, found, strict=True):
        chosen = name
        if twice[name] > 1:
            quoted = name_of([f'"{part}"' for part in parts])
            options = chain([quoted], (f"{quoted} ({number})" for number in count(2)))
            chosen = next(option for option in options if option not in taken)
        taken.add(chosen)
        names.append(chosen)
    return names


def group_labels(column: "pd.Series[Any]", edges: Sequence[float] | None = None) -> "Labels":
    """Return the group of every row by one column, shape (n,).

    A row without a value is of the group `(missing)`. With edges [18, 30, 45] the groups
    are `[18, 30)` and `[30, 45)`, and `below 18` and `45 and over` where there are such
    rows. Numbers and dates without edges are cut at their quartiles when they have more
    than 10 different values; infinities are of the outer groups.

    Args:
        column: The values, shape (n,).
        edges: Rising.

    Raises:
        ContractError: There are edges, and the column holds no numbers.
    """
    from pandas.api import types

    dates = types.is_datetime64_any_dtype(column.dtype)
    numbers = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    if edges is not None:
        if not numbers:
            raise _not_numbers(column)
        return _cut(column.astype("float64"), edges, _number, closed=False)
    if not (dates or numbers) or column.nunique() <= _MOST_VALUES:
        return _categories(column)
    finite = column if dates else column[column.abs() != float("inf")]
    quarters = finite.quantile(list(_QUARTERS)).drop_duplicates().tolist()
    return _cut(column, quarters, _date if dates else _number, closed=True)


def _not_numbers(column: "pd.Series[Any]") -> ContractError:
    return ContractError(
        f"fairness.bins has edges for the column {str(column.name)!r}, whose values are "
        f"{column.dtype}, expected numbers",
        hint="leave the column out of fairness.bins, or make it a column of numbers",
    )


def _number(edge: float) -> str:
    return f"{edge:.12g}"


def _date(edge: "pd.Timestamp") -> str:
    return str(edge.date().isoformat())


def _cut(column: "pd.Series[Any]", edges: Sequence[Any], text: Any, *, closed: bool) -> "Labels":
    """Name the interval of each value; the last one holds its upper edge where `closed`."""
    import numpy as np

    names = [f"[{text(low)}, {text(high)})" for low, high in pairwise(edges)]
    if closed:
        names[-1] = names[-1][:-1] + "]"
    all_names = np.array(
        [f"below {text(edges[0])}", *names, f"{text(edges[-1])} and over", MISSING]
    )
    there = column.notna().to_numpy(dtype=bool)
    number = np.full(len(column), len(all_names) - 1)
    # Only values that are there: a missing date has no order beside others.
    places = np.searchsorted(np.asarray(edges), column[there].to_numpy(), side="right")
    number[there] = np.clip(places, 1, len(names)) if closed else places
    found: Labels = all_names[number]
    return found


def _categories(column: "pd.Series[Any]") -> "Labels":
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(column)
    labels: Labels = np.array(
        [*(category_text(plain(value)) for value in values), MISSING], dtype=str
    )[codes]
    return labels
