"""Gaps: fairlearn's point values, honest intervals, and reasons where there is no value."""

import time

import numpy as np
import pytest
from fairlearn import metrics as fairlearn
from scipy.stats import norm

from mergeline.core.task import GAPS
from mergeline.stats.gap_changes import paired_gaps
from mergeline.stats.gaps import judged_groups, measure_gaps

RATES = {"a": (0.30, 0.70, 0.20), "b": (0.40, 0.55, 0.15), "c": (0.35, 0.60, 0.25)}


def draw(n, seed=0, rates=RATES):
    """Rows of groups with known base rate, true positive rate and false positive rate."""
    random = np.random.default_rng(seed)
    groups = random.choice(list(rates), size=n)
    base, true, false = np.array([rates[group] for group in groups]).T
    actual = random.random(n) < base
    predicted = random.random(n) < np.where(actual, true, false)
    return actual, predicted, groups


def test_points_are_fairlearns():
    actual, predicted, groups = draw(3000)
    gaps = measure_gaps(actual, predicted, groups, min_group=1, replicates=100, seed=0)
    for name, gap in gaps.items():
        theirs = getattr(fairlearn, name)(actual, predicted, sensitive_features=groups)
        ratio = getattr(fairlearn, name.replace("difference", "ratio"))(
            actual, predicted, sensitive_features=groups
        )
        assert gap.difference.value == pytest.approx(theirs, abs=1e-15)
        assert gap.ratio == pytest.approx(ratio, abs=1e-15)
        assert gap.difference.low <= gap.difference.value <= gap.difference.high
        assert gap.difference.n == 3000
    odds = gaps["equalized_odds_difference"]
    assert (odds.rate, odds.lowest, odds.highest) == ("true_positive_rate", "b", "a")


def test_small_groups_are_left_out():
    actual, predicted, groups = draw(3000)
    groups = groups.astype("<U5")
    groups[:20] = "small"
    assert judged_groups(groups, 21) == ("a", "b", "c")
    gaps = measure_gaps(actual, predicted, groups, min_group=21, replicates=100, seed=0)
    kept = groups != "small"
    expected = fairlearn.demographic_parity_difference(
        actual[kept], predicted[kept], sensitive_features=groups[kept]
    )
    gap = gaps["demographic_parity_difference"]
    assert gap.difference.value == pytest.approx(expected)
    assert gap.difference.n == 2980


@pytest.mark.parametrize(
    ("min_group", "words"),
    [(1700, "only b has 1700 rows or more"), (9999, "none has 9999 rows or more")],
)
def test_fewer_than_two_groups(min_group, words):
    actual, predicted, groups = draw(3000)
    groups = np.where(groups == "a", "b", groups)
    gaps = measure_gaps(actual, predicted, groups, min_group=min_group, replicates=100, seed=0)
    assert set(gaps) == set(GAPS["binary"])
    for gap in gaps.values():
        assert gap.difference.value is None
        assert words in gap.difference.reason
    paired = paired_gaps(
        actual, predicted, predicted, groups, min_group=min_group, replicates=100, seed=0
    )
    assert np.isnan(paired["equalized_odds_difference"].before)
    assert paired["equalized_odds_difference"].ends is None


def test_a_group_without_positives_has_no_true_positive_rate():
    actual, predicted, groups = draw(3000)
    actual = actual & (groups != "b")
    gaps = measure_gaps(actual, predicted, groups, min_group=50, replicates=100, seed=0)
    assert gaps["demographic_parity_difference"].difference.value is not None
    for name in ("equalized_odds_difference", "equal_opportunity_difference"):
        gap = gaps[name]
        assert gap.difference.value is None
        assert gap.difference.reason == "b has no positive row, so no true_positive_rate."
        assert gap.lowest is gap.highest is gap.rate is gap.ratio is None


def test_a_rate_that_is_undefined_in_many_replicates_has_no_interval():
    actual, predicted, groups = draw(600)
    first = np.flatnonzero(actual & (groups == "b"))[0]
    actual = actual & ((groups != "b") | (np.arange(600) == first))
    gaps = measure_gaps(actual, predicted, groups, min_group=50, replicates=500, seed=0)
    gap = gaps["equal_opportunity_difference"].difference
    assert gap.value is not None
    assert gap.low is gap.high is None
    assert gap.reason == "Too few rows for an interval."


def test_ratio_is_none_where_nobody_is_selected():
    actual, predicted, groups = draw(600)
    nobody = np.zeros_like(predicted)
    gaps = measure_gaps(actual, nobody, groups, min_group=50, replicates=100, seed=0)
    assert gaps["demographic_parity_difference"].difference.value == 0
    assert gaps["demographic_parity_difference"].ratio is None


def two_groups(n, seed):
    return draw(n, seed, {"a": (0.30, 0.70, 0.20), "b": (0.30, 0.45, 0.20)})


def test_width_of_the_interval_is_the_normal_one():
    actual, predicted, groups = two_groups(20_000, seed=1)
    gap = measure_gaps(actual, predicted, groups, min_group=50, replicates=4000, seed=0)[
        "equal_opportunity_difference"
    ].difference
    variance = sum(
        predicted[actual & (groups == name)].var() / (actual & (groups == name)).sum()
        for name in ("a", "b")
    )
    width = 2 * norm.ppf(0.975) * np.sqrt(variance)
    assert gap.high - gap.low == pytest.approx(width, rel=0.06)


@pytest.mark.parametrize(
    "true",
    [(0.70, 0.45), (0.60, 0.60), (0.60, 0.55, 0.50, 0.45), (0.60,) * 8, (0.70,) * 4 + (0.45,) * 4],
)
def test_the_interval_holds_the_truth_at_least_95_times_in_100(true):
    rates = {f"g{number}": (0.30, rate, 0.20) for number, rate in enumerate(true)}
    gap = max(true) - min(true)
    held = excluded = 0
    for seed in range(200):
        rows = draw(3000, seed, rates)
        found = measure_gaps(*rows, min_group=50, replicates=300, seed=seed)
        difference = found["equal_opportunity_difference"].difference
        held += difference.low <= gap <= difference.high
        excluded += difference.low > 0
    assert held >= 183  # 190 expected at the least; 7 is 2.3 standard deviations
    assert excluded == 200 - held if gap == 0 else excluded > 0


def test_repeating_units_widen_the_interval():
    actual, predicted, groups = two_groups(2000, seed=3)
    rows = np.repeat(np.arange(2000), 4)
    units = rows.astype(np.int64)
    once = measure_gaps(actual, predicted, groups, min_group=50, replicates=2000, seed=0)
    four = [array[rows] for array in (actual, predicted, groups)]
    naive = measure_gaps(*four, min_group=50, replicates=2000, seed=0)
    clustered = measure_gaps(*four, min_group=50, units=units, replicates=2000, seed=0)

    def width(gaps):
        difference = gaps["equalized_odds_difference"].difference
        return difference.high - difference.low

    assert width(clustered) == pytest.approx(width(once), rel=0.08)
    assert width(naive) == pytest.approx(width(once) / 2, rel=0.08)


@pytest.mark.parametrize(("people", "told"), [(1, False), (9, False), (10, True)])
def test_few_units_have_a_gap_and_no_interval(people, told):
    units = np.arange(2000) % people
    found = measure_gaps(*two_groups(2000, 1), min_group=50, units=units, replicates=200, seed=0)
    gap = found["demographic_parity_difference"].difference
    assert gap.value is not None
    assert (gap.low is not None) == told
    who = "one id or group has all rows" if people == 1 else "9 ids or groups share all rows"
    assert gap.reason == ("" if told else f"Too few for an interval: {who}.")


def test_paired_gaps_share_their_draws():
    actual, before, groups = draw(4000)
    random = np.random.default_rng(5)
    after = np.where(random.random(4000) < 0.05, ~before, before)
    paired = paired_gaps(actual, before, after, groups, min_group=50, replicates=1000, seed=2)
    alone = measure_gaps(actual, before, groups, min_group=50, replicates=1000, seed=2)
    then = measure_gaps(actual, after, groups, min_group=50, replicates=1000, seed=2)
    for name, gap in paired.items():
        assert gap.before == pytest.approx(alone[name].difference.value)
        assert gap.after == pytest.approx(then[name].difference.value)
        low, high = gap.ends
        assert low <= gap.after - gap.before <= high
        difference = alone[name].difference
        assert high - low < difference.high - difference.low
    same = paired_gaps(actual, before, before, groups, min_group=50, replicates=100, seed=2)
    assert all(gap.ends == (0, 0) for gap in same.values())


@pytest.mark.parametrize("groups", [2, 8])
@pytest.mark.parametrize(("before", "after"), [(0.0, 0.1), (0.15, 0.0), (0.15, 0.15)])
def test_the_interval_of_a_change_holds_the_true_change(groups, before, after):
    last = np.arange(groups) == groups - 1
    held = 0
    for seed in range(250):
        random = np.random.default_rng(seed)
        group = random.integers(0, groups, 3000)
        luck = random.random(3000)
        other = np.where(random.random(3000) < 0.9, luck, random.random(3000))
        old, new = luck < 0.5 + before * last[group], other < 0.5 + after * last[group]
        rows = (luck < 2, old, new, group.astype(str))
        found = paired_gaps(*rows, min_group=50, replicates=300, seed=seed)
        low, high = found["demographic_parity_difference"].ends
        held += low <= after - before <= high
    assert held >= 225  # about 235 expected; 10 is 2.7 standard deviations


def test_the_interval_of_a_change_is_narrow_where_the_ends_are_clear():
    actual, before, groups = two_groups(20_000, seed=4)
    after = np.where(np.random.default_rng(5).random(20_000) < 0.02, ~before, before)
    gap = paired_gaps(actual, before, after, groups, min_group=50, replicates=4000, seed=0)[
        "equal_opportunity_difference"
    ]
    change = after.astype(float) - before
    variance = sum(
        change[actual & (groups == name)].var() / (actual & (groups == name)).sum()
        for name in ("a", "b")
    )
    width = 2 * norm.ppf(0.975) * np.sqrt(variance)
    assert gap.ends[1] - gap.ends[0] == pytest.approx(width, rel=0.06)


def test_units_widen_the_interval_of_a_change():
    actual, before, groups = draw(1000)
    after = before & (groups != "a")
    rows = np.repeat(np.arange(1000), 4)
    four = [array[rows] for array in (actual, before, after, groups)]

    def width(units):
        found = paired_gaps(*four, min_group=50, units=units, replicates=1000, seed=2)
        low, high = found["demographic_parity_difference"].ends
        return high - low

    assert width(rows) > 1.5 * width(None)


def test_equal_arguments_give_equal_numbers():
    actual, predicted, groups = draw(500)
    for units in (None, np.arange(500) // 2):
        first, second = (
            measure_gaps(
                actual, predicted, groups, min_group=5, units=units, replicates=100, seed=9
            )
            for _ in range(2)
        )
        assert first == second


def test_cost_is_linear_in_rows():
    spent = {}
    for n in (20_000, 200_000):
        rows = draw(n)
        start = time.perf_counter()
        measure_gaps(*rows, min_group=50, replicates=1000, seed=0)
        spent[n] = time.perf_counter() - start
    assert spent[200_000] < 2 + 20 * spent[20_000]
