"""SHAP values: exact where a brute force can tell, and sums that give the score."""

import itertools
import math
import os
import sys

# Compiling SHAP's loops takes longer than running them: as the stage's process does.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression

from mergeline.model.trees import read_trees
from mergeline.stages.shapley.values import (
    import_shap,
    linear_values,
    permutation_values,
    tree_values,
)


def table(n=1500):
    random = np.random.default_rng(0)
    rows = np.column_stack(
        [
            random.standard_normal(n),
            random.integers(0, 40, n),
            random.standard_normal(n),
            random.integers(0, 5, n),
        ]
    )
    effect = rows[:, 0] + 1.5 * np.sin(7 * rows[:, 1]) + (rows[:, 3] == 2) * rows[:, 2]
    target = (effect + random.standard_normal(n) > 0.3).astype(int)
    rows[random.random(n) < 0.05, 0] = np.nan
    rows[random.random(n) < 0.05, 1] = np.nan
    return rows, target


def expected(trees, number, row, known, node=0):
    """A tree's outputs when only some columns are known: the path-dependent expectation."""
    tree = trees.trees[number]
    left, right = tree["children_left"][node], tree["children_right"][node]
    if left < 0:
        return tree["values"][node]
    column = tree["features"][node]
    if column not in known:
        weight = tree["node_sample_weight"]
        return sum(
            weight[child] / weight[node] * expected(trees, number, row, known, child)
            for child in (left, right)
        )
    if np.isnan(row[column]):
        return expected(trees, number, row, known, tree["children_default"][node])
    goes_left = row[column] <= tree["thresholds"][node]
    if trees.splits is not None:
        place = np.flatnonzero((trees.splits.tree == number) & (trees.splits.node == node))
        if len(place):
            goes_left = trees.splits.left[place[0], int(row[column])]
    return expected(trees, number, row, known, left if goes_left else right)


def shapley(trees, row):
    """The Shapley values by their definition, over all sets of columns."""
    width = len(row)
    worth = {
        known: sum(expected(trees, number, row, known) for number in range(len(trees.trees)))
        for size in range(width + 1)
        for known in itertools.combinations(range(width), size)
    }
    values = np.zeros((width, trees.trees[0]["values"].shape[1]))
    for column in range(width):
        for known, value in worth.items():
            if column not in known:
                size = len(known)
                share = math.factorial(size) * math.factorial(width - size - 1)
                more = tuple(sorted((*known, column)))
                values[column] += share * (worth[more] - value) / math.factorial(width)
    return values


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=6, categorical_features=[1, 3]),
        HistGradientBoostingClassifier(max_iter=6),
        RandomForestClassifier(4, max_depth=6, random_state=0),
    ],
    ids=repr,
)
def test_tree_values_are_shapley_values(estimator, positive):
    rows, target = table()
    trees = read_trees(estimator.fit(rows, target), positive)
    chosen = rows[:15]
    values = tree_values(trees, chosen)
    for row, seen in zip(values, trees.read(chosen), strict=True):
        assert row[list(trees.columns)] == pytest.approx(shapley(trees, seen), abs=1e-9)


@pytest.mark.parametrize(
    ("estimator", "outputs"),
    [
        (HistGradientBoostingClassifier(max_iter=4, categorical_features=[1, 3]), 3),
        (RandomForestClassifier(3, max_depth=5, random_state=0), 3),
        (HistGradientBoostingRegressor(max_iter=4, categorical_features=[1, 3]), 1),
    ],
    ids=repr,
)
def test_tree_values_of_several_classes_and_of_numbers_are_shapley_values(estimator, outputs):
    rows, target = table()
    target = target + (rows[:, 3] > 3)
    trees = read_trees(estimator.fit(rows, target))
    chosen = rows[:6]
    values = tree_values(trees, chosen)
    assert values.shape == (6, 4, outputs)
    for row, seen in zip(values, trees.read(chosen), strict=True):
        assert row[list(trees.columns)] == pytest.approx(shapley(trees, seen), abs=1e-9)


def test_shap_alone_is_wrong_about_categories():
    """Why `read_trees` is there; when this fails, SHAP has learnt to split on categories."""
    rows, target = table()
    estimator = HistGradientBoostingClassifier(max_iter=5, categorical_features=[1, 3])
    estimator.fit(rows, target)
    output = logit(estimator.predict_proba(rows[:100])[:, 1])
    theirs = import_shap().TreeExplainer(estimator).shap_values(rows[:100]).sum(axis=1)
    ours = tree_values(read_trees(estimator, 1), rows[:100]).sum(axis=(1, 2))
    assert np.ptp(output - theirs) > 1
    assert np.ptp(output - ours) < 1e-9


def test_boosting_sums_to_the_log_odds():
    rows, target = table()
    rows = np.nan_to_num(rows)
    estimator = GradientBoostingClassifier(n_estimators=30).fit(rows, target)
    values = tree_values(read_trees(estimator, 0), rows[:100])
    assert np.ptp(logit(estimator.predict_proba(rows[:100])[:, 0]) - values.sum(axis=(1, 2))) < 1e-9


def test_linear_values():
    rows, target = table()
    rows = np.nan_to_num(rows)
    weights = LogisticRegression().fit(rows, target).coef_
    for each in (weights, np.vstack([weights, -weights, weights**2])):
        values = linear_values(each, rows[:50], rows[50:])
        distance = rows[:50] - rows[50:].mean(axis=0)
        assert values == pytest.approx(distance[:, :, None] * each.T)


def frame():
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "number": random.standard_normal(60),
            "<b>": pd.Series(random.choice(["a", "b", "c"], 60), dtype=object),
            "more": random.integers(0, 3, 60).astype(float),
            "idle": random.standard_normal(60),
        }
    )


def score(rows):
    assert rows["<b>"].dtype == object
    number = rows["number"].fillna(5).to_numpy()
    found = number * (rows["<b>"] == "a").to_numpy() + 2 * rows["more"].to_numpy()
    return found[:, None]


def test_permutation_values_of_effects_of_two_columns_are_exact():
    data = frame()
    data.loc[59, "number"] = np.nan
    background, rows = data.head(20), data.tail(40)
    values = permutation_values(score, rows, background, 0)
    assert values.shape == (40, 4, 1)
    values = values[:, :, 0]
    assert np.abs(values[:, 3]).max() == 0
    more = 2 * (rows["more"] - background["more"].mean())
    assert values[:, 2] == pytest.approx(more.to_numpy())
    assert values.sum(axis=1) == pytest.approx(score(rows)[:, 0] - score(background).mean())
    is_a = (background["<b>"] == "a").mean()
    x, a = rows["number"].fillna(5), rows["<b>"] == "a"
    alone = x * is_a - (background["number"] * (background["<b>"] == "a")).mean()
    together = x * a - a * background["number"].mean()
    assert values[:, 0] == pytest.approx(((alone + together) / 2).to_numpy())


def test_permutation_values_of_several_outputs_are_those_of_each():
    data = frame()

    def several(rows):
        return np.column_stack([score(rows), 3 * score(rows), rows["idle"]])

    background, rows = data.head(20), data.tail(40)
    values = permutation_values(several, rows, background, 0)
    alone = permutation_values(score, rows, background, 0)
    assert values[:, :, :2] == pytest.approx(np.concatenate([alone, 3 * alone], axis=2))
    assert np.abs(values[:, :3, 2]).max() == 0


def test_permutations_follow_the_seed():
    data = frame()
    data["more"] = data["more"] * data["number"]

    def tangled(rows):
        return np.prod(rows[["number", "more", "idle"]].to_numpy(), axis=1, keepdims=True)

    first, again, other = (
        permutation_values(tangled, data.tail(10), data.head(10), seed) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_shap_is_imported_without_its_plots():
    import_shap()
    assert "shap.plots" not in sys.modules
    assert sys.modules.get("matplotlib", ...) is not None
