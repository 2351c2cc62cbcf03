"""Metrics of a regression are scikit-learn's, also under weights."""

import warnings

import numpy as np
import pytest
from sklearn import metrics as sklearn

from mergeline.core.task import METRICS as NAMES
from mergeline.core.task import higher_is_better
from mergeline.model.predictions import Predictions
from mergeline.stats.metrics import estimate_metrics, point_values, rows_of
from mergeline.stats.paired import pair_metrics
from mergeline.stats.regression import METRICS, Rows


def mean_error(actual, score, sample_weight=None):
    return np.average(score - actual, weights=sample_weight)


THEIRS = {
    "mean_absolute_error": sklearn.mean_absolute_error,
    "root_mean_squared_error": sklearn.root_mean_squared_error,
    "median_absolute_error": sklearn.median_absolute_error,
    "r2": sklearn.r2_score,
    "mean_error": mean_error,
}


def draw(n, seed=0, digits=None, noise=30.0, lean=5.0):
    random = np.random.default_rng(seed)
    actual = random.gamma(2, 100, n)
    score = actual + random.normal(lean, noise, n)
    return (actual, score) if digits is None else (actual.round(digits), score.round(digits))


def test_every_metric_of_the_settings_is_held_against_scikit_learn():
    assert THEIRS.keys() == METRICS.keys() == set(NAMES["regression"])


@pytest.mark.parametrize("digits", [None, -1])
@pytest.mark.parametrize("n", [2000, 37, 2])
@pytest.mark.parametrize("name", THEIRS)
def test_points_are_scikit_learns(name, n, digits):
    actual, score = draw(n, seed=n, digits=digits)
    found = point_values([name], Rows(actual, score))[name]
    assert found == pytest.approx(THEIRS[name](actual, score), rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e7])
@pytest.mark.parametrize("name", THEIRS)
def test_weighted_values_are_scikit_learns(name, offset):
    actual, score = (values + offset for values in draw(400, seed=3, digits=0))
    weights = (
        np.random.default_rng(4).multinomial(400, np.full(400, 1 / 400), size=25).astype(float)
    )
    found = Rows(actual, score).weigh(weights).value(name)
    expected = [THEIRS[name](actual, score, sample_weight=row) for row in weights]
    assert found.shape == (25,)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_sign_of_an_error_is_that_of_prediction_minus_outcome():
    found = point_values(["mean_error"], Rows(np.array([1.0, 2.0]), np.array([4.0, 4.0])))
    assert found == {"mean_error": 2.5}


def test_a_perfect_model():
    actual = np.array([1.0, 5.0, 9.0])
    found = point_values(list(METRICS), Rows(actual, actual))
    assert found.pop("r2") == 1
    assert set(found.values()) == {0.0}


# --- intervals -------------------------------------------------------------------------


def test_intervals_hold_their_points_and_are_the_same_again():
    made = Rows(*draw(500))
    found = estimate_metrics(list(METRICS), made, replicates=200, seed=1)
    for name in METRICS:
        assert found[name].low < found[name].value < found[name].high, name
        assert (found[name].n, found[name].reason) == (500, "")
    assert found == estimate_metrics(list(METRICS), made, replicates=200, seed=1)


@pytest.mark.parametrize(
    ("name", "truth"),
    [
        ("mean_error", 5.0),
        # Of N(0, 30) around 5: the mean of the folded normal distribution.
        ("mean_absolute_error", 24.268566),
        ("root_mean_squared_error", 30.413813),
    ],
)
def test_intervals_cover_the_truth(name, truth):
    covered = 0
    for seed in range(150):
        made = Rows(*draw(250, seed=seed))
        found = estimate_metrics([name], made, replicates=300, seed=seed)[name]
        covered += found.low <= truth <= found.high
    assert 0.89 <= covered / 150 <= 0.99


def test_rows_that_repeat_are_drawn_together():
    actual, score = (np.repeat(values, 5) for values in draw(200))
    units = np.repeat(np.arange(200), 5)
    how = {"replicates": 300, "seed": 0}
    by_row = estimate_metrics(["mean_error"], Rows(actual, score), **how)["mean_error"]
    by_unit = estimate_metrics(["mean_error"], Rows(actual, score), units=units, **how)
    assert by_unit["mean_error"].value == by_row.value
    width = by_unit["mean_error"].high - by_unit["mean_error"].low
    assert width > 1.8 * (by_row.high - by_row.low)


@pytest.mark.parametrize("value", [0.0, 0.1, 3.1e9])
def test_outcomes_that_are_equal_leave_r2_without_a_value(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = Rows(np.full(30, value), np.arange(30.0))
        found = estimate_metrics(list(METRICS), made, replicates=100, seed=0)
    assert found["r2"].value is None
    assert found["r2"].reason == "r2 needs outcomes that differ; those of all 30 rows are equal."
    assert found["mean_absolute_error"].value is not None


def test_errors_beyond_the_largest_number_leave_a_metric_without_a_value():
    with np.errstate(over="ignore", invalid="ignore"):
        made = Rows(np.arange(50.0), np.full(50, 1e200))
        found = estimate_metrics(list(METRICS), made, replicates=100, seed=0)
    for name in ("root_mean_squared_error", "r2"):
        assert found[name].value is None
        assert found[name].reason == f"{name} of these 50 rows is beyond the largest number."
    assert found["mean_absolute_error"].value == pytest.approx(1e200)


def test_one_row_is_no_crash_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate_metrics(
            list(METRICS), Rows(np.array([1.0]), np.array([3.0])), replicates=100, seed=0
        )
    assert (found["median_absolute_error"].value, found["r2"].value) == (2.0, None)


def test_predictions_become_rows_of_their_task():
    actual, score = draw(100)
    made = rows_of(Predictions("regression", actual, score))
    assert point_values(["r2"], made) == point_values(["r2"], Rows(actual, score))


# --- pairs -----------------------------------------------------------------------------


def pair(actual, before, after):
    names = list(METRICS)
    return pair_metrics(names, Rows(actual, before), Rows(actual, after), replicates=300, seed=0)


def test_a_better_model_is_better_in_everything():
    actual, before = draw(800, lean=12)
    _, after = draw(800, noise=12, lean=1)
    for found, outcome in (
        (pair(actual, before, after), "better"),
        (pair(actual, after, before), "worse"),
    ):
        assert {item.outcome for item in found.values()} == {outcome}
        for name, item in found.items():
            assert item.higher_is_better == higher_is_better(name)
            assert item.delta.value == item.candidate - item.baseline


def test_of_a_mean_error_the_distance_from_0_is_compared():
    actual, high = draw(800, lean=20)
    _, low = draw(800, lean=-8)
    found = pair(actual, high, low)["mean_error"]
    assert found.baseline == pytest.approx((high - actual).mean())
    assert found.candidate == pytest.approx((actual - low).mean())
    assert (found.outcome, found.higher_is_better) == ("better", False)
    alike = pair(actual, actual + 5 + (high - actual) / 5, actual - 5 - (high - actual) / 5)
    assert alike["mean_error"].outcome == "cannot_tell"
    assert alike["mean_error"].delta.value == pytest.approx(0)


@pytest.mark.parametrize(
    ("before", "after"), [(6.0, 4.0), (0.0, 3.0), (3.0, 0.0), (0.0, 0.0), (3.0, -3.0)]
)
def test_the_interval_of_a_change_of_mean_error_covers_the_truth(before, after):
    covered = 0
    for seed in range(150):
        random = np.random.default_rng(seed)
        shared, *own = random.normal(0, 15, (3, 300))
        old, new = before + shared + own[0], after + shared + own[1]
        names, zero = ["mean_error"], np.zeros(300)
        how = {"replicates": 300, "seed": seed}
        delta = pair_metrics(names, Rows(zero, old), Rows(zero, new), **how)["mean_error"].delta
        covered += delta.low <= abs(after) - abs(before) <= delta.high
    assert covered / 150 >= 0.9


def test_a_model_does_not_differ_from_itself():
    actual, score = draw(300, lean=0)
    for found in pair(actual, score, score).values():
        assert (found.delta.value, found.delta.low, found.delta.high) == (0, 0, 0)
        assert found.outcome == "cannot_tell"
