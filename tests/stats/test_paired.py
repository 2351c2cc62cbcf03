"""Two models on the same rows."""

import numpy as np
import pytest

from mergeline.core.task import higher_is_better
from mergeline.stats.binary import METRICS, Rows
from mergeline.stats.metrics import estimate_metrics, point_values
from mergeline.stats.paired import pair_metrics, paired

NAMES = tuple(METRICS)


def draw(n=800, seed=0, noise=1.5, more=0.0):
    """Labels, scores of a model, and scores of one that sees `more` of the labels."""
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.4
    lean = random.normal(2 * positive - 1, noise)
    score, other = (1 / (1 + np.exp(-value)) for value in (lean, lean + more * (2 * positive - 1)))
    return positive, score, other


def pair(positive, before, after, names=NAMES, **how):
    old, new = (Rows(positive, score, 0.5) for score in (before, after))
    return pair_metrics(names, old, new, replicates=300, seed=0, **how)


def test_the_values_are_those_of_each_model():
    positive, before, after = draw(more=0.5)
    found = pair(positive, before, after)
    old = point_values(NAMES, Rows(positive, before, 0.5))
    new = point_values(NAMES, Rows(positive, after, 0.5))
    for name in NAMES:
        assert (found[name].baseline, found[name].candidate) == (old[name], new[name])
        assert found[name].delta.value == new[name] - old[name]
        assert found[name].delta.n == 800
        assert found[name].higher_is_better == higher_is_better(name)


def test_better_and_worse_follow_the_direction_of_the_metric():
    positive, before, after = draw(more=1.0)
    assert {found.outcome for found in pair(positive, before, after).values()} == {"better"}
    assert {found.outcome for found in pair(positive, after, before).values()} == {"worse"}


def test_the_same_model_cannot_be_told_from_itself():
    positive, before, _ = draw()
    for found in pair(positive, before, before).values():
        assert found.outcome == "cannot_tell"
        assert (found.delta.value, found.delta.low, found.delta.high) == (0, 0, 0)


def test_a_small_difference_cannot_be_told_and_says_how_many_rows_would():
    positive, before, after = draw(n=150, more=0.02)
    found = pair(positive, before, after, names=["accuracy"])["accuracy"]
    assert found.outcome == "cannot_tell"
    assert found.delta.low <= 0 <= found.delta.high
    assert found.rows_to_decide is None or found.rows_to_decide > 150


def test_pairs_are_narrower_than_two_models_apart():
    positive, before, after = draw(more=0.2)
    both = pair(positive, before, after, names=["roc_auc"])["roc_auc"].delta
    alone = estimate_metrics(["roc_auc"], Rows(positive, after, 0.5), replicates=300, seed=0)
    width = alone["roc_auc"].high - alone["roc_auc"].low
    assert both.high - both.low < width / 3


def test_the_interval_of_a_difference_covers_the_truth():
    # The candidate is right with 0.8, the baseline with 0.75, on the same rows.
    random, covered = np.random.default_rng(1), 0
    for _ in range(150):
        positive = random.random(300) < 0.5
        luck = random.random(300)
        before, after = (
            np.where(luck < share, positive, ~positive).astype(float) for share in (0.75, 0.8)
        )
        delta = pair(positive, before, after, names=["accuracy"])["accuracy"].delta
        covered += delta.low <= 0.05 <= delta.high
    assert 0.89 <= covered / 150 <= 0.99


def test_units_widen_the_interval():
    positive, before, after = (np.repeat(values, 5) for values in draw(200, more=0.3))
    units = np.repeat(np.arange(200), 5)
    by_row = pair(positive, before, after, names=["roc_auc"])["roc_auc"].delta
    by_unit = pair(positive, before, after, names=["roc_auc"], units=units)["roc_auc"].delta
    assert by_unit.high - by_unit.low > 1.5 * (by_row.high - by_row.low)


def test_one_class_is_no_comparison():
    score = np.linspace(0, 1, 40)
    found = pair(np.full(40, True), score, score)
    assert found["roc_auc"].baseline is None
    assert found["roc_auc"].outcome == "cannot_tell"
    assert found["roc_auc"].delta.reason == "Undefined on the common rows."
    assert found["roc_auc"].rows_to_decide is None
    assert found["recall"].baseline is not None


@pytest.mark.parametrize(
    ("ends", "higher", "outcome"),
    [
        ((0.01, 0.02), True, "better"),
        ((0.01, 0.02), False, "worse"),
        ((-0.02, -0.01), True, "worse"),
        ((-0.02, -0.01), False, "better"),
        ((-0.01, 0.01), True, "cannot_tell"),
        ((0.0, 0.01), True, "cannot_tell"),
        (None, True, "cannot_tell"),
    ],
)
def test_outcomes(ends, higher, outcome):
    assert paired(0.5, 0.5, ends, n=100, higher_is_better=higher).outcome == outcome


def test_few_rows_that_one_model_alone_has_right_widen_the_interval():
    """The number behind: Agresti and Min's interval of 3 gained and 1 lost rows of 40."""
    positive = np.full(40, True)
    before, after = np.full(40, 0.9), np.full(40, 0.9)
    before[:3] = 0.1
    after[3] = 0.1
    # Both classes, so that all metrics have a value; the negatives are alike.
    positive = np.append(positive, np.full(40, False))
    before, after = np.append(before, np.full(40, 0.2)), np.append(after, np.full(40, 0.2))
    found = pair(positive, before, after, names=["recall"])["recall"].delta
    middle, spread = 2 / 42, 1.96 * np.sqrt(5 - 4 / 42) / 42
    assert found.value == pytest.approx(2 / 40)
    assert found.low <= middle - spread + 1e-5
    assert found.high >= middle + spread - 1e-5
    # Ids that repeat are drawn as a whole: rows do not count one by one then.
    units = np.repeat(np.arange(40), 2)
    repeated = pair(positive, before, after, names=["recall"], units=units)["recall"].delta
    assert repeated.low > found.low


def test_the_smallest_difference_that_would_be_told():
    positive, before, after = draw(more=0.2)
    found = pair(positive, before, after, names=["roc_auc"])["roc_auc"]
    deviation = (found.delta.high - found.delta.low) / 2 / 1.959964
    assert found.minimum_detectable == pytest.approx(2.801585 * deviation, rel=1e-4)
    assert paired(0.5, 0.6, None, n=10, higher_is_better=True).minimum_detectable is None
