"""The rule for the cost of scoring: it counts, it does not measure."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mergeline.model.work import seconds_a_row

ROWS = np.random.default_rng(0).standard_normal((2000, 10))
TARGET = (ROWS[:, 0] > 0).astype(int)


def cost(estimator):
    return seconds_a_row(make_pipeline(StandardScaler(), estimator).fit(ROWS, TARGET))


def test_trees_cost_by_number_not_by_size():
    few, many = (
        cost(RandomForestClassifier(20, max_depth=depth, random_state=0)) for depth in (2, None)
    )
    assert few == many == pytest.approx(20e-6, rel=0.1)
    assert cost(RandomForestClassifier(40)) == pytest.approx(2 * few, rel=0.05)


def test_neighbours_cost_by_what_they_keep():
    assert cost(KNeighborsClassifier()) == pytest.approx(2000 * 11 * 5e-9, rel=0.2)
    assert cost(LogisticRegression()) < 1e-6


def test_parts_of_a_vote_add_up():
    parts = {"a": RandomForestClassifier(20), "b": KNeighborsClassifier()}
    vote = cost(VotingClassifier(list(parts.items()), voting="soft"))
    assert vote == pytest.approx(sum(map(cost, parts.values())), rel=0.2)


def test_what_scoring_does_not_read_is_free():
    cost_by_solver = {
        solver: cost(MLPClassifier((50,), solver=solver, max_iter=400, tol=0.01))
        for solver in ("adam", "sgd", "lbfgs")
    }
    assert max(cost_by_solver.values()) < 2.5 * min(cost_by_solver.values())
    assert cost_by_solver["adam"] == cost_by_solver["sgd"]


def test_it_is_the_same_every_time():
    fitted = make_pipeline(StandardScaler(), RandomForestClassifier(5)).fit(ROWS, TARGET)
    assert seconds_a_row(fitted) == seconds_a_row(fitted) > 0
