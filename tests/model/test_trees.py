"""Trees as arrays: walked by hand, they give the model's own output."""

import numpy as np
import pytest
from scipy.special import logit
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from mergeline.model.trees import read_trees


def table(missing=True):
    """Two numbers and two categories by code, with missing values."""
    random = np.random.default_rng(0)
    rows = np.column_stack(
        [
            random.standard_normal(1500),
            random.integers(0, 40, 1500),
            random.standard_normal(1500),
            random.integers(0, 5, 1500),
        ]
    )
    effect = rows[:, 0] + 1.5 * np.sin(7 * rows[:, 1]) + (rows[:, 3] == 2) * rows[:, 2]
    target = (effect + random.standard_normal(1500) > 0.3).astype(int)
    if missing:
        rows[random.random(1500) < 0.05, 0] = np.nan
        rows[random.random(1500) < 0.05, 1] = np.nan
    return rows, target


def walk(trees, row):
    """Sum the leaves that a row falls into, an output each."""
    total = 0.0
    places = {}
    if trees.splits is not None:
        pairs = zip(trees.splits.tree, trees.splits.node, strict=True)
        places = {pair: place for place, pair in enumerate(pairs)}
    for number, tree in enumerate(trees.trees):
        node = 0
        while tree["children_left"][node] >= 0:
            value = row[tree["features"][node]]
            if np.isnan(value):
                node = tree["children_default"][node]
                continue
            place = places.get((number, node))
            if place is None:
                left = value <= tree["thresholds"][node]
            else:
                assert trees.splits.column[place] == tree["features"][node]
                left = trees.splits.left[place, int(value)]
            node = tree["children_left" if left else "children_right"][node]
        total = total + tree["values"][node]
    return total


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=10),
        HistGradientBoostingClassifier(max_iter=10, categorical_features=[1, 3]),
        GradientBoostingClassifier(n_estimators=10),
        GradientBoostingClassifier(n_estimators=10, init="zero"),
        RandomForestClassifier(8, random_state=0),
        RandomForestClassifier(8, class_weight="balanced", random_state=0),
        ExtraTreesClassifier(8, random_state=0),
        DecisionTreeClassifier(max_depth=4),
    ],
    ids=repr,
)
def test_the_leaves_sum_to_the_output(estimator, positive):
    rows, target = table(missing="Gradient" not in repr(estimator) or "Hist" in repr(estimator))
    estimator.fit(rows, target)
    trees = read_trees(estimator, positive)
    chance = estimator.predict_proba(rows[:60])[:, positive]
    output = chance if trees.output == "probability" else logit(chance)
    sums = np.array([walk(trees, row) for row in trees.read(rows[:60])])
    assert sums.shape == (60, 1)
    assert np.ptp(output - sums[:, 0]) < 1e-9
    assert trees.nodes == 2 * trees.leaves - len(trees.trees)
    assert sorted(trees.columns) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=8, categorical_features=[1, 3]),
        GradientBoostingClassifier(n_estimators=8),
        RandomForestClassifier(8, class_weight="balanced", random_state=0),
        DecisionTreeClassifier(max_depth=4),
    ],
    ids=repr,
)
def test_of_several_classes_every_one_has_its_sum(estimator):
    rows, target = table(missing=False)
    target = np.array(["a", "b", "c"])[target + (rows[:, 3] > 3)]
    trees = read_trees(estimator.fit(rows, target))
    chance = estimator.predict_proba(rows[:60])
    sums = np.array([walk(trees, row) for row in trees.read(rows[:60])])
    assert sums.shape == (60, 3)
    if trees.output == "probability":
        assert sums == pytest.approx(chance)
    else:
        difference = np.log(chance) - sums
        assert np.ptp(difference - difference[:, :1], axis=0) == pytest.approx(np.zeros(3))


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingRegressor(max_iter=8, categorical_features=[1, 3]),
        HistGradientBoostingRegressor(max_iter=8, loss="absolute_error"),
        GradientBoostingRegressor(n_estimators=8),
        GradientBoostingRegressor(n_estimators=8, loss="huber", init="zero"),
        RandomForestRegressor(8, random_state=0),
        ExtraTreesRegressor(8, random_state=0),
        DecisionTreeRegressor(max_depth=4),
    ],
    ids=repr,
)
def test_the_leaves_sum_to_the_predicted_value(estimator):
    rows, target = table(missing=False)
    estimator.fit(rows, 1000 * target + rows[:, 1])
    trees = read_trees(estimator)
    assert trees.output == "value"
    sums = np.array([walk(trees, row) for row in trees.read(rows[:60])])
    assert np.ptp(estimator.predict(rows[:60]) - sums[:, 0]) < 1e-6


def test_categories_are_moved_to_the_front():
    rows, target = table()
    estimator = HistGradientBoostingClassifier(max_iter=5, categorical_features=[1, 3])
    trees = read_trees(estimator.fit(rows, target), 1)
    assert list(trees.columns) == [1, 3, 0, 2]
    assert set(trees.splits.column) == {0, 1}


@pytest.mark.parametrize(
    "estimator",
    [
        GradientBoostingClassifier(n_estimators=5, loss="exponential"),
        GradientBoostingClassifier(n_estimators=5, init=LogisticRegression()),
        HistGradientBoostingRegressor(max_iter=5, loss="poisson"),
        AdaBoostClassifier(n_estimators=5),
        LogisticRegression(),
    ],
    ids=repr,
)
def test_what_is_no_sum_of_trees_is_left_alone(estimator):
    rows, target = table(missing=False)
    assert read_trees(estimator.fit(rows, target), 1) is None


def test_trees_of_several_targets_at_once_are_left_alone():
    rows, target = table(missing=False)
    estimator = DecisionTreeRegressor(max_depth=3).fit(rows, np.column_stack([target, rows[:, 1]]))
    assert read_trees(estimator) is None


def test_a_subclass_may_predict_as_it_likes():
    class Turned(RandomForestClassifier, BaseEstimator):
        def predict_proba(self, rows):
            return super().predict_proba(rows)[:, ::-1]

    rows, target = table(missing=False)
    assert read_trees(Turned(5).fit(rows, target), 1) is None
