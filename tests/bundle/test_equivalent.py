"""equivalent: two builds whose rows score alike are, and whatever else differs is said."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mergeline.bundle import equivalent
from mergeline.model.predictions import Predictions
from mergeline.model.table import table_bytes
from report import plans

ROWS = 1_000
BINARY = plans.train(max_iter=100)


def differences(reviewed, rebuilt, made=BINARY):
    return equivalent.differences(reviewed, rebuilt, made)


def frame():
    random = np.random.default_rng(0)
    score = random.random(ROWS).round(4)
    return pd.DataFrame(
        {
            "key": [f"{number:016x}" for number in range(ROWS)],
            "positive": random.random(ROWS) < score,
            "score": score,
            "predicted": score >= 0.5,
        }
    )


SAME = table_bytes(frame())


def changed(column, rows, value):
    table = frame()
    table.loc[rows, column] = value
    return table_bytes(table)


def shifted(by, rows=slice(0, 9)):
    table = frame()
    table.loc[rows, "score"] += by
    return table_bytes(table)


def test_equal_predictions_are_equivalent():
    assert differences(SAME, SAME) == ()


@pytest.mark.parametrize("by", [1e-7, -1e-7, 9.99e-7, 1e-15])
def test_scores_within_the_tolerance_are_equivalent(by):
    assert differences(SAME, shifted(by)) == ()
    assert differences(shifted(by), SAME) == ()


@pytest.mark.parametrize("by", [1.01e-6, -1.01e-6])
def test_scores_beyond_it_are_not(by):
    (said,) = differences(SAME, shifted(by))
    assert said == ("10 of 1,000 held-out rows score further apart than 1e-06, by up to 1.01e-06.")


def test_one_row_is_enough():
    (said,) = differences(SAME, shifted(0.25, [500]))
    assert said.startswith("1 of 1,000 held-out rows score further apart")
    assert said.endswith("by up to 0.25.")


def test_scores_that_are_no_numbers_are_never_near():
    endless = changed("score", [3], np.inf)
    expected = "1 of 1,000 held-out rows score further apart than 1e-06, having no number."
    assert differences(endless, endless) == (expected,)
    keys, truth = [f"{number}" for number in range(2)], pa.array([True, False])
    none = written({"key": keys, "positive": truth, "score": [np.nan, 0.5], "predicted": truth})
    (said,) = differences(none, none)
    assert said == "1 of 2 held-out rows score further apart than 1e-06, having no number."


def test_a_class_that_changes_within_the_tolerance_is_said():
    table = frame()
    table.loc[7, "predicted"] = not table.loc[7, "predicted"]
    (said,) = differences(SAME, table_bytes(table))
    assert said == "1 of 1,000 held-out rows are predicted to be of the other class."


def test_a_label_that_changes_is_said():
    (said,) = differences(SAME, changed("positive", slice(None), True))
    assert said.endswith("of 1,000 held-out rows have another label.")


def test_all_that_differs_is_said():
    table = frame()
    table["score"] = 1 - table["score"]
    table["predicted"] = ~table["predicted"]
    assert len(differences(SAME, table_bytes(table))) == 2


def test_other_rows_are_not_compared():
    assert differences(SAME, changed("key", [1], "f" * 16)) == (
        "1 of 1,000 held-out rows are others, or in another order.",
    )
    backwards = table_bytes(frame().iloc[::-1].reset_index(drop=True))
    assert "in another order" in differences(SAME, backwards)[0]
    assert differences(SAME, table_bytes(frame().head(999))) == (
        "1,000 held-out rows were reviewed, 999 are rebuilt.",
    )


# --- hostile files -----------------------------------------------------------------------------


def written(columns, **options):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


COLUMNS = {
    "key": pa.array(["a", "b"]),
    "positive": pa.array([True, False]),
    "score": pa.array([0.1, 0.9]),
    "predicted": pa.array([False, True]),
}


def test_the_width_of_text_does_not_matter():
    wide = {**COLUMNS, "key": COLUMNS["key"].cast(pa.large_string())}
    assert differences(written(COLUMNS), written(wide)) == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "cannot be read"),
        (b"PAR1" + b"\xff" * 100 + b"PAR1", "cannot be read"),
        (SAME[:-100] + SAME[-50:], "cannot be read"),
        (SAME[:200] + bytes(100) + SAME[300:], "cannot be read"),
        (written({"key": COLUMNS["key"]}), "their columns are 'key'"),
        (written({**COLUMNS, "more": pa.array([1, 2])}), "their columns are"),
        (written({**COLUMNS, "score": pa.array(["0.1", "0.9"])}), "column score holds string"),
        (written({**COLUMNS, "score": pa.array([1, 2])}), "column score holds int64"),
        (written({**COLUMNS, "score": pa.array([None, 0.5])}), "score has missing values"),
        (written({**COLUMNS, "key": pa.array([None, "b"])}), "key has missing values"),
        (written({**COLUMNS, "key": pa.array([["a"], ["b"]])}), "column key holds list"),
    ],
)
def test_what_is_no_table_of_predictions_is_said_whoever_made_it(data, said):
    (first,) = differences(data, SAME)
    (second,) = differences(SAME, data)
    assert first.startswith("The reviewed predictions")
    assert second.startswith("The rebuilt predictions")
    assert said in first
    assert len(first) < 400


def test_a_file_that_states_too_much_is_not_opened():
    rows = 20_000_001
    one = pa.array([True]).take(pa.array(np.zeros(rows, dtype="int32")))
    scores = pa.array(np.zeros(rows))
    keys = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="int8")), ["a"])
    bomb = written({"key": keys, "positive": one, "score": scores, "predicted": one})
    assert len(bomb) < 1_000_000
    assert "they state 20,000,001 rows" in differences(bomb, SAME)[0]


def test_every_cut_of_a_file_is_said_and_nothing_is_raised():
    for end in range(0, len(SAME), 211):
        assert "cannot be read" in differences(SAME[:end], SAME)[0]


# --- many rows, and keys that are small in the file only -------------------------------------


def many(keys):
    rows = len(keys)
    truth = pa.array(np.zeros(rows, dtype=bool))
    return written({"key": keys, "positive": truth, "score": np.zeros(rows), "predicted": truth})


@pytest.mark.parametrize("place", [0, 65_535, 65_536, 69_999])
def test_keys_are_compared_to_the_last(place):
    keys = [f"{number}" for number in range(70_000)]
    others = [*keys[:place], "another", *keys[place + 1 :]]
    (said,) = differences(many(keys), many(others))
    assert said == "1 of 70,000 held-out rows are others, or in another order."
    assert differences(many(keys), many(keys)) == ()


def test_a_key_that_all_rows_share_is_not_written_out_for_each():
    """Two million rows whose keys would be 800 megabytes in each table."""
    buffer, piece = io.BytesIO(), 100_000
    truth = pa.array(np.zeros(piece, dtype=bool))
    rows = pa.table(
        {
            "key": ["k" * 400] * piece,
            "positive": truth,
            "score": np.zeros(piece),
            "predicted": truth,
        }
    )
    with pq.ParquetWriter(buffer, rows.schema) as writer:
        for _ in range(20):
            writer.write_table(rows)
    data, before = buffer.getvalue(), pa.default_memory_pool()
    assert len(data) < 1_000_000
    pool = pa.proxy_memory_pool(pa.system_memory_pool())
    pa.set_memory_pool(pool)
    try:
        assert differences(data, data) == ()
        assert pool.max_memory() < 300_000_000
    finally:
        pa.set_memory_pool(before)


def test_a_very_long_key_is_refused():
    (said,) = differences(many(["k" * 4_097]), many(["k"]))
    assert "a text of key has 4,097 bytes, at most 4,096 are allowed" in said


# --- several classes, and a number ---------------------------------------------------------

CLASSES = ("a", "b", "c")
SEVERAL = BINARY.model_copy(update={"task": "multiclass", "classes": CLASSES, "positive": None})
NUMBER = BINARY.model_copy(update={"task": "regression", "classes": (), "positive": None})


def of_classes():
    random = np.random.default_rng(1)
    score = random.dirichlet([1.0, 1.0, 1.0], ROWS)
    actual = random.integers(0, 3, ROWS)
    return Predictions("multiclass", actual, score, None, CLASSES).table(KEYS)


def of_numbers():
    random = np.random.default_rng(2)
    actual = random.normal(13_000, 4_000, ROWS)
    return Predictions("regression", actual, actual + random.normal(0, 900, ROWS)).table(KEYS)


KEYS = [f"{number:016x}" for number in range(ROWS)]
FORMS = {
    "binary": (frame, BINARY),
    "several": (of_classes, SEVERAL),
    "number": (of_numbers, NUMBER),
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_build_is_like_itself_and_of_no_other_form(kind):
    make, made = FORMS[kind]
    data = table_bytes(make())
    assert differences(data, data, made) == ()
    for other, (_, asked) in FORMS.items():
        if other != kind:
            (said,) = differences(data, data, asked)
            assert said.startswith("The reviewed predictions cannot be read: their columns are")


def test_as_many_scores_are_expected_as_there_are_classes():
    data = table_bytes(of_classes().drop(columns="score_2"))
    assert "their columns are" in differences(data, data, SEVERAL)[0]


@pytest.mark.parametrize("column", ["score_0", "score_2"])
def test_any_probability_counts(column):
    table = of_classes()
    table.loc[[3, 4], column] += 2e-6
    (said,) = differences(table_bytes(of_classes()), table_bytes(table), SEVERAL)
    assert said == "2 of 1,000 held-out rows score further apart than 1e-06, by up to 2e-06."


def test_other_classes_are_said():
    table = of_classes()
    table.loc[0, "predicted"] = "c" if table.loc[0, "predicted"] != "c" else "a"
    table.loc[1, "actual"] = "c" if table.loc[1, "actual"] != "c" else "a"
    assert differences(table_bytes(of_classes()), table_bytes(table), SEVERAL) == (
        "1 of 1,000 held-out rows have another label.",
        "1 of 1,000 held-out rows are predicted to be of another class.",
    )


def test_large_numbers_may_be_further_apart_than_small_ones():
    first, table = of_numbers(), of_numbers()
    table["score"] *= 1 + 5e-7
    assert (table["score"] - first["score"]).abs().max() > 1e-3
    assert differences(table_bytes(first), table_bytes(table), NUMBER) == ()
    table.loc[5, "score"] += 0.25
    (said,) = differences(table_bytes(first), table_bytes(table), NUMBER)
    assert said.startswith("1 of 1,000 held-out rows score further apart than 1e-06 and 1e-06 of")
    table.loc[5, "actual"] += 1
    assert len(differences(table_bytes(first), table_bytes(table), NUMBER)) == 2


def test_a_long_text_of_a_class_and_very_many_scores_are_refused():
    table = of_classes().head(2).assign(predicted=["x" * 4_097, "a"])
    (said,) = differences(table_bytes(table), table_bytes(table), SEVERAL)
    assert "a text of predicted has 4,097 bytes" in said
    names = tuple(f"{number}" for number in range(100))
    rows = 600_000
    none = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, dtype="int8")), ["a"])
    zeros = pa.array(np.zeros(rows))
    scores = {f"score_{number}": zeros for number in range(100)}
    bomb = written({"key": none, "actual": none, "predicted": none, **scores})
    assert len(bomb) < 10_000_000
    asked = SEVERAL.model_copy(update={"classes": names})
    assert "they state 600,000 rows" in differences(bomb, bomb, asked)[0]
