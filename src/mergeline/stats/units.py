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


# Draws of fewer ids or groups say little of others: intervals by 10 of them hold the truth in
# about 91 of 100 simulated samples, by 5 in 82, and by one alone they have no width at all
# (Cameron, Gelbach and Miller, Review of Economics and Statistics 90, 2008, on few clusters).
FEWEST_UNITS = 10
FEW_ROWS = "Too few rows for an interval."


def too_few_units(units: "np.ndarray[Any, np.dtype[np.int64]] | None") -> str:
    """Say that too few ids or groups share all rows for an interval; empty where enough do.

    Args:
        units: The number of its unit of each row, shape (n,); None where every row is one.
    """
    import numpy as np

    count = FEWEST_UNITS if units is None else len(np.unique(units))
    if count >= FEWEST_UNITS:
        return ""
    who = "one id or group has all rows" if count == 1 else f"{count} ids or groups share all rows"
    return f"Too few for an interval: {who}."
