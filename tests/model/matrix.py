"""Every kind of model that teams have, for each task that it can do; and its bytes."""

import json
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# SHAP is as its stage's process has it, and no library waits for threads of others.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from sklearn import (
    calibration,
    ensemble,
    gaussian_process,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.decomposition import PCA
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import (
    SelectKBest,
    chi2,
    f_classif,
    f_regression,
    mutual_info_classif,
    mutual_info_regression,
)
from sklearn.gaussian_process import kernels
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from threadpoolctl import threadpool_limits

from mergeline.config.settings import Data, Model
from mergeline.core.digest import sha256
from mergeline.core.evidence import Feature
from mergeline.core.task import Task
from mergeline.model.cast import cast_features
from mergeline.model.directory import Description, model_files
from mergeline.model.pipeline import build_pipeline
from mergeline.model.skops_types import untrusted_types
from mergeline.model.table import feature_columns
from projects import make_frame

CLASSES: dict[Task, tuple[str, ...]] = {
    "binary": ("no", "yes"),
    "multiclass": ("high", "low", "middle"),
    "regression": (),
}
_NUMBERS = ["age", "income", "visits"]


@dataclass(frozen=True)
class Case:
    """A kind of model.

    Attributes:
        name: Of the kind; `classifier` and `regressor` are factories.
        explainer: Which one explains it, by task or for all.
        trusted: Types of the project's own that it holds.
        tasks: Those that it is tried for.
    """

    name: str
    classifier: Callable[[], Any] | None
    regressor: Callable[[], Any] | None
    explainer: str | dict[Task, str] = "permutation"
    trusted: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ("binary", "multiclass", "regression")

    def explained_by(self, task: Task) -> str:
        return self.explainer if isinstance(self.explainer, str) else self.explainer[task]

    def maker(self, task: Task) -> Callable[[], Any] | None:
        return self.regressor if task == "regression" else self.classifier


class Ratio(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """A transformer of a project's own: each column by its mean."""

    def fit(self, rows: Any, target: Any = None) -> "Ratio":  # noqa: ARG002
        self.means_ = np.asarray(rows, dtype=np.float64).mean(axis=0)
        self.n_features_in_ = len(self.means_)
        return self

    def transform(self, rows: Any) -> Any:
        return np.asarray(rows, dtype=np.float64) / self.means_


def own(*steps: Any, columns: Any = None) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return factories of whole pipelines over numbers, with a linear model at the end."""

    def make(last: Any) -> Any:
        prepare = ColumnTransformer(
            [("numbers", make_pipeline(*steps), columns or _NUMBERS)], sparse_threshold=0.0
        )
        return Pipeline([("prepare", prepare), ("estimator", last)])

    return (
        lambda: make(linear_model.LogisticRegression()),
        lambda: make(linear_model.Ridge()),
    )


def texts() -> Any:
    """Words of a column that is never missing."""
    prepare = ColumnTransformer([("words", TfidfVectorizer(), "plan")], sparse_threshold=0.0)
    return Pipeline([("prepare", prepare), ("estimator", linear_model.LogisticRegression())])


def by_target() -> Any:
    prepare = ColumnTransformer([("plan", TargetEncoder(random_state=0), ["plan"])])
    return Pipeline([("prepare", prepare), ("estimator", linear_model.LogisticRegression())])


def _searched(estimator: Any, grid: dict[str, Any], **options: Any) -> Callable[[], Any]:
    return lambda: GridSearchCV(estimator, grid, cv=3, **options)


_FEW = {"n_estimators": 4, "random_state": 0}
_SPLIT = {"binary": "tree", "multiclass": "tree", "regression": "tree"}
_LINE = {"binary": "linear", "multiclass": "linear", "regression": "linear"}
_KERNEL = (
    kernels.ConstantKernel() * kernels.RBF() + kernels.WhiteKernel() + kernels.Matern() ** 2
)  # fmt: skip
_MORE_KERNELS = kernels.RationalQuadratic() + kernels.DotProduct() + kernels.ExpSineSquared()
_METRICS = ("chebyshev", "canberra", "hamming", "braycurtis")

CASES = (
    # linear
    Case("linear", linear_model.LogisticRegression, linear_model.LinearRegression, _LINE),
    Case("ridge", linear_model.LogisticRegressionCV, linear_model.RidgeCV, _LINE),
    Case("elastic net", None, linear_model.ElasticNet, _LINE),
    Case(
        "stochastic gradient",
        lambda: linear_model.SGDClassifier(loss="log_loss", random_state=0),
        lambda: linear_model.SGDRegressor(random_state=0),
        {**_LINE, "multiclass": "permutation"},
    ),
    Case("folds by time", None, lambda: linear_model.LassoCV(cv=TimeSeriesSplit(3)), _LINE),
    Case("poisson", None, linear_model.PoissonRegressor),
    Case("tweedie", None, lambda: linear_model.TweedieRegressor(power=1.5)),
    Case("tweedie, identity", None, lambda: linear_model.TweedieRegressor(power=0), _LINE),
    # trees
    Case("tree", tree.DecisionTreeClassifier, tree.DecisionTreeRegressor, _SPLIT),
    Case(
        "forest",
        lambda: ensemble.RandomForestClassifier(**_FEW),
        lambda: ensemble.RandomForestRegressor(**_FEW),
        _SPLIT,
    ),
    Case(
        "extra trees",
        lambda: ensemble.ExtraTreesClassifier(**_FEW),
        lambda: ensemble.ExtraTreesRegressor(**_FEW),
        _SPLIT,
    ),
    Case(
        "gradient boosting",
        lambda: ensemble.GradientBoostingClassifier(**_FEW),
        lambda: ensemble.GradientBoostingRegressor(**_FEW),
        _SPLIT,
    ),
    Case(
        "histogram boosting",
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=5),
        lambda: ensemble.HistGradientBoostingRegressor(max_iter=5),
        _SPLIT,
    ),
    Case(
        "histogram boosting, scored",
        lambda: ensemble.HistGradientBoostingClassifier(
            max_iter=5, early_stopping=True, scoring="neg_log_loss"
        ),
        lambda: ensemble.HistGradientBoostingRegressor(
            max_iter=5, early_stopping=True, scoring="r2"
        ),
        _SPLIT,
    ),
    Case(
        "histogram boosting, gamma",
        None,
        lambda: ensemble.HistGradientBoostingRegressor(max_iter=5, loss="gamma"),
    ),
    # support vectors
    Case(
        "support vectors, calibrated",
        lambda: calibration.CalibratedClassifierCV(svm.SVC(), ensemble=False, cv=3),
        svm.SVR,
    ),
    Case("support vectors, probability", lambda: svm.SVC(probability=True), None),
    Case("linear support vectors", None, svm.LinearSVR, _LINE),
    # neighbours
    Case("neighbours", neighbors.KNeighborsClassifier, neighbors.KNeighborsRegressor),
    Case(
        "neighbours, ball tree",
        lambda: neighbors.KNeighborsClassifier(algorithm="ball_tree", metric="manhattan"),
        lambda: neighbors.KNeighborsRegressor(p=3, weights="distance"),
    ),
    *(
        Case(f"neighbours, {metric}", lambda m=metric: neighbors.KNeighborsClassifier(metric=m),
             None, tasks=("binary",))
        for metric in _METRICS
    ),
    # made of others
    Case(
        "stacking",
        lambda: ensemble.StackingClassifier(
            [("a", ensemble.RandomForestClassifier(**_FEW)), ("b", naive_bayes.GaussianNB())], cv=3
        ),
        lambda: ensemble.StackingRegressor(
            [("a", ensemble.RandomForestRegressor(**_FEW)), ("b", linear_model.Ridge())],
            cv=KFold(3),
        ),
    ),
    Case(
        "voting",
        lambda: ensemble.VotingClassifier(
            [("a", ensemble.RandomForestClassifier(**_FEW)),
             ("b", linear_model.LogisticRegression())],
            voting="soft",
        ),
        lambda: ensemble.VotingRegressor(
            [("a", ensemble.RandomForestRegressor(**_FEW)), ("b", linear_model.Ridge())]
        ),
    ),
    *(
        Case(
            f"calibrated, {method}",
            lambda m=method: calibration.CalibratedClassifierCV(
                ensemble.RandomForestClassifier(**_FEW), method=m, cv=StratifiedKFold(3)
            ),
            None,
        )
        for method in ("sigmoid", "isotonic", "temperature")
    ),
    Case(
        "bagging",
        lambda: ensemble.BaggingClassifier(linear_model.LogisticRegression(), **_FEW),
        lambda: ensemble.BaggingRegressor(**_FEW),
    ),
    Case(
        "AdaBoost",
        lambda: ensemble.AdaBoostClassifier(**_FEW),
        lambda: ensemble.AdaBoostRegressor(**_FEW),
    ),
    Case(
        "search",
        _searched(ensemble.RandomForestClassifier(**_FEW), {"max_depth": [2, 3]},
                  scoring="neg_log_loss"),
        _searched(ensemble.RandomForestRegressor(**_FEW), {"max_depth": [2, 3]},
                  scoring="neg_mean_absolute_error"),
        _SPLIT,
    ),
    Case(
        "search in a vote",
        lambda: ensemble.VotingClassifier(
            [("a", GridSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [2, 3]}, cv=3)),
             ("b", RandomizedSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [2, 3]},
                                      n_iter=2, cv=ShuffleSplit(2, random_state=0)))],
            voting="soft",
        ),
        None,
    ),
    Case(
        "tuned threshold",
        lambda: TunedThresholdClassifierCV(linear_model.LogisticRegression()),
        None,
        "linear",
        tasks=("binary",),
    ),
    Case(
        "target transformed",
        None,
        lambda: TransformedTargetRegressor(
            linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1
        ),
    ),
    # others
    Case("naive Bayes", naive_bayes.GaussianNB, linear_model.BayesianRidge,
         {"binary": "permutation", "multiclass": "permutation", "regression": "linear"}),
    Case(
        "network",
        lambda: neural_network.MLPClassifier(max_iter=8, random_state=0),
        lambda: neural_network.MLPRegressor(max_iter=8, random_state=0, solver="sgd",
                                            learning_rate_init=1e-5),
    ),
    Case(
        "network, lbfgs",
        lambda: neural_network.MLPClassifier(max_iter=8, random_state=0, solver="lbfgs"),
        None,
    ),
    Case(
        "Gaussian process",
        lambda: gaussian_process.GaussianProcessClassifier(optimizer=None),
        lambda: gaussian_process.GaussianProcessRegressor(_KERNEL, optimizer=None),
    ),
    Case(
        "Gaussian process, other kernels",
        None,
        lambda: gaussian_process.GaussianProcessRegressor(
            _MORE_KERNELS, optimizer=None, alpha=1e3
        ),
    ),
    # transformers
    Case("own transformer", *own(SimpleImputer(), Ratio()), _LINE, (f"{__name__}.Ratio",)),
    Case("scaled", *own(SimpleImputer(), RobustScaler(), PowerTransformer()), _LINE),
    Case("quantiles", *own(SimpleImputer(), QuantileTransformer(n_quantiles=20)), _LINE),
    Case("logarithm", *own(SimpleImputer(), MinMaxScaler(), FunctionTransformer(np.log1p))),
    Case("polynomials", *own(SimpleImputer(), StandardScaler(), PolynomialFeatures(2))),
    Case("bins", *own(SimpleImputer(), KBinsDiscretizer(3, encode="onehot-dense"))),
    Case("splines", *own(SimpleImputer(), SplineTransformer(n_knots=3))),
    Case("neighbours' guesses", *own(KNNImputer(), StandardScaler())),
    Case("other columns' guesses", *own(IterativeImputer(max_iter=2, random_state=0))),
    Case(
        "a choice by type",
        *own(SimpleImputer(), columns=make_column_selector(dtype_include="number")),
        _LINE,
    ),
    Case(
        "two at once",
        *own(SimpleImputer(), FeatureUnion([("a", PCA(2)), ("b", StandardScaler())])),
    ),
    Case("the best, by F", own(SimpleImputer(), SelectKBest(f_classif, k=2))[0],
         own(SimpleImputer(), SelectKBest(f_regression, k=2))[1]),
    Case("the best, by information",
         own(SimpleImputer(), SelectKBest(mutual_info_classif, k=2))[0],
         own(SimpleImputer(), SelectKBest(mutual_info_regression, k=2))[1]),
    Case("the best, by chi2", own(SimpleImputer(), MinMaxScaler(), SelectKBest(chi2, k=2))[0],
         None),
    Case("words", texts, None),
    Case("means of the target", by_target, None, {**_LINE, "multiclass": "permutation"}),
    Case("rare categories", *own(OneHotEncoder(min_frequency=9, sparse_output=False,
                                               handle_unknown="infrequent_if_exist"),
                                 columns=["plan", "town"]), _LINE),
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A small table with a target for each task."""

    frame: pd.DataFrame
    features: tuple[Feature, ...]
    rows: pd.DataFrame
    targets: dict[Task, Any]

    def description(self, task: Task) -> Description:
        positive = "yes" if task == "binary" else None
        return Description(task, "left", positive, CLASSES[task], self.features)


def sample(rows: int = 240) -> Sample:
    data = Data(source="x.csv", target="left", positive="yes", id="customer", exclude=("joined",))
    frame = make_frame(rows)
    features = feature_columns(frame, data)
    left = (frame["left"] == "yes").to_numpy().astype(np.int64)
    middle = frame["age"].between(40, 55).to_numpy()
    value = 900.0 + 40 * left + 3 * frame["age"].to_numpy() + frame["visits"].fillna(2).to_numpy()
    targets: dict[Task, Any] = {
        "binary": left,
        "multiclass": np.where(middle, 2, left),
        "regression": value,
    }
    return Sample(frame, features, cast_features(frame, features), targets)


_made: Callable[[], Any] | None = None


def fitted(case: Case, task: Task, table: Sample) -> Any:
    """Make the pipeline as the stage train does, by a factory that settings name; train it."""
    global _made  # noqa: PLW0603 -- the factory
    _made = case.maker(task)
    model = Model(factory=f"{__name__}:_made")
    pipeline = build_pipeline(model, table.features, CLASSES[task], task)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        np.random.seed(0)  # as the stage does
        return pipeline.fit(table.rows, table.targets[task])


def pairs() -> list[tuple[Case, Task]]:
    return [(case, task) for case in CASES for task in case.tasks if case.maker(task) is not None]


def print_digests() -> None:
    """Print by model the SHA-256 of its file, and the types that skops does not trust."""
    table = sample()
    found = {}
    for case, task in pairs():
        pipeline = fitted(case, task, table)
        data = model_files(pipeline, table.description(task), case.trusted)["model.skops"]
        found[f"{case.name}, {task}"] = sha256(data), untrusted_types(data)
    sys.stdout.write(json.dumps(found))
