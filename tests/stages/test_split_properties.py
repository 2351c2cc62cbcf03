"""A row never changes side, whatever rows come, go or change places; found by Hypothesis."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mergeline.config.settings import Data, SplitSettings
from mergeline.errors import ContractError
from mergeline.stages.split import split_rows

BOUNDED = settings(max_examples=60, deadline=None, derandomize=True)
DAYS = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(pd.Timestamp)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "person": st.integers(0, 12),
            "home": st.integers(0, 4).map("H{}".format),
            "number": st.none() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False),
            "text": st.none() | st.text(max_size=5),
            "flag": st.none() | st.booleans(),
            "day": DAYS,
        }
    ),
    min_size=1,
    max_size=40,
)
CUT = SplitSettings(after=date(2024, 7, 1))
HOW = [
    ({"id": "person"}, SplitSettings(test=0.4)),
    ({"group": "home"}, SplitSettings(test=0.4)),
    ({}, SplitSettings(test=0.4)),
    ({"time": "day"}, CUT),
    ({"time": "day", "id": "person"}, CUT),
    ({"time": "day", "group": "home"}, CUT),
]


@pytest.mark.parametrize(("roles", "how"), HOW, ids=lambda value: str(value)[:40])
def test_rows_that_come_go_or_change_places_move_no_other(roles, how):
    @BOUNDED
    @given(ROWS, ROWS, st.randoms(use_true_random=False), st.integers(0, 40))
    def holds(rows, new, random, removed):
        before = _sides(rows, roles, how)
        changed = [*rows[removed:], *new]
        random.shuffle(changed)
        after = _sides(changed, roles, how) if changed else {}
        for row, side in before.items():
            # By time a training row is left out when its person or home comes back later.
            if row in after and None not in (side, after[row]):
                assert after[row] == side

    holds()


def _sides(rows, roles, how):
    """Return by row its side: 1 held out, 0 for training, None left out."""
    frame = pd.DataFrame(rows)
    columns = [*frame.columns]
    data = Data(source="t.csv", target="flag", positive=True, **roles)
    keyed, test, _ = split_rows(frame, data, how)
    found = dict.fromkeys(map(_name, rows))
    for place, row in enumerate(keyed[columns].to_dict("records")):
        name = _name(row)
        assert name in found
        assert found[name] in (None, int(test[place])), "two equal rows on two sides"
        found[name] = int(test[place])
    return found


def _name(row):
    """Return a row as one text, the same though pandas made its numbers floats."""
    number = None if pd.isna(row["number"]) else float(row["number"])
    text = None if pd.isna(row["text"]) else row["text"]
    flag = None if pd.isna(row["flag"]) else bool(row["flag"])
    return repr((row["person"], row["home"], number, text, flag, row["day"].date()))


def test_an_id_in_two_groups_is_the_one_refusal():
    @BOUNDED
    @given(ROWS)
    def holds(rows):
        homes = {}
        for row in rows:
            homes.setdefault(row["person"], set()).add(row["home"])
        spread = any(len(found) > 1 for found in homes.values())
        try:
            _sides(rows, {"id": "person", "group": "home"}, SplitSettings(test=0.4))
        except ContractError:
            assert spread
        else:
            assert not spread

    holds()
