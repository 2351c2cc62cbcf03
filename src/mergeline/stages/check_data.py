"""check_data: deepchecks' suites on the training table, and on the two tables side by side."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mergeline.adapters.deepchecks import Request, run_suites
from mergeline.config.settings import Data, Settings
from mergeline.core import layout
from mergeline.core.evidence import Feature
from mergeline.model.cast import cast_features
from mergeline.model.table import feature_columns, is_positive, label_texts, write_table
from mergeline.stages.base import Clock, Result, read_prepared

if TYPE_CHECKING:
    import pandas as pd

_SUITES = ("data_integrity", "train_test_validation")


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Check the prepared tables; all rows, except in checks that estimate.

    Raises:
        ContractError: A table is missing.
        ToolError: deepchecks is missing or failed.
    """
    data = settings.data
    with clock.part("read"):
        train = read_prepared(root, layout.TRAIN_TABLE)
        test = read_prepared(root, layout.TEST_TABLE)
    features = feature_columns(train, data)
    with tempfile.TemporaryDirectory(prefix="mergeline-") as name:
        folder = Path(name)
        with clock.part("hand_over"):
            write_table(labelled(train, features, data), folder / "train.parquet")
            write_table(labelled(test, features, data), folder / "test.parquet")
        with clock.part("deepchecks"):
            answer = run_suites(
                Request(
                    suites=_SUITES,
                    train=str(folder / "train.parquet"),
                    test=str(folder / "test.parquet"),
                    label=data.target,
                    features=tuple(feature.name for feature in features),
                    categories=categories(features),
                    index=data.id,
                    datetime=data.time,
                    sample=settings.checks.sample,
                    task=data.task,
                )
            )
    clock.seconds.update(answer.seconds)
    return Result(answer.content)


def labelled(frame: "pd.DataFrame", features: Sequence[Feature], data: Data) -> "pd.DataFrame":
    """Return a table as deepchecks reads it right.

    The features are what the model reads (numbers as float64, categories as text), our key is
    left out, and the target is 1 for the positive class and 0 for the other, the text of one of
    several classes, or a number.
    """
    table = frame.drop(columns=layout.KEY)
    cast = cast_features(frame, features)
    for name in cast.columns:
        table[name] = cast[name]
    target = frame[data.target]
    if data.task == "binary":
        table[data.target] = is_positive(target, data.positive).astype("int64")
    else:
        several = data.task == "multiclass"
        table[data.target] = label_texts(target) if several else target.astype("float64")
    return table


def categories(features: Sequence[Feature]) -> tuple[str, ...]:
    """Return the names of the features that are categories."""
    return tuple(feature.name for feature in features if feature.kind == "category")
