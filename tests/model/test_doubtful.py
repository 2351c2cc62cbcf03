"""Columns that are text and were hardly meant so are refused, with the key that settles it."""

import numpy as np
import pandas as pd
import pytest

from mergeline.config.settings import Data
from mergeline.errors import ContractError
from mergeline.model.doubtful import beyond, refuse_doubtful

ROWS = 300


def frame(**columns):
    return pd.DataFrame({"y": ["no", "yes"] * (ROWS // 2), **columns})


def data(**given):
    return Data(source=given.pop("source", "a.csv"), target="y", positive="yes", **given)


def refused(table, **given):
    with pytest.raises(ContractError) as caught:
        refuse_doubtful(table, data(**given))
    return caught.value.message, caught.value.hint


def numbers(form="{:.2f}"):
    return [form.format(value) for value in np.random.default_rng(0).uniform(1000, 9999, ROWS)]


def some(values, other, every=10):
    return [other if place % every == 0 else value for place, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "marker"),
    [
        (some(["a", "b"] * (ROWS // 2), "?"), "?"),
        (some(map(str, range(ROWS)), "NA"), "NA"),
        (some(map(str, range(ROWS)), "-"), "-"),
    ],
)
def test_markers_are_asked_for(values, marker):
    message, hint = refused(frame(x=values))
    assert message.startswith(f"column 'x' of a.csv holds {marker!r} in 30 of 300 rows")
    assert f"data.missing: [{marker!r}]" in hint
    refuse_doubtful(frame(x=values), data(missing=()))  # they are values like others
    refuse_doubtful(frame(x=values), data(exclude=("x",)))


def test_a_group_that_is_a_marker_is_asked_for_though_the_model_does_not_see_it():
    table = frame(sex=some(["f", "m"] * (ROWS // 2), "?"))
    message, _ = refused(table, sensitive=("sex",), exclude=("sex",))
    assert "'sex'" in message


def test_a_category_of_that_name_is_none():
    refuse_doubtful(frame(town=some(["Oslo", "Bergen"] * (ROWS // 2), "NA")), data())


def percent(value):
    return f"{value}%"


@pytest.mark.parametrize(
    ("values", "written", "key"),
    [
        ([text.replace(".", ",") for text in numbers()], "decimal comma", "data.decimal: ','"),
        (
            [text.translate(str.maketrans(",.", ".,")) for text in numbers("{:,.2f}")],
            "as in 1.234,5",
            "data.decimal: ',' and data.thousands: '.'",
        ),
        (numbers("{:,.2f}"), "as in 1,234.5", "data.thousands: ','"),
        (numbers("{:,.0f}"), "as in 1,234", "data.thousands: ','"),
        ([text.replace(",", "'") for text in numbers("{:,.2f}")], "1'234.5", 'data.thousands: "'),
        ([text.replace(",", " ") for text in numbers("{:,.2f}")], "1 234.5", "data.thousands: ' '"),
        (numbers("{:.1f}%"), "percent", "plain numbers"),
        (numbers("${:.2f}"), "currency", "plain numbers"),
        (numbers("{:.2f} €"), "currency", "plain numbers"),
    ],
)
def test_numbers_in_another_writing_are_named(values, written, key):
    message, hint = refused(frame(x=values))
    assert written in message
    assert key in hint
    message, hint = refused(frame(x=values), source="a.parquet")
    assert "plain numbers" in hint
    refuse_doubtful(frame(x=values), data(exclude=("x",)))


def test_a_decimal_point_beside_decimal_commas_is_named():
    message, hint = refused(frame(x=numbers()), decimal=",")
    assert "written with a point, and data.decimal is ','" in message
    assert "data.thousands: '.'" in hint
    refuse_doubtful(frame(x=[str(number) for number in range(ROWS)]), data(decimal=","))


def test_one_other_text_among_measures_is_named_by_its_rows_not_by_itself():
    message, hint = refused(frame(x=["secret", *numbers()[1:]]))
    assert "in 1 of 300 rows" in message
    assert "secret" not in message + hint
    assert "data.missing" in hint


@pytest.mark.parametrize(
    "values",
    [
        some(map(str, range(ROWS)), "K1A", every=100),  # codes
        some(numbers(), "V45", every=5),  # codes with a point, a fifth with letters
        ["10%", "20%", "30%"] * (ROWS // 3),  # few values are good categories
        [f"C{number}" for number in range(ROWS)],
        [str(10**30 + number) for number in range(ROWS)],
        [f"2024-01-{number % 28 + 1:02}T{number % 24:02}:00" for number in range(ROWS)],
        [f"{number % 12}:{number % 60:02}" for number in range(ROWS)],
        [f"some words, {number}" for number in range(ROWS)],
        list(range(ROWS)),
        [None] * ROWS,
    ],
)
def test_what_is_text_or_a_number_passes(values):
    refuse_doubtful(frame(x=values), data())


def test_what_is_beyond_is_counted():
    table = pd.DataFrame({"a": [1.0, np.inf, -1e40, np.nan], "b": [1, 2, 3, 4], "c": list("xyzw")})
    assert beyond(table, 1e30) == {"a": 2}
