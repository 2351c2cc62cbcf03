"""A scikit-learn Pipeline whose preprocessing follows column types and estimator."""

from collections.abc import Sequence
from typing import Any

from mergeline.config.settings import Model
from mergeline.core.evidence import Feature
from mergeline.core.task import Task
from mergeline.errors import ModelError
from mergeline.model.estimator import make_estimator

# Trees split on ranks: order is enough, and scaling changes nothing.
_TREES = (
    "sklearn.tree",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting",
    "lightgbm",
    "xgboost",
)
_TREES_BY_DEFAULT = ("sklearn.ensemble._bagging", "sklearn.ensemble._weight_boosting")
# HistGradientBoosting bins a category into at most 255 values, one of them for missing.
_MOST_CATEGORIES = 254


def build_pipeline(
    model: Model,
    features: Sequence[Feature],
    classes: Sequence[str] = (),
    task: Task = "binary",
) -> Any:
    """Make the unfitted Pipeline.

    Its steps are `prepare` (a ColumnTransformer over the cast features) and
    `estimator`. A factory that returns a whole Pipeline is taken as it is.

    Args:
        model: Estimator or factory, parameters, class weights and seed.
        features: The columns that the model reads.
        classes: The texts of the classes 0, 1, ...; needed for weights by class.
        task: What it has to predict.

    Raises:
        ModelError: The estimator cannot be found or made, or predicts something else.
    """
    from sklearn.pipeline import Pipeline

    if not features:
        raise ModelError(
            "the model has no column to learn from: every column is target, id, group, time, "
            "excluded or empty",
            hint="shorten data.exclude in params.yaml",
        )
    estimator = make_estimator(model, task, classes)
    _seed(estimator, model.seed)
    if isinstance(estimator, Pipeline):
        return estimator
    numbers = sum(feature.kind != "category" for feature in features)
    _tell_categories(estimator, model, range(numbers, len(features)))
    return Pipeline([("prepare", _preprocessing(estimator, features)), ("estimator", estimator)])


def _seed(estimator: Any, seed: int) -> None:
    """Give the seed to whatever takes a random state and has none, parts of parts too."""
    params = estimator.get_params(deep=True)
    unset = {
        name: seed
        for name, value in params.items()
        if value is None and name.rpartition("__")[2] == "random_state"
    }
    estimator.set_params(**unset)
    _one_thread(estimator)
    for value in params.values():  # how rows are folded is no estimator, and has one too
        if not hasattr(value, "set_params") and getattr(value, "random_state", seed) is None:
            value.random_state = seed


def _one_thread(estimator: Any) -> None:
    """LightGBM takes all cores unless told, and adds in another order on another machine."""
    for part in (estimator, *estimator.get_params(deep=True).values()):
        if type(part).__module__.startswith(("lightgbm", "xgboost")):
            part.set_params(n_jobs=part.n_jobs or 1)


def _is_histogram(estimator: Any) -> bool:
    return type(estimator).__name__.startswith("HistGradientBoosting")


def _tell_categories(estimator: Any, model: Model, columns: range) -> None:
    """HistGradientBoosting splits on categories as sets once it knows which columns they are."""
    if _is_histogram(estimator) and "categorical_features" not in model.params:
        estimator.set_params(categorical_features=list(columns) or None)


def _preprocessing(estimator: Any, features: Sequence[Feature]) -> Any:
    from sklearn.compose import ColumnTransformer

    numbers = [feature.name for feature in features if feature.kind != "category"]
    categories = [feature.name for feature in features if feature.kind == "category"]
    steps = []
    if numbers:
        steps.append(("numbers", _for_numbers(estimator), numbers))
    if categories:
        steps.append(("categories", _for_categories(estimator), categories))
    return ColumnTransformer(steps, sparse_threshold=0.0, verbose_feature_names_out=False)


def _only_trees(estimator: Any) -> bool:
    """Whether nothing but trees looks at the columns; parts decide for a combination."""
    module = type(estimator).__module__
    if module.startswith(_TREES):
        return True
    if module.startswith("sklearn.compose._target"):
        # What it does to the target says nothing of the columns.
        return estimator.regressor is not None and _only_trees(estimator.regressor)
    parts = [part for part in estimator.get_params(deep=True).values() if hasattr(part, "fit")]
    if parts:
        return all(_only_trees(part) for part in parts)
    return module.startswith(_TREES_BY_DEFAULT)


def _for_numbers(estimator: Any) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if _is_histogram(estimator):
        return "passthrough"
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    return fill if _only_trees(estimator) else make_pipeline(fill, StandardScaler())


def _for_categories(estimator: Any) -> Any:
    import numpy as np
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    if _is_histogram(estimator):
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
            encoded_missing_value=np.nan,
            max_categories=_MOST_CATEGORIES,
        )
    if _only_trees(estimator):
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-2,
        )
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=10, sparse_output=False
    )
