"""Draws, intervals, and what they cover."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binomtest

from mergeline.stats.bootstrap import (
    bca_interval,
    interval,
    jackknife_counts,
    resample_counts,
    wilson,
)


def draws(units, replicates, seed=0):
    return np.concatenate(list(resample_counts(units, replicates, seed)))


@pytest.mark.parametrize(("units", "replicates"), [(1, 5), (7, 100), (1000, 101)])
def test_each_draw_takes_as_many_units_as_there_are(units, replicates):
    counts = draws(units, replicates)
    assert counts.shape == (replicates, units)
    assert counts.dtype == np.float64
    assert (counts.sum(axis=1) == units).all()
    assert (counts >= 0).all()


def test_a_seed_decides_the_draws():
    assert (draws(50, 20, seed=1) == draws(50, 20, seed=1)).all()
    assert (draws(50, 20, seed=1) != draws(50, 20, seed=2)).any()


def test_chunks_do_not_change_the_draws(monkeypatch):
    whole = draws(300, 50)
    monkeypatch.setattr("mergeline.stats.bootstrap._CHUNK", 300 * 7)
    chunks = list(resample_counts(300, 50, 0))
    assert [len(chunk) for chunk in chunks] == [7] * 7 + [1]
    assert (np.concatenate(chunks) == whole).all()


def test_chunks_bound_memory():
    first = next(resample_counts(1_000_000, 1000, 0))
    assert first.shape == (1, 1_000_000)
    assert next(resample_counts(1000, 1000, 0)).nbytes <= 2_000_000


def test_draws_are_multinomial():
    counts = draws(40, 20_000)
    assert counts.mean() == 1
    assert counts.var(axis=0).mean() == pytest.approx(1 - 1 / 40, rel=0.02)
    off = np.cov(counts.T)[~np.eye(40, dtype=bool)].mean()
    assert off == pytest.approx(-1 / 40, rel=0.1)


def test_an_interval_is_the_middle_of_the_replicates():
    values = np.random.default_rng(0).permutation(np.arange(1001.0))
    assert interval(values) == (25.0, 975.0)


def test_few_undefined_replicates_are_left_out_and_many_are_no_interval():
    values = np.arange(1000.0)
    values[:50] = np.nan
    low, high = interval(values)
    assert 50 < low < high < 1000
    values[50] = np.inf
    assert interval(values) is None


@pytest.mark.parametrize(("units", "parts"), [(5, 5), (200, 200), (1234, 200)])
def test_the_jackknife_leaves_out_each_unit_once(units, parts):
    counts = np.concatenate(list(jackknife_counts(units, seed=0)))
    assert counts.shape == (parts, units)
    assert ((counts == 0).sum(axis=0) == 1).all()
    sizes = (counts == 0).sum(axis=1)
    assert sizes.max() - sizes.min() <= 1


def mean_interval(values, replicates=20_000):
    weights = draws(len(values), replicates)
    left_out = np.concatenate(list(jackknife_counts(len(values), seed=0)))
    return bca_interval(
        weights @ values / len(values), values.mean(), left_out @ values / left_out.sum(axis=1)
    )


def test_a_bca_interval_is_scipys():
    values = np.random.default_rng(3).exponential(size=40)
    found = mean_interval(values)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0)
    ).confidence_interval
    assert found == pytest.approx((theirs.low, theirs.high), rel=0.01)
    # And it is another one than that of percentiles: it leans to the long tail.
    low, high = interval(draws(40, 20_000) @ values / 40)
    assert found[0] > low * 1.01
    assert found[1] > high * 1.01


def test_parts_of_units_skew_as_single_units_do():
    values = np.random.default_rng(5).exponential(size=3000)
    by_parts = mean_interval(values, 4000)
    pulls = values.mean() - (values.sum() - values) / (len(values) - 1)
    weights = draws(len(values), 4000)
    single = bca_interval(weights @ values / len(values), values.mean(), values.mean() - pulls)
    assert by_parts == pytest.approx(single, abs=0.002)


@pytest.mark.parametrize(
    "values",
    [np.ones(100), np.arange(2.0, 102.0), np.r_[np.full(10, np.nan), np.arange(90.0)]],
    ids=["all alike", "all above", "many undefined"],
)
def test_where_replicates_tell_nothing_there_is_no_interval(values):
    assert bca_interval(values, 1.0, np.arange(10.0)) is None


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (37, 412)])
def test_wilson_is_scipys(hits, n):
    theirs = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
