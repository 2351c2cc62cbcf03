"""What the columns of a table are taken for, by their names and values: guesses, each said."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from mergeline.config.problem import shown
from mergeline.model.table import column_kind
from mergeline.stats.groups import group_labels

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Bins = Mapping[str, tuple[float, ...]]

_ID = {"id", "uuid", "guid", "identifier", "key"}
_PERSON = {
    *("account", "applicant", "borrower", "client", "customer", "employee", "member"),
    *("passenger", "patient", "person", "policyholder", "student", "subject", "user"),
}
_PERSON_ID = {f"{who}id" for who in _PERSON}
_ROW = {"unnamed", "index", "row", "rownumber", "rownames"}
_SENSITIVE = {"sex", "gender", "age", "race", "faith", "caste", "marital"}
_STEMS = (
    *("citizen", "disab", "ethnic", "handicap", "immigra", "nacional", "national"),
    *("pregnan", "religi"),
)
_PAIRS = (("native", "country"), ("birth", "country"), ("birth", "year"), ("sexual", "orientation"))
_OF_THINGS = {"account", "building", "car", "company", "house", "loan", "policy", "vehicle"}
_AGES = (0.0, 18.0, 30.0, 45.0, 60.0, 120.0)
# A column of text with more groups than this tells of single people, not of groups.
_MOST_GROUPS = 50
# Whole numbers with more values than this would be cut at their quartiles.
_MOST_CODES = 10
_MIN_GROUPS = (50, 30, 20)
_MOST_GATES = 3


@dataclass(frozen=True)
class Roles:
    """What the columns are taken for.

    Attributes:
        id: Unique and named like one.
        group: Repeats, and is named like the number of a person.
        time: Holds days or times.
        sensitive: Named like something that people must not be judged by.
        bins: Edges by sensitive column.
        exclude: Why a column is kept from the model, by column.
        notes: What was seen and left alone, a sentence each.
    """

    id: str | None
    group: str | None
    time: str | None
    sensitive: tuple[str, ...]
    bins: Bins
    exclude: Mapping[str, str]
    notes: tuple[str, ...]


def words(name: str) -> tuple[str, ...]:
    """Return the words of a column's name in lower case: `CustomerId` is customer, id."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return tuple(word.lower() for word in re.findall(r"[^\W_]+", parts))


def guess_roles(frame: "pd.DataFrame", target: str) -> Roles:
    """Return what the columns besides the target are taken for."""
    names = [str(name) for name in frame.columns if name != target]
    identity = next((name for name in _named_ids(names) if _is_id(frame[name])), None)
    group = next((name for name in _named_ids(names) if _is_person(name, frame[name])), None)
    left = [name for name in names if name not in (identity, group)]
    times = [name for name in left if _is_time(frame[name])]
    sensitive, bins, notes = _sensitive(frame, [name for name in left if name not in times])
    exclude = dict.fromkeys(times, "a time")
    for name in left:
        if name not in exclude and _is_row_number(name, frame[name]):
            exclude[name] = "numbers the rows"
        elif name not in exclude and column_kind(frame[name]) == "text":
            exclude[name] = "almost every row has its own"
    if len(exclude) == len(left):
        exclude = {}  # a model must read something
    of_birth = {name for name in times if "birth" in words(name) or "dob" in words(name)}
    notes += [
        f"{shown(name)} tells an age, but cannot be cut into groups: add a column with the age"
        for name in sorted(of_birth)
    ]
    time = next((name for name in times if name not in of_birth), None)
    return Roles(identity, group, time, sensitive, bins, exclude, tuple(notes))


def _named_ids(names: Iterable[str]) -> list[str]:
    """Return the columns named like an id, the shortest name first: `id` before `order_id`."""
    last = {name: words(name)[-1] for name in names if words(name)}
    found = [name for name in last if last[name] in _ID | _PERSON_ID]
    people = [name for name in last if last[name] in _PERSON]
    return [*sorted(found, key=lambda name: len(words(name))), *people]


def _is_id(column: "pd.Series[Any]") -> bool:
    return _is_number(column) and bool(column.is_unique)


def _is_person(name: str, column: "pd.Series[Any]") -> bool:
    """Whether a column numbers people who come more than once."""
    who = {*words(name)} & (_PERSON | _PERSON_ID)
    repeats = len(column) / 10 < column.nunique() < len(column)
    return bool(who) and repeats and _is_number(column)


def _is_number(column: "pd.Series[Any]") -> bool:
    """Whether each row has a text or a whole number, as ids are."""
    from pandas.api import types

    kind = types.is_integer_dtype(column.dtype) or column.dtype == "str"
    return kind and not column.isna().any()


def _is_row_number(name: str, column: "pd.Series[Any]") -> bool:
    from pandas.api import types

    if not {*words(name)} & _ROW or not types.is_integer_dtype(column.dtype):
        return False
    return bool((column.diff().dropna() == 1).all())


def _is_time(column: "pd.Series[Any]") -> bool:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return True
    if column.dtype != "str":
        return False
    present = column.dropna()
    if present.empty or not present.str.match(r"\d{4}-\d\d-\d\d").all():
        return False
    return bool(pd.to_datetime(present, format="ISO8601", utc=True, errors="coerce").notna().all())


def _sensitive(
    frame: "pd.DataFrame", names: Iterable[str]
) -> tuple[tuple[str, ...], Bins, list[str]]:
    from pandas.api import types

    found, bins, notes = [], {}, []
    for name in filter(_sounds_sensitive, names):
        column = frame[name]
        said = f"{shown(name)} sounds sensitive, but"
        counted = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
        distinct = int(column.nunique())
        if " & " in name:
            notes.append(f'{said} " & " in its name would join columns: rename it')
            continue
        if counted and distinct > _MOST_CODES:
            edges = _edges(name, column)
            if edges is None:
                notes.append(f"{said} its numbers seem to be codes: write them as text")
                continue
            bins[name] = edges
        elif distinct > _MOST_GROUPS:
            notes.append(f"{said} has {distinct} values: too many for groups")
            continue
        found.append(name)
    return tuple(found), bins, notes


def _sounds_sensitive(name: str) -> bool:
    said = {*words(name)}
    if "age" in said and said & _OF_THINGS:
        return False
    stem = any(word.startswith(_STEMS) for word in said)
    return stem or bool(said & _SENSITIVE) or any(said.issuperset(pair) for pair in _PAIRS)


def _edges(name: str, column: "pd.Series[Any]") -> tuple[float, ...] | None:
    """Return edges for ages and years of birth; other numbers have no order to cut."""
    low, high = float(column.min()), float(column.max())
    if not (isfinite(low) and isfinite(high)):
        return None
    if "age" in words(name) and low >= 0 and high < _AGES[-1]:
        edges = tuple(edge for edge in _AGES if edge > 0 or low < _AGES[1])
        inside = (edge for edge in edges[1:-1] if low < edge <= high)
        if any(inside):
            return edges
    elif "birth" not in words(name) and "age" not in words(name):
        return None
    quarters = column.quantile([0.0, 0.25, 0.5, 0.75]).round().drop_duplicates().tolist()
    return (*quarters, high + 1) if quarters and quarters[-1] < high + 1 else None


# --- which groups can be judged --------------------------------------------------------------


def judgeable(
    frame: "pd.DataFrame", positive: "np.ndarray[Any, Any] | None", roles: Roles
) -> tuple[int, tuple[str, ...]]:
    """Return the smallest group to judge, and the sensitive columns that can be judged then.

    A gap needs two groups of that size or more, of two classes each with positive and negative
    rows. Of many columns those with the fewest groups are returned: among many groups some always
    differ by chance.

    Args:
        frame: The held-out rows, shape (n, ...).
        positive: Which of them are positive, shape (n,); None unless there are two classes.
        roles: Names the sensitive columns and their bins.
    """
    labels = {name: group_labels(frame[name], roles.bins.get(name)) for name in roles.sensitive}
    for least in _MIN_GROUPS:
        counts = {name: _judged(label, positive, least) for name, label in labels.items()}
        found = sorted((name for name in counts if counts[name] > 1), key=lambda n: counts[n])
        if found:
            return least, tuple(found[:_MOST_GATES])
    return _MIN_GROUPS[0], ()


def _judged(
    labels: "np.ndarray[Any, Any]", positive: "np.ndarray[Any, Any] | None", least: int
) -> int:
    """Return how many groups are large enough; 0 where one of them has one outcome only."""
    import numpy as np

    count = 0
    for name in np.unique(labels):
        inside = labels == name
        if inside.sum() < least:
            continue
        if positive is not None and not 0 < positive[inside].sum() < inside.sum():
            return 0
        count += 1
    return count
