"""Groups: names of bins, missing values, intersections."""

import numpy as np
import pandas as pd
import pytest

from mergeline.errors import ContractError
from mergeline.stats.groups import column_sets, group_labels, name_of, sensitive_groups


def test_column_sets():
    assert column_sets([]) == ()
    assert column_sets(["a", "b"]) == (("a",), ("b",), ("a", "b"))
    assert column_sets(["a", "b", "c"])[-2:] == (("b", "c"), ("a", "b", "c"))
    assert len(column_sets(["a", "b", "c", "d"])) == 4 + 6
    assert name_of(("a", "b")) == "a & b"


def test_given_edges_are_half_open_and_nothing_falls_out():
    ages = pd.Series([17, 18, 29, 30, 44, 45, None])
    assert list(group_labels(ages, [18, 30, 45])) == [
        "below 18",
        "[18, 30)",
        "[18, 30)",
        "[30, 45)",
        "[30, 45)",
        "45 and over",
        "(missing)",
    ]


def test_many_numbers_are_cut_at_quartiles():
    labels = group_labels(pd.Series([*range(101), None]))
    names, counts = np.unique(labels, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "(missing)": 1,
        "[0, 25)": 25,
        "[25, 50)": 25,
        "[50, 75)": 25,
        "[75, 100]": 26,
    }


def test_infinities_are_of_the_outer_groups():
    labels = group_labels(pd.Series([-np.inf, *range(101), np.inf, np.inf, None]))
    names, counts = np.unique(labels, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "(missing)": 1,
        "[0, 25)": 26,
        "[25, 50)": 25,
        "[50, 75)": 25,
        "[75, 100]": 28,
    }


@pytest.mark.parametrize("values", [["secret", "b"], pd.to_datetime(["2020-01-01"]), [True, False]])
def test_edges_of_a_column_without_numbers_are_refused(values):
    with pytest.raises(ContractError, match=r"fairness\.bins.*'age'") as caught:
        group_labels(pd.Series(values, name="age"), [18, 30])
    assert "secret" not in f"{caught.value} {caught.value.hint}"
    assert "2020" not in f"{caught.value} {caught.value.hint}"


def test_quartiles_that_coincide_are_one_edge():
    labels = group_labels(pd.Series([0] * 90 + list(range(1, 13))))
    assert set(labels) == {"[0, 12]"}


def test_dates_are_cut_at_quartiles():
    labels = group_labels(pd.Series(pd.date_range("2020-01-01", periods=41)))
    assert labels[0] == "[2020-01-01, 2020-01-11)"
    assert labels[-1] == "[2020-01-31, 2020-02-10]"


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_missing_date_is_a_group(zone):
    dates = pd.Series([*pd.date_range("2020-01-01", periods=41, tz=zone), pd.NaT])
    labels = group_labels(dates)
    assert list(labels[[0, -1]]) == ["[2020-01-01, 2020-01-11)", "(missing)"]
    assert len(set(labels)) == 5


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (pd.Series(["m", "f", None]), ["m", "f", "(missing)"]),
        (pd.Series([1.0, 0.0, None]), ["1", "0", "(missing)"]),
        (pd.Series([True, False]), ["true", "false"]),
        (pd.Series(["<b>", "a | b", ""]), ["<b>", "a | b", ""]),
    ],
)
def test_categories_keep_their_names(column, names):
    assert list(group_labels(column)) == names


def test_intersections_join_names():
    frame = pd.DataFrame({"sex": ["f", "m", None], "age": [20, 40, 20]})
    found = dict(sensitive_groups(frame, ["sex", "age"], {"age": (18, 30, 45)}))
    assert list(found) == ["sex", "age", "sex & age"]
    assert list(found["sex & age"]) == ["f & [18, 30)", "m & [30, 45)", "(missing) & [18, 30)"]


def test_combinations_that_would_share_a_name_stay_apart():
    frame = pd.DataFrame(
        {
            "p": ["a & b", "a", "a", "a & b", '"a"', "x"],
            "q": ["c", "b & c", "b & c", "c", '"b & c"', "y"],
        }
    )
    labels = dict(sensitive_groups(frame, ["p", "q"], {}))["p & q"]
    assert list(labels) == [
        '"a & b" & "c"',
        '"a" & "b & c" (2)',
        '"a" & "b & c" (2)',
        '"a & b" & "c"',
        '"a" & "b & c"',
        "x & y",
    ]
