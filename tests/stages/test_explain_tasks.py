"""explain for several classes and for numbers: by tree, by weights and by permutation."""

import hashlib
import os
from pathlib import Path

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVR

from mergeline.config.load import parse_settings
from mergeline.core import layout
from mergeline.core.evidence import ExplainContent, Feature
from mergeline.model.cast import cast_features
from mergeline.model.directory import Description, save_model
from mergeline.model.predictions import Predictions
from mergeline.model.score import load_scorer
from mergeline.model.table import write_table
from mergeline.stages.shapley import worker

CLASSES = ("Dropout", "Enrolled | <b>", "Graduate")
FEATURES = (
    Feature(name="x", kind="number"),
    Feature(name="color", kind="category"),
    Feature(name="idle", kind="number"),
)
SETTINGS = """
project: tests
data: {{source: x, task: {task}, target: y, sensitive: [sex]}}
model: {{estimator: x.Y, seed: 3}}
fairness: {{min_group: 40}}
explain: {{rows: {rows}, budget_seconds: 60}}
report: {{rows: {show}}}
"""


def table(n=900):
    """`x` decides between Dropout and Graduate, `color` makes Enrolled; `idle` does nothing."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": random.standard_normal(n),
            "color": pd.array(random.choice(["red", "blue", "green"], n), dtype="str"),
            "idle": random.standard_normal(n),
            "sex": pd.array(random.choice(["f", "m"], n), dtype="str"),
        }
    )
    frame["value"] = 9000 + 2000 * frame["x"] + 900 * (frame["color"] == "red")
    frame["value"] += 200 * random.standard_normal(n)
    red = (frame["color"] == "red") & (random.random(n) < 0.6)
    graduates = frame["x"] + 0.4 * random.standard_normal(n) > 0
    frame["class"] = np.where(red, CLASSES[1], np.where(graduates, CLASSES[2], CLASSES[0]))
    keys = (hashlib.sha256(str(place).encode()).hexdigest()[:16] for place in range(n))
    frame[layout.KEY] = list(keys)
    return frame


def pipeline(estimator):
    encode = (
        OrdinalEncoder()
        if isinstance(estimator, HistGradientBoostingClassifier | HistGradientBoostingRegressor)
        else OneHotEncoder(sparse_output=False)
    )
    prepare = ColumnTransformer(
        [("n", StandardScaler(), ["x", "idle"]), ("c", encode, ["color"])], sparse_threshold=0.0
    )
    return Pipeline([("prepare", prepare), ("estimator", estimator)])


def explained(root: Path, task, model, *, rows=200, show="false") -> ExplainContent:
    """Train on two thirds, and explain the others without a process of its own."""
    frame = table().drop(columns="value" if task == "multiclass" else "class")
    frame = frame.rename(columns={"value": "y", "class": "y"})
    classes = CLASSES if task == "multiclass" else ()
    truth = frame["y"].map(CLASSES.index) if classes else frame["y"]
    train, test = frame[:600], frame[600:].reset_index(drop=True)
    model.fit(cast_features(train, FEATURES), truth[:600].to_numpy())
    save_model(model, root / layout.MODEL, Description(task, "y", None, classes, FEATURES))
    score = load_scorer(root / layout.MODEL).score(test)
    predictions = Predictions(task, truth[600:].to_numpy(), score, None, classes)
    write_table(train, root / layout.TRAIN_TABLE)
    write_table(test, root / layout.TEST_TABLE)
    write_table(predictions.table(test[layout.KEY]), root / layout.PREDICTIONS)
    settings = parse_settings(SETTINGS.format(task=task, rows=rows, show=show), origin="p")
    request = worker.Request(root=str(root), settings=settings)
    (root / worker.REQUEST).write_text(request.model_dump_json())
    worker.main(root)
    return ExplainContent.model_validate_json((root / worker.CONTENT).read_bytes())


def order(features):
    return [feature.column for feature in features]


@pytest.mark.parametrize(
    ("estimator", "explainer", "output"),
    [
        (
            HistGradientBoostingClassifier(max_iter=20, categorical_features=[2]),
            "tree",
            "log_odds",
        ),
        (GradientBoostingClassifier(n_estimators=10), "tree", "log_odds"),
        (RandomForestClassifier(10, random_state=0), "tree", "probability"),
        (LogisticRegression(), "linear", "log_odds"),
        (SGDClassifier(loss="log_loss", random_state=0), "permutation", "probability"),
        (GaussianNB(), "permutation", "probability"),
    ],
    ids=repr,
)
def test_each_of_several_classes_has_what_moves_it(tmp_path, estimator, explainer, output):
    content = explained(tmp_path, "multiclass", pipeline(estimator), rows=100)
    assert (content.outcome, content.reason, content.task) == ("explained", "", "multiclass")
    assert (content.explainer, content.output, content.rows) == (explainer, output, 100)
    assert [one.name for one in content.classes] == list(CLASSES)
    by_class = {one.name: {item.column: item for item in one.features} for one in content.classes}
    assert by_class["Dropout"]["x"].direction < -0.8
    assert by_class["Graduate"]["x"].direction > 0.8
    assert order(content.classes[1].features)[0] == "color"
    assert order(content.features)[-1] == "idle"
    assert all(item.direction is None for item in content.features)
    for item in content.features:
        sizes = [features[item.column].mean_abs for features in by_class.values()]
        assert item.mean_abs == pytest.approx(sum(sizes) / 3, rel=1e-4)
    assert sum(item.share for item in content.features) == pytest.approx(1, abs=1e-5)
    assert {(group.by, group.group) for group in content.by_group} == {("sex", "f"), ("sex", "m")}


def test_large_errors_of_several_classes_are_told_by_the_actual_one(tmp_path):
    model = pipeline(LogisticRegression())
    content = explained(tmp_path, "multiclass", model, show="true")
    test, said = pd.read_parquet(tmp_path / layout.TEST_TABLE), 1.0
    scores = load_scorer(tmp_path / layout.MODEL).score(test)
    actual = scores[np.arange(len(test)), test["y"].map(CLASSES.index)]
    worst = np.sort(actual)[:5]
    assert [row.score for row in content.largest_errors] == pytest.approx(worst.tolist())
    assert [row.actual for row in content.largest_errors] == test["y"][
        np.argsort(actual, kind="stable")[:5]
    ].tolist()
    for row in content.largest_errors:
        assert row.score < said
        # What mattered most spoke against the class that it was.
        assert row.contributions[0][1] < 0


@pytest.mark.parametrize(
    ("model", "explainer"),
    [
        (
            pipeline(HistGradientBoostingRegressor(max_iter=20, categorical_features=[2])),
            "tree",
        ),
        (pipeline(RandomForestRegressor(10, random_state=0)), "tree"),
        (pipeline(LinearRegression()), "linear"),
        (pipeline(SVR(kernel="linear", C=100)), "linear"),
        (pipeline(HistGradientBoostingRegressor(max_iter=20, loss="gamma")), "permutation"),
        (pipeline(KNeighborsRegressor()), "permutation"),
        (
            pipeline(
                TransformedTargetRegressor(Ridge(), transformer=make_pipeline(StandardScaler()))
            ),
            "permutation",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[-1]),
)
def test_a_number_is_explained_in_its_own_unit(tmp_path, model, explainer):
    content = explained(tmp_path, "regression", model, rows=60)
    assert (content.outcome, content.reason, content.task) == ("explained", "", "regression")
    assert (content.explainer, content.output, content.classes) == (explainer, "value", ())
    assert order(content.features) == ["x", "color", "idle"]
    assert content.features[0].direction > 0.9
    # 2,000 a standard deviation of x, whose mean absolute value is 0.8.
    assert 700 < content.features[0].mean_abs < 2000


def test_large_errors_of_numbers_are_told_only_where_rows_may_be(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    model = pipeline(RandomForestRegressor(10, random_state=0))
    hidden = explained(tmp_path / "a", "regression", model)
    told = explained(tmp_path / "b", "regression", model, show="true")
    assert hidden.largest_errors == ()
    assert hidden.features == told.features
    test = pd.read_parquet(tmp_path / "b" / layout.TEST_TABLE)
    said = load_scorer(tmp_path / "b" / layout.MODEL).score(test)
    worst = np.argsort(-np.abs(said - test["y"]), kind="stable")[:5]
    assert [row.score for row in told.largest_errors] == said[worst].tolist()
    assert [float(row.actual) for row in told.largest_errors] == pytest.approx(
        test["y"][worst].tolist(), rel=1e-5
    )
