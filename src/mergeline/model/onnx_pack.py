"""From the ONNX file of the settings to the pipeline that is saved, held against the table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import Feature
from mergeline.core.labels import label_text
from mergeline.core.strict_json import shortened
from mergeline.core.task import Task
from mergeline.errors import ModelError
from mergeline.model.onnx import OnnxClassifier, OnnxRegressor
from mergeline.model.onnx_file import OnnxFile
from mergeline.model.table import listed

if TYPE_CHECKING:
    import pandas as pd

# Of the training table, to hold the file against.
ROWS = 1_000
_MOST_NAMED = 20
# Two classes whose probabilities are this close may both be the label.
_TIE = 1e-6
_STATE_THEM = (
    'put the classes into the file, in the order of its probabilities: a metadata property "'
    'classes" with a list of texts as JSON'
)


def onnx_pipeline(
    path: Path, features: Sequence[Feature], classes: Sequence[str], task: Task
) -> Any:
    """Return a fitted Pipeline of an ONNX file alone.

    Args:
        path: Of the file.
        features: The columns of the table, in its order.
        classes: The texts of the classes 0, 1, ...; none for regression.
        task: What is predicted.

    Raises:
        UnsafeModel: The file could do more than score, or is not understood.
        ModelError: It cannot be read, or does not fit the table; ONNX Runtime is missing.
    """
    import numpy as np
    from sklearn.pipeline import Pipeline

    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"the ONNX file cannot be read: {error.strerror}", hint="make it: dvc repro"
        ) from error
    made: Any = OnnxRegressor() if task == "regression" else OnnxClassifier()
    made.data = data
    made.names = [feature.name for feature in features]
    made.kinds = [feature.kind for feature in features]
    made.n_features_in_ = len(features)
    made.order = []
    if task != "regression":
        made.order = _order(made.file, classes)
        made.classes_ = np.arange(len(classes))
        _require_one_meaning(made, classes)
    made.load()
    return Pipeline([("estimator", made)])


def require_scores(pipeline: Any, rows: "pd.DataFrame", classes: Sequence[str]) -> None:
    """Score rows of the training table, and hold the file's own labels against the scores.

    A file whose classes are in another order than is believed would be the silent disaster.

    Args:
        pipeline: Of `onnx_pipeline`.
        rows: Cast features, shape (n, features).
        classes: As `onnx_pipeline`.

    Raises:
        ModelError: It gives no scores, or labels that are not those of its scores.
    """
    import numpy as np

    (estimator,) = (part for _, part in pipeline.steps)
    said = estimator.predict_proba(rows) if classes else estimator.predict(rows)
    odd = ~np.isfinite(said.reshape(len(said), -1)).all(axis=1)
    if odd.any():
        raise ModelError(
            f"the ONNX file gives no number for {int(odd.sum())} of {len(said)} rows",
            hint="a missing number comes as NaN: fill it within the graph (IsNaN and Where)",
        )
    port = estimator.way.label
    if port is None:
        return
    (labels,) = estimator.outputs(rows, [port])
    places = _places(labels.reshape(len(said), -1)[:, 0].tolist(), estimator.order, classes)
    told = np.array([said[row, place] for row, place in enumerate(places)])
    wrong = said.max(axis=1) - told > _TIE
    if wrong.any():
        raise ModelError(
            f"the labels of the ONNX file (output {port}) are not its most probable classes in "
            f"{int(wrong.sum())} of {len(said)} rows: its probabilities are taken for those of "
            f"{_named(_in_file(estimator.order, classes))}, in this order",
            hint=f"{_STATE_THEM}; or leave the output of labels out",
        )


def _in_file(order: Sequence[int], classes: Sequence[str]) -> list[str]:
    """Return the classes in the order of the file."""
    return [classes[order.index(place)] for place in range(len(order))]


def _order(file: OnnxFile, classes: Sequence[str]) -> list[int]:
    """Return the place of each class in the file; ours where it states none."""
    if not file.classes:
        return [*range(len(classes))]
    if sorted(file.classes) != sorted(classes):
        raise ModelError(
            f"the ONNX file states the classes {_named(file.classes)}, the table has "
            f"{_named(classes)}",
            hint=_STATE_THEM,
        )
    return [file.classes.index(name) for name in classes]


def _require_one_meaning(estimator: OnnxClassifier, classes: Sequence[str]) -> None:
    score = estimator.way.score
    single = score.shape is not None and (len(score.shape) == 1 or score.shape[1] == 1)
    if single and estimator.order != sorted(estimator.order):
        raise ModelError(
            f"the ONNX file gives one probability a row (output {score}), and states the positive "
            f"class {shortened(classes[1])} first",
            hint="state the positive class last, or give the probabilities of both",
        )


def _places(labels: Sequence[Any], order: Sequence[int], classes: Sequence[str]) -> list[int]:
    """Return the class of each label: by its name, or by its number in the file."""
    texts = [label_text(each) for each in labels]
    if {*texts} <= {*classes}:
        return [classes.index(text) for text in texts]
    numbers = [str(place) for place in range(len(order))]
    if {*texts} <= {*numbers}:
        return [order.index(int(text)) for text in texts]
    strange = sorted({*texts} - {*classes})
    raise ModelError(
        f"the ONNX file gives the labels {_named(strange)}, the table has the classes "
        f"{_named(classes)}",
        hint="leave the output of labels out, or let it give these classes",
    )


def _named(names: Sequence[str]) -> str:
    return listed([shortened(name) for name in names], _MOST_NAMED)
