"""mixture: what a reduction leaves behind scores by weights, is saved, and trusts nothing more."""

import os

import numpy as np
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from mergeline.errors import ModelError, UnsafeModel
from mergeline.model.directory import SKOPS, save_model
from mergeline.model.mixture import ClassifierMixture, RegressorMixture
from mergeline.model.pipeline import build_pipeline
from mergeline.model.safety import read_files, require_safe
from mergeline.model.score import load_scorer
from mergeline.model.skops_types import untrusted_types
from mergeline.model.trust import require_trusted
from model.zoo import model_of

RANDOM = np.random.default_rng(0)
COLUMNS = RANDOM.standard_normal((200, 3))
LABELS = (COLUMNS[:, 0] + RANDOM.standard_normal(200) > 0).astype(int)


def test_the_probability_is_the_mean_of_those_of_the_predictors():
    parts = [
        LogisticRegression().fit(COLUMNS, LABELS),
        DecisionTreeClassifier(max_depth=1).fit(COLUMNS[:, ::-1], LABELS),
    ]
    mixture = ClassifierMixture(parts, [0.7, 0.3])
    expected = sum(
        weight * part.predict_proba(COLUMNS)[:, 1]
        for weight, part in zip([0.7, 0.3], parts, strict=True)
    )
    np.testing.assert_allclose(mixture.predict_proba(COLUMNS)[:, 1], expected)
    np.testing.assert_array_equal(mixture.predict(COLUMNS), expected > 0.5)
    np.testing.assert_array_equal(mixture.classes_, [0, 1])


def test_what_costs_made_of_probabilities_is_taken_back():
    weights = np.where(LABELS == 1, 0.8, 0.2)  # errors cost 0.2 and 0.8
    part = LogisticRegression(C=1e6).fit(COLUMNS, LABELS, sample_weight=weights)
    plain = LogisticRegression(C=1e6).fit(COLUMNS, LABELS).predict_proba(COLUMNS)[:, 1]
    found = ClassifierMixture([part], [1.0], 0.2).predict_proba(COLUMNS)[:, 1]
    np.testing.assert_array_equal(found >= 0.2, part.predict(COLUMNS) == 1)
    np.testing.assert_allclose(found, plain, atol=0.15)


def test_a_predictor_without_probabilities_counts_with_its_decisions():
    part = RidgeClassifier().fit(COLUMNS, LABELS)
    found = ClassifierMixture([part], [1.0]).predict_proba(COLUMNS)[:, 1]
    np.testing.assert_array_equal(found, part.predict(COLUMNS))


@pytest.mark.parametrize("only", [0, 1])
def test_a_predictor_that_saw_one_class_says_that(only):
    part = DummyClassifier(strategy="constant", constant=only).fit(COLUMNS, [only] * len(COLUMNS))
    found = ClassifierMixture([part], [1.0]).predict_proba(COLUMNS)
    np.testing.assert_array_equal(found, np.eye(2)[[only] * len(COLUMNS)])


def test_a_value_is_the_weighted_mean_of_the_predictors():
    parts = [LinearRegression().fit(COLUMNS, COLUMNS[:, place]) for place in (0, 1)]
    found = RegressorMixture(parts, [0.25, 0.75]).predict(COLUMNS)
    np.testing.assert_allclose(found, COLUMNS[:, :2] @ [0.25, 0.75])


@pytest.fixture
def saved(table, tmp_path):
    """A pipeline that ends in a mixture, and its directory."""
    model = model_of("sklearn.tree.DecisionTreeClassifier", {"max_depth": 2})
    pipeline = build_pipeline(model, table.features).fit(table.rows, table.labels)
    tree = pipeline["estimator"]
    mixed = Pipeline([pipeline.steps[0], ("estimator", ClassifierMixture([tree, tree], [0.5] * 2))])
    save_model(mixed, tmp_path / "model", table.description)
    return mixed, tmp_path / "model"


def test_it_is_saved_and_loaded_by_our_own_list(saved, table):
    mixed, folder = saved
    require_safe(read_files(folder))
    data = (folder / SKOPS).read_bytes()
    assert "mergeline.model.mixture.ClassifierMixture" in untrusted_types(data)
    assert require_trusted(data) == untrusted_types(data)
    scores = load_scorer(folder).score(table.frame)
    np.testing.assert_array_equal(scores, mixed.predict_proba(table.rows)[:, 1])


@pytest.mark.parametrize("place", ["predictors", "weights"])
def test_a_forged_one_is_refused(saved, place):
    mixed, folder = saved
    setattr(mixed["estimator"], place, [os.system])
    data = skops.io.dumps(mixed)
    with pytest.raises(ModelError, match=r"posix\.system"):
        require_trusted(data)
    with pytest.raises(UnsafeModel, match=r"posix\.system"):
        require_safe({**read_files(folder), SKOPS: data})


def test_another_type_of_our_own_is_not_trusted_for_its_place():
    mixture = ClassifierMixture()
    type(mixture)  # the module is loaded, and still only its two classes are trusted
    data = skops.io.dumps(mixture)
    forged = data.replace(b"ClassifierMixture", b"ClassifierMixturo")
    assert len(forged) == len(data)
    with pytest.raises((ModelError, ValueError)):
        require_trusted(forged)
