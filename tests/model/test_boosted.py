"""LightGBM and XGBoost: saved without pickle, read strictly, scored and explained as before."""

import io
import json
import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mergeline.core.digest import sha256
from mergeline.errors import ModelError, UnsafeModel
from mergeline.model.boosted import BoostedClassifier, BoostedRegressor
from mergeline.model.boosted_text import read_text
from mergeline.model.directory import SKOPS, save_model
from mergeline.model.safety import read_files, require_safe
from mergeline.model.score import load_scorer
from mergeline.model.skops_types import untrusted_types
from mergeline.stages.shapley.plan import methods

from . import matrix

MAKERS = {
    "lightgbm": ("LGBMClassifier", "LGBMRegressor", {"min_child_samples": 5, "verbose": -1}),
    "xgboost": ("XGBClassifier", "XGBRegressor", {}),
}
TASKS = tuple(matrix.CLASSES)


def case_of(library, **params):
    """Return the kind of model; the test is skipped where its library is not installed."""
    made = pytest.importorskip(library, reason=f"{library} is not installed")
    classifier, regressor, usual = MAKERS[library]
    params = {"n_estimators": 6, **usual, **params}
    return matrix.Case(
        library,
        lambda: getattr(made, classifier)(**params),
        lambda: getattr(made, regressor)(**params),
    )


def digest(library, task):
    table = matrix.sample()
    pipeline = matrix.fitted(case_of(library), task, table)
    return sha256(matrix.model_files(pipeline, table.description(task))[SKOPS])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("library", MAKERS)
def test_it_goes_the_whole_way(library, task, tmp_path):
    table = matrix.sample()
    case = case_of(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = matrix.fitted(case, task, table)
        score = require_same(pipeline, task, table, tmp_path)
    files = read_files(tmp_path / "model")
    require_safe(files)
    kind = "BoostedRegressor" if task == "regression" else "BoostedClassifier"
    assert f"mergeline.model.boosted.{kind}" in untrusted_types(files[SKOPS])
    scorer = load_scorer(tmp_path / "model")
    way = methods(scorer, 0)[0]
    assert way.explainer == "tree"
    values = way.explain(table.rows, table.rows.head(0))
    assert way.adds_up(values, score)
    assert np.abs(values).max() > 0.01
    assert not way.adds_up(values * 1.01, score)


def require_same(pipeline, task, table, folder):
    said = pipeline.predict(table.rows) if task == "regression" else None
    said = pipeline.predict_proba(table.rows) if said is None else said
    save_model(pipeline, folder / "model", table.description(task))
    score = load_scorer(folder / "model").score(table.frame)
    np.testing.assert_array_equal(score, said[:, 1] if task == "binary" else said)
    return score


@pytest.mark.parametrize("library", MAKERS)
def test_two_processes_come_to_the_same_bytes(library):
    case_of(library)
    code = f"from model.test_boosted import digest; print(digest({library!r}, 'multiclass'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=os.fspath(Path(__file__).parents[1]),
        timeout=120,
    )
    assert done.stdout.split()[-1] == digest(library, "multiclass")


@pytest.mark.parametrize("library", MAKERS)
def test_within_another_estimator_it_is_refused_by_name(library):
    from sklearn.calibration import CalibratedClassifierCV

    table, inner = matrix.sample(), case_of(library)
    case = matrix.Case("x", lambda: CalibratedClassifierCV(inner.classifier(), cv=3), None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = matrix.fitted(case, "binary", table)
    with pytest.raises(ModelError, match=library):
        matrix.model_files(pipeline, table.description("binary"))


def test_what_training_used_is_not_in_the_file():
    table = matrix.sample()
    pipeline = matrix.fitted(case_of("lightgbm"), "binary", table)
    data = matrix.model_files(pipeline, table.description("binary"))[SKOPS]
    assert b"num_threads" not in data
    assert b"tree_sizes" not in data


@pytest.mark.parametrize(
    ("library", "params", "said"),
    [
        ("lightgbm", {"linear_tree": True}, "linear"),
        ("xgboost", {"booster": "dart"}, "expected gbtree"),
        ("xgboost", {"missing": -1}, "takes -1 for missing"),
    ],
)
def test_what_a_stand_in_would_not_do_is_refused_with_what_to_do(library, params, said):
    table, case = matrix.sample(), case_of(library, **params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = matrix.fitted(case, "regression", table)
    with pytest.raises(ModelError, match=said) as caught:
        matrix.model_files(pipeline, table.description("regression"))
    assert "model.params" in caught.value.hint


# --- the texts, without the libraries -------------------------------------------------

LIGHTGBM = """tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=binary sigmoid:1
feature_names=Column_0 Column_1
feature_infos=[0:1] [-2:3]

Tree=0
num_leaves=3
num_cat=0
split_feature=0 1
split_gain=1.5 2
threshold=0.5 1.0000000180025095e-35
decision_type=2 8
left_child=1 -1
right_child=-2 -3
leaf_value=-0.1 0.2 1e-3
leaf_weight=1 2 3
leaf_count=5 6 7
internal_value=0 0
internal_weight=0 3
internal_count=18 12
is_linear=0
shrinkage=0.1


end of trees
"""
XGBOOST_TREE = {
    "base_weights": [0.1, -0.2, 0.3],
    "categories": [],
    "categories_nodes": [],
    "categories_segments": [],
    "categories_sizes": [],
    "default_left": [1, 0, 0],
    "id": 0,
    "left_children": [1, -1, -1],
    "loss_changes": [1.5, 0.0, 0.0],
    "parents": [2147483647, 0, 0],
    "right_children": [2, -1, -1],
    "split_conditions": [0.5, -0.02, 0.03],
    "split_indices": [1, 0, 0],
    "split_type": [0, 0, 0],
    "sum_hessian": [9.0, 4.0, 5.0],
    "tree_param": {
        "num_deleted": "0",
        "num_feature": "2",
        "num_nodes": "3",
        "size_leaf_vector": "1",
    },
}


def xgboost_text(**changed):
    """The text of one tree, with some of its arrays changed."""
    model = {
        "cats": {"enc": [], "feature_segments": [], "sorted_idx": []},
        "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": "1"},
        "iteration_indptr": [0, 1],
        "tree_info": [0],
        "trees": [XGBOOST_TREE | changed],
    }
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": {"model": model, "name": "gbtree"},
        "learner_model_param": {"num_class": "0", "num_feature": "2", "num_target": "1"},
        "objective": {"name": "binary:logistic"},
    }
    return json.dumps({"learner": learner, "version": [3, 2, 0]})


def test_a_text_as_the_library_writes_it_is_read():
    for library, text, leaves in (("lightgbm", LIGHTGBM, 3), ("xgboost", xgboost_text(), 2)):
        found = read_text(library, text, 2, 1)
        assert (found.trees, found.leaves) == (1, leaves)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("left_child=1 -1", "left_child=7 -1"),
        ("left_child=1 -1", "left_child=0 -1"),
        ("right_child=-2 -3", "right_child=-2 -9"),
        ("right_child=-2 -3", "right_child=-2 -2"),
        ("split_feature=0 1", "split_feature=0 2"),
        ("split_feature=0 1", "split_feature=0 -1"),
        ("split_feature=0 1", "split_feature=0"),
        ("decision_type=2 8", "decision_type=2 9"),
        ("num_cat=0", "num_cat=1"),
        ("num_leaves=3", "num_leaves=300000000"),
        ("num_leaves=3", "num_leaves=x"),
        ("is_linear=0", "is_linear=1"),
        ("leaf_value=-0.1 0.2 1e-3", "leaf_value=-0.1 0.2"),
        ("leaf_value=-0.1 0.2 1e-3", "leaf_value=-0.1 0.2 evil"),
        ("max_feature_idx=1", "max_feature_idx=9"),
        ("num_class=1", "num_class=3"),
        ("objective=binary", "objective=custom"),
        ("label_index=0", "tree_sizes=12345678"),
        ("version=v4", "version=v4\nversion=v4"),
        ("Tree=0", "Tree=1"),
        ("end of trees\n", ""),
        ("end of trees\n", "end of trees\nparameters:\n[machines: evil]\n"),
        ("tree\n", "linear\n"),
    ],
)
def test_a_text_that_lightgbm_would_not_write_is_refused(old, new):
    assert old in LIGHTGBM
    with pytest.raises(UnsafeModel, match="not as their library writes them"):
        read_text("lightgbm", LIGHTGBM.replace(old, new, 1), 2, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"left_children": [7, -1, -1]},
        {"left_children": [0, -1, -1]},
        {"left_children": [2, -1, -1]},
        {"right_children": [2, 1, -1]},
        {"split_indices": [2, 0, 0]},
        {"split_indices": [-1, 0, 0]},
        {"split_indices": [0, 0]},
        {"split_type": [1, 0, 0]},
        {"categories": [1]},
        {"base_weights": [0.1, "x", 0.3]},
        {"parents": [-5, 0, 0]},
        {"tree_param": XGBOOST_TREE["tree_param"] | {"num_nodes": "30"}},
        {"tree_param": XGBOOST_TREE["tree_param"] | {"size_leaf_vector": "2"}},
        {"id": "0"},
        {"more": []},
    ],
)
def test_a_tree_that_xgboost_would_not_write_is_refused(changed):
    with pytest.raises(UnsafeModel, match="not as their library writes them"):
        read_text("xgboost", xgboost_text(**changed), 2, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"gbtree"', '"dart"'),
        ('"num_feature": "2", "num_target"', '"num_feature": "9", "num_target"'),
        ("binary:logistic", "custom"),
        ('"tree_info": [0]', '"tree_info": [4]'),
        ('"iteration_indptr": [0, 1]', '"iteration_indptr": [0, 9]'),
        ('"num_trees": "1"', '"num_trees": "2"'),
        ('"attributes": {}', '"attributes": {"a": "b"}'),
        ('"version"', '"more": 1, "version"'),
    ],
)
def test_a_model_that_xgboost_would_not_write_is_refused(old, new):
    assert old in xgboost_text()
    with pytest.raises(UnsafeModel, match="not as their library writes them"):
        read_text("xgboost", xgboost_text().replace(old, new), 2, 1)


@pytest.mark.parametrize("kind", [BoostedClassifier, BoostedRegressor])
def test_a_hostile_text_never_reaches_the_library(kind):
    made = kind("lightgbm")
    made.n_features_in_, made.classes_ = 2, np.array([0, 1])
    made.text = LIGHTGBM.replace("left_child=1", "left_child=70000")
    with pytest.raises(UnsafeModel):
        made.load()
    made.library = "os"
    with pytest.raises(UnsafeModel, match="the library 'os'"):
        made.predict(np.zeros((1, 2)))


# --- on the trusted side, where no library is ---------------------------------------------


def stood_in(library, text):
    """The files of a model whose stand-in holds a text."""
    from sklearn.pipeline import Pipeline

    made = BoostedClassifier(library)
    made.n_features_in_, made.classes_, made.text = 2, np.array([0, 1]), text
    features = tuple(matrix.Feature(name=name, kind="number") for name in "ab")
    description = matrix.Description("binary", "left", "yes", ("no", "yes"), features)
    return matrix.model_files(Pipeline([("estimator", made)]), description)


@pytest.mark.parametrize(
    ("library", "good", "bad"),
    [
        ("lightgbm", LIGHTGBM, LIGHTGBM.replace("left_child=1", "left_child=70000")),
        ("xgboost", xgboost_text(), xgboost_text(left_children=[7, -1, -1])),
    ],
)
def test_a_text_is_read_before_a_model_is_shipped(library, good, bad):
    pytest.importorskip(library, reason=f"{library} is not installed")
    require_safe(stood_in(library, good))
    with pytest.raises(UnsafeModel, match="not as their library writes them"):
        require_safe(stood_in(library, bad))
    with pytest.raises(UnsafeModel, match="trees of 'os'"):
        require_safe(stood_in("os", good))


def test_a_text_cannot_hide_behind_the_id_of_another():
    files = stood_in("lightgbm", LIGHTGBM)
    with zipfile.ZipFile(io.BytesIO(files[SKOPS])) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(members["schema.json"])
    step = schema["content"]["content"]["steps"]["content"][0]["content"][1]
    text = step["content"]["content"]["text"]
    evil = {**text, "content": json.dumps(LIGHTGBM.replace("left_child=1", "left_child=70000"))}
    # skops reads the pipeline's own attributes first, and takes the text from its memory.
    schema["content"]["content"] = {"first": evil, **schema["content"]["content"]}
    members["schema.json"] = json.dumps(schema).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(UnsafeModel, match="with the id of something else"):
        require_safe({**files, SKOPS: buffer.getvalue()})


@pytest.mark.parametrize("library", MAKERS)
def test_mlflow_reads_it_and_its_library_is_pinned(library, tmp_path):
    import mlflow.sklearn

    table = matrix.sample()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = matrix.fitted(case_of(library), "multiclass", table)
    save_model(pipeline, tmp_path / "model", table.description("multiclass"))
    loaded = mlflow.sklearn.load_model(str(tmp_path / "model"))
    said = pipeline.predict_proba(table.rows)
    np.testing.assert_array_equal(loaded.predict_proba(table.rows), said)
    pins = (tmp_path / "model/requirements.txt").read_text()
    assert f"\n{library}" in pins
    assert pins.count("==") == 7
