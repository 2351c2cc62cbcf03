"""One cast for training, evaluation and serving."""

import json

import numpy as np
import pandas as pd
import pytest

from mergeline.core.evidence import Feature
from mergeline.core.labels import category_text
from mergeline.errors import ContractError
from mergeline.model.cast import cast_features

NUMBER = Feature(name="x", kind="number")
TRUTH = Feature(name="x", kind="boolean")
CATEGORY = Feature(name="x", kind="category")
NAN = float("nan")


def cast(values, feature, **how):
    return cast_features(pd.DataFrame({"x": pd.Series(values, **how)}), [feature])["x"]


@pytest.mark.parametrize(
    ("values", "feature", "expected"),
    [
        ([1, 2], NUMBER, [1.0, 2.0]),
        ([1, None], NUMBER, [1.0, NAN]),
        ([None, None], NUMBER, [NAN, NAN]),
        (["1.5", "2"], NUMBER, [1.5, 2.0]),
        ([True, False], TRUTH, [1.0, 0.0]),
        ([True, None], TRUTH, [1.0, NAN]),
        ([1, 0], TRUTH, [1.0, 0.0]),
        (pd.to_datetime(["1970-01-02", None]), NUMBER, [1.0, NAN]),
        (pd.to_datetime(["1970-01-02T12:00"]).tz_localize("UTC"), NUMBER, [1.5]),
        (pd.array([1, None], dtype="Int64"), NUMBER, [1.0, NAN]),
        (pd.array([True, None], dtype="boolean"), TRUTH, [1.0, NAN]),
    ],
)
def test_numbers_become_doubles(values, feature, expected):
    found = cast(values, feature)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("values", [[None, 1.0], [True, None, False]])
def test_numbers_in_an_object_column_become_doubles(values):
    found = cast(values, NUMBER, dtype=object)
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", None, "a"], ["a", NAN, "a"]),
        ([None, None], [NAN, NAN]),
        ([1, 2, 1], ["1", "2", "1"]),
        ([1.0, None, 2.5], ["1", NAN, "2.5"]),
        ([True, False], ["true", "false"]),
        ([True, None], ["true", NAN]),
        (pd.Categorical(["b", None]), ["b", NAN]),
        (pd.array(["b", None], dtype="string"), ["b", NAN]),
    ],
)
def test_categories_become_text_or_nan(values, expected):
    found = cast(values, CATEGORY)
    assert found.dtype == object
    assert found.tolist() == [pytest.approx(NAN, nan_ok=True) if e is NAN else e for e in expected]


def test_columns_are_selected_and_put_in_order():
    frame = pd.DataFrame({"b": [1], "c": ["x"], "a": [2]}, index=[7])
    features = [Feature(name="a", kind="number"), Feature(name="c", kind="category")]
    found = cast_features(frame, features)
    assert list(found.columns) == ["a", "c"]
    assert list(found.index) == [7]


def test_the_frame_is_not_changed():
    frame = pd.DataFrame({"x": [1, 2]})
    cast_features(frame, [CATEGORY])
    assert frame["x"].dtype == np.int64


def test_what_json_carries_is_cast_to_the_same_values():
    frame = pd.DataFrame({"n": [0.1, NAN, 1e-300], "c": ["a", None, "1"], "t": [True, False, True]})
    features = [
        Feature(name="n", kind="number"),
        Feature(name="c", kind="category"),
        Feature(name="t", kind="boolean"),
    ]
    straight = cast_features(frame, features)
    records = straight.astype(object).where(straight.notna(), None).to_dict("records")
    through = cast_features(pd.DataFrame(json.loads(json.dumps(records))), features)
    pd.testing.assert_frame_equal(straight, through)


def test_absent_columns_are_refused_by_name():
    with pytest.raises(ContractError, match=r"'x'"):
        cast_features(pd.DataFrame({"y": [1]}), [NUMBER])


def test_text_for_a_number_is_refused():
    with pytest.raises(ContractError, match="'x' is a number to the model") as caught:
        cast(["1", "many"], NUMBER)
    assert "send numbers" in caught.value.hint


def test_no_rows_are_no_trouble():
    assert len(cast([], NUMBER)) == len(cast([], CATEGORY)) == 0


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "true")]
)
def test_category_texts(value, text):
    assert category_text(value) == text
