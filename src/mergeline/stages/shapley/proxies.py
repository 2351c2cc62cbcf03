"""Which columns that the model reads tell a sensitive one: its proxies. Called by explain.

Leaving a sensitive column out changes little where another column tells it (Pedreschi, Ruggieri
and Turini, KDD 2008). How well one does is measured as for leaks (`stats.alone`): learned on
training rows, scored on held-out ones, 0 by chance and 1 without error.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import PROXY_FLOOR, Proxy
from mergeline.stats.alone import Classes, told_by
from mergeline.stats.groups import group_labels

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

# Enough for two digits of a score; tables are in the order of their keys, which are hashes.
_TRAIN_ROWS, _TEST_ROWS = 8_000, 4_000
# The first columns by importance alone: a column that moves nothing stands for nothing.
_FEATURES = 50
_GROUPS = 50
_DIGITS = 4


def find_proxies(
    train: "pd.DataFrame",
    test: "pd.DataFrame",
    features: Sequence[str],
    sensitive: Sequence[str],
    bins: Mapping[str, Sequence[float]],
) -> tuple[Proxy, ...]:
    """Return the columns that tell a sensitive one by `PROXY_FLOOR` or more, best first.

    Args:
        train: Rows to learn from, in the order of their keys.
        test: Rows to score, the same.
        features: What the model reads, the most important first.
        sensitive: The columns that groups are made of.
        bins: Edges by column, as for fairness.
    """
    import numpy as np
    import pandas as pd

    learned, scored = train.head(_TRAIN_ROWS), test.head(_TEST_ROWS)
    rows = pd.concat([learned, scored], ignore_index=True)
    held_out = np.arange(len(rows)) >= len(learned)
    read = [name for name in features[:_FEATURES] if name in rows.columns]
    values = {name: _values(rows[name]) for name in read}
    found = []
    for column in sensitive:
        names, codes = np.unique(group_labels(rows[column], bins.get(column)), return_inverse=True)
        if not 1 < len(names) <= _GROUPS:
            continue
        groups = Classes(codes.astype(np.int64), len(names))
        for name in read:
            told = None if name == column else told_by(values[name], groups, held_out)
            if told is not None and told.score >= max(PROXY_FLOOR, told.noise):
                group = None if told.code is None else str(names[told.code])
                score = round(told.score, _DIGITS)
                found.append(Proxy(column=name, of=column, group=group, score=score))
    return tuple(sorted(found, key=lambda proxy: (-proxy.score, proxy.column, proxy.of)))


def _values(column: "pd.Series[Any]") -> "Array":
    """Return numbers as they are, anything else as the codes of its values; -1 is missing."""
    import numpy as np
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        numbers: Array = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers
    codes: Array = pd.factorize(column)[0].astype(np.int64)
    return codes
