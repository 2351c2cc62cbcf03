"""The change in practice: both models at one share of rows, in every draw."""

import numpy as np
import pytest

from mergeline.model.predictions import Predictions
from mergeline.stats.metrics import rows_of
from mergeline.stats.paired import pair_metrics
from mergeline.stats.practical import pair_in_practice

HOW = {"units": None, "replicates": 200, "seed": 0}


def draw(n=1000, seed=0):
    """Labels, and scores of a model and of a better one."""
    random = np.random.default_rng(seed)
    one, other = random.normal(size=(2, n))
    positive = random.random(n) < 1 / (1 + np.exp(-(one + other - 1)))
    return positive, 1 / (1 + np.exp(-one)), 1 / (1 + np.exp(-(one + other)))


def binary(positive, score, threshold):
    return Predictions("binary", positive, score, threshold)


def test_both_select_as_many_as_the_baseline():
    positive, before, after = draw()
    sides = binary(positive, before, 0.7), binary(positive, after, 0.01)
    _, found = pair_in_practice(["roc_auc"], *sides, **HOW)
    chosen = before >= 0.7
    caught = positive[np.argsort(-after)[: chosen.sum()]].sum()
    assert found.kind == "caught"
    assert found.selected == chosen.mean()
    assert found.paired.baseline == pytest.approx(100 * positive[chosen].sum() / positive.sum())
    assert found.paired.candidate == pytest.approx(100 * caught / positive.sum())
    assert found.paired.outcome == "better"
    assert found.paired.delta.n == 1000


def test_selecting_more_catches_no_more():
    """The same order of rows under another threshold is the same model."""
    positive, before, _ = draw()
    sides = binary(positive, before, 0.7), binary(positive, np.sqrt(before), 0.2)
    metrics, found = pair_in_practice(["recall"], *sides, **HOW)
    assert metrics["recall"].outcome == "better"
    assert (found.paired.delta.value, found.paired.outcome) == (0, "cannot_tell")
    assert (found.paired.delta.low, found.paired.delta.high) == (0, 0)


def test_of_equal_scores_at_the_cut_each_counts_in_part():
    positive = np.array([True, False] * 50)
    before = np.linspace(0, 1, 100)
    after = np.repeat([0.2, 0.8], 50)
    sides = binary(positive, before, 0.9), binary(positive, after, 0.5)
    _, found = pair_in_practice(["accuracy"], *sides, **HOW)
    # Ten of the fifty rows of the higher score, of which 25 are positive.
    assert found.paired.candidate == pytest.approx(100 * 10 / 50 * 25 / 50)


def test_the_other_metrics_are_as_without():
    positive, before, after = draw()
    sides = binary(positive, before, 0.5), binary(positive, after, 0.5)
    names = ["roc_auc", "recall"]
    metrics, _ = pair_in_practice(names, *sides, **HOW)
    assert metrics == pair_metrics(names, *map(rows_of, sides), **HOW)


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_baseline_that_decides_nothing_has_no_practice(threshold):
    positive, before, after = draw()
    sides = binary(positive, before, threshold), binary(positive, after, 0.5)
    assert pair_in_practice(["roc_auc"], *sides, **HOW)[1] is None


def test_a_number_is_off_by_its_mean_error_and_of_classes_so_many_are_right():
    random = np.random.default_rng(0)
    actual = random.normal(size=500)
    far, near = (actual + random.normal(size=500) * noise for noise in (2, 1))
    sides = (Predictions("regression", actual, side) for side in (far, near))
    metrics, found = pair_in_practice(["r2", "mean_absolute_error"], *sides, **HOW)
    assert (found.kind, found.selected) == ("off", None)
    assert found.paired == metrics["mean_absolute_error"]
    assert found.paired.outcome == "better"

    classes = random.integers(0, 3, 500)
    wild = random.dirichlet(np.ones(3), 500)
    good = wild + np.eye(3)[classes]
    sides = (
        Predictions("multiclass", classes, side, None, ("a", "b", "c")) for side in (wild, good)
    )
    metrics, found = pair_in_practice(["accuracy"], *sides, **HOW)
    assert (found.kind, found.selected) == ("right", None)
    assert found.paired.candidate == pytest.approx(100 * metrics["accuracy"].candidate)
    assert found.paired.delta.low == pytest.approx(100 * metrics["accuracy"].delta.low)
