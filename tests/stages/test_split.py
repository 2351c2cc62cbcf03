"""The split: the same row, id or group is never on both sides, and nobody ever moves."""

import numpy as np
import pandas as pd
import pytest

from mergeline.config.settings import Data, SplitSettings
from mergeline.core import layout
from mergeline.errors import ContractError
from mergeline.stages.split import row_keys, split_rows
from projects import make_frame


def data(**columns):
    return Data(source="x.csv", target="left", positive="yes", **columns)


def split(frame, columns=None, **settings):
    return split_rows(frame, data(**(columns or {})), SplitSettings(**settings))


def repeated(seed, rows=600):
    """Customers that come several times, of households that hold several customers."""
    random = np.random.default_rng(seed)
    frame = make_frame(rows, seed)
    customer = random.integers(0, rows // 2, rows)
    return frame.assign(
        customer=customer, household=customer // 3, joined=frame["joined"].sample(frac=1).values
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("columns", "unit"),
    [
        ({"id": "customer"}, "customer"),
        ({"group": "household"}, "household"),
        ({"id": "customer", "group": "household"}, "household"),
        ({"id": "customer", "group": "household"}, "customer"),
        ({"id": "customer", "time": "joined"}, "customer"),
        ({"group": "household", "time": "joined"}, "household"),
    ],
)
def test_no_unit_is_on_both_sides(seed, columns, unit):
    frame, test, found = split(repeated(seed), columns)
    assert set(frame.loc[test, unit]).isdisjoint(frame.loc[~test, unit])
    assert set(frame.loc[test, layout.KEY]).isdisjoint(frame.loc[~test, layout.KEY])
    assert found.train_rows + found.test_rows + found.dropped == 600
    assert (found.train_rows, found.test_rows) == (int((~test).sum()), int(test.sum()))


@pytest.mark.parametrize("seed", range(5))
def test_the_same_row_is_never_on_both_sides(seed):
    frame = make_frame(500, seed).drop(columns="customer")
    frame = pd.concat([frame, frame.sample(200, random_state=seed)], ignore_index=True)
    found, test, how = split(frame)
    rows = np.array([repr(row) for row in found.drop(columns=layout.KEY).itertuples(index=False)])
    assert set(rows[test]).isdisjoint(rows[~test])
    assert (how.method, how.by, how.key, how.dropped) == ("row", None, None, 0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("columns", "settings"),
    [
        ({"id": "customer"}, {"test": 0.3}),
        ({"group": "household"}, {"test": 0.3}),
        ({}, {"test": 0.3}),
        ({"time": "joined"}, {"after": pd.Timestamp("2024-03-01").date()}),
    ],
)
def test_rows_that_are_added_move_no_row(seed, columns, settings):
    whole = repeated(seed)
    # New rows with missing values where there were none, so that types change with them.
    new = repeated(seed + 100, 50).assign(age=np.nan, member=None)
    grown = pd.concat([new.astype({"member": object}), whole.astype({"member": object})])
    grown = grown.sample(frac=1, random_state=seed, ignore_index=True)
    assert grown["age"].dtype == float

    def sides(frame):
        found, test, _ = split(frame, columns, **settings)
        return dict(zip(found[layout.KEY], test, strict=True))

    before, after = sides(whole), sides(grown)
    assert {key: after[key] for key in before} == before


def test_the_order_of_rows_and_columns_does_not_matter():
    frame = make_frame(200)
    keys = row_keys(frame, data())
    turned = frame[list(frame.columns)[::-1]].iloc[::-1]
    assert row_keys(turned, data())[::-1] == keys
    assert len(set(keys)) == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.astype({"age": float, "visits": "float32"}),
        lambda frame: frame.astype({"age": "float16", "visits": "float16"}),
        lambda frame: frame.astype({"member": object}),
        lambda frame: frame.assign(joined=frame["joined"].astype("datetime64[ns]")),
    ],
    ids=["floats", "half floats", "objects", "nanoseconds"],
)
def test_a_row_has_one_key_whatever_the_types_of_its_columns(change):
    frame = make_frame(100)
    assert row_keys(change(frame), data()) == row_keys(frame, data())


def test_large_whole_numbers_have_one_key_too():
    numbers = [123456789012, 2**52, -5, 0]
    integers = pd.DataFrame({"n": numbers, "left": "yes"})
    floats = pd.DataFrame({"n": [float(number) for number in numbers], "left": "yes"})
    assert row_keys(integers, data()) == row_keys(floats, data())


def test_an_id_is_the_same_as_number_and_as_text():
    numbers, texts = pd.DataFrame({"id": [1, 2]}), pd.DataFrame({"id": ["1", "2"]})
    floats = pd.DataFrame({"id": [1.0, 2.0]})
    keys = row_keys(numbers, data(id="id"))
    assert keys == row_keys(texts, data(id="id")) == row_keys(floats, data(id="id"))
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_held_out_share_is_the_one_asked_for(share):
    _, test, _ = split(make_frame(4000), {"id": "customer"}, test=share)
    assert abs(test.mean() - share) < 4 * np.sqrt(share * (1 - share) / 4000)


def test_another_fraction_only_adds_rows_to_a_side():
    frame = make_frame(1000)
    few, many = (split(frame, {"id": "customer"}, test=share)[1] for share in (0.2, 0.4))
    assert (few <= many).all()


# --- time ----------------------------------------------------------------------------


def test_by_time_the_latest_rows_are_held_out():
    frame, test, found = split(make_frame(1000), {"time": "joined"}, test=0.25)
    assert frame.loc[test, "joined"].min() > frame.loc[~test, "joined"].max()
    assert int(test.sum()) == 250
    assert found.after == frame.loc[test, "joined"].min().isoformat()
    assert (found.method, found.by, found.key, found.test) == ("time", "joined", None, 0.25)


def test_rows_of_the_same_moment_stay_together():
    frame = make_frame(100).assign(joined=pd.Timestamp("2024-01-01"))
    frame.loc[70:, "joined"] = pd.Timestamp("2024-01-02")
    _, test, _ = split(frame, {"time": "joined"}, test=0.1)
    assert int(test.sum()) == 30


def test_a_fixed_cut_is_the_first_held_out_moment():
    day = pd.Timestamp("2024-02-01").date()
    frame, test, found = split(make_frame(1000), {"time": "joined"}, after=day)
    assert (test == (frame["joined"] >= pd.Timestamp(day))).all()
    assert (found.after, found.test) == ("2024-02-01T00:00:00", None)


def test_training_rows_of_held_out_units_are_left_out_by_time():
    frame = repeated(0)
    kept, test, found = split(frame, {"id": "customer", "time": "joined"}, test=0.3)
    cut = pd.Timestamp(found.after)
    later = set(frame.loc[frame["joined"] >= cut, "customer"])
    early = frame[(frame["joined"] < cut) & ~frame["customer"].isin(later)]
    assert len(kept[~test]) == len(early)
    assert found.dropped == 600 - len(kept) > 0
    assert (found.method, found.by, found.key) == ("time", "joined", "customer")


def test_a_tiny_fraction_still_holds_out_a_row():
    _, test, _ = split(make_frame(50), {"time": "joined"}, test=1e-18)
    assert int(test.sum()) == 1


# --- refusals ------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["id", "group"])
def test_a_missing_id_or_group_is_refused(role):
    frame = make_frame(50)
    frame.loc[:2, "customer"] = None
    with pytest.raises(ContractError, match=f"data.{role} 'customer' is missing in 3 of 50 rows"):
        split(frame, {role: "customer"})


def test_an_id_in_two_groups_is_refused():
    frame = repeated(0).assign(household=lambda frame: frame["customer"] // 3)
    twice = frame["customer"].duplicated(keep=False)
    first = twice[twice].index[0]
    frame.loc[first, "household"] += 1000
    with pytest.raises(ContractError, match=r"1 values of data\.id 'customer' belong"):
        split(frame, {"id": "customer", "group": "household"})
