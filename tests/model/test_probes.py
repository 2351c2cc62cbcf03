"""probes: drawn by the seed, column by column, from rows that they are none of."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from mergeline.core.evidence import Feature
from mergeline.model.probes import PROBES, make_probes
from mergeline.model.score import Scorer


def scorer(frame):
    features = tuple(
        Feature(name=name, kind="category" if frame[name].dtype == object else "number")
        for name in frame.columns
    )
    constant = DummyClassifier(strategy="prior").fit([[0]] * 4, [0, 0, 0, 1])
    return Scorer("binary", constant, features, ("no", "yes"), "yes")


def drawn(frame, seed=0):
    return make_probes(frame, scorer(frame), seed=seed)


@pytest.fixture(scope="module")
def frame():
    """Every row is somebody's alone: the two columns say the same."""
    names = [f"n{number}" for number in range(50)]
    return pd.DataFrame({"number": np.arange(50.0), "name": pd.Series(names, dtype=object)})


def test_a_row_of_the_data_is_left_out(frame):
    for seed in range(5):
        probes = drawn(frame, seed)
        assert len(probes.rows) == PROBES
        assert all(f"n{number:.0f}" != name for number, name in probes.rows)
        assert set(probes.scores) == {(0.25,)}


def test_the_seed_decides_and_nothing_else(frame):
    assert drawn(frame, 3) == drawn(frame.copy(), 3)
    assert drawn(frame, 3) != drawn(frame, 4)


def test_columns_are_drawn_apart_from_each_other(frame):
    same = pd.DataFrame({"one": frame["number"], "two": frame["number"]})
    probes = drawn(same)
    assert all(one != two for one, two in probes.rows)
    assert {one for one, _ in probes.rows} != {two for _, two in probes.rows}


def test_few_values_leave_no_other_rows():
    """Two columns of two values: whatever is drawn, many rows are like it."""
    few = pd.DataFrame({"a": [0.0, 0.0, 1.0, 1.0] * 9, "b": [0.0, 1.0, 0.0, 1.0] * 9})
    assert len(drawn(few).rows) == PROBES


def test_a_column_without_a_finite_value_is_missing():
    empty = pd.DataFrame({"a": [np.inf, -np.inf, np.nan], "b": [1.0, 2.0, 3.0]})
    assert {row[0] for row in drawn(empty.iloc[:2]).rows} == {None}
    assert {row[0] for row in drawn(empty).rows} == {None}
