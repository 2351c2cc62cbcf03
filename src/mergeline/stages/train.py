"""train: fit the pipeline of the settings and write it as a canonical model directory."""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Data, Settings
from mergeline.core import layout
from mergeline.core.evidence import Feature, TrainContent
from mergeline.core.labels import label_text
from mergeline.errors import ContractError, ModelError, first_line
from mergeline.model.canonical import directory_bytes, directory_digest
from mergeline.model.cast import cast_features
from mergeline.model.directory import Description, libraries, save_model
from mergeline.model.doubtful import beyond
from mergeline.model.estimator import model_name, require_probabilities
from mergeline.model.onnx_pack import ROWS, onnx_pipeline, require_scores
from mergeline.model.pipeline import build_pipeline
from mergeline.model.table import feature_columns, label_texts, listed, outcomes, require_columns
from mergeline.stages.base import Clock, Result, read_prepared, sampled
from mergeline.stages.mitigation import fit_mitigated, in_words
from mergeline.stages.pinned import pinned_variables
from mergeline.stats.groups import sensitive_groups

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# Many estimators cast to single precision, and most square.
_LARGE = 1e30


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Train on the training table and write the model directory.

    Raises:
        ModelError: The estimator cannot be made, trained or saved.
    """
    with clock.part("read"):
        frame = read_prepared(root, layout.TRAIN_TABLE)
    require_columns(frame, {settings.data.target: "data.target"}, settings.data.source)
    task, features = settings.data.task, feature_columns(frame, settings.data)
    classes = _classes(frame, settings.data)
    # 0, 1, ...: scikit-learn looks up weights of classes that are text in several ways.
    kind = "float64" if task == "regression" else "int64"
    labels = outcomes(frame, settings.data, classes).astype(kind)
    rows, mitigation = cast_features(frame, features), settings.fairness.mitigation
    if settings.model.onnx:
        pipeline = _trained_elsewhere(root, settings, frame, features, classes)
    else:
        with clock.part("import"):
            pipeline = build_pipeline(settings.model, features, classes, task)
        with clock.part("fit"):
            if mitigation is None:
                _fit(pipeline, rows, labels, settings)
            else:
                groups = _groups(frame, mitigation.by, settings)
                options: Any = {"model": settings.model, "min_group": settings.fairness.min_group}
                fit_mitigated(pipeline, rows, labels, groups, mitigation, **options)
    require_probabilities(pipeline, settings.model, task)
    description = Description(
        task=task,
        target=settings.data.target,
        positive=label_text(settings.data.positive) if task == "binary" else None,
        classes=classes,
        features=features,
        missing=settings.data.missing,
    )
    folder = root / layout.MODEL
    with clock.part("save"):
        save_model(pipeline, folder, description, trusted=settings.model.trusted_types)
    model = settings.model
    return Result(
        TrainContent(
            task=task,
            estimator=model.origin,
            file=pipeline[-1].file.summary if model.onnx else "",
            params=model.params,
            class_weight=model.class_weight,
            seed=model.seed,
            rows=len(frame),
            features=features,
            classes=description.classes,
            positive=description.positive,
            mitigation=in_words(mitigation) if mitigation else "",
            model_sha256=directory_digest(folder),
            model_bytes=directory_bytes(folder),
            libraries=libraries(pipeline),
            pinned={name: os.environ.get(name, "") for name in pinned_variables()},
        )
    )


def _classes(frame: "pd.DataFrame", data: Data) -> tuple[str, ...]:
    """Return the texts of the classes in the order of the model's probabilities.

    Of two that is the negative and the positive one; of several their order as text.
    """
    if data.task == "regression":
        return ()
    found = sorted(set(label_texts(frame[data.target]).tolist()))
    if data.task == "multiclass":
        return tuple(found)
    positive = label_text(data.positive)
    negative = [name for name in found if name != positive]
    if positive not in found or len(negative) != 1:
        raise ContractError(
            f"the training rows have the classes {', '.join(map(repr, found))} of "
            f"data.target {data.target!r}; {positive!r} and one other are expected",
            hint="make the tables again: mergeline check",
        )
    return negative[0], positive


def _groups(frame: "pd.DataFrame", column: str, settings: Settings) -> "np.ndarray[Any, Any]":
    """Return the group of each row: training needs it, the model does not."""
    require_columns(frame, {column: "fairness.mitigation.by"}, settings.data.source)
    ((_, groups),) = sensitive_groups(frame, [column], settings.fairness.bins)
    return groups


def _trained_elsewhere(
    root: Path,
    settings: Settings,
    frame: "pd.DataFrame",
    features: tuple[Feature, ...],
    classes: tuple[str, ...],
) -> Any:
    """Return the pipeline of the ONNX file, after some rows have shown that it scores them."""
    try:
        path = root / str(settings.model.onnx)
        pipeline = onnx_pipeline(path, features, classes, settings.data.task)
        require_scores(pipeline, cast_features(sampled(frame, ROWS), features), classes)
    except ModelError as error:
        message = f"{model_name(settings.model)}: {error.message}"
        raise type(error)(message, hint=error.hint) from error
    return pipeline


def _fit(
    pipeline: Any, rows: "pd.DataFrame", labels: "np.ndarray[Any, Any]", settings: Settings
) -> None:
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("default", ConvergenceWarning)
            np.random.seed(settings.model.seed)  # what takes no random state draws from NumPy's
            pipeline.fit(rows, labels)
    except Exception as error:  # an estimator, or a project's own step, raises whatever it likes
        message = (
            f"{model_name(settings.model)} cannot be trained on {len(rows)} rows and "
            f"{rows.shape[1]} columns: {type(error).__name__}: {first_line(error)}"
        )
        hint = "check model.params and model.class_weight in params.yaml"
        large = beyond(rows, _LARGE)
        if large:
            named = listed([f"{count} rows of {name!r}" for name, count in large.items()], 5)
            message += f" An infinity, or a number beyond {_LARGE:g}, stands in {named}"
            hint = "write such values as missing, or name the column in data.exclude"
        raise ModelError(message, hint=hint) from error
