"""Metrics of several classes are scikit-learn's, also under weights."""

import warnings

import numpy as np
import pytest
from sklearn import metrics as sklearn

from mergeline.core.task import METRICS as NAMES
from mergeline.core.task import higher_is_better
from mergeline.model.predictions import Predictions
from mergeline.stats.metrics import estimate_metrics, point_values, rows_of
from mergeline.stats.multiclass import METRICS, Rows, of_class
from mergeline.stats.paired import pair_metrics

CLASSES = ("a", "b", "c", "d")
BY_SCORE = ("roc_auc_ovr", "brier_score", "log_loss")
MACRO = ("balanced_accuracy", "f1_macro", "precision_macro", "recall_macro", "roc_auc_ovr")


def theirs(name, actual, score, weights=None):
    """Return scikit-learn's number; its classes are those of the columns."""
    how = {"sample_weight": weights}
    predicted = score.argmax(axis=1)
    labels = list(range(score.shape[1]))
    macro = how | {"average": "macro", "labels": labels, "zero_division": 0}
    return {
        "balanced_accuracy": lambda: sklearn.balanced_accuracy_score(actual, predicted, **how),
        "accuracy": lambda: sklearn.accuracy_score(actual, predicted, **how),
        "f1_macro": lambda: sklearn.f1_score(actual, predicted, **macro),
        "precision_macro": lambda: sklearn.precision_score(actual, predicted, **macro),
        "recall_macro": lambda: sklearn.recall_score(actual, predicted, **macro),
        "roc_auc_ovr": lambda: sklearn.roc_auc_score(
            actual, score, multi_class="ovr", labels=labels, **how
        ),
        "brier_score": lambda: sklearn.brier_score_loss(actual, score, labels=labels, **how),
        "log_loss": lambda: sklearn.log_loss(actual, score, labels=labels, **how),
    }[name]()


def draw(n, seed=0, digits=None, classes=4, noise=1.0):
    """Classes of unlike size and probabilities that know something of them."""
    random = np.random.default_rng(seed)
    shares = np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()
    actual = random.choice(classes, n, p=shares)
    lean = random.normal(0, noise, (n, classes))
    lean[np.arange(n), actual] += 1
    score = np.exp(lean if digits is None else lean.round(digits))
    return actual, score / score.sum(axis=1, keepdims=True)


def rows(actual, score, classes=CLASSES):
    return Rows(actual, score, classes)


def test_every_metric_of_the_settings_is_here():
    assert set(METRICS) == set(NAMES["multiclass"])


@pytest.mark.parametrize("digits", [None, 0])
@pytest.mark.parametrize("n", [1500, 60])
@pytest.mark.parametrize("name", METRICS)
def test_points_are_scikit_learns(name, n, digits):
    actual, score = draw(n, seed=n, digits=digits)
    found = point_values([name], rows(actual, score))[name]
    assert found == pytest.approx(theirs(name, actual, score), abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_weighted_values_are_scikit_learns(name):
    actual, score = draw(400, seed=3, digits=1)
    random = np.random.default_rng(4)
    weights = random.multinomial(400, np.full(400, 1 / 400), size=25).astype(float)
    found = rows(actual, score).weigh(weights).value(name)
    expected = [theirs(name, actual, score, row) for row in weights]
    assert found.shape == (25,)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_class_that_is_never_predicted_has_no_precision():
    actual, score = draw(300)
    score = score * [1, 1, 0.001, 1]
    score /= score.sum(axis=1, keepdims=True)
    assert not (score.argmax(axis=1) == 2).any()
    for name in METRICS:
        found = point_values([name], rows(actual, score))[name]
        assert found == pytest.approx(theirs(name, actual, score), abs=1e-12)


def test_metrics_of_one_class_are_those_of_it_against_the_others():
    actual, score = draw(300, seed=2)
    weights = np.random.default_rng(3).multinomial(300, np.full(300, 1 / 300), size=20)
    rows = Rows(actual, score, CLASSES)
    weighed = rows.weigh(weights.astype(float))
    alone = [weighed.value(of_class("roc_auc", number)) for number in range(4)]
    for number, found in enumerate(alone):
        expected = rows.one_by_one[number].weigh(weights.astype(float)).value("roc_auc")
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(weighed.value("roc_auc_ovr"), np.mean(alone, axis=0))
    assert weighed.value(of_class("roc_auc", 1)) is alone[1]  # computed once


def test_a_class_that_no_row_is_of_has_no_auc_and_says_why():
    actual, score = draw(100, seed=2)
    found = estimate_metrics(
        [of_class("roc_auc", 0)],
        Rows(np.where(actual == 0, 1, actual), score, CLASSES),
        replicates=100,
        seed=0,
    )
    (one,) = found.values()
    assert one.value is None
    assert one.reason == "roc_auc needs both classes; all 100 rows are negative."


def test_the_first_of_equal_probabilities_is_predicted():
    flat = rows(np.array([0, 1, 2]), np.full((3, 3), 1 / 3), ("x", "y", "z"))
    assert point_values(["accuracy", "recall_macro"], flat) == {
        "accuracy": pytest.approx(1 / 3),
        "recall_macro": pytest.approx(1 / 3),
    }


def test_a_perfect_model():
    actual = np.array([0, 1, 2, 2])
    found = point_values(list(METRICS), rows(actual, np.eye(3)[actual], ("x", "y", "z")))
    assert {found[name] for name in METRICS if higher_is_better(name)} == {1.0}
    assert found["brier_score"] == 0
    assert found["log_loss"] == pytest.approx(0, abs=1e-12)


# --- intervals -------------------------------------------------------------------------


def test_intervals_hold_their_points_and_are_the_same_again():
    made = rows(*draw(500))
    found = estimate_metrics(list(METRICS), made, replicates=200, seed=1)
    for name in METRICS:
        assert found[name].low < found[name].value < found[name].high, name
        assert (found[name].n, found[name].reason) == (500, "")
    assert found == estimate_metrics(list(METRICS), made, replicates=200, seed=1)
    assert found != estimate_metrics(list(METRICS), made, replicates=200, seed=2)


def test_the_interval_of_balanced_accuracy_covers_the_truth():
    random, covered = np.random.default_rng(0), 0
    for seed in range(150):
        actual = random.choice(3, 300, p=[0.2, 0.3, 0.5])
        right = random.random(300) < np.array([0.5, 0.6, 0.9])[actual]
        score = np.eye(3)[np.where(right, actual, (actual + 1) % 3)]
        made = rows(actual, score, ("x", "y", "z"))
        found = estimate_metrics(["balanced_accuracy"], made, replicates=300, seed=seed)
        covered += found["balanced_accuracy"].low <= 2 / 3 <= found["balanced_accuracy"].high
    assert 0.89 <= covered / 150 <= 0.99


def test_a_class_without_a_row_leaves_what_is_averaged_without_a_value():
    actual, score = draw(200)
    made = rows(np.where(actual == 1, 0, actual), score, ("a", "it's \n<b>", "c", "d"))
    found = estimate_metrics(list(METRICS), made, replicates=100, seed=0)
    for name in MACRO:
        assert found[name].value is None
        assert found[name].reason == (
            f'{name} needs rows of every class; none of 200 is "it\'s \\n<b>".'
        )
    for name in set(METRICS) - set(MACRO):
        assert found[name].value is not None


def test_many_classes_without_a_row_are_not_all_named():
    made = Rows(np.zeros(5, dtype=int), np.full((5, 9), 1 / 9), tuple("abcdefghi"))
    assert made.undefined("f1_macro").endswith("none of 5 is 'b', 'c', 'd' and 5 more.")


def test_a_class_of_three_rows_has_too_few_for_an_interval():
    actual, score = draw(300)
    actual = np.where(actual == 0, 1, actual)
    actual[:2] = 0
    found = estimate_metrics(["recall_macro"], rows(actual, score), replicates=200, seed=0)
    assert found["recall_macro"].value is not None
    assert found["recall_macro"].reason == "Too few rows for an interval."


def test_one_row_is_no_crash_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = rows(np.array([2]), np.array([[0.1, 0.2, 0.6, 0.1]]))
        found = estimate_metrics(list(METRICS), made, replicates=100, seed=0)
    assert found["accuracy"].value == 1
    assert found["f1_macro"].value is None


def test_predictions_become_rows_of_their_task():
    actual, score = draw(100)
    made = rows_of(Predictions("multiclass", actual, score, None, CLASSES))
    assert point_values(["f1_macro"], made) == point_values(["f1_macro"], rows(actual, score))


def test_a_better_model_is_better_in_everything():
    actual, before = draw(800)
    _, after = draw(800, noise=0.4)
    found = pair_metrics(
        list(METRICS), rows(actual, before), rows(actual, after), replicates=200, seed=0
    )
    assert {pair.outcome for pair in found.values()} == {"better"}
    for name, pair in found.items():
        assert pair.higher_is_better == higher_is_better(name)
        assert pair.delta.value == pair.candidate - pair.baseline
