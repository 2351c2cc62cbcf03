"""How well a column alone tells the outcome: against scikit-learn, and where it is known."""

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from mergeline.stats.alone import Classes, Told, told_by

ROWS = 4000


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def held_out(random):
    return random.random(ROWS) < 0.25


@pytest.fixture
def classes(random):
    return Classes(random.integers(0, 2, ROWS), 2)


def score(told: Told | None) -> float:
    assert told is not None
    return told.score


def test_an_order_is_scikit_learns_auc(random, held_out, classes):
    values = (classes.codes + random.normal(size=ROWS)).round(1)
    auc = roc_auc_score(classes.codes[held_out], values[held_out])
    for turned in (values, -values):
        assert score(told_by(turned, classes, held_out)) == pytest.approx(2 * auc - 1, abs=0.02)


def test_a_category_is_scored_by_its_mean_in_the_training_rows(random, held_out, classes):
    codes = np.where(random.random(ROWS) < 0.7, classes.codes, 2 + random.integers(0, 5, ROWS))
    train = ~held_out
    mean = classes.codes[train].mean()
    inside = [train & (codes == code) for code in range(7)]
    means = [(classes.codes[i].sum() + 10 * mean) / (i.sum() + 10) for i in inside]
    expected = roc_auc_score(classes.codes[held_out], np.array(means)[codes[held_out]])
    assert score(told_by(codes, classes, held_out)) == pytest.approx(2 * expected - 1, abs=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda y, _: y.astype(float),
        lambda y, _: -y.astype(float),
        lambda y, _: y,
        lambda y, r: np.where(y == 1, np.nan, r.normal(size=len(y))),
        lambda y, _: np.where(y == 1, -1, 3),
    ],
    ids=["number", "turned", "category", "missing number", "missing category"],
)
def test_what_tells_all_has_a_score_of_one(random, held_out, classes, make):
    values = make(classes.codes, random)
    assert score(told_by(values, classes, held_out)) == pytest.approx(1)


def test_a_relation_without_an_order_is_seen(random, held_out, classes):
    far = random.choice([-2.0, 2.0], ROWS) + random.normal(size=ROWS) / 5
    values = np.where(classes.codes == 1, far, random.normal(size=ROWS) / 5)
    assert score(told_by(values, classes, held_out)) > 0.98


@pytest.mark.parametrize("count", [2, 4])
def test_what_tells_nothing_stays_under_the_noise(count):
    """Four standard deviations, for numbers, few and many categories."""
    random = np.random.default_rng(1)
    above = 0
    for _ in range(200):
        held_out = random.random(600) < 0.3
        outcome = Classes(random.integers(0, count, 600), count)
        for values in (random.normal(size=600), *(random.integers(0, k, 600) for k in (3, 200))):
            told = told_by(values, outcome, held_out)
            assert told is not None
            above += told.score > told.noise
    assert above <= 1


@pytest.mark.parametrize(
    "values", [np.zeros(ROWS), np.full(ROWS, np.nan), np.full(ROWS, -1), np.zeros(ROWS, int)]
)
def test_one_value_tells_nothing(held_out, classes, values):
    assert score(told_by(values, classes, held_out)) == 0
    numbers = classes.codes + np.linspace(0, 1, ROWS)
    assert score(told_by(values, numbers, held_out)) == pytest.approx(0, abs=1e-9)


def test_values_that_no_training_row_has_tell_nothing(held_out, classes):
    assert score(told_by(np.arange(ROWS), classes, held_out)) == 0


def test_the_class_that_is_told_best_is_named(random, held_out):
    codes = random.integers(0, 3, ROWS)
    told = told_by((codes == 2).astype(float), Classes(codes, 3), held_out)
    assert told is not None
    assert (told.code, told.score) == (2, pytest.approx(1))


@pytest.mark.parametrize("side", [True, False])
def test_a_class_of_few_rows_on_one_side_is_not_scored(random, held_out, side):
    codes = random.integers(0, 2, ROWS)
    rare = np.flatnonzero(held_out == side)[:9]
    codes[rare] = 2
    told = told_by((codes == 2).astype(float), Classes(codes, 3), held_out)
    assert told is not None
    assert told.code != 2
    alone = Classes((codes == 2).astype(int), 2)
    assert told_by((codes == 2).astype(float), alone, held_out) is None


# --- numbers -----------------------------------------------------------------------


def test_a_straight_line_tells_all(random, held_out):
    outcome = np.exp(random.normal(size=ROWS))
    assert score(told_by(3 - 2 * outcome, outcome, held_out)) == pytest.approx(1)


def test_a_curve_is_seen(random, held_out):
    values = random.normal(size=ROWS)
    assert score(told_by(values, np.abs(values), held_out)) > 0.9


def test_categories_of_a_number_are_scikit_learns_r2(random, held_out):
    codes = random.integers(0, 6, ROWS)
    outcome = codes + random.normal(size=ROWS)
    train = ~held_out
    mean = outcome[train].mean()
    inside = [train & (codes == code) for code in range(6)]
    means = np.array([(outcome[i].sum() + 10 * mean) / (i.sum() + 10) for i in inside])
    expected = r2_score(outcome[held_out], means[codes[held_out]])
    assert score(told_by(codes, outcome, held_out)) == pytest.approx(expected, abs=1e-12)


def test_a_number_that_never_differs_has_no_score(held_out):
    assert told_by(np.arange(ROWS, dtype=float), np.ones(ROWS), held_out) is None
