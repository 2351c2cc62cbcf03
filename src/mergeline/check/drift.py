"""How far the head's table lies from the base's: by column, and by the keys of its rows."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.check.compare import BaselineModel
from mergeline.check.kept import KEYS, column, column_names, kept_sketches, numbers, sketch
from mergeline.config.settings import Data
from mergeline.core import layout
from mergeline.core.evidence import EvidenceSet, PrepareContent
from mergeline.core.verdict import Comparison, Drift, RowChanges
from mergeline.stats.distance import (
    Sketch,
    distance,
    noise,
    sketch_categories,
    sketch_numbers,
)

if TYPE_CHECKING:
    import pandas as pd


def with_drift(
    comparison: Comparison, root: Path, data: Data, evidence: EvidenceSet, baseline: BaselineModel
) -> Comparison:
    """Return a comparison with the drift of the columns, and the rows that came and went.

    Args:
        comparison: Of the models, whatever became of it.
        root: The candidate's project, its stages up to date.
        data: Which columns of it are ids.
        evidence: Of the candidate.
        baseline: Its folder holds the sketches.
    """
    kept = kept_sketches(baseline.folder)
    if not kept or evidence.prepare is None or baseline.evidence.prepare is None:
        return comparison
    old, new = baseline.evidence.prepare.content, evidence.prepare.content
    same = _is_same_table(old, new)
    update = {
        "drift": _drift(root, data, kept, same=same),
        "rows": _row_changes(root, baseline.folder, old, new, same=same),
    }
    return comparison.model_copy(update=update)


def _is_same_table(old: PrepareContent, new: PrepareContent) -> bool:
    """Whether two tables hold the same rows: one file, read and split alike."""
    made = [(side.sha256, side.writing, side.rows, side.split) for side in (old, new)]
    return made[0] == made[1] and [
        (column.name, column.kind, column.missing, column.distinct) for column in old.columns
    ] == [(column.name, column.kind, column.missing, column.distinct) for column in new.columns]


# --- columns -----------------------------------------------------------------------


def _drift(root: Path, data: Data, before: Mapping[str, Sketch], *, same: bool) -> dict[str, Drift]:
    """Compare all columns but ids, and the time, which moves on by itself."""
    there = set(column_names(root)) - {data.id, data.group, data.time}
    names = [name for name in before if name in there]
    pairs = {
        name: (before[name], before[name] if same else _beside(column(root, name), before[name]))
        for name in names
    }
    return {name: _one(old, new, len(pairs)) for name, (old, new) in pairs.items()}


def _one(old: Sketch, new: Sketch, comparisons: int) -> Drift:
    if old.kind != new.kind:
        return Drift(n=new.rows, distance=1.0, noise=0.0, changed_type=True)
    return Drift(
        n=new.rows,
        distance=round(distance(old, new), 9),
        noise=round(noise(old, new, comparisons), 9),
    )


def _beside(values: "pd.Series[Any]", before: Sketch) -> Sketch:
    """Return a column's sketch, its numbers counted where those of another sketch are.

    A column that was something else at the base and is free text now counts as categories: left
    out, as free text is, it would pass every gate on all columns.
    """
    import numpy as np

    made = sketch(values)
    if made is None:
        return sketch_categories(values)
    if (made.kind, before.kind) != ("number", "number"):
        return made
    return sketch_numbers(numbers(values), np.array(before.cuts))


# --- rows --------------------------------------------------------------------------


def _row_changes(
    root: Path, folder: Path, old: PrepareContent, new: PrepareContent, *, same: bool
) -> RowChanges | None:
    """Count keys that came and went; None where a row's key is not the same thing any more."""
    import pandas as pd

    names = [sorted(column.name for column in side.columns) for side in (old, new)]
    if old.split.key != new.split.key or (new.split.key is None and names[0] != names[1]):
        return None
    if not (folder / KEYS).is_file():
        return None
    before = pd.read_parquet(folder / KEYS)[layout.KEY]
    if same:
        return RowChanges(added=0, removed=0, common=len(before))
    after = pd.Series(column(root, layout.KEY).unique())
    common = int(after.isin(before).sum())
    return RowChanges(added=len(after) - common, removed=len(before) - common, common=common)
