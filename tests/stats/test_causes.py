"""Causes of gaps: the parts add up, base rates and errors are told apart, few rows are said."""

import numpy as np
import pytest

from mergeline.stats.causes import find_cause, two_parts, worst_gap
from mergeline.stats.gaps import measure_gaps


def rows(base, true, false, n=(4000, 4000)):
    """Rows of two groups with exact base, true positive and false positive rates."""
    actual, predicted, groups = [], [], []
    for name, size, b, t, f in zip("ab", n, base, true, false, strict=True):
        positives = round(size * b)
        negatives = size - positives
        actual += [True] * positives + [False] * negatives
        predicted += [place < round(positives * t) for place in range(positives)]
        predicted += [place < round(negatives * f) for place in range(negatives)]
        groups += [name] * size
    return np.array(actual), np.array(predicted), np.array(groups)


def cause(given, task="binary", classes=(), min_group=10):
    kind = {"task": task, "classes": classes, "min_group": min_group}
    gaps = measure_gaps(*given, **kind, replicates=200, seed=0)
    return gaps, find_cause(gaps, *given, **kind)


def test_the_two_parts_add_up_whatever_the_rates():
    random = np.random.default_rng(0)
    for _ in range(200):
        shares = random.dirichlet(np.ones(4), 2)
        rates = random.random((2, 4))
        parts = two_parts((shares[0], shares[1]), (rates[0], rates[1]))
        assert sum(parts) == pytest.approx(shares[0] @ rates[0] - shares[1] @ rates[1])


def test_kitagawas_own_arithmetic():
    # Shares 0.6 and 0.4 of rates 0.5 and 0.1 beside shares 0.2 and 0.8 of rates 0.4 and 0.2.
    parts = two_parts(
        (np.array([0.6, 0.4]), np.array([0.2, 0.8])), (np.array([0.5, 0.1]), np.array([0.4, 0.2]))
    )
    assert parts == pytest.approx((0.4 * 0.45 - 0.4 * 0.15, 0.4 * 0.1 - 0.6 * 0.1))


def test_a_rate_of_no_rows_is_that_of_the_other_side():
    shares = (np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    rates = (np.array([0.8, np.nan]), np.array([0.8, 0.2]))
    assert two_parts(shares, rates) == pytest.approx((0.3, 0.0))


def test_different_base_rates_and_equal_errors_are_base_rates():
    given = rows((0.5, 0.2), (0.8, 0.8), (0.1, 0.1))
    _, found = cause(given)
    assert (found.gap, found.kind) == ("demographic_parity_difference", "base_rate")
    # Exactly: 0.3 x (0.8 - 0.1).
    assert "of the 0.210 between them 0.210 follow from the base rates (0.500 and 0.200)" in (
        found.reason
    )
    assert "and 0.000 from what the model does" in found.reason


def test_equal_base_rates_and_different_errors_are_errors():
    # The gap of the true positive rate is larger than that of the selection rate.
    _, found = cause(rows((0.4, 0.4), (0.9, 0.5), (0.1, 0.1)))
    assert (found.gap, found.kind) == ("equalized_odds_difference", "errors")
    assert "0.900 for a and 0.500 for b" in found.reason
    assert "the model errs more for b" in found.reason
    gaps, _ = cause(rows((0.4, 0.4), (0.9, 0.5), (0.1, 0.1)))
    name = "demographic_parity_difference"
    given = rows((0.4, 0.4), (0.9, 0.5), (0.1, 0.1))
    only = find_cause({name: gaps[name]}, *given, min_group=10)
    assert only.kind == "errors"
    assert "of the 0.160 between them 0.000 follow from the base rates" in only.reason


def test_few_rows_are_said_before_anything_else():
    _, found = cause(rows((0.5, 0.5), (0.6, 0.5), (0.2, 0.2), (2000, 24)))
    assert found.kind == "size"
    assert "b has only 12 rows for true_positive_rate" in found.reason
    assert "is wider than the gap of" in found.reason


def test_a_gap_that_chance_could_make_is_too_small_to_tell():
    given = rows((0.3,) * 2, (0.5, 0.53), (0.2,) * 2, (1200, 1200))
    gaps, found = cause(given)
    assert gaps[found.gap].difference.low == 0
    assert found.kind == "size"


def test_no_gap_has_no_cause():
    _, found = cause(rows((0.3, 0.3), (0.8, 0.8), (0.1, 0.1)))
    assert found.kind == "none"
    gaps, found = cause(rows((0.3, 0.3), (0.8, 0.8), (0.1, 0.1)), min_group=9000)
    assert found is None
    assert worst_gap(gaps) is None


def test_a_class_of_several_is_explained_as_one_of_two():
    actual, predicted, groups = rows((0.5, 0.2), (0.8, 0.8), (0.1, 0.1))
    given = (actual.astype(int), predicted.astype(int), groups)
    _, found = cause(given, "multiclass", ("no", "yes"))
    assert found.kind == "base_rate"
    assert "0.210 between them 0.210 follow from the base rates" in found.reason
    assert "selection_rate of 'no'" in found.reason or "selection_rate of 'yes'" in found.reason


def test_accuracy_is_split_by_class():
    random = np.random.default_rng(0)
    groups = np.repeat(["a", "b"], 4000)
    actual = (random.random(8000) < np.where(groups == "a", 0.8, 0.2)).astype(int)
    right = random.random(8000) < np.where(actual == 1, 0.9, 0.5)
    given = (actual, np.where(right, actual, 1 - actual), groups)
    gaps, _ = cause(given, "multiclass", ("no", "yes"))
    only = {"accuracy_difference": gaps["accuracy_difference"]}
    found = find_cause(only, *given, task="multiclass", classes=("no", "yes"), min_group=10)
    assert found.kind == "base_rate"
    assert "follow from how often each class is true" in found.reason


@pytest.mark.parametrize(
    ("outcome", "error", "gap", "kind"),
    [
        (5000.0, 0.0, "mean_prediction_difference", "base_rate"),
        (0.0, 900.0, "mean_prediction_difference", "errors"),
        (-900.0, 900.0, "mean_error_difference", "errors"),
        (0.0, 0.0, "mean_prediction_difference", "none"),
    ],
)
def test_means_are_split_into_outcomes_and_errors(outcome, error, gap, kind):
    spread = np.tile(np.linspace(-3000, 3000, 2000), 2)
    first = np.repeat([1.0, 0.0], 2000)
    actual = 9000 + spread + outcome * first
    predicted = actual + error * first
    groups = np.where(first == 1, "a", "b")
    _, found = cause((actual, predicted, groups), "regression")
    assert found.kind == kind
    if kind != "none":
        assert found.gap == gap
