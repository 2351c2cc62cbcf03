"""Parse and score: the one way from rows to scores, in evaluation and in serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import Feature
from mergeline.core.task import Task
from mergeline.errors import ModelError, first_line
from mergeline.model.cast import cast_features
from mergeline.model.direct import Columns, Predict, predictor
from mergeline.model.directory import SKOPS, read_description
from mergeline.model.safety import read_files, require_safe
from mergeline.model.trust import require_trusted
from mergeline.model.walk import walk

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True)
class Scorer:
    """A loaded model.

    Attributes:
        task: What it predicts.
        pipeline: The fitted scikit-learn Pipeline.
        features: The columns that it reads, in its order.
        classes: In the order of its probabilities; none for regression.
        positive: The positive class; binary only.
        missing: Texts that mean "no value", besides the empty one.
    """

    task: Task
    pipeline: Any
    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    positive: str | None
    missing: tuple[str, ...] = ()

    @property
    def single(self) -> bool:
        """Whether it computes in single precision.

        Its scores then differ a little by processor, and by how many rows are asked at once.
        """
        from mergeline.model.onnx import Onnx

        return isinstance(getattr(self.pipeline, "_final_estimator", None), Onnx)

    @cached_property
    def _predict(self) -> Predict:
        return predictor(self.pipeline, self.task)

    def score(self, frame: "pd.DataFrame") -> "np.ndarray[Any, np.dtype[np.float64]]":
        """Return what the model says of each row.

        That is the probability of the positive class or the predicted value, shape (n,), and
        for several classes their probabilities, shape (n, classes).

        Raises:
            ContractError: A column is absent or of the wrong type.
            ModelError: A score is not a number.
        """
        rows = cast_features(frame, self.features)
        return self.score_columns({name: rows[name].to_numpy() for name in rows.columns})

    def score_columns(self, columns: Columns) -> "np.ndarray[Any, np.dtype[np.float64]]":
        """Return what `score` does, of columns that are cast already.

        Args:
            columns: By feature, as `cast_features` makes them, shape (n,) each.

        Raises:
            ModelError: A score is not a number.
        """
        import numpy as np

        try:
            found = np.asarray(self._predict(columns), dtype=np.float64)
        except Exception as error:  # an estimator, or a project's own step, raises as it likes
            rows = len(next(iter(columns.values())))
            raise ModelError(
                f"the model cannot score {rows} rows: {type(error).__name__}: {first_line(error)}",
                hint="look for values that the training rows do not have, such as infinities",
            ) from error
        binary = self.task == "binary"
        scores = found[:, self.classes.index(str(self.positive))] if binary else found
        good = np.isfinite(scores) if scores.ndim == 1 else np.isfinite(scores).all(axis=1)
        if not good.all():
            raise ModelError(
                f"the model gives no number as score for {int((~good).sum())} of "
                f"{len(scores)} rows",
                hint="look for a division by zero in the model, or use another estimator",
            )
        return scores


def load_scorer(folder: Path, *, trusted: Sequence[str] = ()) -> Scorer:
    """Load a model directory, with our list of trusted types.

    It passes two readers that know nothing of each other: ours of the bytes, and skops'.

    Args:
        folder: An MLflow model directory that `save_model` wrote.
        trusted: Types of the project's own that the model may hold.

    Raises:
        UnsafeModel: It could do more than score, or holds a type that nobody trusts.
        ModelError: It is not such a directory.
    """
    import skops.io

    from mergeline.model.boosted import BoostedClassifier, BoostedRegressor
    from mergeline.model.onnx import OnnxClassifier, OnnxRegressor

    description = read_description(folder)
    try:
        files = read_files(folder)
    except OSError as error:
        raise _unusable(folder, error) from error
    require_safe(files, trusted)
    data = files[SKOPS]
    types = require_trusted(data, trusted)
    try:
        pipeline = skops.io.loads(data, trusted=list(types))
    except Exception as error:  # skops raises whatever the parts of a model raise
        raise _unusable(folder, error) from error
    for part in walk(pipeline):
        if type(part) in (BoostedClassifier, BoostedRegressor) and part.fitted:
            part.load()
        if type(part) in (OnnxClassifier, OnnxRegressor):
            part.load()
    return Scorer(
        task=description.task,
        pipeline=pipeline,
        features=description.features,
        classes=description.classes,
        positive=description.positive,
        missing=description.missing,
    )


def _unusable(folder: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{folder / SKOPS} cannot be loaded: {type(error).__name__}: {first_line(error)}",
        hint="train it again: mergeline check",
    )
