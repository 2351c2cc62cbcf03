"""Leaks: what is noticed of a table, and what is not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mergeline.config.settings import Data, SplitSettings
from mergeline.core.evidence import Leak
from mergeline.model.columns import plain_columns
from mergeline.stages import leaks as module
from mergeline.stages.leaks import find_leaks
from mergeline.stages.profile import profile_columns
from mergeline.stages.split import split_rows
from projects import make_frame

CUSTOMERS: dict[str, Any] = {"source": "a.csv", "target": "left", "positive": "yes"}


def found(frame: pd.DataFrame, **data: Any) -> tuple[dict[str, float | None], list[Leak]]:
    settings = Data(**{**CUSTOMERS, **data})
    keyed, held_out, _ = split_rows(
        plain_columns(frame, "a.csv"), settings, SplitSettings(test=0.3)
    )
    columns, leaks = find_leaks(keyed, held_out, settings, profile_columns(frame))
    return {column.name: column.alone for column in columns}, list(leaks)


def signs(leaks: list[Leak]) -> dict[str, str]:
    return {leak.column: leak.sign for leak in leaks}


def left(frame: pd.DataFrame) -> "np.ndarray[Any, Any]":
    return (frame["left"] == "yes").to_numpy()


def test_a_table_without_leaks_has_scores_and_no_signs() -> None:
    scores, leaks = found(make_frame(), id="customer", exclude=("sex", "joined"))
    assert leaks == []
    assert scores["left"] is None
    assert 0.3 < (scores["age"] or 0) < 0.8
    assert (scores["income"] or 0) < 0.2
    assert list(scores) == list(make_frame().columns)


def test_a_column_that_alone_tells_too_much_is_named() -> None:
    frame = make_frame()
    frame["balance_due"] = left(frame) + np.random.default_rng(1).normal(0, 0.2, len(frame))
    _, leaks = found(frame, id="customer")
    (leak,) = leaks
    assert (leak.column, leak.sign, leak.feature) == ("balance_due", "alone", True)
    assert leak.score is not None
    assert leak.score > 0.98
    assert leak.reason == f"Alone it tells the outcome with a score of {leak.score:.3f}."


def test_what_the_model_does_not_read_comes_last_and_is_marked() -> None:
    frame = make_frame()
    noise = np.random.default_rng(1).normal(0, 1, (2, len(frame)))
    frame["all"], frame["much"] = left(frame), left(frame) + noise[0] * 0.3
    _, leaks = found(frame, id="customer", exclude=("all",))
    assert [(leak.column, leak.feature) for leak in leaks] == [("much", True), ("all", False)]


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("ExitReason", "name"),
        ("loan paid-back", "name"),
        ("status_after_review", "name"),
        ("decision", "name"),
        ("precision", None),
        ("paid", None),
        ("after_status", None),
    ],
)
def test_a_name_of_afterwards_counts_where_the_column_tells_something(
    name: str, sign: str | None
) -> None:
    frame = make_frame()
    random = np.random.default_rng(2).random(len(frame))
    frame[name] = np.where(random < 0.5, left(frame), random < 0.75)
    _, leaks = found(frame, id="customer")
    assert signs(leaks).get(name) == sign
    frame[name] = random < 0.5
    _, leaks = found(frame, id="customer")
    assert leaks == []


# --- ids ---------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda n: n, lambda n: [f"C{i:06d}" for i in n]])
@pytest.mark.parametrize("role", [{"id": "customer"}, {}])
def test_an_id_by_which_the_table_is_sorted_by_outcome(make: Any, role: dict[str, str]) -> None:
    frame = make_frame().drop(columns=["joined"]).sort_values("left", ignore_index=True)
    frame["customer"] = make(np.arange(len(frame)))
    _, leaks = found(frame, **role)
    assert signs(leaks) == {"customer": "id"}
    assert leaks[0].feature is (not role)
    shuffled = frame.assign(customer=frame["customer"].sample(frac=1, random_state=1).to_numpy())
    assert found(shuffled, **role)[1] == []


def test_a_number_that_happens_to_be_unique_is_no_id() -> None:
    frame = make_frame()
    frame["ratio"] = left(frame) + np.random.default_rng(1).normal(0, 1, len(frame))
    assert frame["ratio"].is_unique
    assert found(frame, id="customer")[1] == []


# --- dates -------------------------------------------------------------------------


@pytest.mark.parametrize("as_text", [True, False])
def test_dates_after_the_time_of_their_row(as_text: bool) -> None:
    frame = make_frame().assign(
        opened=lambda f: f["joined"] - pd.Timedelta(days=3),
        billed=lambda f: f["joined"] + pd.Timedelta(days=30),
    )
    frame.loc[:100, "billed"] = pd.NaT
    if as_text:
        frame["billed"] = frame["billed"].dt.strftime("%Y-%m-%d")
    _, leaks = found(frame, id="customer", time="joined")
    assert signs(leaks) == {"billed": "time"}
    assert leaks[0].reason.startswith("100 % of its dates lie after joined; alone it tells ")
    assert found(frame, id="customer")[1] == []


def test_a_date_that_only_one_outcome_has() -> None:
    frame = make_frame()
    frame["billed"] = frame["joined"].where(left(frame))
    _, leaks = found(frame, id="customer")
    assert signs(leaks) == {"billed": "time"}
    assert leaks[0].reason.startswith("It has a date for one outcome and none for another")


def test_text_with_numbers_is_no_date() -> None:
    frame = make_frame()
    frame["code"] = np.where(left(frame), "2024", "1999")
    assert signs(found(frame, id="customer")[1]) == {"code": "alone"}


# --- other tasks -------------------------------------------------------------------


def test_one_class_of_several_is_named() -> None:
    frame = make_frame()
    frame["left"] = np.where(left(frame), "gone", np.where(frame["age"] % 2 == 0, "here", "away"))
    frame["even"] = frame["left"] == "here"
    _, leaks = found(frame, id="customer", task="multiclass", positive=None)
    assert [leak.column for leak in leaks] == ["even"]
    assert leaks[0].reason == "Alone it tells the class here with a score of 1.000."


def test_of_a_number_the_score_is_of_its_variance() -> None:
    frame = make_frame().rename(columns={"income": "was"})
    frame["left"] = frame["was"].fillna(1.0)
    scores, leaks = found(frame, id="customer", task="regression", positive=None)
    assert signs(leaks) == {"was": "alone"}
    assert (scores["age"] or 0) < 0.05


# --- what a table may hold ---------------------------------------------------------


def test_strange_columns_have_a_score_too() -> None:
    frame = make_frame()
    frame["none"], frame["one"] = np.nan, 3
    frame["endless"] = np.where(left(frame), np.inf, -np.inf)
    frame["huge"] = np.where(left(frame), 2**62, -(2**62))
    frame["some"] = pd.Series(np.where(left(frame), True, None), dtype=object)
    scores, leaks = found(frame, id="customer")
    assert scores["none"] == scores["one"] == 0
    assert signs(leaks) == dict.fromkeys(("endless", "huge", "some"), "alone")


def test_few_held_out_rows_of_a_class_give_no_score() -> None:
    scores, leaks = found(make_frame(40), id="customer")
    assert set(scores.values()) == {None}
    assert leaks == []


def test_of_many_rows_some_are_drawn_by_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = make_frame(6000)
    frame["late"] = left(frame) + np.random.default_rng(1).normal(0, 0.2, len(frame))
    whole, _ = found(frame, id="customer")
    monkeypatch.setattr(module, "_MOST_ROWS", 2000)
    scores, leaks = found(frame, id="customer")
    assert signs(leaks) == {"late": "alone"}
    assert scores["age"] != whole["age"]
    assert scores["age"] == pytest.approx(whole["age"], abs=0.1)
    turned = frame.iloc[::-1].reset_index(drop=True)
    assert found(turned, id="customer")[0] == scores


def test_no_value_of_the_data_is_told() -> None:
    frame = make_frame()
    frame["who"] = [f"Nobody{number}-{side}" for number, side in enumerate(frame["left"])]
    frame["what"] = np.where(left(frame), "secretly-gone", "secretly-here")
    _, leaks = found(frame, id="customer")
    said = "".join(leak.model_dump_json() for leak in leaks)
    assert leaks
    assert "secretly" not in said
    assert "Nobody" not in said
