"""What a column means to a model, and which rows are positive."""

import numpy as np
import pandas as pd
import pytest

from mergeline.config.settings import Data
from mergeline.core import layout
from mergeline.core.evidence import Feature
from mergeline.errors import ContractError
from mergeline.model.table import (
    column_kind,
    feature_columns,
    is_positive,
    label_text,
    label_texts,
    listed,
    require_columns,
    table_bytes,
    write_table,
)
from projects import make_frame

DATA = Data(source="t.csv", target="left", positive="yes", id="customer", exclude=("joined",))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        ("1", "1"),
        ("1.0", "1"),
        (True, "true"),
        ("True", "True"),
        (" yes", "yes"),
        (">50K", ">50K"),
        (0.5, "0.5"),
        (-1, "-1"),
        ("nan", "nan"),
        ("1e400", "1e400"),
        (12345678901234567890, "12345678901234567890"),
    ],
)
def test_a_class_has_one_text(value, text):
    assert label_text(value) == text


@pytest.mark.parametrize(
    ("column", "positive"),
    [
        (pd.Series([1, 0, 1]), 1),
        (pd.Series([1.0, 0.0, 1.0]), 1),
        (pd.Series([True, False, True]), True),
        (pd.Series(["1", "0", "1"]), 1),
        (pd.Series([1, 0, 1]), "1"),
        (pd.Series(["yes", "no", "yes"]), "yes"),
        (pd.Series([True, False, True], dtype=object), True),
    ],
)
def test_positive_rows_are_found_whatever_the_types(column, positive):
    found = is_positive(column, positive)
    assert found.dtype == bool
    assert found.tolist() == [True, False, True]


def test_a_missing_label_is_a_class_of_its_own():
    assert label_texts(pd.Series(["a", None, "a"])).tolist() == ["a", "", "a"]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.Series([1, 2]), "integer"),
        (pd.Series([1.5, None]), "number"),
        (pd.Series([True, False]), "boolean"),
        (pd.Series([True, None], dtype=object), "category"),
        (pd.Series(pd.to_datetime(["2024-01-01"])), "datetime"),
        (pd.Series(pd.to_datetime(["2024-01-01"])).dt.tz_localize("UTC"), "datetime"),
        (pd.Series(["a", "b"] * 20), "category"),
        (pd.Series([f"name {number}" for number in range(21)]), "text"),
        (pd.Series([f"name {number}" for number in range(20)]), "category"),
        (pd.Series([f"name {number % 100}" for number in range(200)]), "category"),
        (pd.Series([f"name {number % 101}" for number in range(200)]), "text"),
    ],
)
def test_kinds(column, kind):
    assert column_kind(column) == kind


def test_features_are_what_is_left_in_the_tables_order():
    frame = make_frame(100).assign(**{layout.KEY: "k", "nothing": np.nan})
    assert feature_columns(frame, DATA) == (
        Feature(name="age", kind="number"),
        Feature(name="income", kind="number"),
        Feature(name="sex", kind="category"),
        Feature(name="plan", kind="category"),
        Feature(name="town", kind="category"),
        Feature(name="visits", kind="number"),
        Feature(name="member", kind="boolean"),
    )


def test_group_and_time_are_no_features():
    data = Data(source="t.csv", target="left", positive=1, group="customer", time="joined")
    names = {feature.name for feature in feature_columns(make_frame(100), data)}
    assert not names & {"customer", "joined", "left"}


def test_an_absent_column_is_refused_with_the_closest_one():
    with pytest.raises(ContractError) as caught:
        require_columns(make_frame(20), {"incme": "evaluate.slices"}, "t.csv")
    assert caught.value.message == (
        "evaluate.slices names the column 'incme', which t.csv does not have; "
        "did you mean 'income'?"
    )
    assert "customer, joined" in caught.value.hint


def test_the_key_is_not_the_users_column():
    frame = make_frame(20).assign(**{layout.KEY: "k"})
    with pytest.raises(ContractError):
        require_columns(frame, {layout.KEY: "data.target"}, "t.csv")


def test_long_lists_are_cut():
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(number) for number in range(35)]).endswith("28, 29 and 5 more")


def test_a_table_round_trips_exactly_and_has_stable_bytes(tmp_path):
    frame = make_frame(300).assign(flag=[True, None, False] * 100)
    write_table(frame, tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), frame)
    assert table_bytes(frame) == table_bytes(make_frame(300).assign(flag=frame["flag"]))
