"""Gaps of several classes and of a number: fairlearn's values, and intervals that hold."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fairlearn
from scipy.stats import norm

from mergeline.core.task import GAPS
from mergeline.stats.gap_changes import paired_gaps, paired_gaps_of
from mergeline.stats.gaps import measure_gaps

CLASSES = ("graduate", "leave", "stay")
FEW = {"min_group": 50, "replicates": 100, "seed": 0}


@dataclass(frozen=True)
class Said:
    """Predictions as `model.predictions` has them."""

    task: str
    actual: np.ndarray
    predicted: np.ndarray
    classes: tuple[str, ...] = field(default=())


def classes_of(n, seed=0, groups=("a", "b", "c"), right=(0.7, 0.6, 0.5)):
    """Rows of three classes, predicted rightly as often as their group is."""
    random = np.random.default_rng(seed)
    group = random.integers(0, len(groups), n)
    actual = random.choice(3, n, p=(0.5, 0.3, 0.2))
    known = random.random(n) < np.array(right)[group]
    predicted = np.where(known, actual, (actual + random.integers(1, 3, n)) % 3)
    return actual, predicted, np.array(groups)[group]


def numbers_of(n, seed=0, shift=(0.0, 2.0), noise=(1.0, 3.0)):
    random = np.random.default_rng(seed)
    group = random.integers(0, len(shift), n)
    actual = random.standard_normal(n) * 5
    error = random.standard_normal(n) * np.array(noise)[group] + np.array(shift)[group]
    return actual, actual + error, np.array([f"g{number}" for number in range(len(shift))])[group]


def test_several_classes_are_held_each_against_the_others_as_fairlearn_does():
    actual, predicted, groups = classes_of(3000)
    gaps = measure_gaps(actual, predicted, groups, task="multiclass", classes=CLASSES, **FEW)
    assert tuple(gaps) == GAPS["multiclass"]
    for name, gap in gaps.items():
        if name == "accuracy_difference":
            continue
        theirs = {
            of: getattr(fairlearn, name)(
                actual == place, predicted == place, sensitive_features=groups
            )
            for place, of in enumerate(CLASSES)
        }
        assert gap.difference.value == pytest.approx(max(theirs.values()), abs=1e-15)
        assert gap.of == max(theirs, key=theirs.get)
        assert gap.difference.low <= gap.difference.value <= gap.difference.high <= 1
    accuracy = pd.Series(actual == predicted).groupby(groups).mean()
    gap = gaps["accuracy_difference"]
    assert gap.difference.value == pytest.approx(accuracy.max() - accuracy.min())
    assert gap.ratio == pytest.approx(accuracy.min() / accuracy.max())
    assert (gap.lowest, gap.highest, gap.rate, gap.of) == ("c", "a", "accuracy", None)


def test_two_classes_as_several_have_the_gaps_of_two():
    actual, predicted, groups = classes_of(3000)
    first, said = (actual == 0).astype(int), (predicted == 0).astype(int)
    two = measure_gaps(first == 1, said == 1, groups, **FEW)
    several = measure_gaps(first, said, groups, task="multiclass", classes=("no", "yes"), **FEW)
    for name, gap in two.items():
        assert several[name].difference.value == pytest.approx(gap.difference.value)
    # The draws are the same, and so is the largest error: the other class mirrors it.
    name = "demographic_parity_difference"
    assert several[name].difference.high == pytest.approx(two[name].difference.high)


def test_a_class_that_a_group_hardly_has_is_left_out_and_named():
    actual, predicted, groups = classes_of(3000)
    actual = np.where((groups == "b") & (actual == 2), 0, actual)
    gaps = measure_gaps(actual, predicted, groups, task="multiclass", classes=CLASSES, **FEW)
    gap = gaps["equal_opportunity_difference"]
    assert gap.difference.value is not None
    assert gap.difference.reason.startswith("Left out: 'stay', because a group has fewer than 10")
    assert gaps["demographic_parity_difference"].difference.reason == ""
    alone = measure_gaps(actual * 0, predicted, groups, task="multiclass", classes=("x",), **FEW)
    assert alone["equalized_odds_difference"].difference.value is not None
    assert "Left out: 'x'" in alone["equalized_odds_difference"].difference.reason


def test_means_of_a_number_differ_as_fairlearns_do():
    actual, predicted, groups = numbers_of(4000)
    gaps = measure_gaps(actual, predicted, groups, task="regression", **FEW)
    assert tuple(gaps) == GAPS["regression"]
    means = {
        "mean_prediction_difference": lambda _, p: p.mean(),
        "mean_error_difference": lambda y, p: (p - y).mean(),
        "mean_absolute_error_difference": lambda y, p: np.abs(p - y).mean(),
    }
    for name, mean in means.items():
        frame = fairlearn.MetricFrame(
            metrics=mean, y_true=actual, y_pred=predicted, sensitive_features=groups
        )
        assert gaps[name].difference.value == pytest.approx(frame.difference())
        assert (gaps[name].lowest, gaps[name].highest) == ("g0", "g1")
    assert gaps["mean_error_difference"].ratio is None
    assert gaps["mean_absolute_error_difference"].ratio > 0
    assert gaps["mean_absolute_error_difference"].difference.high > 1


def test_width_of_the_interval_of_means_is_the_normal_one():
    actual, predicted, groups = numbers_of(6000, seed=3)
    gap = measure_gaps(
        actual, predicted, groups, task="regression", min_group=50, replicates=3000, seed=0
    )["mean_error_difference"].difference
    error = pd.Series(predicted - actual).groupby(groups)
    width = 2 * norm.ppf(0.975) * np.sqrt((error.var() / error.size()).sum())
    assert gap.high - gap.low == pytest.approx(width, rel=0.06)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.0, 1.0), (0.0,) * 8, (0.0,) * 4 + (0.5,) * 4])
def test_the_interval_of_means_holds_the_truth_at_least_95_times_in_100(shift):
    held = 0
    for seed in range(150):
        rows = numbers_of(1500, seed, shift, (1.0,) * len(shift))
        found = measure_gaps(*rows, task="regression", min_group=50, replicates=200, seed=seed)
        gap = found["mean_error_difference"].difference
        held += gap.low <= max(shift) <= gap.high
    assert held >= 135  # 142 expected at the least; 7 is 2.7 standard deviations


def test_repeating_units_widen_the_interval_of_means():
    actual, predicted, groups = numbers_of(1500)
    rows = np.repeat(np.arange(1500), 4)
    four = [array[rows] for array in (actual, predicted, groups)]
    few = {"task": "regression", "min_group": 50, "replicates": 1000, "seed": 0}

    def width(found):
        gap = found["mean_absolute_error_difference"].difference
        return gap.high - gap.low

    once = width(measure_gaps(actual, predicted, groups, **few))
    assert width(measure_gaps(*four, units=rows, **few)) == pytest.approx(once, rel=0.1)
    assert width(measure_gaps(*four, **few)) == pytest.approx(once / 2, rel=0.1)


@pytest.mark.parametrize(
    ("task", "rows"),
    [("multiclass", classes_of(2000)), ("regression", numbers_of(2000))],
)
def test_changes_of_gaps(task, rows):
    actual, before, groups = rows
    classes = CLASSES if task == "multiclass" else ()
    after = np.where(groups == groups[0], actual, before)
    given = {"task": task, "classes": classes, "min_group": 50, "replicates": 300, "seed": 2}
    paired = paired_gaps(actual, before, after, groups, **given)
    alone, then = (measure_gaps(actual, side, groups, **given) for side in (before, after))
    assert tuple(paired) == GAPS[task]
    for name, gap in paired.items():
        assert gap.before == pytest.approx(alone[name].difference.value)
        assert gap.after == pytest.approx(then[name].difference.value)
        low, high = gap.ends
        assert low <= gap.after - gap.before <= high
    sides = [Said(task, actual, side, classes) for side in (before, after)]
    assert paired_gaps_of(*sides, groups, min_group=50, replicates=300, seed=2) == paired
    same = paired_gaps(actual, before, before, groups, **given)
    assert all(gap.ends == (0, 0) for gap in same.values())


def test_equal_arguments_give_equal_numbers():
    actual, predicted, groups = numbers_of(500)
    for units in (None, np.arange(500) // 2):
        first, second = (
            measure_gaps(actual, predicted, groups, task="regression", units=units, **FEW)
            for _ in range(2)
        )
        assert first == second
