"""A scikit-learn Pipeline whose preprocessing follows column types and estimator."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from mergeline.config.settings import Model
from mergeline.core.evidence import Feature
from mergeline.core.labels import label_text
from mergeline.errors import ModelError, first_line

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


def build_pipeline(model: Model, features: Sequence[Feature], classes: Sequence[str] = ()) -> Any:
    """Make the unfitted Pipeline.

    Its steps are `prepare` (a ColumnTransformer over the cast features) and
    `estimator`. A factory that returns a whole Pipeline is taken as it is.

    Args:
        model: Estimator or factory, parameters, class weights and seed.
        features: The columns that the model reads.
        classes: The texts of the classes 0 and 1; needed for weights by class.

    Raises:
        ModelError: The estimator cannot be found or made, or is not a classifier.
    """
    from sklearn.pipeline import Pipeline

    if not features:
        raise ModelError(
            "the model has no column to learn from: every column is target, id, group, time, "
            "excluded or empty",
            hint="shorten data.exclude in params.yaml",
        )
    estimator = _make(model, classes)
    _require_classifier(estimator, model)
    require_probabilities(type(estimator), model)
    _seed(estimator, model.seed)
    if isinstance(estimator, Pipeline):
        return estimator
    numbers = sum(feature.kind != "category" for feature in features)
    _tell_categories(estimator, model, range(numbers, len(features)))
    return Pipeline([("prepare", _preprocessing(estimator, features)), ("estimator", estimator)])


def model_name(model: Model) -> str:
    """Return what to call the model in a message: the key of the settings and its value."""
    key = "model.estimator" if model.estimator else "model.factory"
    return f"{key} {model.estimator or model.factory!r}"


def _make(model: Model, classes: Sequence[str]) -> Any:
    maker = _import(model)
    params: dict[str, Any] = dict(model.params)
    known = _parameters(maker, model)
    if model.class_weight is not None:
        if "class_weight" not in known:
            raise ModelError(
                f"model.class_weight is given, but {model_name(model)} takes none",
                hint="remove model.class_weight, or choose an estimator that has it",
            )
        params.setdefault("class_weight", _class_weight(model.class_weight, classes))
    _check_params(params, known, model)
    try:
        return maker(**params)
    except Exception as error:
        raise ModelError(
            f"{model_name(model)} cannot be made with model.params {model.params}: "
            f"{type(error).__name__}: {first_line(error)}",
            hint="check model.params in params.yaml",
        ) from error


def _class_weight(given: str | dict[str, float], classes: Sequence[str]) -> Any:
    if isinstance(given, str):
        return given
    named = {label_text(name): weight for name, weight in given.items()}
    if set(named) != set(classes):
        raise ModelError(
            f"model.class_weight names the classes {', '.join(map(repr, named))}; "
            f"{' and '.join(map(repr, classes))} are expected",
            hint="give a weight for each class of data.target",
        )
    return {number: named[name] for number, name in enumerate(classes)}


def _parameters(maker: Any, model: Model) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(maker).parameters
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{model_name(model)} is no class or function that says what it takes",
            hint="give the full import path, e.g. sklearn.ensemble.RandomForestClassifier",
        ) from error


def _check_params(params: Mapping[str, Any], known: Mapping[str, Any], model: Model) -> None:
    if any(item.kind is inspect.Parameter.VAR_KEYWORD for item in known.values()):
        return
    for name in params:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise ModelError(
                f"model.params.{name}: {model_name(model)} has no such parameter"
                + (f"; did you mean {close[0]!r}?" if close else ""),
                hint=f"it takes: {', '.join(known)}" if known else "it takes no parameters",
            )


def _import(model: Model) -> Any:
    path = model.estimator or str(model.factory)
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = import_module(module)
    except Exception as error:  # a project's own module raises whatever it likes
        raise ModelError(
            f"{model_name(model)}: the module {module!r} cannot be imported "
            f"({type(error).__name__}: {first_line(error)})",
            hint="give the full import path, e.g. sklearn.ensemble.RandomForestClassifier",
        ) from error
    if hasattr(found, name):
        return getattr(found, name)
    meant = _meant(found, name)
    raise ModelError(
        f"{model_name(model)}: {module} has no {name!r}"
        + (f"; did you mean {module}.{meant}?" if meant else ""),
        hint="check the spelling of the import path in params.yaml",
    )


def _meant(module: Any, name: str) -> str | None:
    """Return what a misspelt name stands for: a classifier where one is close."""
    public = [item for item in dir(module) if not item.startswith("_")]
    close = get_close_matches(name, public, n=5)
    classifiers = [item for item in close if hasattr(getattr(module, item), "predict_proba")]
    return next(iter([*classifiers, *close]), None)


def _require_classifier(estimator: Any, model: Model) -> None:
    from sklearn.base import BaseEstimator, is_classifier

    if not (isinstance(estimator, BaseEstimator) and is_classifier(estimator)):
        raise ModelError(
            f"{model_name(model)} makes a {type(estimator).__name__}, which is not a "
            "scikit-learn classifier; a binary classifier is expected",
            hint="name a classifier, e.g. sklearn.linear_model.LogisticRegression",
        )


def require_probabilities(estimator: Any, model: Model) -> None:
    """Refuse what has no `predict_proba`; some estimators know that only once fitted.

    Args:
        estimator: A fitted estimator, or the class of one.
        model: Names it in messages.

    Raises:
        ModelError: It gives no probabilities.
    """
    if not hasattr(estimator, "predict_proba"):
        raise ModelError(
            f"{model_name(model)} gives no probabilities (predict_proba)",
            hint="wrap it in sklearn.calibration.CalibratedClassifierCV through a factory, "
            "or choose an estimator that has them",
        )


def _seed(estimator: Any, seed: int) -> None:
    """Give the seed to whatever takes a random state and has none, parts of parts too."""
    unset = {
        name: seed
        for name, value in estimator.get_params(deep=True).items()
        if value is None and name.rpartition("__")[2] == "random_state"
    }
    estimator.set_params(**unset)


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
