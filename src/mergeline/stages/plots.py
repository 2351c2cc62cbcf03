"""Files for `dvc plots`: comma-separated, each beside the evidence that it is made from."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from mergeline.config.problem import printable


def plot_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a file; numbers have six decimals, and texts may be the data's.

    Args:
        header: Names of the columns.
        rows: A value for each.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_written(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _written(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6f}"
    return printable(value) if isinstance(value, str) else value
