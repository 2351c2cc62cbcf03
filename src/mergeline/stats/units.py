"""What a bootstrap draws: rows, or the ids or groups that several rows share."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def unit_numbers(keys: "pd.Series[Any]") -> "np.ndarray[Any, np.dtype[np.int64]] | None":
    """Number the keys of rows from 0; None when every row has a key of its own.

    Args:
        keys: The key of each row, shape (n,).
    """
    import pandas as pd

    codes, values = pd.factorize(keys)
    return None if len(values) == len(keys) else codes
