"""The pipeline of the settings: preprocessing by column types, seeds, weights, refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mergeline.config.settings import Model
from mergeline.core.evidence import Feature
from mergeline.errors import ModelError
from mergeline.model.cast import cast_features
from mergeline.model.estimator import require_probabilities
from mergeline.model.pipeline import build_pipeline
from model.zoo import model_of

LOGISTIC = "sklearn.linear_model.LogisticRegression"
FOREST = "sklearn.ensemble.RandomForestClassifier"
BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"
NUMBER = Feature(name="x", kind="number")


def steps(table, name, **params):
    """Return the classes that numbers and categories go through."""
    pipeline = build_pipeline(model_of(name, params), table.features)
    named = {name: step for name, step, _ in pipeline.named_steps["prepare"].transformers}
    return type(named["numbers"]).__name__, type(named["categories"]).__name__


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        (BOOSTING, {}, ("str", "OrdinalEncoder")),
        (FOREST, {}, ("SimpleImputer", "OrdinalEncoder")),
        ("sklearn.ensemble.AdaBoostClassifier", {}, ("SimpleImputer", "OrdinalEncoder")),
        ("sklearn.ensemble.BaggingClassifier", {}, ("SimpleImputer", "OrdinalEncoder")),
        ("zoo:voting", {}, ("SimpleImputer", "OrdinalEncoder")),
        ("zoo:searched", {}, ("SimpleImputer", "OrdinalEncoder")),
        (LOGISTIC, {}, ("Pipeline", "OneHotEncoder")),
        ("sklearn.svm.SVC", {"probability": True}, ("Pipeline", "OneHotEncoder")),
        # One part that is no tree, and order would mean something that it does not.
        ("zoo:stacked", {}, ("Pipeline", "OneHotEncoder")),
        ("zoo:calibrated", {"method": "sigmoid"}, ("Pipeline", "OneHotEncoder")),
    ],
)
def test_preprocessing_follows_the_estimator(table, name, params, expected):
    assert steps(table, name, **params) == expected


@pytest.mark.parametrize("name", [BOOSTING, FOREST, LOGISTIC])
def test_unseen_and_missing_values_are_scored(table, name):
    pipeline = build_pipeline(model_of(name, {}), table.features)
    pipeline.fit(table.rows, table.labels)
    strange = table.frame.head(3).assign(town="Atlantis", plan=None, age=np.nan, member=None)
    scores = pipeline.predict_proba(cast_features(strange, table.features))
    assert np.isfinite(scores).all()


def test_boosting_splits_on_categories_as_sets(table):
    pipeline = build_pipeline(model_of(BOOSTING, {}), table.features)
    kinds = [feature.kind for feature in table.features]
    categories = kinds.count("category")
    assert pipeline.named_steps["estimator"].categorical_features == list(
        range(len(kinds) - categories, len(kinds))
    )
    rows = pipeline.named_steps["prepare"].fit_transform(table.rows)
    distinct = [len(np.unique(column[~np.isnan(column)])) for column in rows.T]
    assert distinct[-categories:] == [2, 3, 3]


def test_boosting_takes_more_categories_than_it_has_bins():
    words = [f"word {number}" for number in range(400)]
    frame = pd.DataFrame({"word": words * 5})
    features = [Feature(name="word", kind="category")]
    labels = np.array(["yes" if number % 400 < 150 else "no" for number in range(2000)])
    pipeline = build_pipeline(model_of(BOOSTING, {}), features)
    pipeline.fit(cast_features(frame, features), labels)
    assert pipeline.score(cast_features(frame, features), labels) > 0.5


def test_the_users_own_categorical_features_stay(table):
    pipeline = build_pipeline(model_of(BOOSTING, {"categorical_features": [5]}), table.features)
    assert pipeline.named_steps["estimator"].categorical_features == [5]


@pytest.mark.parametrize("kind", ["number", "category"])
def test_one_kind_of_columns_is_enough(kind):
    frame = pd.DataFrame({"x": [1, 2, 3, 4] * 10})
    features = [Feature(name="x", kind=kind)]
    pipeline = build_pipeline(model_of(LOGISTIC, {}), features)
    pipeline.fit(cast_features(frame, features), ["a", "b", "a", "b"] * 10)
    assert pipeline.predict_proba(cast_features(frame, features)).shape == (40, 2)


# --- parameters, seeds, weights ----------------------------------------------------


def estimator(name, params=None, **model):
    pipeline = build_pipeline(model_of(name, params or {}, **model), (NUMBER,))
    return pipeline.named_steps["estimator"]


def test_parameters_reach_the_estimator():
    assert estimator(FOREST, {"n_estimators": 7}).n_estimators == 7


def test_the_seed_reaches_whatever_takes_one():
    assert estimator(FOREST, seed=5).random_state == 5
    assert estimator(FOREST, {"random_state": 3}, seed=5).random_state == 3
    assert estimator("zoo:with_random_state", seed=5).random_state == 5
    parts = estimator("zoo:stacked", seed=5).get_params()
    assert parts["forest__random_state"] == parts["line__random_state"] == 5
    assert not hasattr(estimator("sklearn.naive_bayes.GaussianNB", seed=5), "random_state")


@pytest.mark.parametrize("name", [LOGISTIC, FOREST, BOOSTING])
@pytest.mark.parametrize(
    ("classes", "weights"),
    [
        (("no", "yes"), {"no": 1.0, "yes": 5.0}),
        (("0", "1"), {"0": 1.0, "1": 5.0}),
        (("0", "1"), {"0.0": 1.0, "1.0": 5.0}),
        (("false", "true"), {"false": 1.0, "true": 5.0}),
        (("-1", "1"), {"-1": 1.0, "1": 5.0}),
        (("0.5", "0"), {"0": 5.0, "0.5": 1.0}),
    ],
)
def test_class_weights_count_whatever_the_classes_are_called(name, classes, weights):
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"x": random.integers(0, 4, 400).astype(float)})
    labels = (random.random(400) < 0.2 + rows["x"] / 10).astype(int)

    def mean(weight):
        model = model_of(name, {}, class_weight=weight)
        pipeline = build_pipeline(model, (NUMBER,), classes)
        return pipeline.fit(rows, labels).predict_proba(rows)[:, 1].mean()

    assert mean(weights) > mean("balanced") + 0.1 > mean(None) + 0.2


@pytest.mark.parametrize("weights", [{"ja": 1.0, "yes": 5.0}, {"yes": 2.0}])
def test_class_weights_of_other_classes_are_refused(weights):
    model = model_of(LOGISTIC, {}, class_weight=weights)
    with pytest.raises(ModelError, match=r'expected "no", "yes"$'):
        build_pipeline(model, (NUMBER,), ("no", "yes"))


def test_a_whole_pipeline_of_a_factory_is_taken_as_it_is(table):
    pipeline = build_pipeline(model_of("zoo:whole_pipeline", {}, seed=4), table.features)
    assert isinstance(pipeline.named_steps["estimator"], LogisticRegression)
    assert pipeline.named_steps["estimator"].random_state == 4
    assert pipeline.named_steps["prepare"].transformers[0][2] == ["age", "visits"]


# --- refusals ----------------------------------------------------------------------


def refusal(model, features=(NUMBER,), task="binary"):
    with pytest.raises(ModelError) as caught:
        build_pipeline(model, features, task=task)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sklearn.linear_model.LogisticRegresion", "mean sklearn.linear_model.LogisticRegression?"),
        ("sklearn.liner_model.LogisticRegression", "module 'sklearn.liner_model' cannot be"),
        ("catboost.CatBoostClassifier", "No module named 'catboost'"),
        ("LogisticRegression", "the module '' cannot be imported"),
        ("sklearn.linear_model", "is no class or function"),
        ("sklearn.linear_model.LinearRegression", "is not a scikit-learn classifier"),
        ("sklearn.svm.LinearSVC", "gives no probabilities"),
        ("builtins.dict", "is no class or function"),
        ("collections.Counter", "makes a Counter, which is not"),
        ("zoo:regressor", "model.factory 'model.zoo:regressor' makes a LinearRegression"),
        ("zoo:nothing", "makes a NoneType"),
        ("zoo:broken", "KeyError: 'depth'"),
        ("zoo:missing", "model.zoo has no 'missing'"),
    ],
)
def test_what_is_no_binary_classifier_is_refused(name, told):
    assert told in refusal(model_of(name, {})).message


def test_a_misspelt_parameter_is_refused_with_the_right_one():
    error = refusal(model_of(FOREST, {"n_estimator": 10}))
    assert "model.params.n_estimator" in error.message
    assert "did you mean 'n_estimators'?" in error.message
    assert "max_depth" in error.hint
    assert "'deep'" not in refusal(model_of("zoo:calibrated", {"deep": 1})).message


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("sklearn.semi_supervised.SelfTrainingClassifier", {}),
        ("sklearn.calibration.CalibratedClassifierCV", {"estimator": "forest"}),
        ("sklearn.multiclass.OneVsRestClassifier", {"estimator": None}),
        ("sklearn.multiclass.OneVsRestClassifier", {}),
        ("sklearn.ensemble.StackingClassifier", {}),
        ("sklearn.model_selection.GridSearchCV", {"param_grid": {}}),
    ],
)
def test_a_combination_without_its_parts_belongs_into_a_factory(name, params):
    error = refusal(model_of(name, params))
    assert name.rpartition(".")[2] in error.message
    assert "model.factory: package.module:function" in error.hint


def test_a_parameter_that_is_not_given_is_named():
    assert "method" in refusal(model_of("zoo:calibrated", {})).message


@pytest.mark.parametrize("name", ["sklearn.neighbors.KNeighborsClassifier", "zoo:stacked"])
def test_class_weights_are_refused_where_nothing_takes_them(name):
    assert "takes none" in refusal(model_of(name, {}, class_weight="balanced")).message


def test_no_column_to_learn_from_is_refused():
    assert "no column to learn from" in refusal(model_of(LOGISTIC, {}), ()).message


def test_probabilities_that_only_training_decides_on_are_asked_for_again(table):
    model = Model(estimator="sklearn.svm.SVC")
    pipeline = build_pipeline(model, table.features)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(table.rows, table.labels)
    with pytest.raises(ModelError, match="gives no probabilities"):
        require_probabilities(pipeline, model)


# --- several classes, and numbers --------------------------------------------------

REGRESSORS = (
    "sklearn.ensemble.HistGradientBoostingRegressor",
    "sklearn.ensemble.RandomForestRegressor",
    "sklearn.linear_model.Ridge",
    "sklearn.neighbors.KNeighborsRegressor",
    "sklearn.svm.SVR",
)


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        (REGRESSORS[0], {}, ("str", "OrdinalEncoder")),
        (REGRESSORS[1], {}, ("SimpleImputer", "OrdinalEncoder")),
        (REGRESSORS[2], {}, ("Pipeline", "OneHotEncoder")),
        ("zoo:on_a_log_scale", {"trees": True}, ("SimpleImputer", "OrdinalEncoder")),
        ("zoo:on_a_log_scale", {"trees": False}, ("Pipeline", "OneHotEncoder")),
    ],
)
def test_preprocessing_follows_a_regressor_too(table, name, params, expected):
    pipeline = build_pipeline(model_of(name, params), table.features, task="regression")
    named = {name: step for name, step, _ in pipeline.named_steps["prepare"].transformers}
    assert (type(named["numbers"]).__name__, type(named["categories"]).__name__) == expected


@pytest.mark.parametrize("name", [*REGRESSORS, "zoo:on_a_log_scale"])
def test_a_regressor_is_trained_and_seeded(table, name):
    params = {"trees": True} if ":" in name else {}
    pipeline = build_pipeline(model_of(name, params, seed=3), table.features, task="regression")
    values = table.frame["age"].to_numpy(dtype=float) ** 2
    pipeline.fit(table.rows, values)
    require_probabilities(pipeline, model_of(name, params), "regression")
    assert np.corrcoef(pipeline.predict(table.rows), values)[0, 1] > 0.5
    seeds = [value for key, value in pipeline.get_params().items() if key.endswith("random_state")]
    assert set(seeds) <= {3}


@pytest.mark.parametrize("name", [LOGISTIC, FOREST, BOOSTING])
@pytest.mark.parametrize("weights", ["balanced", {"a": 1.0, "b": 1.0, "c": 8.0}])
def test_each_of_several_classes_may_have_a_weight(name, weights):
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"x": random.integers(0, 4, 600).astype(float)})
    labels = np.where(random.random(600) < 0.1, 2, random.integers(0, 2, 600))

    def mean(weight):
        model = model_of(name, {}, class_weight=weight)
        pipeline = build_pipeline(model, (NUMBER,), ("a", "b", "c"), "multiclass")
        return pipeline.fit(rows, labels).predict_proba(rows)[:, 2].mean()

    assert mean(weights) > mean(None) + 0.1


def test_weights_of_other_classes_are_named():
    model = model_of(LOGISTIC, {}, class_weight={"a": 1.0, "b": 1.0})
    with pytest.raises(ModelError, match=r'names "a", "b", expected "a", "b", "c"$'):
        build_pipeline(model, (NUMBER,), ("a", "b", "c"), "multiclass")


@pytest.mark.parametrize(
    ("task", "name", "told"),
    [
        ("regression", FOREST, "mean sklearn.ensemble.RandomForestRegressor?"),
        ("binary", REGRESSORS[1], "mean sklearn.ensemble.RandomForestClassifier?"),
        ("multiclass", REGRESSORS[1], "mean sklearn.ensemble.RandomForestClassifier?"),
        ("regression", LOGISTIC, "not a scikit-learn regressor; data.task is regression"),
        ("regression", "zoo:stacked", "makes a StackingClassifier, which is not"),
        ("regression", "sklearn.linear_model.Rige", "did you mean sklearn.linear_model.Ridge?"),
        ("regression", "sklearn.svm.SV", "did you mean sklearn.svm.SVR?"),
        ("binary", "sklearn.svm.SV", "did you mean sklearn.svm.SVC?"),
        ("regression", "sklearn.preprocessing.StandardScaler", "makes a StandardScaler, which"),
    ],
)
def test_an_estimator_of_another_task_is_refused(task, name, told):
    assert told in refusal(model_of(name, {}), task=task).message
