"""explain: the evidence, the plan that no clock decides, and a process that can be stopped."""

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_limits

from mergeline.config.load import parse_settings
from mergeline.config.settings import Model
from mergeline.core import layout
from mergeline.core.evidence import ExplainContent, Feature
from mergeline.errors import ContractError, ModelError, ToolError
from mergeline.model.cast import cast_features
from mergeline.model.directory import Description, save_model
from mergeline.model.pipeline import build_pipeline
from mergeline.model.score import Scorer, load_scorer
from mergeline.model.table import feature_columns, write_table
from mergeline.stages.base import Clock
from mergeline.stages.explain import run
from mergeline.stages.shapley import worker
from mergeline.stages.shapley.plan import affordable, methods
from mergeline.stages.shapley.summary import Explained, importances

SETTINGS = """
project: tests
data: {{source: x, target: y, positive: "{positive}", sensitive: [sex, age], exclude: [sex, id]}}
model: {{estimator: x.Y, trusted_types: [{trusted}]}}
fairness: {{min_group: 60, bins: {{age: [18, 40, 60]}}}}
explain: {{rows: {rows}, budget_seconds: {budget}}}
report: {{rows: {show}}}
gates: {{g: {{explain: age, at_most_rank: 2}}}}
"""
BOOSTING = "sklearn.ensemble.HistGradientBoostingClassifier"
LOGISTIC = "sklearn.linear_model.LogisticRegression"
# A class of the project's own, which SHAP knows nothing of.
SLOW = """
import os
import time

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Own(ClassifierMixin, BaseEstimator):
    def fit(self, rows, target):
        self.classes_ = np.unique(target)
        return self


class Slow(Own):
    def predict_proba(self, rows):
        time.sleep(600)


class Broken(Own):
    def predict_proba(self, rows):
        raise ValueError("no score for <b>you</b>")


class Gone(Own):
    def predict_proba(self, rows):
        os.kill(os.getpid(), 9)


class Untrue(Own):
    def predict_proba(self, rows):
        return np.abs(rows[:, :2])
"""


def settings(positive="1", rows=300, budget=60, show="false", trusted=""):
    text = SETTINGS.format(positive=positive, rows=rows, budget=budget, show=show, trusted=trusted)
    return parse_settings(text, origin="params.yaml")


def table(n=2000):
    """Risk rises with `_x_1` and for the color red; `age` matters less, `idle` not at all."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": [f"i{number}" for number in range(n)],
            "_x_1": random.standard_normal(n),
            "color | <b>": pd.array(random.choice(["red", "blue", "green_1"], n), dtype="str"),
            "age": random.integers(18, 60, n),
            "idle": random.standard_normal(n),
            "sex": pd.array(random.choice(["f", "m"], n, p=[0.3, 0.7]), dtype="str"),
        }
    )
    effect = 2 * frame["_x_1"] + 2.5 * (frame["color | <b>"] == "red") - 0.03 * (frame["age"] - 40)
    frame["y"] = (effect + random.logistic(size=n) > 1).astype(int)
    frame.loc[random.random(n) < 0.05, "_x_1"] = None
    frame.loc[random.random(n) < 0.05, "color | <b>"] = None
    frame[layout.KEY] = [hashlib.sha256(key.encode()).hexdigest()[:16] for key in frame["id"]]
    return frame


def build(root: Path, estimator=BOOSTING, pipeline=None, positive="1", trusted=()) -> Scorer:
    """Write tables, model and predictions as the stages before do."""
    chosen = settings(positive)
    frame = table()
    train, test = frame[:1200], frame[1200:].reset_index(drop=True)
    features = feature_columns(train, chosen.data)
    if pipeline is None:
        pipeline = build_pipeline(Model(estimator=estimator), features)
    with threadpool_limits(1):
        pipeline.fit(cast_features(train, features), train["y"].astype(str))
    description = Description("binary", "y", positive, ("0", "1"), features)
    save_model(pipeline, root / layout.MODEL, description, trusted=trusted)
    scorer = Scorer("binary", pipeline, features, ("0", "1"), positive)
    write(root, train, test, np.full(len(test), 0.5) if trusted else scorer.score(test), positive)
    return scorer


def write(root, train, test, score, positive="1"):
    is_positive = test["y"].astype(str) == positive
    predictions = {"key": test[layout.KEY], "positive": is_positive, "score": score}
    write_table(train, root / layout.TRAIN_TABLE)
    write_table(test, root / layout.TEST_TABLE)
    write_table(pd.DataFrame({**predictions, "predicted": score >= 0.5}), root / layout.PREDICTIONS)


def explained(root, folder, **options) -> ExplainContent:
    """Explain without a process of its own."""
    folder.mkdir()
    request = worker.Request(root=str(root), settings=settings(**options))
    (folder / worker.REQUEST).write_text(request.model_dump_json())
    worker.main(folder)
    return ExplainContent.model_validate_json((folder / worker.CONTENT).read_bytes())


@pytest.fixture(scope="module")
def boosted(tmp_path_factory):
    root = tmp_path_factory.mktemp("boosted")
    build(root)
    return root


def columns(content):
    return [feature.column for feature in content.features]


# --- what is found ---------------------------------------------------------------


def test_the_evidence_of_a_boosted_model(boosted, tmp_path):
    content = explained(boosted, tmp_path / "a")
    assert (content.outcome, content.reason) == ("explained", "")
    assert (content.explainer, content.output) == ("tree", "log_odds")
    assert (content.rows, content.of, content.background) == (300, 800, 0)
    assert columns(content) == ["_x_1", "color | <b>", "age", "idle"]
    assert sum(feature.share for feature in content.features) == pytest.approx(1, abs=1e-5)
    directions = {feature.column: feature.direction for feature in content.features}
    assert directions["_x_1"] > 0.95
    assert directions["age"] < -0.7
    assert directions["color | <b>"] is None
    groups = {(group.by, group.group): group for group in content.by_group}
    assert set(groups) == {("sex", "f"), ("sex", "m"), ("age", "[18, 40)"), ("age", "[40, 60)")}
    assert groups["sex", "f"].n + groups["sex", "m"].n == 300
    assert all(group.n >= 60 for group in content.by_group)
    assert groups["sex", "f"].top[0].column == "_x_1"


def test_the_rows_are_the_first_by_hash(boosted, tmp_path):
    content = explained(boosted, tmp_path / "a", rows=150)
    test = pd.read_parquet(boosted / layout.TEST_TABLE).sort_values(layout.KEY).head(150)
    assert content.rows == 150
    by_sex = {group.group: group.n for group in content.by_group if group.by == "sex"}
    counts = test["sex"].value_counts()
    assert by_sex == {name: count for name, count in counts.items() if count >= 60}


def test_no_single_row_is_told_of_unless_the_settings_allow_it(boosted, tmp_path):
    """The values of a linear model's columns follow from their contributions."""
    assert explained(boosted, tmp_path / "a", rows=20).largest_errors == ()


def test_the_largest_errors_are_of_all_rows(boosted, tmp_path):
    content = explained(boosted, tmp_path / "a", rows=20, show="true")
    predictions = pd.read_parquet(boosted / layout.PREDICTIONS)
    error = (predictions["score"] - predictions["positive"]).abs()
    worst = predictions.loc[error.sort_values(ascending=False).index[:5]]
    assert len({row.row for row in content.largest_errors} - {""}) == 5
    assert [row.score for row in content.largest_errors] == worst["score"].tolist()
    for row in content.largest_errors:
        sizes = [abs(value) for _, value in row.contributions]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) == 4


def test_largest_errors_tell_the_values_of_their_rows(boosted, tmp_path):
    content = explained(boosted, tmp_path / "a", show="true")
    test = pd.read_parquet(boosted / layout.TEST_TABLE)
    keys = {hashlib.sha256(key.encode()).hexdigest()[:12]: key for key in test[layout.KEY]}
    for row in content.largest_errors:
        given = test[test[layout.KEY] == keys[row.row]].iloc[0]
        assert list(row.values) == ["_x_1", "color | <b>", "age", "idle"]
        assert row.values["age"] == str(given["age"])
        color = given["color | <b>"]
        assert row.values["color | <b>"] == ("(missing)" if pd.isna(color) else color)


def test_contributions_are_those_of_the_positive_class(boosted, tmp_path):
    other = tmp_path / "other"
    build(other, positive="0")
    ours, theirs = (
        explained(boosted, tmp_path / "a"),
        explained(other, tmp_path / "b", positive="0"),
    )
    for mine, yours in zip(ours.features, theirs.features, strict=True):
        assert mine.mean_abs == pytest.approx(yours.mean_abs)
        if mine.direction is not None:
            assert mine.direction == pytest.approx(-yours.direction)


@pytest.mark.parametrize(
    ("estimator", "explainer", "output"),
    [
        (LOGISTIC, "linear", "log_odds"),
        ("sklearn.discriminant_analysis.LinearDiscriminantAnalysis", "linear", "log_odds"),
        ("sklearn.tree.DecisionTreeClassifier", "tree", "probability"),
        ("sklearn.ensemble.GradientBoostingClassifier", "tree", "log_odds"),
        ("sklearn.naive_bayes.GaussianNB", "permutation", "probability"),
        ("sklearn.ensemble.AdaBoostClassifier", "permutation", "probability"),
    ],
)
def test_every_kind_of_model_finds_what_matters(tmp_path, estimator, explainer, output):
    build(tmp_path, estimator)
    content = explained(tmp_path, tmp_path / "a", rows=100)
    assert content.outcome == "explained"
    assert (content.explainer, content.output, content.rows) == (explainer, output, 100)
    assert content.background == {"linear": 1000, "permutation": 25, "tree": 0}[explainer]
    assert set(columns(content)[:2]) == {"_x_1", "color | <b>"}
    assert content.features[0].share > 2 * content.features[-1].share
    x = next(feature for feature in content.features if feature.column == "_x_1")
    assert x.direction > 0.7


def test_a_pipeline_of_the_projects_own_is_explained_by_the_users_columns(tmp_path):
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    numbers = make_pipeline(SimpleImputer(), PCA())
    prepare = ColumnTransformer(
        [
            ("numbers", numbers, ["_x_1", "age", "idle"]),
            ("one", OneHotEncoder(handle_unknown="ignore"), ["color | <b>"]),
        ],
        sparse_threshold=0.0,
    )
    build(tmp_path, pipeline=Pipeline([("prepare", prepare), ("estimator", LogisticRegression())]))
    content = explained(tmp_path, tmp_path / "a", rows=50)
    assert (content.outcome, content.explainer) == ("explained", "permutation")
    assert set(columns(content)[:2]) == {"_x_1", "color | <b>"}


def test_a_score_that_is_not_logistic_is_explained_by_permutation(tmp_path):
    """The linear explainer fits its weights, and not its score: the sums tell."""
    from sklearn.linear_model import SGDClassifier

    features = feature_columns(table(), settings().data)
    pipeline = build_pipeline(Model(estimator=LOGISTIC), features)
    estimator = SGDClassifier(loss="modified_huber", random_state=0)
    build(tmp_path, pipeline=pipeline.set_params(estimator=estimator))
    content = explained(tmp_path, tmp_path / "a", rows=50)
    assert (content.outcome, content.explainer) == ("explained", "permutation")


def test_nothing_that_matters_has_no_direction_and_no_share():
    features = (Feature(name="a", kind="number"), Feature(name="b", kind="category"))
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan], "b": ["x", "y", "z"]})
    found = importances(Explained(features, frame, np.zeros((3, 2, 1))))
    assert [(item.mean_abs, item.share, item.direction) for item in found] == [(0, 0, None)] * 2


# --- the plan --------------------------------------------------------------------


def test_the_plan_follows_from_the_size_of_the_model_alone(boosted):
    scorer = load_scorer(boosted / layout.MODEL)
    tree, permutation = methods(scorer, 0)
    assert (tree.explainer, permutation.explainer) == ("tree", "permutation")
    assert tree.affords(60) > 2000
    assert tree.affords(60) == methods(scorer, 0)[0].affords(60)
    assert tree.affords(6) < tree.affords(60)
    assert affordable((tree, permutation), 2000, 60) == (0, "")
    dear = replace(tree, row=2.0)
    assert affordable((dear, permutation), 2000, 60) == (1, "")
    assert affordable((dear, permutation), 10, 60) == (0, "")
    place, reason = affordable((dear, replace(permutation, row=1e3)), 2000, 60)
    assert place == -1
    assert reason == (
        "Explaining 20 rows would take about 40 s by tree and 20000 s by permutation; half of "
        "explain.budget_seconds (60) is to be enough."
    )


def test_a_forest_of_many_leaves_gets_fewer_rows():
    frame = table()
    features = (Feature(name="_x_1", kind="number"), Feature(name="idle", kind="number"))
    rows = frame[["_x_1", "idle"]].fillna(0)
    afforded = []
    for trees in (10, 100):
        pipeline = build_pipeline(Model(estimator=LOGISTIC), features)
        pipeline.set_params(estimator=RandomForestClassifier(trees, random_state=0))
        pipeline.fit(rows, frame["y"].astype(str))
        way = methods(Scorer("binary", pipeline, features, ("0", "1"), "1"), 0)[0]
        assert way.explainer == "tree"
        afforded.append(way.affords(60))
    assert afforded[0] == pytest.approx(10 * afforded[1], rel=0.1)


def test_too_small_a_budget_is_said_before_anything_is_tried(boosted, tmp_path):
    content = explained(boosted, tmp_path / "a", budget=0.001)
    assert content.outcome == "not_explained"
    assert "half of explain.budget_seconds (0.001) is to be enough" in content.reason
    assert content.features == content.by_group == content.largest_errors == ()


def test_values_that_do_not_add_up_explain_nothing(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    own(tmp_path, "Untrue")
    content = explained(tmp_path, tmp_path / "a", rows=20, trusted="slow.Untrue")
    assert content.outcome == "not_explained"
    reason = "SHAP's values by permutation do not add up to the model's scores."
    assert content.reason == reason


# --- the process -----------------------------------------------------------------


def own(root: Path, name: str) -> None:
    """Make a project whose estimator is a class of its own."""
    import importlib
    import sys

    (root / "slow.py").write_text(SLOW)
    sys.path.insert(0, str(root))
    try:
        sys.modules.pop("slow", None)
        kind = getattr(importlib.import_module("slow"), name)
    finally:
        sys.path.remove(str(root))
    features = feature_columns(table(), settings().data)
    pipeline = build_pipeline(Model(estimator=LOGISTIC), features)
    build(root, pipeline=pipeline.set_params(estimator=kind()), trusted=(f"slow.{name}",))


def test_the_process_finds_the_same(boosted, tmp_path):
    clock = Clock()
    content = run(boosted, settings(), clock).content
    assert content == explained(boosted, tmp_path / "a")
    assert set(clock.seconds) == {"load", "shap"}


def test_a_model_that_overruns_is_stopped_at_the_budget(tmp_path):
    own(tmp_path, "Slow")
    clock = Clock()
    start = time.monotonic()
    content = run(tmp_path, settings(rows=20, budget=4, trusted="slow.Slow"), clock).content
    assert content.outcome == "not_explained"
    assert content.reason == (
        "Stopped at explain.budget_seconds (4 s) before 20 rows were explained."
    )
    assert (content.rows, content.of, content.features) == (0, 800, ())
    assert 4 <= clock.seconds["shap"] < 6
    assert time.monotonic() - start < 120


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Broken", "The process that explains died: ValueError: no score for <b>you</b>"),
        ("Gone", "The process that explains died: SIGKILL, perhaps for lack of memory."),
    ],
)
def test_a_model_that_breaks_is_not_explained_and_says_why(tmp_path, name, words):
    own(tmp_path, name)
    content = run(tmp_path, settings(rows=20, trusted=f"slow.{name}"), Clock()).content
    assert content.outcome == "not_explained"
    assert content.reason == words


def test_a_model_that_nobody_trusts_is_refused_as_everywhere(tmp_path):
    own(tmp_path, "Slow")
    with pytest.raises(ModelError, match=r"slow\.Slow") as found:
        run(tmp_path, settings(), Clock())
    assert found.value.hint


def test_a_table_that_is_not_there_is_an_error_of_ours(boosted, tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "model").symlink_to(boosted / layout.MODEL)
    with pytest.raises(ContractError, match=r"test\.parquet cannot be read"):
        run(tmp_path, settings(), Clock())


def test_a_process_that_dies_while_loading_is_an_error(tmp_path, monkeypatch, boosted):
    monkeypatch.setattr(worker, "__name__", "mergeline.stages.no_such_module")
    with pytest.raises(ToolError, match="No module named"):
        run(boosted, settings(), Clock())
