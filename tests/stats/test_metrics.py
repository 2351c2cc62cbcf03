"""Metrics are scikit-learn's, also under weights; intervals cover what they should."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn

from mergeline.core.task import METRICS as NAMES
from mergeline.core.task import higher_is_better
from mergeline.stats.binary import METRICS, Rows
from mergeline.stats.bootstrap import wilson
from mergeline.stats.metrics import estimate_metrics, point_values
from mergeline.stats.units import unit_numbers

THRESHOLD = 0.45
THEIRS = {
    "roc_auc": sklearn.roc_auc_score,
    "average_precision": sklearn.average_precision_score,
    "brier_score": sklearn.brier_score_loss,
    "log_loss": sklearn.log_loss,
    "accuracy": sklearn.accuracy_score,
    "balanced_accuracy": sklearn.balanced_accuracy_score,
    "precision": sklearn.precision_score,
    "recall": sklearn.recall_score,
    "f1": sklearn.f1_score,
}
BY_SCORE = ("roc_auc", "average_precision", "brier_score", "log_loss")


def draw(n, seed=0, digits=None, share=0.3):
    """Labels and scores that know something about them; few digits make ties."""
    random = np.random.default_rng(seed)
    positive = random.random(n) < share
    score = 1 / (1 + np.exp(-random.normal(2 * positive - 1, 1.5)))
    return positive, score if digits is None else score.round(digits)


def theirs(name, positive, score, weights=None):
    second = score if name in BY_SCORE else score >= THRESHOLD
    return THEIRS[name](positive, second, sample_weight=weights)


def test_every_metric_of_the_settings_is_held_against_scikit_learn():
    assert THEIRS.keys() == METRICS.keys() == set(NAMES["binary"])


@pytest.mark.parametrize("digits", [None, 2, 1, 0])
@pytest.mark.parametrize("n", [2000, 37])
@pytest.mark.parametrize("name", THEIRS)
def test_points_are_scikit_learns_with_ties_too(name, n, digits):
    positive, score = draw(n, seed=n, digits=digits)
    ours = point_values([name], Rows(positive, score, THRESHOLD))[name]
    assert ours == pytest.approx(theirs(name, positive, score), abs=1e-12)


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize("name", THEIRS)
def test_weighted_values_are_scikit_learns(name, digits):
    positive, score = draw(400, seed=3, digits=digits)
    rows = Rows(positive, score, THRESHOLD)
    random = np.random.default_rng(4)
    weights = random.multinomial(400, np.full(400, 1 / 400), size=25).astype(float)
    ours = rows.weigh(weights).value(name)
    expected = [theirs(name, positive, score, row) for row in weights]
    assert ours.shape == (25,)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_directions():
    worse = {"brier_score", "log_loss"}
    assert {name for name in METRICS if not higher_is_better(name)} == worse


def test_perfect_and_useless_scores():
    positive = np.array([True, True, False, False, False])
    perfect = Rows(positive, positive.astype(float), 0.5)
    values = point_values(list(METRICS), perfect)
    assert {values[name] for name in METRICS if higher_is_better(name)} == {1.0}
    assert values["brier_score"] == 0
    assert values["log_loss"] == pytest.approx(0, abs=1e-12)
    flat = point_values(list(METRICS), Rows(positive, np.full(5, 0.5), 0.6))
    assert (flat["roc_auc"], flat["average_precision"]) == (0.5, 0.4)
    assert np.isnan(flat["precision"])
    assert (flat["recall"], flat["f1"], flat["balanced_accuracy"]) == (0, 0, 0.5)


def test_a_score_at_the_threshold_is_positive():
    rows = Rows(np.array([True, False]), np.array([0.5, 0.49999]), 0.5)
    assert point_values(["accuracy"], rows)["accuracy"] == 1


# --- intervals -----------------------------------------------------------------------


def estimate(name, positive, score, **how):
    rows = Rows(positive, score, THRESHOLD)
    how = {"replicates": 400, "seed": 0, **how}
    return estimate_metrics([name], rows, **how)[name]


@pytest.mark.parametrize("name", THEIRS)
def test_an_interval_holds_its_point(name):
    found = estimate(name, *draw(600))
    assert found.low < found.value < found.high
    assert (found.n, found.reason) == (600, "")


def test_estimates_are_the_same_again_and_depend_on_the_seed():
    rows = draw(300)
    assert estimate("roc_auc", *rows) == estimate("roc_auc", *rows)
    assert estimate("roc_auc", *rows).low != estimate("roc_auc", *rows, seed=1).low


def test_the_interval_of_accuracy_covers_the_truth():
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        right = random.random(250) < 0.8  # the truth: accuracy 0.8
        positive = random.random(250) < 0.5
        found = estimate("accuracy", positive, (positive == right).astype(float), seed=seed)
        covered += found.low <= 0.8 <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_the_interval_of_auc_covers_the_truth():
    # Scores of N(1, 1) and N(0, 1): AUC is the normal distribution at 1/sqrt(2).
    random, truth, covered = np.random.default_rng(0), 0.7602499389065233, 0
    for seed in range(150):
        positive = random.random(200) < 0.4
        found = estimate("roc_auc", positive, random.normal(positive, 1.0), seed=seed)
        covered += found.low <= truth <= found.high
    assert 0.89 <= covered / 150 <= 0.99


def test_rows_that_repeat_are_drawn_together_and_widen_the_interval():
    positive, score = draw(200)
    positive, score = np.repeat(positive, 6), np.repeat(score, 6)
    keys = pd.Series(np.repeat(np.arange(200), 6)).astype(str)
    units = unit_numbers(keys)
    by_row = estimate("roc_auc", positive, score)
    by_unit = estimate("roc_auc", positive, score, units=units)
    once = estimate("roc_auc", *draw(200))
    assert by_unit.value == by_row.value
    ratio = (by_unit.high - by_unit.low) / (by_row.high - by_row.low)
    assert ratio == pytest.approx(np.sqrt(6), rel=0.25)
    assert (by_unit.low, by_unit.high) == pytest.approx((once.low, once.high), abs=1e-12)


@pytest.mark.parametrize("side", [True, False])
def test_one_class_has_no_value_where_both_are_needed_and_says_so(side):
    positive, score = np.full(30, side), draw(30)[1]
    found = estimate_metrics(
        list(METRICS), Rows(positive, score, THRESHOLD), replicates=100, seed=0
    )
    word = "positive" if side else "negative"
    for name, metric in METRICS.items():
        if metric.needs_both:
            assert found[name].value is None
            assert found[name].reason == f"{name} needs both classes; all 30 rows are {word}."
            assert (found[name].low, found[name].high) == (None, None)
    assert found["accuracy"].value is not None
    assert (found["recall"].value is None) == (not side)


def test_a_metric_that_divides_by_zero_says_so():
    found = estimate("precision", *draw(40), seed=0)
    assert found.value is not None
    none = estimate("precision", draw(40)[0], np.zeros(40))
    assert none.value is None
    assert none.reason == "precision divides by zero on these 40 rows."


def test_too_few_rows_have_a_value_and_no_interval():
    found = estimate("roc_auc", np.array([True, False, False]), np.array([0.9, 0.2, 0.1]))
    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert found.reason == "Too few rows for an interval."


def test_one_row_is_no_crash_and_no_warning():
    rows = Rows(np.array([True]), np.array([0.7]), 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate_metrics(list(METRICS), rows, replicates=100, seed=0)
    assert found["accuracy"].value == 1
    assert found["roc_auc"].value is None


# --- units ---------------------------------------------------------------------------


def test_units_are_numbered_from_zero_and_none_where_nothing_repeats():
    assert unit_numbers(pd.Series(["b", "a", "b"])).tolist() == [0, 1, 0]
    assert unit_numbers(pd.Series(["b", "a", "c"])) is None


def test_many_rows_of_few_units_are_weighed_in_small_parts(monkeypatch):
    """Draws of 40 units are small, and their weights of 20,000 rows each are not."""
    seen = []
    weigh = Rows.weigh

    def watched(self, weights):
        seen.append(weights.size)
        return weigh(self, weights)

    monkeypatch.setattr(Rows, "weigh", watched)
    units = np.arange(20_000) % 40
    estimate("accuracy", *draw(20_000), units=units, replicates=100)
    assert sum(seen) == (1 + 100 + 40) * 20_000
    assert max(seen) <= 250_000


@pytest.mark.parametrize("people", [1, 9, 10])
def test_few_units_have_a_value_and_no_interval(people):
    found = estimate("roc_auc", *draw(500), units=np.arange(500) % people)
    assert found.value is not None
    assert (found.low is None) == (people < 10)
    assert found.reason.startswith("Too few for an interval: ") == (people < 10)


# --- shares at their ends ------------------------------------------------------------


def test_a_share_of_none_or_all_has_wilsons_interval():
    positive = np.arange(500) % 3 == 0
    none = estimate("recall", positive, np.zeros(500))
    assert (none.value, none.low, none.high) == (0, *wilson(0, 167))
    right = estimate("accuracy", positive, positive.astype(float))
    assert (right.value, right.low, right.high) == (1, *wilson(500, 500))
    assert none.reason == right.reason == ""


def test_rows_of_one_unit_count_once_for_it():
    positive = np.arange(500) % 2 == 0
    found = estimate("recall", positive, np.zeros(500), units=np.arange(500) // 4)
    assert (found.low, found.high) == wilson(0, 125)
