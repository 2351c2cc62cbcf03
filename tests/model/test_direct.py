"""Probabilities straight from columns are those of the pipeline, to the last bit."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble  # noqa: F401 -- so that its threads are there to be limited
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    StandardScaler,
)
from threadpoolctl import threadpool_limits

from mergeline.model import direct
from mergeline.model.directory import save_model
from mergeline.model.pipeline import build_pipeline
from mergeline.model.score import Scorer, load_scorer
from model.zoo import ESTIMATORS, model_of


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with threadpool_limits(1):  # several threads on busy cores wait for each other
        yield


NUMBERS = ["age", "income", "visits"]


def batches(rows):
    """Return rows as a server may get them: many, few, one, of other categories, of none."""
    strange = rows.head(5).assign(plan="gold", town="Paris")
    nothing = rows.head(3).copy()
    for name in nothing.columns:
        nothing[name] = pd.Series(np.nan, index=nothing.index, dtype=nothing[name].dtype)
    large = rows.head(4).assign(age=1e12, income=-0.0)
    ones = [rows.iloc[[place]] for place in range(6)]
    return [rows, rows.head(7), strange, nothing, large, *ones]


def columns_of(rows):
    return {name: rows[name].to_numpy() for name in rows.columns}


def require_same(pipeline, rows):
    """Hold the function against the pipeline, without a warning."""
    predict = direct.predictor(pipeline, "binary")
    for batch in batches(rows):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", category=FutureWarning)
            warnings.filterwarnings("ignore", message="Found unknown categories")
            expected = pipeline.predict_proba(batch)
            found = predict(columns_of(batch))
        np.testing.assert_array_equal(found, expected)


def is_direct(pipeline):
    return direct._parts(pipeline) is not None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "params", "_types"), ESTIMATORS)
def test_every_estimator_gives_the_same_bits(name, params, _types, table, tmp_path):
    pipeline = build_pipeline(model_of(name, params), table.features)
    pipeline.fit(table.rows, table.labels)
    assert is_direct(pipeline)
    require_same(pipeline, table.rows)
    save_model(pipeline, tmp_path / "model", table.description)
    scorer = load_scorer(tmp_path / "model")
    assert is_direct(scorer.pipeline)
    expected = pipeline.predict_proba(table.rows)[:, 1]
    np.testing.assert_array_equal(scorer.score(table.frame), expected)


@pytest.mark.filterwarnings("ignore:The `probability`")
def test_the_fitted_parts_stay_as_they_are(table):
    pipeline = build_pipeline(model_of("sklearn.svm.SVC", {"probability": True}), table.features)
    pipeline.fit(table.rows, table.labels)
    direct.predictor(pipeline, "binary")
    for _, part, names in pipeline[0].transformers_:
        first = part[0] if isinstance(part, Pipeline) else part
        assert list(first.feature_names_in_) == names


def doubled(values):
    return values * 2


def prepared(*transformers, **options):
    return Pipeline(
        [("prepare", ColumnTransformer(list(transformers), **options)), ("e", LogisticRegression())]
    )


def fill():
    return SimpleImputer(strategy="median")


DIRECT = {
    "several blocks, a column twice": prepared(
        ("a", fill(), ["age", "income"]), ("b", fill(), ["income", "visits"])
    ),
    "dropped and empty": prepared(
        ("a", fill(), NUMBERS), ("b", "drop", ["plan"]), ("c", fill(), [])
    ),
    "the rest as it is": prepared(
        ("a", fill(), NUMBERS), ("b", "drop", ["plan", "town", "sex"]), remainder="passthrough"
    ),
}
OTHERS = {
    "own step before": Pipeline(
        [("own", FunctionTransformer(lambda rows: rows[["age"]])), ("e", LogisticRegression())]
    ),
    "own function": prepared(("a", make_pipeline(fill(), FunctionTransformer(doubled)), NUMBERS)),
    "a transformer that is not known": prepared(
        ("a", make_pipeline(fill(), KBinsDiscretizer(3, encode="ordinal")), NUMBERS)
    ),
    "by place": prepared(("a", fill(), [0, 1])),
    "by name alone": prepared(("a", FunctionTransformer(lambda c: c.to_frame()), "age")),
    "weights": prepared(("a", fill(), NUMBERS), transformer_weights={"a": 2.0}),
    "data frames between": prepared(("a", fill(), NUMBERS)).set_output(transform="pandas"),
    "sparse": prepared(("a", OneHotEncoder(), ["plan"]), sparse_threshold=1.0),
    "three steps": Pipeline(
        [
            ("prepare", ColumnTransformer([("a", fill(), NUMBERS)])),
            ("scale", StandardScaler()),
            ("e", LogisticRegression()),
        ]
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("pipeline", "known"), [
    *[pytest.param(each, True, id=name) for name, each in DIRECT.items()],
    *[pytest.param(each, False, id=name) for name, each in OTHERS.items()],
])  # fmt: skip
def test_pipelines_of_other_makers_give_the_same_bits(pipeline, known, table):
    rows = table.rows.assign(member=table.rows["member"].fillna(0.0))
    pipeline.fit(rows, table.labels)
    assert is_direct(pipeline) is known
    predict = direct.predictor(pipeline, "binary")
    whole = rows.dropna()
    for batch in (whole, whole.head(1), whole.tail(9)):
        np.testing.assert_array_equal(predict(columns_of(batch)), pipeline.predict_proba(batch))


def test_what_is_no_pipeline_gets_a_data_frame(table):
    class Model:
        def predict_proba(self, rows):
            pd.testing.assert_frame_equal(rows, table.rows)
            return np.column_stack([np.zeros(len(rows)), np.ones(len(rows))])

    scorer = Scorer("binary", Model(), table.features, ("no", "yes"), "yes")
    assert scorer.score(table.frame).tolist() == [1.0] * len(table.frame)
