"""Estimators that a project may choose, factories for those made of parts, and bad ones."""
# ruff: noqa: ARG002 -- the arguments are scikit-learn's

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVC

from mergeline.config.settings import Model

_FOREST = {"n_estimators": 5}

# What a model file holds beside scikit-learn's public estimators.
_DTYPE = "numpy.dtype"
_TREE = (_DTYPE, "sklearn.tree._tree.Tree")
_HISTOGRAM = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
_CALIBRATED = (_DTYPE, "sklearn.calibration._CalibratedClassifier")
_BUNCH = (*_TREE, "sklearn.utils._bunch.Bunch")
_METRICS = "sklearn.metrics._dist_metrics."
_SOLVERS = "sklearn.neural_network._stochastic_optimizers."

# Name, parameters, the types in the file; a `:` makes it a factory of this module.
ESTIMATORS: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("sklearn.ensemble.HistGradientBoostingClassifier", {"max_iter": 10}, _HISTOGRAM),
    (
        "sklearn.ensemble.HistGradientBoostingClassifier",
        {"max_iter": 10, "early_stopping": True},
        _HISTOGRAM,
    ),
    ("sklearn.ensemble.RandomForestClassifier", _FOREST, _TREE),
    ("sklearn.ensemble.ExtraTreesClassifier", _FOREST, _TREE),
    ("sklearn.ensemble.GradientBoostingClassifier", _FOREST, _TREE),
    ("sklearn.ensemble.AdaBoostClassifier", _FOREST, _TREE),
    ("sklearn.ensemble.BaggingClassifier", _FOREST, _TREE),
    ("sklearn.tree.DecisionTreeClassifier", {"max_depth": 3}, _TREE),
    ("sklearn.linear_model.LogisticRegression", {}, (_DTYPE,)),
    ("sklearn.linear_model.SGDClassifier", {"loss": "log_loss"}, (_DTYPE,)),
    (
        "sklearn.neighbors.KNeighborsClassifier",
        {},
        (_DTYPE, _METRICS + "EuclideanDistance64", "sklearn.neighbors._kd_tree.KDTree"),
    ),
    (
        "sklearn.neighbors.KNeighborsClassifier",
        {"algorithm": "ball_tree", "metric": "manhattan"},
        (_DTYPE, _METRICS + "ManhattanDistance64", "sklearn.neighbors._ball_tree.BallTree"),
    ),
    ("sklearn.svm.SVC", {"probability": True}, (_DTYPE,)),
    ("sklearn.naive_bayes.GaussianNB", {}, (_DTYPE,)),
    (
        "sklearn.neural_network.MLPClassifier",
        {"max_iter": 10},
        (_DTYPE, _SOLVERS + "AdamOptimizer"),
    ),
    (
        "sklearn.neural_network.MLPClassifier",
        {"max_iter": 10, "solver": "sgd"},
        (_DTYPE, _SOLVERS + "SGDOptimizer"),
    ),
    ("sklearn.discriminant_analysis.LinearDiscriminantAnalysis", {}, (_DTYPE,)),
    ("sklearn.dummy.DummyClassifier", {}, (_DTYPE,)),
    (
        "zoo:calibrated",
        {"method": "sigmoid"},
        (*_CALIBRATED, "sklearn.calibration._SigmoidCalibration"),
    ),
    ("zoo:calibrated", {"method": "isotonic"}, _CALIBRATED),
    (
        "zoo:calibrated",
        {"method": "temperature"},
        (*_CALIBRATED, "sklearn.calibration._TemperatureScaling"),
    ),
    ("zoo:stacked", {}, _BUNCH),
    ("zoo:voting", {}, _BUNCH),
    ("zoo:searched", {}, _TREE),
)


def model_of(name: str, params: dict[str, Any], **more: Any) -> Model:
    """Return the settings of a model."""
    if ":" in name:
        return Model(factory=f"model.{name}", params=params, **more)
    return Model(estimator=name, params=params, **more)


def calibrated(method: str) -> Any:
    return CalibratedClassifierCV(LinearSVC(), method=method, cv=3)


def stacked() -> Any:
    parts = [("forest", RandomForestClassifier(5)), ("line", LogisticRegression())]
    return StackingClassifier(parts, cv=3)


def voting() -> Any:
    parts = [("forest", RandomForestClassifier(5)), ("more", RandomForestClassifier(3))]
    return VotingClassifier(parts, voting="soft")


def searched() -> Any:
    return GridSearchCV(RandomForestClassifier(5), {"max_depth": [2, 3]}, cv=3)


def with_random_state(random_state: int | None = None) -> Any:
    return RandomForestClassifier(3, random_state=random_state)


def regressor() -> Any:
    return LinearRegression()


def on_a_log_scale(*, trees: bool) -> Any:
    part = RandomForestRegressor(5) if trees else LinearRegression()
    return TransformedTargetRegressor(part, func=np.log1p, inverse_func=np.expm1)


def nothing() -> None:
    return None


def broken() -> Any:
    raise KeyError("depth")


class NotANumber(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are no numbers."""

    def fit(self, rows: Any, labels: Any) -> "NotANumber":
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, rows: Any) -> Any:
        return np.full((len(rows), 2), np.nan)


class Moody(NotANumber):
    """A classifier that raises whatever it likes."""

    def fit(self, rows: Any, labels: Any) -> "NotANumber":
        raise IndexError("no luck today\nand more")


class Stubborn(NotANumber):
    """A classifier that is trained and then does not score."""

    def predict_proba(self, rows: Any) -> Any:
        raise RuntimeError("not again")


def whole_pipeline() -> Any:
    prepare = ColumnTransformer([("numbers", SimpleImputer(), ["age", "visits"])])
    return Pipeline([("prepare", prepare), ("estimator", LogisticRegression())])
