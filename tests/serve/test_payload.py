"""Bodies of requests: every form of the protocol comes to the same rows, or names its fault."""

import io
import json
import re
import struct

import numpy as np
import pandas as pd
import pytest

from mergeline.core.evidence import Feature
from mergeline.model.cast import cast_features
from mergeline.model.direct import frame_of
from mergeline.serve.payload import Reader, media_type
from mergeline.serve.values import BadRequest

JSON = "application/json"
FEATURES = (
    Feature(name="age", kind="number"),
    Feature(name="town", kind="category"),
    Feature(name="member", kind="boolean"),
)
NAMES = [feature.name for feature in FEATURES]
ROWS = [[41, "Oslo", True], [None, None, None], [23.5, 'Ålesund, "west"\nside', False]]
CAST = pd.DataFrame(
    {
        "age": [41.0, np.nan, 23.5],
        "town": pd.Series(["Oslo", np.nan, 'Ålesund, "west"\nside'], dtype=object),
        "member": [1.0, np.nan, 0.0],
    }
)
READER = Reader(FEATURES)


def body(value):
    return json.dumps(value).encode()


def read(reader, content_type, content):
    return frame_of(reader.read(content_type, content))


def split(rows, columns=NAMES):
    return body({"dataframe_split": {"columns": columns, "data": rows}})


def by_name(row):
    return dict(zip(NAMES, row, strict=True))


def refused(content, content_type=JSON, reader=READER):
    with pytest.raises(BadRequest) as caught:
        reader.read(content_type, content)
    error = caught.value
    assert error.hint
    assert error.message.isprintable()
    assert len(error.message) < 1000
    return error


# --- the forms -------------------------------------------------------------------------

TURNED = [row[::-1] for row in ROWS]
COLUMNS = {name: [row[place] for row in ROWS] for place, name in enumerate(NAMES)}
FORMS = {
    "split": {"dataframe_split": {"columns": NAMES, "data": ROWS}},
    "split, other order, an index": {
        "dataframe_split": {"columns": NAMES[::-1], "data": TURNED, "index": ["a", "b", "c"]}
    },
    "split without names": {"dataframe_split": {"data": ROWS}},
    "records": {"dataframe_records": [by_name(row) for row in ROWS]},
    "instances, records": {"instances": [by_name(row) for row in ROWS]},
    "instances, rows": {"instances": ROWS},
    "instances, columns": {"instances": COLUMNS},
    "inputs, records": {"inputs": [by_name(row) for row in ROWS]},
    "inputs, rows": {"inputs": ROWS},
    "inputs, columns": {"inputs": COLUMNS},
    "with params": {"dataframe_records": [by_name(row) for row in ROWS], "params": {"t": 1}},
    "with params that are none": {"inputs": ROWS, "params": 5},
    "with signs of keys in it": {"inputs": ROWS, "params": {"a": {'":': '":'}}},
    "with other keys": {"inputs": ROWS, "signature_name": "serving_default"},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_json_comes_to_the_same_rows(form):
    pd.testing.assert_frame_equal(read(READER, JSON, body(form)), CAST)


CSVS = {
    "as pandas writes it": CAST.assign(member=[True, None, False]).to_csv(index=False),
    "other order": CAST[NAMES[::-1]].to_csv(index=False),
    "windows": CAST.to_csv(index=False, lineterminator="\r\n").replace("side", "side\r\n")[:-2],
    "quoted": CAST.to_csv(index=False, quoting=1),
    "spaces, blank lines": "age , town, member\t\n41,  Oslo , true \n\n,,\n"
    '23.50, "Ålesund, ""west""\nside", FALSE\n\n',
    "byte-order mark": "\ufeff" + CAST.to_csv(index=False),
}


@pytest.mark.parametrize("text", CSVS.values(), ids=CSVS)
def test_csv_comes_to_the_same_rows(text):
    found = read(READER, "text/csv", text.encode())
    found["town"] = found["town"].str.replace("side\r\n", "side")
    pd.testing.assert_frame_equal(found, CAST)


def test_a_name_that_has_space_behind_it_keeps_it():
    reader = Reader([Feature(name="age ", kind="number")])
    assert reader.read("text/csv", b"age \n41\n")["age "].tolist() == [41.0]


def test_one_row_may_be_an_object_of_values():
    found = read(READER, JSON, body({"inputs": by_name(ROWS[0])}))
    pd.testing.assert_frame_equal(found, CAST.head(1))


def test_rows_are_as_the_cast_of_training_makes_them():
    values = {
        "age": [1, 2**53 + 1, -(2**63), 1e-320, -0.0, 1.7976931348623157e308, None, 10**30],
        "town": ["", "NA", "1", 1, 1.0, 2.5, False, 10**30],
        "member": [True, False, 1, 0, 1.0, 0.0, None, True],
    }
    frame = pd.DataFrame({name: pd.Series(each, dtype=object) for name, each in values.items()})
    frame["age"] = frame["age"].astype(float)
    expected = cast_features(frame.replace({"town": {"": None}}), FEATURES)
    pd.testing.assert_frame_equal(read(READER, JSON, body({"inputs": values})), expected)


def test_numbers_are_exact_to_the_last_bit():
    random = np.random.default_rng(3).bytes(8 * 5000)
    numbers = [number for (number,) in struct.iter_unpack("d", random) if np.isfinite(number)]
    reader = Reader(FEATURES[:1])
    through_json = read(reader, JSON, body({"inputs": {"age": numbers}}))["age"]
    through_csv = read(reader, "text/csv", "\n".join(["age", *map(repr, numbers)]).encode())["age"]
    assert through_json.tolist() == numbers
    assert through_csv.tolist() == numbers


def test_what_training_took_for_missing_is_missing_in_a_request():
    reader = Reader(FEATURES, missing=["?", "-1"])
    of_csv = read(reader, "text/csv", b"age,town,member\n-1, ? ,-1\n2,a?,1\n")
    assert of_csv["age"].isna().tolist() == of_csv["member"].isna().tolist() == [True, False]
    of_json = read(reader, JSON, split([[-1, "?", None], [2, "a?", True]]))
    assert of_json["age"].tolist() == [-1.0, 2.0]  # null is JSON's own
    for columns in (of_csv, of_json):
        assert columns["town"].isna().tolist() == [True, False]


def test_a_category_of_truth_values_is_read_from_csv_as_training_read_it():
    table = "age,town,member\n1,True,1\n2,FALSE,0\n3,maybe,1\n"
    plain = read(READER, "text/csv", table.encode())["town"]
    known = read(Reader(FEATURES, ["town"]), "text/csv", table.encode())["town"]
    assert plain.tolist() == ["True", "FALSE", "maybe"]
    assert known.tolist() == ["true", "false", "maybe"]


# --- refusals --------------------------------------------------------------------------

GOOD = ROWS[0]
REFUSED = {
    "empty": (b"", "the body is empty"),
    "blank": (b" \n ", "the body is empty"),
    "no JSON": (b"{'a': 1}", "the body is not JSON: .* line 1 column 2"),
    "cut": (split([GOOD])[:-3], "the body is not JSON"),
    "not UTF-8": (b'{"inputs": ["\xff"]}', "the body is not JSON"),
    "half a character": (rb'{"inputs": [[1, "\ud800", true]]}', "the body is not JSON"),
    "NaN": (b'{"inputs": [[NaN, "Oslo", true]]}', "the body is not JSON"),
    "Infinity": (b'{"inputs": [[-Infinity, "Oslo", true]]}', "the body is not JSON"),
    "too deep": (b'{"inputs": ' + b"[" * 9999 + b"]" * 9999 + b"}", "the body is not JSON"),
    "a list": (b"[[1]]", "the body: a JSON object with exactly one of .* found a list of 1"),
    "no form": (body({"data": [GOOD]}), "exactly one of .* found the keys: 'data'"),
    "nothing": (b"{}", "found the keys: none"),
    "two forms": (body({"inputs": [GOOD], "instances": [GOOD]}), "found the keys: 'inputs', "),
    "split is a list": (body({"dataframe_split": [GOOD]}), "dataframe_split: an object with"),
    "split without data": (body({"dataframe_split": {"columns": NAMES}}), "an object with"),
    "names are no list": (
        split([GOOD], "age"),
        r"dataframe_split\.columns: a list of names .*'age'",
    ),
    "a name is no text": (split([GOOD], ["age", "town", 3]), "a list of names"),
    "no rows": (split([]), "the request holds no rows"),
    "no records": (body({"dataframe_records": []}), "the request holds no rows"),
    "empty columns": (body({"inputs": {name: [] for name in NAMES}}), "the request holds no rows"),
    "rows are no list": (split({"0": GOOD}), r"dataframe_split\.data: a list of rows .* an object"),
    "a row is no list": (split([GOOD, "abc"]), "row 2: 3 values are expected.* the text 'abc'"),
    "ragged": (split([GOOD, GOOD[:2]]), "row 2: 3 values are expected, one a column, found 2"),
    "ragged, longer": (body({"instances": [[*GOOD, 1]]}), "row 1: 3 values .* found 4 values"),
    "a record is a list": (
        body({"dataframe_records": [by_name(GOOD), GOOD]}),
        ", row 2: an object",
    ),
    "column missing": (split([GOOD[:2]], NAMES[:2]), "the column 'member' is missing; true, false"),
    "column unknown": (split([[*GOOD, 1]], [*NAMES, "x"]), "the model has no column 'x'"),
    "column misspelt": (split([GOOD], ["aeg", *NAMES[1:]]), "no column 'aeg'; did you mean 'age'?"),
    "column twice": (split([[*GOOD, 1]], [*NAMES, "age"]), "the column 'age' comes twice"),
    "a key twice": (b'{"inputs": [], "inputs": [[1, "x", true]]}', "the key 'inputs' comes twice"),
    "a column twice in a record": (
        b'{"inputs": [{"age": 1, "town": "x\\":", "member": true, "age" : 2}]}',
        "the key 'age' comes twice",
    ),
    "a record lacks one": (
        body({"dataframe_records": [by_name(GOOD), {"age": 1, "town": "x"}]}),
        "row 2: the column 'member' is missing",
    ),
    "a record has one more": (
        body({"dataframe_records": [by_name(GOOD), {**by_name(GOOD), "x": 1}]}),
        "row 2: the model has no column 'x'",
    ),
    "columns of other lengths": (
        body({"inputs": {"age": [1, 2], "town": ["a", "b"], "member": [True]}}),
        "inputs, column 'member': a list of 2, as column 'age' is, is expected, found a list of 1",
    ),
    "columns and values": (
        body({"inputs": {"age": [1], "town": "a", "member": [True]}}),
        "column 'town': a list of 1, .* found the text 'a'",
    ),
    "text for a number": (
        split([GOOD, ["12", "x", True]]),
        "column 'age', row 2: a number or null",
    ),
    "a date for a number": (split([["2026-01-31", "x", True]]), "found the text '2026-01-31'"),
    "a truth for a number": (split([[True, "x", True]]), "'age', row 1: a number .* found true"),
    "a list for a number": (split([[[1], "x", True]]), "'age', row 1: .* found a list of 1"),
    "an object for a number": (split([[{"a": 1}, "x", True]]), "found an object of 1"),
    "beyond a double": (b'{"inputs": [[1, "x", 1], [1e400, "x", 1]]}', "'age', row 2: a number"),
    "a whole number beyond": (split([[10**400, "x", True]]), "found a whole number beyond"),
    "a number for a truth": (split([GOOD, [1, "x", 2]]), "'member', row 2: true, .* number 2"),
    "a text for a truth": (split([[1, "x", "yes"]]), "'member', row 1: .* found the text 'yes'"),
    "a list for a category": (split([[1, ["x"], True]]), "'town', row 1: a text or null .* list"),
    "a rounded category": (split([[1, 1e30, True]]), r"'town', row 1: .* the number 1e\+30"),
    "markup, control signs": (
        split([["<b>\x1b[31m\n" + "x" * 5000, "x", True]]),
        r"found the text '<b>\\x1b\[31m\\nxxx.*\.\.\.",
    ),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_by_name(content, message):
    error = refused(content)
    assert error.status == 400
    assert re.search(message, error.message), error.message


REFUSED_CSV = {
    "header alone": (b"age,town,member\n", "the request holds no rows"),
    "ragged": (b"age,town,member\n1,a,1\n1,a\n", "row 2: 3 values are expected.* found 2 values"),
    "longer": (b"age,town,member\n1,a,1,1\n", "row 1: 3 values are expected.* found 4 values"),
    "no header": (b"41,Oslo,1\n41,Oslo,1\n", "the model has no column '41'"),
    "column twice": (b"age,town,age\n1,a,1\n", "the column 'age' comes twice"),
    "column missing": (b"age,town\n1,a\n", "the column 'member' is missing"),
    "an index": (b",age,town,member\n0,1,a,1\n", "the model has no column ''"),
    "a word": (b"age,town,member\n1,a,1\nold,a,1\n", "'age', row 2: a number .* text 'old'"),
    "nan": (b"age,town,member\nnan,a,1\n", "found the text 'nan'"),
    "infinity": (b"age,town,member\n-inf,a,1\n", "found the text '-inf'"),
    "beyond a double": (b"age,town,member\n1e999,a,1\n", "found the text '1e999'"),
    "grouped digits": (b"age,town,member\n1_000,a,1\n", "found the text '1_000'"),
    "other digits": ("age,town,member\n٣,a,1\n".encode(), "found the text '٣'"),
    "decimal comma": (b'age,town,member\n"1,5",a,1\n', "found the text '1,5'"),
    "no truth": (b"age,town,member\n1,a,2\n", "'member', row 1: .* the number 2.0"),
    "open quote": (b'age,town,member\n1,"a,1\n', "the body is not CSV"),
    "latin-1": ("age,town,member\n1,Ålesund,1\n".encode("latin-1"), "not UTF-8: byte 18"),
    "json": (split([GOOD]), "the body is not CSV"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED_CSV.values(), ids=REFUSED_CSV)
def test_csv_that_does_not_fit_is_refused_by_name(content, message):
    error = refused(content, "text/csv")
    assert error.status == 400
    assert re.search(message, error.message), error.message


def test_many_unknown_columns_are_refused_quickly_and_briefly():
    columns = [f"column {number}" for number in range(200_000)]
    error = refused(split([[0] * len(columns)], columns))
    assert error.message == "the model has no column 'column 0'"


# --- content types ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ('Application/JSON ;charset="UTF-8";', "application/json"),
        ("text/csv;charset=utf8", "text/csv"),
        ("text/csv; charset=US-ASCII", "text/csv"),
    ],
)
def test_content_types(given, kind):
    assert media_type(given) == kind


@pytest.mark.parametrize(
    "given",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "text/csv; header=absent",
        "application/vnd.apache.parquet",
        "json",
    ],
)
def test_other_content_types_are_refused(given):
    error = refused(split([GOOD]), given)
    assert error.status == 415
    assert "text/csv" in error.message or "charset=utf-8" in error.message


# --- MLflow's client ----------------------------------------------------------------------


def test_what_mlflows_client_sends_is_read():
    from mlflow.pyfunc.scoring_server.client import dump_input_data

    frame = pd.read_csv(io.StringIO("age,town,member\n41,Oslo,1\n23.5,Bergen,0\n"))
    sent = dump_input_data(frame, params={"temperature": 1})
    pd.testing.assert_frame_equal(read(READER, JSON, sent.encode()), cast_features(frame, FEATURES))
