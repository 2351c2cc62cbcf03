"""Bootstrap-t of means of squares: standard errors in closed form, and where it makes ends."""

import numpy as np
import pytest

from mergeline.stats.bootstrap import resample_counts
from mergeline.stats.metrics import estimate_metrics
from mergeline.stats.regression import Rows
from mergeline.stats.studentised import SKEWED, STUDENTISED, LogErrors

SQUARES = list(STUDENTISED)


def draw(n, seed=0):
    random = np.random.default_rng(seed)
    actual = random.gamma(2, 100, n)
    return actual, actual + random.normal(5, 30, n)


def long_tail(n, seed=0):
    random = np.random.default_rng(seed)
    actual = np.exp(random.normal(size=n))
    return actual, actual * np.exp(0.3 * random.normal(size=n))


def standard_errors(actual, score):
    log = LogErrors(Rows(actual, score), None)
    return log._whole[:, 1]  # the ends are made of these alone


def test_standard_errors_are_the_jackknifes():
    actual, score = draw(400)
    everybody = np.arange(400)
    left_out = np.array(
        [
            [
                np.log(((score - actual)[rest] ** 2).mean()),
                np.log(((score - actual)[rest] ** 2).mean() / actual[rest].var()),
            ]
            for one in everybody
            for rest in [everybody != one]
        ]
    )
    expected = np.sqrt(399 * left_out.var(axis=0))
    np.testing.assert_allclose(standard_errors(actual, score), expected, rtol=0.02)


def test_rows_of_the_same_person_are_one_unit():
    actual, score = draw(100)
    units = np.random.default_rng(1).permutation(np.repeat(np.arange(100), 4))
    rows = Rows(actual[units], score[units])
    alone, clustered = standard_errors(actual, score), LogErrors(rows, units)._whole[:, 1]
    np.testing.assert_allclose(clustered, alone)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_interval_follows_the_unit(scale):
    actual, score = draw(300)
    plain = estimate_metrics(SQUARES, Rows(actual, score), replicates=300, seed=0)
    other = estimate_metrics(SQUARES, Rows(actual * scale, score * scale), replicates=300, seed=0)
    for name, by in (("root_mean_squared_error", scale), ("r2", 1.0)):
        assert other[name].low == pytest.approx(plain[name].low * by)
        assert other[name].high == pytest.approx(plain[name].high * by)


@pytest.mark.parametrize("n", [12, 30, 500])
def test_an_error_stays_above_0_and_r2_below_1(n):
    for seed in range(20):
        found = estimate_metrics(SQUARES, Rows(*long_tail(n, seed)), replicates=200, seed=0)
        assert 0 < found["root_mean_squared_error"].low < found["root_mean_squared_error"].high
        assert found["r2"].low < found["r2"].high < 1


def test_of_skewed_errors_the_interval_says_that_it_holds_less_often():
    names = [*SQUARES, "median_absolute_error"]
    found = estimate_metrics(names, Rows(*long_tail(300)), replicates=200, seed=0)
    assert [found[name].reason for name in names] == [SKEWED, SKEWED, ""]
    found = estimate_metrics(names, Rows(*draw(300)), replicates=200, seed=0)
    assert [found[name].reason for name in names] == ["", "", ""]


def test_it_reaches_further_up_than_percentiles_where_errors_are_skewed():
    rows = Rows(*long_tail(300))
    log = LogErrors(rows, None)
    for _ in log.watch(resample_counts(300, 500, 0)):
        pass
    value = float(np.sqrt((rows.error**2).mean()))
    low, high = log.interval("root_mean_squared_error", value)
    drawn = rows.weigh(np.concatenate(list(resample_counts(300, 500, 0))))
    assert low < value
    assert high > 1.1 * np.percentile(drawn.value("root_mean_squared_error"), 97.5)


def test_errors_that_are_all_alike_have_no_interval_of_their_own():
    actual = np.arange(40.0)
    log = LogErrors(Rows(actual, actual + 3), None)
    for _ in log.watch(resample_counts(40, 100, 0)):
        pass
    assert log.interval("root_mean_squared_error", 3.0) is None
