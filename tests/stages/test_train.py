"""train: any classifier, the same bytes on any machine, and one sentence when it fails."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mergeline.core import layout
from mergeline.errors import ContractError, ModelError
from mergeline.model.canonical import directory_bytes, directory_digest
from mergeline.model.score import load_scorer
from mergeline.stages.base import run_stage
from mergeline.stages.pinned import pinned_variables
from projects import OUTCOME, make_frame, make_project, outcome_frame, run_stages

OWN = '''
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline


class Squares(TransformerMixin, BaseEstimator):
    """Adds squares."""

    def __init__(self, power=2):
        self.power = power

    def fit(self, rows, labels=None):
        self.n_features_in_ = rows.shape[1]
        return self

    def transform(self, rows):
        return rows**self.power


class Careful(LogisticRegression):
    """Is never sure."""

    def predict_proba(self, rows):
        return 0.5 + 0.8 * (super().predict_proba(rows) - 0.5)


def classifier(C):
    return Careful(C=C)


def whole(columns):
    numbers = make_pipeline(SimpleImputer(), Squares())
    prepare = ColumnTransformer([("numbers", numbers, columns)])
    return Pipeline([("prepare", prepare), ("estimator", LogisticRegression())])


def broken():
    return None.nothing
'''


@pytest.fixture(autouse=True)
def own_modules_are_forgotten():
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "ours"]:
        del sys.modules[name]


@pytest.fixture
def path(monkeypatch):
    """Projects are put on the path of this process, and taken off it at the end."""
    monkeypatch.setattr(sys, "path", list(sys.path))


def evidence(root):
    return json.loads((root / "reports/train.json").read_text())["content"]


def trained(root):
    run_stages(root, "prepare", "train")
    return evidence(root)


def refusal(root, error=ModelError):
    with pytest.raises(error) as caught:
        run_stage("train", root)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value.message


# --- what it makes -------------------------------------------------------------------


def test_the_evidence_says_how_the_model_was_made(tmp_path):
    model = {
        "estimator": "sklearn.ensemble.RandomForestClassifier",
        "params": {"n_estimators": 5, "max_depth": 4},
        "class_weight": {"yes": 2.0, "no": 1.0},
        "seed": 7,
    }
    content = trained(make_project(tmp_path, model=model))
    train = pd.read_parquet(tmp_path / layout.TRAIN_TABLE)
    names = ["age", "income", "plan", "town", "visits", "member"]
    assert [feature["name"] for feature in content["features"]] == names
    assert content["estimator"] == model["estimator"]
    assert (content["params"], content["class_weight"]) == (model["params"], model["class_weight"])
    assert (content["seed"], content["rows"]) == (7, len(train))
    assert (content["classes"], content["positive"]) == (["no", "yes"], "yes")
    assert content["model_sha256"] == directory_digest(tmp_path / layout.MODEL)
    assert content["model_bytes"] == directory_bytes(tmp_path / layout.MODEL)
    assert content["libraries"].keys() >= {"numpy", "scikit-learn", "skops"}
    assert content["pinned"].keys() == pinned_variables().keys()


@pytest.mark.parametrize(("positive", "classes"), [("yes", ["no", "yes"]), ("no", ["yes", "no"])])
def test_the_positive_class_is_the_one_of_the_settings(tmp_path, positive, classes):
    content = trained(make_project(tmp_path, data={"positive": positive}))
    assert content["classes"] == classes
    test = pd.read_parquet(tmp_path / layout.TEST_TABLE)
    scores = load_scorer(tmp_path / layout.MODEL).score(test)
    hits = test["left"] == positive
    assert scores[hits].mean() > scores[~hits].mean() + 0.1


@pytest.mark.parametrize("weight", ["balanced", {"0": 1.0, "1": 6.0}])
def test_class_weights_work_for_classes_that_are_numbers(tmp_path, weight):
    frame = make_frame(500).assign(left=lambda frame: (frame["left"] == "yes").astype(int))
    means = []
    for chosen in (None, weight):
        name = "sklearn.ensemble.HistGradientBoostingClassifier"
        model = {"estimator": name, "params": {"max_iter": 10}, "class_weight": chosen}
        root = make_project(tmp_path, frame=frame, data={"positive": 1}, model=model)
        trained(root)
        test = pd.read_parquet(root / layout.TEST_TABLE)
        means.append(load_scorer(root / layout.MODEL).score(test).mean())
    assert means[1] > means[0] + 0.02


def test_a_factory_of_the_projects_own_and_its_own_types(tmp_path, path):
    factory = {"estimator": None, "factory": "ours.models:classifier", "params": {"C": 2}}
    root = make_project(tmp_path, model=factory)
    (root / "ours").mkdir()
    (root / "ours/models.py").write_text(OWN)
    run_stages(root, "prepare")
    assert "does not trust: ours.models.Careful" in refusal(root)
    assert not (root / layout.MODEL).exists()
    make_project(root, model={**factory, "trusted_types": ["ours.models.Careful"]})
    assert trained(root)["estimator"] == "ours.models:classifier"
    run_stages(root, "evaluate")
    assert pd.read_parquet(root / layout.PREDICTIONS)["score"].between(0.1, 0.9).all()


def test_a_factory_that_returns_a_whole_pipeline(tmp_path, path):
    model = {
        "estimator": None,
        "factory": "ours:whole",
        "params": {"columns": ["age", "visits"]},
        "trusted_types": ["ours.Squares"],
    }
    root = make_project(tmp_path, model=model)
    (root / "ours.py").write_text(OWN)
    trained(root)
    scorer = load_scorer(root / layout.MODEL, trusted=["ours.Squares"])
    test = pd.read_parquet(root / layout.TEST_TABLE)
    scores = scorer.score(test)
    np.testing.assert_array_equal(scores, scorer.score(test.assign(plan="none", income=0)))
    assert (scores != scorer.score(test.assign(age=99))).any()


def test_hostile_column_names_train_and_score(tmp_path):
    names = {
        "age": "a'g\"e",
        "income": "[in] {come}",
        "plan": "<b>plan</b>\n",
        "town": "🦊, town:",
        "visits": "__len__",
        "member": "%s %(x)d \\",
    }
    frame = make_frame().rename(columns=names)
    for estimator in ("ensemble.HistGradientBoostingClassifier", "linear_model.LogisticRegression"):
        root = make_project(tmp_path, frame=frame, model={"estimator": f"sklearn.{estimator}"})
        content = trained(root)
        assert [feature["name"] for feature in content["features"]] == list(names.values())
        run_stages(root, "evaluate")


def test_a_column_without_values_in_training_is_left_out(tmp_path):
    frame = make_frame().assign(empty=np.nan)
    content = trained(make_project(tmp_path, frame=frame))
    assert "empty" not in [feature["name"] for feature in content["features"]]


# --- several classes, and numbers ------------------------------------------------------


def of_task(folder, task, model, frame=None):
    table = outcome_frame(task) if frame is None else frame
    return make_project(folder, frame=table, data=OUTCOME[task], model=model)


@pytest.mark.parametrize(
    ("estimator", "weight"),
    [
        ("sklearn.ensemble.HistGradientBoostingClassifier", {"basic": 3.0, "plus": 1, "pro": 1}),
        ("sklearn.ensemble.RandomForestClassifier", "balanced"),
        ("sklearn.linear_model.LogisticRegression", None),
        ("sklearn.neighbors.KNeighborsClassifier", None),
    ],
)
def test_several_classes_are_trained_in_the_order_of_their_texts(tmp_path, estimator, weight):
    model = {"estimator": estimator, "class_weight": weight}
    content = trained(of_task(tmp_path, "multiclass", model))
    assert (content["task"], content["positive"]) == ("multiclass", None)
    assert content["classes"] == ["basic", "plus", "pro"]
    test = pd.read_parquet(tmp_path / layout.TEST_TABLE)
    scores = load_scorer(tmp_path / layout.MODEL).score(test)
    assert scores.shape == (len(test), 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1)
    for place, name in enumerate(content["classes"]):
        hits = test["outcome"] == name
        assert scores[hits, place].mean() > scores[~hits, place].mean() + 0.03


@pytest.mark.parametrize(
    "estimator",
    [
        "sklearn.ensemble.HistGradientBoostingRegressor",
        "sklearn.ensemble.RandomForestRegressor",
        "sklearn.linear_model.Ridge",
        "sklearn.neighbors.KNeighborsRegressor",
    ],
)
def test_a_number_is_learnt(tmp_path, estimator):
    content = trained(of_task(tmp_path, "regression", {"estimator": estimator}))
    assert (content["task"], content["positive"], content["classes"]) == ("regression", None, [])
    test = pd.read_parquet(tmp_path / layout.TEST_TABLE)
    scores = load_scorer(tmp_path / layout.MODEL).score(test)
    assert np.corrcoef(scores, test["outcome"])[0, 1] > 0.5


def test_classes_that_are_numbers_are_one_class_however_they_are_spelt(tmp_path):
    spelt = {"basic": "1.0", "plus": "1", "pro": "10"}
    frame = outcome_frame("multiclass")
    frame["outcome"] = frame["outcome"].map(spelt).where(frame.index % 3 > 0, "2")
    content = trained(of_task(tmp_path, "multiclass", {}, frame))
    assert content["classes"] == ["1", "10", "2"]


def test_hostile_classes_train_and_score(tmp_path):
    names = {"basic": "a'b\"c", "plus": "<b>\n[x]: {y}", "pro": "\U0001f98a, /\\"}
    frame = outcome_frame("multiclass")
    frame["outcome"] = frame["outcome"].map(names)
    content = trained(of_task(tmp_path, "multiclass", {}, frame))
    assert content["classes"] == sorted(names.values())
    assert load_scorer(tmp_path / layout.MODEL).classes == tuple(content["classes"])


@pytest.mark.parametrize(
    ("task", "estimator", "told"),
    [
        ("regression", "linear_model.LogisticRegression", "not a scikit-learn regressor"),
        ("multiclass", "linear_model.Ridge", "not a scikit-learn classifier"),
        ("multiclass", "svm.LinearSVC", "gives no probabilities"),
    ],
)
def test_an_estimator_of_another_task_is_refused(tmp_path, task, estimator, told):
    root = of_task(tmp_path, task, {"estimator": f"sklearn.{estimator}"})
    run_stages(root, "prepare")
    assert told in refusal(root)


# --- the same bytes ------------------------------------------------------------------

_HERE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "1"}
_THERE = {
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_NUM_THREADS": "2",
    "OPENBLAS_CORETYPE": "Sandybridge",
    "PYTHONHASHSEED": "77",
    "NPY_DISABLE_CPU_FEATURES": "",
    "MKL_NUM_THREADS": "4",
}
ESTIMATORS = (
    {"estimator": "sklearn.ensemble.HistGradientBoostingClassifier", "params": {"max_iter": 20}},
    {"estimator": "sklearn.linear_model.LogisticRegression"},
    {
        "estimator": "sklearn.ensemble.RandomForestClassifier",
        "params": {"n_jobs": 2, "n_estimators": 20},
    },
)


def mergeline(root, *arguments, **more):
    """Run `python -m mergeline` in a project, with other variables."""
    env = {key: value for key, value in os.environ.items() if key not in pinned_variables()}
    command = [sys.executable, "-m", "mergeline", *arguments]
    return subprocess.run(
        command, cwd=root, env={**env, **more}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("model", ESTIMATORS, ids=lambda model: model["estimator"].split(".")[-1])
def test_two_processes_with_other_variables_make_the_same_bytes(tmp_path, model):
    frame = make_frame(1000)
    found = []
    for name, variables in (("here", _HERE), ("there", _THERE)):
        root = make_project(tmp_path / name, frame=frame, model=model)
        run_stages(root, "prepare")
        done = mergeline(root, "stage", "train", **variables)
        assert done.returncode == 0, done.stderr
        found.append(evidence(root))
    assert found[0] == found[1]
    assert found[0]["pinned"] == pinned_variables()
    files = [
        {p.name: p.read_bytes() for p in (tmp_path / name / layout.MODEL).iterdir()}
        for name in ("here", "there")
    ]
    assert files[0] == files[1]


def test_training_imports_no_mlflow_and_no_dvc(tmp_path):
    root = make_project(tmp_path)
    run_stages(root, "prepare")
    code = (
        "import sys; from pathlib import Path; from mergeline.stages.base import run_stage;"
        "run_stage('train', Path('.')); run_stage('evaluate', Path('.'));"
        "print(*{name.split('.')[0] for name in sys.modules} & {'mlflow', 'dvc', 'shap'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


# --- refusals ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"estimator": "sklearn.ensemble.RandomForest"}, "RandomForestClassifier?"),
        ({"estimator": "sklearn.nowhere.Model"}, "cannot be imported"),
        ({"params": {"max_itr": 5}}, "did you mean 'max_iter'?"),
        ({"params": {"C": -1}}, "cannot be trained on"),
        ({"estimator": "sklearn.linear_model.Ridge"}, "not a scikit-learn classifier"),
        ({"estimator": "sklearn.svm.LinearSVC"}, "gives no probabilities"),
        ({"estimator": "sklearn.svm.SVC"}, "gives no probabilities"),
        (
            {"estimator": "sklearn.naive_bayes.GaussianNB", "class_weight": "balanced"},
            "takes none",
        ),
        ({"estimator": None, "factory": "ours:broken"}, "AttributeError: 'NoneType'"),
        ({"estimator": None, "factory": "ours:absent"}, "ours has no 'absent'"),
        ({"estimator": None, "factory": "syntax:absent"}, "SyntaxError"),
    ],
)
def test_a_model_that_cannot_be_made_is_one_sentence(tmp_path, path, model, told):
    root = make_project(tmp_path)
    (root / "ours.py").write_text(OWN)
    (root / "syntax.py").write_text("def x(:\n")
    run_stages(root, "prepare", "train")
    before = directory_digest(root / layout.MODEL), (root / "reports/train.json").read_bytes()
    make_project(root, model=model)
    assert told in refusal(root)
    after = directory_digest(root / layout.MODEL), (root / "reports/train.json").read_bytes()
    assert before == after


def test_nothing_to_learn_from_is_refused(tmp_path):
    frame = make_frame()
    exclude = [name for name in frame.columns if name not in ("customer", "left")]
    root = make_project(tmp_path, data={"exclude": exclude})
    run_stages(root, "prepare")
    assert "no column to learn from" in refusal(root)


def test_missing_harmed_and_other_tables_are_refused(tmp_path):
    root = make_project(tmp_path)
    assert "data/prepared/train.parquet cannot be read" in refusal(root, ContractError)
    run_stages(root, "prepare")
    make_project(root, data={"target": "gone"})
    assert "data.target names the column 'gone'" in refusal(root, ContractError)
    make_project(root, data={"positive": "maybe"})
    assert "'maybe' and one other are expected" in refusal(root, ContractError)
    (root / layout.TRAIN_TABLE).write_bytes(b"PAR1 no more")
    assert "cannot be read" in refusal(root, ContractError)


def test_columns_with_infinities_are_named(tmp_path):
    frame = make_frame()
    frame.loc[:50, "income"] = np.inf
    with pytest.raises(ModelError, match=r"An infinity.* stands in \d+ rows of 'income'") as caught:
        trained(make_project(tmp_path, frame=frame))
    assert "data.exclude" in caught.value.hint
