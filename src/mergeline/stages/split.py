"""Which rows are held out: by hash of a group, an id or the row itself, or by time.

A hash decides by itself, so a row keeps its side as data grows, and rows that share a
group, an id or all their values are on one side.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Literal

from mergeline.config.settings import Data, SplitSettings
from mergeline.core import layout
from mergeline.core.evidence import Split
from mergeline.core.labels import category_text, plain
from mergeline.errors import ContractError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Mask = np.ndarray[Any, np.dtype[np.bool_]]

# Below this a double holds every integer.
_EXACT = 2.0**53


def split_rows(
    frame: "pd.DataFrame", data: Data, split: SplitSettings
) -> "tuple[pd.DataFrame, Mask, Split]":
    """Decide the side of each row.

    Args:
        frame: The table; a time column is parsed already.
        data: Which columns are id, group and time.
        split: The fraction, or the day of the cut.

    Returns:
        The table with the column `layout.KEY`, which rows of it are held out, and how it
        came about. A split by time leaves out training rows whose id or group is also
        held out.

    Raises:
        ContractError: An id belongs to two groups.
    """
    import numpy as np

    frame = frame.assign(**{layout.KEY: row_keys(frame, data)})
    dropped = np.zeros(len(frame), dtype=bool)
    if data.time is not None:
        test, after = _by_time(frame, data.time, split)
        dropped = ~test & frame[layout.KEY].isin(frame.loc[test, layout.KEY]).to_numpy()
    else:
        test, after = _by_hash(frame, split.fraction), None
    kept = frame[~dropped].reset_index(drop=True)
    mask = test[~dropped]
    return (
        kept,
        mask,
        Split(
            method=_method(data),
            by=data.time or data.group or data.id,
            key=data.group or data.id,
            test=None if split.after else split.fraction,
            after=after,
            train_rows=int((~mask).sum()),
            test_rows=int(mask.sum()),
            dropped=int(dropped.sum()),
        ),
    )


def _method(data: Data) -> Literal["id", "group", "time", "row"]:
    if data.time:
        return "time"
    if data.group:
        return "group"
    return "id" if data.id else "row"


def row_keys(frame: "pd.DataFrame", data: Data) -> list[str]:
    """Return for each row 16 hexadecimal digits that name what it stands for.

    They are the first 64 bits of the SHA-256 of the group, else of the id, else of the
    whole row.
    """
    unit = data.group or data.id
    if unit is None:
        return [_hash(text) for text in _row_texts(frame)]
    column = frame[unit]
    if column.isna().any():
        key = "data.group" if data.group else "data.id"
        raise ContractError(
            f"{key} {unit!r} is missing in {int(column.isna().sum())} of {len(column)} rows",
            hint="give every row one, or remove the key from params.yaml",
        )
    if data.group is not None and data.id is not None:
        _require_one_group(frame, data.id, data.group)
    return [_hash(category_text(plain(value))) for value in column.to_numpy()]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _require_one_group(frame: "pd.DataFrame", identity: str, group: str) -> None:
    groups = frame.groupby(identity)[group].nunique()
    spread = int((groups > 1).sum())
    if spread:
        raise ContractError(
            f"{spread} values of data.id {identity!r} belong to more than one value of "
            f"data.group {group!r}; the same id would be on both sides of the split",
            hint="make the group contain whole ids, or remove data.id",
        )


def _row_texts(frame: "pd.DataFrame") -> list[str]:
    """Return each row as one text, its columns in order of their names."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [pc.fill_null(_texts(frame[name]), "\x00") for name in sorted(frame.columns)]
    between = pa.scalar("\x1f", pa.large_string())
    joined: list[str] = pc.binary_join_element_wise(*columns, between).to_pylist()
    return joined


def _texts(column: "pd.Series[Any]") -> Any:
    """Return values as text that does not depend on the column's other values.

    One missing value makes a column of integers one of floats, one exact time makes a
    column of seconds one of nanoseconds; the rows that were there before stay what they were.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.dtype.kind == "M":
        column = column.dt.as_unit("us")
    if column.dtype == "float16":  # for which Arrow has no arithmetic
        column = column.astype("float64")
    array = pa.array(column, from_pandas=True)
    if pa.types.is_floating(array.type):
        whole = pc.and_(pc.equal(array, pc.floor(array)), pc.less(pc.abs(array), _EXACT))
        integers = pc.cast(pc.if_else(whole, array, 0.0), pa.int64())
        return pc.if_else(whole, _as_text(integers), _as_text(array))
    return _as_text(array)


def _as_text(array: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.cast(array, pa.large_string())


def _by_hash(frame: "pd.DataFrame", fraction: float) -> "Mask":
    import numpy as np

    limit = round(fraction * 2**64)
    return np.fromiter((int(key, 16) < limit for key in frame[layout.KEY]), bool, len(frame))


def _by_time(frame: "pd.DataFrame", column: str, split: SplitSettings) -> "tuple[Mask, str]":
    import pandas as pd

    times = frame[column]
    if split.after is not None:
        cut = pd.Timestamp(split.after)
    else:
        first = min(int(len(times) * (1 - split.fraction)), len(times) - 1)
        cut = times.sort_values().iloc[first]
    return (times >= cut).to_numpy(), cut.isoformat()
