"""What is kept of a base's table: a sketch of each column, and the keys of its rows.

The table itself is in a worktree that is gone when a head is compared with it.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from mergeline.core import layout
from mergeline.files import write_whole
from mergeline.model.table import column_kind
from mergeline.stats.distance import Sketch, sketch_categories, sketch_numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Floats = np.ndarray[Any, np.dtype[np.float64]]

# Beside a kept baseline; both are of the training and the held-out table together.
SKETCHES = "columns.json"
KEYS = "keys.parquet"
_SKETCHES: TypeAdapter[dict[str, Sketch]] = TypeAdapter(dict[str, Sketch])
_TABLES = (layout.TRAIN_TABLE, layout.TEST_TABLE)


def keep_table(tree: Path, folder: Path) -> None:
    """Keep what comparing tables needs; nothing of a table that is not there.

    Args:
        tree: The base's project, its stages up to date.
        folder: Of the kept baseline.
    """
    sketches = {}
    if all((tree / table).is_file() for table in _TABLES):
        import pandas as pd

        keys = pd.DataFrame({layout.KEY: column(tree, layout.KEY).unique()})
        keys.to_parquet(folder / KEYS, index=False)
        made = {name: sketch(column(tree, name)) for name in column_names(tree)}
        sketches = {name: each for name, each in made.items() if each is not None}
    write_whole(folder / SKETCHES, _SKETCHES.dump_json(sketches))


def kept_sketches(folder: Path) -> dict[str, Sketch]:
    """Return the sketches of a kept baseline; none where another version wrote them."""
    with suppress(FileNotFoundError, ValidationError):
        return _SKETCHES.validate_json((folder / SKETCHES).read_bytes())
    return {}


def column_names(root: Path) -> list[str]:
    """Return the columns of a project's prepared tables, in their order."""
    import pyarrow.parquet

    names = pyarrow.parquet.read_schema(root / layout.TRAIN_TABLE).names
    return [str(name) for name in names if name != layout.KEY]


def column(root: Path, name: str) -> "pd.Series[Any]":
    """Return one column of both prepared tables: a whole table can be larger than memory."""
    import pandas as pd

    parts = [pd.read_parquet(root / table, columns=[name])[name] for table in _TABLES]
    return pd.concat(parts, ignore_index=True)


def sketch(values: "pd.Series[Any]") -> Sketch | None:
    """Return a column's sketch; None for free text, of which every value is another one."""
    kind = column_kind(values)
    if kind == "text":
        return None
    if kind in ("category", "boolean"):
        return sketch_categories(values)
    return sketch_numbers(numbers(values))


def numbers(values: "pd.Series[Any]") -> "Floats":
    """Return numbers, dates as microseconds; NaN for a missing one."""
    import numpy as np

    if values.dtype.kind != "M":
        found: Floats = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return found
    moments: Floats = values.dt.as_unit("us").astype("int64").to_numpy().astype(np.float64)
    moments[values.isna().to_numpy()] = np.nan
    return moments
