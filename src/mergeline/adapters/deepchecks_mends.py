"""What deepchecks needs beside newer libraries, and what makes it quicker and smaller.

Run by `mergeline.adapters.deepchecks_worker` in the Python of deepchecks' own environment.
"""

from __future__ import annotations

import copy
import sys
from typing import Any


def mend() -> None:
    """Import deepchecks and make up for what it lacks; to be called once, before others do."""
    # jsonschema takes this one where it is there: five seconds for a grammar of addresses.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    _forget_characters()
    _follow_scikit_learn()
    _narrow_duplicates()
    _narrow_conflicts()
    _narrow_mix()


class _Kept(dict[int, "int | None"]):
    """What `str.translate` makes of a character: nothing, unless it is a letter or digit."""

    def __missing__(self, code: int) -> int | None:
        self[code] = code if chr(code).isalnum() else None
        return self[code]


def _forget_characters() -> None:
    """Let go of deepchecks' list of all characters that are no letter: 170 MB."""
    from deepchecks.utils import strings

    strings.DEL_MAP = _Kept()
    del strings.SPECIAL_CHARACTERS, strings.DEL_CHARS


def _follow_scikit_learn() -> None:
    """Make up for what scikit-learn does otherwise than the one deepchecks was written for."""
    from deepchecks.tabular import context
    from deepchecks.tabular.checks.model_evaluation import regression_error_distribution as errors
    from deepchecks.tabular.metric_utils import scorers
    from sklearn.metrics import root_mean_squared_error

    # Scorers look for a method of that name; and 1 is not the positive one of several classes.
    context._DummyModel._predict.__name__ = "predict"
    for name in scorers.MULTICLASS_SCORERS_NON_AVERAGE.values():
        scorers.multiclass_scorers_dict[name]._kwargs["pos_label"] = None
    errors.mean_squared_error = lambda *rows, **_: root_mean_squared_error(*rows)


# --- rows that are like no other ---------------------------------------------------
#
# Three checks group all rows by all columns, which holds several copies of the table, and two
# of them walk over the groups in Python, 70 microseconds each. They are given only the rows
# that can matter: those whose hash another row has. What they find among these is the same;
# shares are put back to all rows.


def _narrow_duplicates() -> None:
    """Only rows of the same hash can be the same."""
    from deepchecks.core import CheckResult
    from deepchecks.tabular.checks import DataDuplicates

    every = DataDuplicates.run_logic

    def run_logic(self: Any, context: Any, dataset_kind: Any) -> Any:
        dataset = context.get_data_by_kind(dataset_kind)
        alike = _alike(dataset, list(dataset.data.columns))
        if not alike.any():
            return CheckResult(0.0)
        result = every(self, _narrowed(context, dataset_kind, alike), dataset_kind)
        result.value = _of_all(result.value, alike)
        return result

    DataDuplicates.run_logic = run_logic


def _narrow_conflicts() -> None:
    """Labels can conflict only where two rows are alike but for the label."""
    from deepchecks.core import CheckResult
    from deepchecks.tabular.checks import ConflictingLabels

    every = ConflictingLabels.run_logic

    def run_logic(self: Any, context: Any, dataset_kind: Any) -> Any:
        context.assert_classification_task()
        dataset = context.get_data_by_kind(dataset_kind)
        alike = _alike(dataset, dataset.features)
        if not alike.any():
            return CheckResult({"percent_of_conflicting_samples": 0.0, "samples_indices": []})
        result = every(self, _narrowed(context, dataset_kind, alike), dataset_kind)
        share = result.value["percent_of_conflicting_samples"]
        result.value["percent_of_conflicting_samples"] = _of_all(share, alike)
        return result

    ConflictingLabels.run_logic = run_logic


def _narrow_mix() -> None:
    """Only rows of which the other side has a like one can be on both sides."""
    from deepchecks.core import CheckResult, DatasetKind
    from deepchecks.tabular.checks import TrainTestSamplesMix

    every = TrainTestSamplesMix.run_logic

    def run_logic(self: Any, context: Any) -> Any:
        data = {"train": context.train, "test": context.test}
        columns = [*context.test.features, context.test.label_name]
        hashes = {side: _hashes(dataset, columns) for side, dataset in data.items()}
        alike = {
            "train": hashes["train"].isin(hashes["test"]).to_numpy(),
            "test": hashes["test"].isin(hashes["train"]).to_numpy(),
        }
        if not alike["test"].any():
            return CheckResult({"ratio": 0.0, "data": context.test.data[:0]})
        for kind in (DatasetKind.TRAIN, DatasetKind.TEST):
            context = _narrowed(context, kind, alike[kind.value.lower()])
        result = every(self, context)
        result.value["ratio"] = _of_all(result.value["ratio"], alike["test"])
        return result

    TrainTestSamplesMix.run_logic = run_logic


def _narrowed(context: Any, kind: Any, chosen: Any) -> Any:
    """Return a context with some of the rows of a side."""
    dataset, changed = context.get_data_by_kind(kind), copy.copy(context)
    setattr(changed, f"_{kind.value.lower()}", dataset.copy(dataset.data[chosen]))
    return changed


def _of_all(share: float, chosen: Any) -> float:
    """Return a share of the chosen rows as one of all rows, exactly."""
    return round(share * int(chosen.sum())) / len(chosen)


def _alike(dataset: Any, columns: list[str]) -> Any:
    """Return which rows have the hash of another one."""
    return _hashes(dataset, columns).duplicated(keep=False).to_numpy()


def _hashes(dataset: Any, columns: list[str]) -> Any:
    """Return a hash of each row's values in some columns; equal values have equal hashes."""
    import numpy as np
    import pandas as pd

    total = np.zeros(len(dataset.data), dtype=np.uint64)
    for name in columns:
        column = dataset.data[name]
        if pd.api.types.is_numeric_dtype(column):
            # Of the two zeros, and of the many numbers that are none, one each.
            column = column.astype("float64").where(column.notna()) + 0.0
        # Columns one after the other: their temporary copies are as large as they are.
        total = total * np.uint64(1_000_003) + pd.util.hash_pandas_object(column, index=False)
    return pd.Series(total)
