"""What columns, cells and classes are taken for when a project begins."""

import numpy as np
import pandas as pd
import pytest

from mergeline.project.classes import guess_positive, guess_threshold, missing_markers
from mergeline.project.guess import Roles, guess_roles, judgeable, words
from projects import make_frame

NO_ROLES = Roles(None, None, None, (), {}, {}, ())


def column(*values: object) -> pd.Series:
    return pd.DataFrame({"target": list(values)})["target"]


def roles(**columns: object) -> Roles:
    return guess_roles(pd.DataFrame({**columns, "target": 0}), "target")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CustomerId", ("customer", "id")),
        ("customer_id", ("customer", "id")),
        ("Age at enrollment", ("age", "at", "enrollment")),
        ("Âge-du client", ("âge", "du", "client")),
        ("---", ()),
    ],
)
def test_the_words_of_a_name(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


# --- classes and cells -------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0, 1, 1), 1),
        ((1.0, 0.0), 1),
        ((-1, 1), 1),
        ((False, True, True), True),
        (("no", "yes", "yes"), "yes"),
        (("n", "y", "y"), "y"),
        (("f", "m", "m"), "f"),
        (("Churned", "Not churned"), "Churned"),
        (("<=50K", "<=50K", ">50K"), ">50K"),
        ((1, 1, 2), 2),
        (("good", "bad", "good"), "bad"),
    ],
)
def test_the_positive_class(values: tuple[object, ...], expected: object) -> None:
    found = guess_positive(column(*values))
    assert (found.value, type(found.value)) == (expected, type(expected))
    assert found.why


def test_why_a_class_is_the_positive_one() -> None:
    assert guess_positive(column("a", "b", "b")).why == 'rarer than "b"'
    assert guess_positive(column(0, 1)).why == 'the other class is "0"'


def test_the_threshold_is_the_share_of_rare_positives() -> None:
    assert guess_threshold(column(*[1] * 2, *[0] * 8), 1) == 0.2
    assert guess_threshold(column(*[1] * 4, *[0] * 6), 1) == 0.5
    assert guess_threshold(column(*[1], *[0] * 999), 1) == 0.01


def test_texts_that_mean_no_value() -> None:
    frame = pd.DataFrame(
        {
            "amount": ["1.5", "NA", "2"],
            "job": ["cook", "?", "cook"],
            "town": ["NA", "Oslo", "-"],  # a town, and a dash that may mean something
            "target": [0, 1, 1],
        }
    )
    assert missing_markers(frame, "target") == ("?", "NA")
    assert missing_markers(frame.assign(target=["?", "b", "b"]), "target") == ("NA",)
    assert missing_markers(make_frame(50), "left") == ()


# --- roles ---------------------------------------------------------------------------


def test_a_table_of_customers() -> None:
    found = guess_roles(make_frame(300), "left")
    assert found.id == "customer"
    assert found.time == "joined"
    assert found.sensitive == ("age", "sex")
    assert found.bins == {"age": (18, 30, 45, 60, 120)}
    assert found.exclude == {"joined": "a time"}
    assert found.notes == ()


def test_an_id_is_unique_and_named_like_one() -> None:
    numbers = list(range(30))
    assert roles(order_id=numbers, id=numbers).id == "id"
    assert roles(paid=numbers, grid=numbers).id is None
    assert roles(id=[*numbers[1:], 1]).id is None
    assert roles(id=[*map(float, numbers)]).id is None
    assert roles(id=[*map(str, numbers[1:]), None]).id is None


def test_a_person_who_comes_more_than_once_is_a_group() -> None:
    twice = [number // 2 for number in range(40)]
    found = roles(visit_id=range(40), patient_id=twice)
    assert (found.id, found.group) == ("visit_id", "patient_id")
    assert roles(store_id=twice).group is None
    assert roles(account=np.array(twice) / 3).group is None


def test_what_the_model_does_not_read() -> None:
    found = roles(
        **{
            "Unnamed: 0": range(40),
            "note": [f"note {number}" for number in range(40)],
            "on": ["2026-01-31"] * 40,
            "amount": range(40),
        }
    )
    assert list(found.exclude) == ["on", "Unnamed: 0", "note"]
    assert roles(note=[f"note {number}" for number in range(40)]).exclude == {}


def test_what_sounds_sensitive() -> None:
    plain = ["a", "b"] * 20
    names = ("Sex", "Gender_Code", "marital status", "native-country", "Nationality", "disabled")
    assert roles(**dict.fromkeys(names, plain)).sensitive == names
    others = ("wage", "language", "car_age", "orientation", "country", "grace")
    assert roles(**dict.fromkeys(others, plain)).sensitive == ()


@pytest.mark.parametrize(
    ("name", "values", "edges"),
    [
        ("age", range(17, 70), (0, 18, 30, 45, 60, 120)),
        ("age", range(20, 70), (18, 30, 45, 60, 120)),
        ("age", range(12), (0, 3, 6, 8, 12)),
        ("birth_year", range(1950, 1991), (1950, 1960, 1970, 1980, 1991)),
    ],
)
def test_bins_of_numbers(name: str, values: range, edges: tuple[float, ...]) -> None:
    found = roles(**{name: list(values)})
    assert found.sensitive == (name,)
    assert found.bins == {name: edges}


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("nationality", range(60), "codes"),
        ("ethnicity", [f"e{number}" for number in range(60)], "too many"),
        ("sex & age", ["a"] * 60, "rename"),
        ("age", [*range(59), float("inf")], "codes"),
    ],
)
def test_what_cannot_be_grouped_is_said(name: str, values: object, why: str) -> None:
    found = roles(**{name: values})
    assert found.sensitive == ()
    assert why in found.notes[0]


def test_a_day_of_birth_is_no_time_to_split_by() -> None:
    found = roles(birth_date=["1990-05-17"] * 30)
    assert found.time is None
    assert "birth_date" in found.notes[0]


# --- groups that can be judged ---------------------------------------------------------


def held_out(sizes: dict[str, int]) -> tuple[pd.DataFrame, np.ndarray]:
    groups = [name for name, size in sizes.items() for _ in range(size)]
    return pd.DataFrame({"sex": groups}), np.arange(len(groups)) % 2 == 0


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"a": 60, "b": 50}, (50, ("sex",))),
        ({"a": 60, "b": 31}, (30, ("sex",))),
        ({"a": 60, "b": 20, "c": 2}, (20, ("sex",))),
        ({"a": 60, "b": 19}, (50, ())),
    ],
)
def test_groups_are_large_enough(sizes: dict[str, int], expected: object) -> None:
    frame, positive = held_out(sizes)
    found = Roles(**{**vars(NO_ROLES), "sensitive": ("sex",)})
    assert judgeable(frame, positive, found) == expected


def test_a_group_with_one_outcome_has_no_rates() -> None:
    frame, _ = held_out({"a": 60, "b": 60})
    found = Roles(**{**vars(NO_ROLES), "sensitive": ("sex",)})
    assert judgeable(frame, (frame["sex"] == "a").to_numpy(), found) == (50, ())
