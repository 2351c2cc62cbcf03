"""The profile's numbers are pandas' own, and name no single row."""

import datetime

import numpy as np
import pandas as pd
import pytest

from mergeline.stages.profile import profile_columns
from projects import make_frame


def profile(frame):
    return {found.name: found for found in profile_columns(frame)}


@pytest.fixture(scope="module")
def frame():
    return make_frame(500)


def test_every_column_is_there_in_order(frame):
    found = profile_columns(frame)
    assert [column.name for column in found] == list(frame.columns)
    kinds = ["text", "datetime", "integer", "number", "category", "category", "category"]
    assert [column.kind for column in found] == [*kinds, "number", "boolean", "category"]


def test_missing_and_distinct_are_pandas(frame):
    for name, found in profile(frame).items():
        assert found.missing == frame[name].isna().sum()
        assert found.distinct == frame[name].nunique()


@pytest.mark.parametrize("name", ["age", "income", "visits"])
def test_numbers_are_pandas(frame, name):
    column, summary = frame[name], profile(frame)[name].summary
    assert set(summary) == {"min", "mean", "median", "max", "std"}
    for key in ("min", "mean", "median", "max"):
        assert summary[key] == pytest.approx(getattr(column, key)(), rel=1e-12)
    assert summary["std"] == pytest.approx(column.std(ddof=0), rel=1e-12)


def test_dates_have_ends(frame):
    assert profile(frame)["joined"].summary == {
        "min": frame["joined"].min().isoformat(),
        "max": frame["joined"].max().isoformat(),
    }


def test_categories_are_counted_largest_first(frame):
    counts = frame["town"].value_counts()
    assert dict(profile(frame)["town"].top) == counts.to_dict()
    numbers = [count for _, count in profile(frame)["town"].top]
    assert numbers == sorted(numbers, reverse=True)
    assert dict(profile(frame)["member"].top) == {
        "true": int(frame["member"].sum()),
        "false": int((~frame["member"]).sum()),
    }


def test_ties_are_in_order_of_the_text():
    column = pd.Series(["b", "a", "c"] * 12)
    assert profile(pd.DataFrame({"x": column}))["x"].top == (("a", 12), ("b", 12), ("c", 12))


def test_rare_and_single_values_are_not_named():
    words = ["often"] * 30 + ["rare"] * 9 + ["ten"] * 10
    frame = pd.DataFrame({"word": words, "name": [f"Jane {number}" for number in range(49)]})
    found = profile(frame)
    assert found["word"].top == (("often", 30), ("ten", 10))
    assert (found["name"].kind, found["name"].top, found["name"].summary) == ("text", (), {})
    assert "Jane" not in str(found)


def test_at_most_ten_categories_are_named():
    frame = pd.DataFrame({"word": [f"w{number % 15}" for number in range(600)]})
    assert len(profile(frame)["word"].top) == 10


def test_what_is_no_number_is_none():
    frame = pd.DataFrame(
        {
            "endless": [1.0, np.inf, 2.0],
            "nothing": [np.nan] * 3,
            "never": pd.to_datetime([None] * 3),
            "mixed": pd.Series([True, None, False], dtype=object),
        }
    )
    found = profile(frame)
    assert found["endless"].summary["max"] is None
    assert found["endless"].summary["min"] == 1.0
    assert found["nothing"].summary == found["never"].summary == {}
    assert (found["nothing"].missing, found["nothing"].distinct) == (3, 0)
    assert found["mixed"].kind == "category"


def test_one_row_is_enough():
    frame = pd.DataFrame({"n": [3], "d": [pd.Timestamp(datetime.date(2024, 1, 2))]})
    assert profile(frame)["n"].summary == dict.fromkeys(("min", "mean", "median", "max"), 3.0) | {
        "std": 0.0
    }
