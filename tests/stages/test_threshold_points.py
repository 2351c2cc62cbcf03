"""What other thresholds come to: scikit-learn's numbers, costs, and groups."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from mergeline.core.evidence import FEWEST_TOLD
from mergeline.model.predictions import Predictions
from mergeline.stages.group_thresholds import group_thresholds
from mergeline.stages.thresholds import cheapest, class_curves, threshold_points
from mergeline.stats.gaps import measure_gaps

COSTS = {
    "true_positive": -1.0,
    "false_positive": 2.0,
    "true_negative": 0.0,
    "false_negative": 5.0,
}
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


def drawn(n=3000, threshold=0.3):
    random = np.random.default_rng(0)
    score = random.beta(1, 2, n).round(3)
    return Predictions("binary", random.random(n) < score, score, threshold)


@pytest.fixture(scope="module")
def rows():
    return drawn()


@pytest.fixture(scope="module")
def points(rows):
    return threshold_points(rows, COSTS)


def test_each_point_is_what_the_model_would_decide_there(rows, points):
    assert 40 <= len(points) <= 53
    for point in points:
        said = rows.score >= point.threshold
        (true_negative, false_positive), (false_negative, true_positive) = sklearn.confusion_matrix(
            rows.actual, said
        )
        assert (point.true_positive, point.false_positive) == (true_positive, false_positive)
        assert (point.true_negative, point.false_negative) == (true_negative, false_negative)
        assert point.recall == sklearn.recall_score(rows.actual, said)
        assert point.selection_rate == said.mean()
        if said.any():
            assert point.precision == sklearn.precision_score(rows.actual, said)
        spent = -true_positive + 2 * false_positive + 5 * false_negative
        assert point.cost == pytest.approx(spent / len(said))


def test_the_threshold_that_decides_is_among_them(rows, points):
    assert rows.threshold in [point.threshold for point in points]


def test_the_cheapest_costs_least(rows, points):
    found = cheapest(points, rows.threshold)
    assert min(point.cost for point in points) == next(
        point.cost for point in points if point.threshold == found
    )
    # A missed one is dear: it pays to select more.
    assert found < 0.5


def test_of_equal_costs_the_nearest_to_the_one_that_decides_is_the_cheapest(rows):
    same = dict.fromkeys(COSTS, 1.0)
    assert cheapest(threshold_points(rows, same), rows.threshold) == rows.threshold


def test_without_costs_nothing_is_cheap(rows):
    points = threshold_points(rows, {})
    assert {point.cost for point in points} == {None}
    assert cheapest(points, rows.threshold) is None


def test_the_most_frequent_classes_have_curves():
    random = np.random.default_rng(0)
    many = 23
    share = np.array([200 - 8 * place for place in range(many - 1)] + [1.0])
    actual = np.sort(random.choice(many, 4000, p=share / share.sum()))
    actual[:5] = many - 1
    score = random.dirichlet(np.ones(many), len(actual))
    names = tuple(map(str, range(many)))
    rows = Predictions("multiclass", actual, score, None, names)
    found = class_curves(rows)
    counts = np.bincount(actual, minlength=many)
    assert set(found) == set(np.argsort(-counts, kind="stable")[:20].tolist())
    points = found[0]
    assert 30 <= len(points) <= 43
    for point in points:
        said = score[:, 0] >= point.threshold
        assert point.recall == said[actual == 0].mean()
        assert point.false_positive_rate == said[actual != 0].mean()


def test_a_class_of_few_rows_has_no_curve():
    actual = np.array([0] * (FEWEST_TOLD - 1) + [1] * 40 + [2] * 40)
    score = np.random.default_rng(0).dirichlet(np.ones(3), len(actual))
    assert set(class_curves(Predictions("multiclass", actual, score, None, tuple("abc")))) == {1, 2}


# --- by group ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def groups(rows):
    return np.random.default_rng(1).choice(["a", "b", "c"], len(rows), p=[0.6, 0.38, 0.02])


def test_at_the_one_that_decides_gaps_are_those_that_are_judged(rows, groups):
    found = group_thresholds(rows, groups, {"a", "b"}, RATES)
    (here,) = (point for point in found if point.threshold == rows.threshold)
    gaps = measure_gaps(rows.actual, rows.predicted, groups, min_group=100, replicates=100, seed=0)
    for name, gap in gaps.items():
        assert here.gaps[name] == pytest.approx(gap.difference.value)


def test_rates_of_groups_are_scikit_learns(rows, groups):
    found = group_thresholds(rows, groups, {"a", "b"}, RATES)
    assert len(found) >= 15
    for point in found:
        assert set(point.rates) == {"a", "b"}
        for name, rates in point.rates.items():
            inside = groups == name
            actual, said = rows.actual[inside], rows.score[inside] >= point.threshold
            assert rates["selection_rate"] == said.mean()
            assert rates["true_positive_rate"] == sklearn.recall_score(actual, said)
            assert rates["false_positive_rate"] == said[~actual].mean()
            assert (rates["precision"] is None) == (not said.any())
    first, last = found[0], found[-1]
    assert (first.threshold, last.threshold) == (0, 1)
    assert set(first.gaps.values()) == set(last.gaps.values()) == {0}


def test_a_small_group_makes_them_few(rows, groups):
    found = group_thresholds(rows, groups, {"a", "b", "c"}, RATES)
    assert 3 <= len(found) < 10


def test_one_group_alone_and_too_many_have_none(rows, groups):
    assert group_thresholds(rows, groups, {"a"}, RATES) == ()
    many = np.arange(len(rows)).astype(str)
    assert group_thresholds(rows, many, set(many[:21]), RATES) == ()


def test_a_rate_that_is_not_defined_has_no_value_nor_has_its_gap():
    score = np.linspace(0, 1, 400, endpoint=False)
    labels = np.array(["a", "b"] * 200)
    rows = Predictions("binary", (labels == "a") & (score > 0.5), score, 0.5)
    point = group_thresholds(rows, labels, {"a", "b"}, RATES)[3]
    assert point.rates["b"]["true_positive_rate"] is None
    assert point.gaps["equal_opportunity_difference"] is None
    assert point.gaps["demographic_parity_difference"] is not None
