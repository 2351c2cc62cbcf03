"""Scores straight from columns: what a fitted Pipeline computes, without its wrapping.

scikit-learn's ColumnTransformer takes the columns of a data frame apart and hands data
frames on, which costs more than all that is computed when there are few rows. The
pipelines that Mergeline builds are known well enough to give their fitted parts the arrays
themselves: the same parts, the same numbers, to the last bit. Any other pipeline gets a data
frame, as ever.
"""

from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from mergeline.core.task import Task

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Columns = Mapping[str, "np.ndarray[Any, Any]"]
Predict = Callable[[Columns], "np.ndarray[Any, Any]"]


def frame_of(columns: Columns) -> "pd.DataFrame":
    """Return columns as `cast_features` gives them: float64, and objects for texts."""
    import pandas as pd

    # pandas would make an array of texts a column of its own text type.
    return pd.DataFrame(
        {
            name: pd.Series(array, dtype=object, copy=False) if array.dtype == object else array
            for name, array in columns.items()
        }
    )


def predictor(pipeline: Any, task: Task) -> Predict:
    """Return a function from columns to probabilities, shape (n, classes), or values, (n,).

    Args:
        task: `predict_proba` is asked, and for regression `predict`.
        pipeline: A fitted Pipeline. The columns that the function gets are those that it
            was fitted on, as `cast_features` makes them.
    """
    parts = _parts(pipeline)
    if parts is None:
        whole = _asked(pipeline, task)
        return lambda columns: whole(frame_of(columns))
    asked = _asked(pipeline[1], task)

    def predict(columns: Columns) -> "np.ndarray[Any, Any]":
        import numpy as np

        # Transposed, as the blocks of a data frame lie in memory: sums round alike.
        blocks = [
            part.transform(np.array([columns[name] for name in names]).T) for part, names in parts
        ]
        found: np.ndarray[Any, Any] = asked(np.hstack(blocks))
        return found

    return predict


def _asked(estimator: Any, task: Task) -> Any:
    return estimator.predict if task == "regression" else estimator.predict_proba


def _parts(pipeline: Any) -> list[tuple[Any, list[str]]] | None:
    """Return the fitted transformers and their columns; None where one is not known."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    if type(pipeline) is not Pipeline or len(pipeline) != 2:  # noqa: PLR2004
        return None
    prepare = pipeline[0]
    if type(prepare) is not ColumnTransformer or prepare.transformer_weights is not None:
        return None
    if prepare.sparse_output_ or any(map(_is_configured, (pipeline, prepare))):
        return None
    found = []
    for _, transformer, names in prepare.transformers_:
        if transformer == "drop" or names == []:
            continue
        part = _without_names(transformer)
        if part is None or not _are_names(names):
            return None
        found.append((part, names))
    return found or None


def _are_names(columns: Any) -> bool:
    return isinstance(columns, list) and all(isinstance(name, str) for name in columns)


def _is_configured(part: Any) -> bool:
    """Whether it was told to give anything but arrays."""
    told = getattr(part, "_sklearn_output_config", {})
    return bool(told.get("transform", "default") != "default")


def _without_names(transformer: Any) -> Any:
    """Return a shallow copy that does not look for column names; None for an unknown kind."""
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import (
        FunctionTransformer,
        OneHotEncoder,
        OrdinalEncoder,
        StandardScaler,
    )

    known = (SimpleImputer, StandardScaler, OrdinalEncoder, OneHotEncoder)
    if _is_configured(transformer):
        return None
    if type(transformer) is Pipeline:
        steps = [(name, _without_names(step)) for name, step in transformer.steps]
        if any(step is None for _, step in steps) or transformer.memory is not None:
            return None
        return _bare(transformer, steps=steps)
    identity = type(transformer) is FunctionTransformer and transformer.func is None
    return _bare(transformer) if type(transformer) in known or identity else None


def _bare(transformer: Any, **changed: Any) -> Any:
    made = copy(transformer)
    made.__dict__.update(changed)
    made.__dict__.pop("feature_names_in_", None)
    return made
