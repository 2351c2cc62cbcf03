"""Encoded columns are told back to the user's, or not at all; names are hostile."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from mergeline.model.encoded import sources

NAMES = ["a_b", "a", "a_b_1", "x0"]


def frame():
    random = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "a_b": random.standard_normal(300),
            "a": random.choice(["b_1", "b", "x_", ""], 300),
            "a_b_1": random.standard_normal(300),
            "x0": random.choice(["b_1", "rare"], 300, p=[0.98, 0.02]),
        },
    )
    data.loc[:9, "a_b"] = np.nan
    data.loc[10:19, "a"] = np.nan
    return data


def fitted(*steps, **options):
    return ColumnTransformer(list(steps), sparse_threshold=0.0, **options).fit(frame())


def check(prepare):
    """Change one column at a time: only its own encoded columns may move."""
    found = sources(prepare, NAMES)
    data = frame()
    before = np.nan_to_num(prepare.transform(data))
    assert len(found) == before.shape[1]
    for place, name in enumerate(NAMES):
        changed = data.assign(**{name: data[name].iloc[::-1].to_numpy()})
        moved = (np.nan_to_num(prepare.transform(changed)) != before).any(axis=0)
        assert set(np.flatnonzero(moved)) <= {
            i for i, source in enumerate(found) if source == place
        }
    return found


def test_scaled_numbers_and_one_hot_categories():
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    prepare = fitted(
        ("numbers", scaled, ["a_b_1", "a_b"]), ("categories", OneHotEncoder(), ["x0", "a"])
    )
    assert check(prepare) == [2, 0, 3, 3, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("encoder", "widths"),
    [
        (OneHotEncoder(drop="first", sparse_output=False), (4, 1)),
        (OneHotEncoder(drop="if_binary", sparse_output=False), (5, 1)),
        (OneHotEncoder(min_frequency=60, sparse_output=False), (5, 2)),
        (OneHotEncoder(max_categories=3, sparse_output=False), (3, 2)),
        (OrdinalEncoder(encoded_missing_value=-1), (1, 1)),
    ],
    ids=repr,
)
def test_every_width_of_a_category(encoder, widths):
    prepare = fitted(("categories", encoder, ["a", "x0"]))
    assert check(prepare) == [1] * widths[0] + [3] * widths[1]


def test_passed_through_and_dropped_columns():
    prepare = fitted(
        ("kept", "passthrough", ["a_b_1"]),
        ("same", FunctionTransformer(), [0]),
        ("gone", "drop", ["a", "x0"]),
    )
    assert check(prepare) == [2, 0]


@pytest.mark.parametrize(
    "transformer",
    [
        make_pipeline(SimpleImputer(), PCA()),
        FunctionTransformer(np.nan_to_num),
        SimpleImputer(add_indicator=True),
    ],
    ids=["pca", "function", "indicator"],
)
def test_columns_of_several_or_unknown_origin_are_not_told(transformer):
    assert sources(fitted(("numbers", transformer, ["a_b", "a_b_1"])), NAMES) is None


def test_an_imputer_that_loses_a_column_is_not_told():
    data = frame().assign(a_b=np.nan)
    prepare = ColumnTransformer([("numbers", SimpleImputer(), ["a_b", "a_b_1"])])
    with pytest.warns(UserWarning, match="without any observed values"):
        prepare.fit(data)
    assert sources(prepare, NAMES) is None
