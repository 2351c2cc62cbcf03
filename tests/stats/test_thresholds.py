"""Other thresholds: spread over the scores, short, and telling of no single row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mergeline.core.evidence import FEWEST_TOLD
from mergeline.stats.thresholds import selected, spread_thresholds

SCORES = st.lists(st.sampled_from([n / 40 for n in range(41)]) | st.floats(0, 1), min_size=1)


def steps(score, thresholds):
    """How many rows change sides from one threshold to the next, and beyond the ends."""
    reached = [len(score), *selected(score, thresholds), 0]
    return -np.diff(reached)


def test_they_follow_the_scores_and_are_short():
    score = np.random.default_rng(0).beta(1, 3, 20_000)
    found = spread_thresholds(score, most=50)
    assert 45 <= len(found) <= 53
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (0, 1)
    assert max(len(f"{value:g}") for value in found) <= len("0.123")
    inner = steps(score, found)[1:-1]
    assert inner.max() < 2.2 * len(score) / 50


def test_scores_next_to_0_are_not_told_either():
    score = 10.0 ** -np.random.default_rng(0).uniform(0, 300, 500)
    found = spread_thresholds(score, most=50, deciding=0.5)
    assert len(found) > 40
    assert not {*found} & {*score.tolist()}


def test_scores_that_no_decimal_lies_between_are_no_trouble():
    score = np.repeat([0.0, 5e-324, 1e-320, 1e-308, 1e-307, 1.0 - 2.0**-53, 1.0], 10)
    found = spread_thresholds(score, most=50)
    assert found == sorted({*found})
    assert found[0] == 0.0


@given(SCORES, st.sampled_from([None, 0.0, 0.25, 0.5, 1.0]), st.integers(1, 3))
def test_no_step_tells_of_few_rows(scores, deciding, size):
    score = np.repeat(np.array(scores), size * 4)
    groups = np.arange(len(score)) % size
    found = spread_thresholds(score, most=20, groups=groups, deciding=deciding)
    assert found == sorted(set(found))
    assert deciding is None or deciding in found
    for group in range(size):
        rows = score[groups == group]
        moved = dict(zip([*found, None], steps(rows, found), strict=True))
        for place, threshold in enumerate([*found, None]):
            ends = {threshold, found[place - 1] if place else None}
            alone = deciding in ends and (place <= 1 or place >= len(found) - 1)
            few = 0 < moved[threshold] < FEWEST_TOLD
            # Beyond the one that decides, and from there to where all or none are selected.
            assert not few or (deciding is not None and alone) or len(rows) < FEWEST_TOLD


@pytest.mark.parametrize("deciding", [None, 0.5])
def test_scores_that_are_all_alike_have_the_ends_only(deciding):
    found = spread_thresholds(np.full(100, 0.7), most=50, deciding=deciding)
    assert found == sorted({0.0, 1.0} if deciding is None else {0.5, 1.0})


def test_rows_that_reach_a_threshold_are_selected():
    score = np.array([0.1, 0.2, 0.2, 0.9])
    assert selected(score, [0.0, 0.2, 0.21, 0.9, 1.0]).tolist() == [4, 3, 1, 1, 0]
