"""A scikit-learn Pipeline whose preprocessing follows column types and estimator."""

import inspect
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from mergeline.config.settings import Model
from mergeline.core.evidence import Feature
from mergeline.errors import ModelError

# Trees split on ranks: order is enough, and scaling changes nothing.
_ORDINAL = ("sklearn.tree", "sklearn.ensemble", "lightgbm", "xgboost")
# HistGradientBoosting bins a category into at most 255 values, one of them for missing.
_MOST_CATEGORIES = 254


def build_pipeline(model: Model, features: Sequence[Feature]) -> Any:
    """Make the unfitted Pipeline.

    Its steps are `prepare` (a ColumnTransformer over the cast features) and
    `estimator`. A factory that returns a whole Pipeline is taken as it is.

    Args:
        model: Estimator or factory, parameters, class weights and seed.
        features: The columns that the model reads.

    Raises:
        ModelError: The estimator cannot be found or made, or is not a classifier.
    """
    from sklearn.base import is_classifier
    from sklearn.pipeline import Pipeline

    if not features:
        raise ModelError(
            "the model has no column to learn from: every column is target, id, group, time, "
            "excluded or empty",
            hint="shorten data.exclude in params.yaml",
        )
    estimator = _make(model)
    if not is_classifier(estimator):
        raise ModelError(
            f"{_name(model)} makes a {type(estimator).__name__}, which is not a classifier; "
            "a binary classifier is expected",
            hint="name a classifier, e.g. sklearn.linear_model.LogisticRegression",
        )
    if isinstance(estimator, Pipeline):
        return estimator
    _require_probabilities(estimator, model)
    categories = [i for i, feature in enumerate(features) if feature.kind == "category"]
    ordered = [f for f in features if f.kind != "category"]
    _tell_categories(estimator, model, range(len(ordered), len(ordered) + len(categories)))
    return Pipeline([("prepare", _preprocessing(estimator, features)), ("estimator", estimator)])


def _name(model: Model) -> str:
    key = "model.estimator" if model.estimator else "model.factory"
    return f"{key} {model.estimator or model.factory!r}"


def _make(model: Model) -> Any:
    maker = _import(model)
    params: dict[str, Any] = dict(model.params)
    if model.estimator is not None:
        known = inspect.signature(maker).parameters
        if "random_state" in known:
            params.setdefault("random_state", model.seed)
        if model.class_weight is not None:
            if "class_weight" not in known:
                raise ModelError(
                    f"model.class_weight is given, but {_name(model)} takes none",
                    hint="remove model.class_weight, or choose an estimator that has it",
                )
            params.setdefault("class_weight", model.class_weight)
        _check_params(params, known, model)
    try:
        return maker(**params)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{_name(model)} cannot be made with model.params {model.params}: {error}",
            hint="check model.params in params.yaml",
        ) from error


def _check_params(params: dict[str, Any], known: Any, model: Model) -> None:
    if any(item.kind is inspect.Parameter.VAR_KEYWORD for item in known.values()):
        return
    for name in params:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise ModelError(
                f"model.params.{name}: {_name(model)} has no such parameter"
                + (f"; did you mean {close[0]!r}?" if close else ""),
                hint=f"it takes: {', '.join(known)}",
            )


def _import(model: Model) -> Any:
    path = model.estimator or str(model.factory)
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(import_module(module), name)
    except (ImportError, ValueError) as error:
        raise ModelError(
            f"{_name(model)}: the module {module!r} cannot be imported ({error})",
            hint="give the full import path, e.g. sklearn.ensemble.RandomForestClassifier",
        ) from error
    except AttributeError as error:
        public = [item for item in dir(import_module(module)) if not item.startswith("_")]
        close = get_close_matches(name, public, n=1)
        raise ModelError(
            f"{_name(model)}: {module} has no {name!r}"
            + (f"; did you mean {module}.{close[0]}?" if close else ""),
            hint="check the spelling of the import path in params.yaml",
        ) from error


def _require_probabilities(estimator: Any, model: Model) -> None:
    if not hasattr(estimator, "predict_proba"):
        raise ModelError(
            f"{_name(model)} gives no probabilities (predict_proba)",
            hint="wrap it in sklearn.calibration.CalibratedClassifierCV through a factory, "
            "or choose an estimator that has them",
        )


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


def _is_ordinal(estimator: Any) -> bool:
    return type(estimator).__module__.startswith(_ORDINAL)


def _for_numbers(estimator: Any) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if _is_histogram(estimator):
        return "passthrough"
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    return fill if _is_ordinal(estimator) else make_pipeline(fill, StandardScaler())


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
    if _is_ordinal(estimator):
        return OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-2,
        )
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=10, sparse_output=False
    )
