"""The estimator of the settings: found, held against the task, made with its parameters."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from mergeline.config.problem import shown
from mergeline.config.settings import Model
from mergeline.core.labels import label_text
from mergeline.core.task import Task
from mergeline.errors import ModelError, first_line
from mergeline.model.table import listed

_MOST_NAMED = 20
# What a combination of estimators calls those that it is made of.
_PARTS = {"estimator", "estimators"}
_GIVE_PARTS = (
    "params.yaml holds plain values, no estimators: let a function of the project return it whole, "
    "and name that as model.factory: package.module:function"
)
# An estimator for each task, to be named in messages.
_EXAMPLES: Mapping[Task, str] = {
    "binary": "sklearn.linear_model.LogisticRegression",
    "multiclass": "sklearn.ensemble.HistGradientBoostingClassifier",
    "regression": "sklearn.ensemble.HistGradientBoostingRegressor",
}
_KINDS: Mapping[Task, str] = {
    "binary": "classifier",
    "multiclass": "classifier",
    "regression": "regressor",
}


def make_estimator(model: Model, task: Task, classes: Sequence[str]) -> Any:
    """Make the unfitted estimator, or the whole Pipeline that a factory returns.

    Args:
        model: Estimator or factory, parameters, class weights.
        task: What it has to predict.
        classes: The texts of the classes 0, 1, ...; needed for weights by class.

    Raises:
        ModelError: It cannot be found or made, or predicts something else.
    """
    estimator = _make(model, task, classes)
    _require_kind(estimator, model, task)
    require_probabilities(type(estimator), model, task)
    return estimator


def model_name(model: Model) -> str:
    """Return what to call the model in a message: the key of the settings and its value."""
    if model.onnx:
        return f"model.onnx {model.onnx!r}"
    key = "model.estimator" if model.estimator else "model.factory"
    return f"{key} {model.estimator or model.factory!r}"


def _make(model: Model, task: Task, classes: Sequence[str]) -> Any:
    maker = _import(model, task)
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
        required = {name for name in known if known[name].default is inspect.Parameter.empty}
        raise ModelError(
            f"{model_name(model)} cannot be made with model.params {model.params}: "
            f"{type(error).__name__}: {first_line(error)}",
            hint=_GIVE_PARTS
            if model.estimator and required & _PARTS
            else "check model.params in params.yaml"
            + ("" if model.estimator else ", and the factory, which is the project's own code"),
        ) from error


def _class_weight(given: str | dict[str, float], classes: Sequence[str]) -> Any:
    if isinstance(given, str):
        return given
    named = {label_text(name): weight for name, weight in given.items()}
    if set(named) != set(classes):
        raise ModelError(
            f"model.class_weight names {listed([*map(shown, named)], _MOST_NAMED)}, expected "
            f"{listed([*map(shown, classes)], _MOST_NAMED)}",
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


def _import(model: Model, task: Task) -> Any:
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
    meant = _meant(found, name, task)
    raise ModelError(
        f"{model_name(model)}: {module} has no {name!r}"
        + (f"; did you mean {module}.{meant}?" if meant else ""),
        hint="check the spelling of the import path in params.yaml",
    )


def _meant(module: Any, name: str, task: Task) -> str | None:
    """Return what a misspelt name stands for: one that fits the task where one is close."""
    public = [item for item in dir(module) if not item.startswith("_")]
    close = get_close_matches(name, public, n=5)
    fitting = [item for item in close if _fits(getattr(module, item), task)]
    return next(iter([*fitting, *close]), None)


def _fits(maker: Any, task: Task) -> bool:
    """Whether a class says of itself that it makes estimators for a task."""
    from sklearn.base import ClassifierMixin, RegressorMixin

    mixin = RegressorMixin if task == "regression" else ClassifierMixin
    return isinstance(maker, type) and issubclass(maker, mixin)


def _require_kind(estimator: Any, model: Model, task: Task) -> None:
    from sklearn.base import BaseEstimator, is_classifier, is_regressor

    fits = is_regressor if task == "regression" else is_classifier
    try:
        if isinstance(estimator, BaseEstimator) and fits(estimator):
            return
    except Exception as error:  # what a combination is, its parts say
        raise ModelError(
            f"{model_name(model)} makes a {type(estimator).__name__} without the estimators that "
            "it combines or wraps",
            hint=_GIVE_PARTS,
        ) from error
    kind, other = _KINDS[task], _other_kind(model, task)
    raise ModelError(
        f"{model_name(model)} makes a {type(estimator).__name__}, which is not a "
        f"scikit-learn {kind}; data.task is {task}" + (f"; did you mean {other}?" if other else ""),
        hint=f"name a {kind}, e.g. {_EXAMPLES[task]}, or another data.task",
    )


def _other_kind(model: Model, task: Task) -> str | None:
    """Return the regressor that is called like the classifier of the settings, or reversed."""
    path = model.estimator or ""
    module, _, name = path.rpartition(".")
    for old, new in (("Classifier", "Regressor"), ("Regressor", "Classifier")):
        other = name.removesuffix(old) + new
        if name.endswith(old) and _fits(getattr(import_module(module), other, None), task):
            return f"{module}.{other}"
    return None


def require_probabilities(estimator: Any, model: Model, task: Task = "binary") -> None:
    """Refuse what has no `predict_proba`; some estimators know that only once fitted.

    Args:
        estimator: A fitted estimator, or the class of one.
        model: Names it in messages.
        task: A regression needs none.

    Raises:
        ModelError: It gives no probabilities.
    """
    if task != "regression" and not hasattr(estimator, "predict_proba"):
        raise ModelError(
            f"{model_name(model)} gives no probabilities (predict_proba)",
            hint="wrap it in sklearn.calibration.CalibratedClassifierCV through a factory, "
            "or choose an estimator that has them",
        )
