"""Reading tables: formats, encodings, missing markers, and what is refused."""

import datetime
import decimal
import gzip
import re

import numpy as np
import pandas as pd
import pytest

from mergeline.config.settings import Data
from mergeline.errors import ContractError
from mergeline.model.reading import read_table, table_format
from projects import make_frame, write_source


def read(path, **data):
    return read_table(path, Data(source=path.name, target="t", positive=1, **data))


def text(path, content, **data):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, **data)


def refusal(path, content=None, **data):
    with pytest.raises(ContractError) as caught:
        read(path, **data) if content is None else text(path, content, **data)
    assert caught.value.hint
    return caught.value.message


# --- formats -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "table.csv",
        "table.csv.gz",
        "table.tsv",
        "table.TSV",
        "table.parquet",
        "table.jsonl",
        "table.jsonl.gz",
    ],
)
def test_every_format_gives_the_same_table(tmp_path, name):
    frame = make_frame(200)
    write_source(frame, tmp_path / name.lower())
    (tmp_path / name.lower()).rename(tmp_path / name)
    found = read(tmp_path / name)
    expected = frame.assign(joined=found["joined"])
    pd.testing.assert_frame_equal(found, expected)
    assert str(found["town"].dtype) == "str"
    assert (found["town"] == "NA").sum() == (frame["town"] == "NA").sum() > 0


def test_the_format_is_given_or_told_by_the_ending(tmp_path):
    assert table_format(Data(source="a/b.CSV.GZ", target="t", positive=1)) == "csv"
    assert table_format(Data(source="a.dat", format="tsv", target="t", positive=1)) == "tsv"
    message = refusal(tmp_path / "table.xlsx", "x")
    assert "'table.xlsx'" in message
    assert ".parquet" in message


def test_a_separator_can_be_given(tmp_path):
    found = text(tmp_path / "a.csv", "a;b\n1;x,y\n", separator=";")
    assert found.to_dict("list") == {"a": [1], "b": ["x,y"]}


def test_space_after_a_separator_is_skipped(tmp_path):
    found = text(tmp_path / "a.csv", "a, b\n1, ?\n2, x\n", missing=("?",))
    assert found["b"].tolist() == [pytest.approx(np.nan, nan_ok=True), "x"]


# --- encodings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "encoding"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-8-sig", "utf-8"),
        ("latin-1", "latin-1"),
        ("utf-16", "utf-16"),
        ("utf-16", None),
        ("utf-32", None),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz"])
def test_encodings_with_and_without_a_byte_order_mark(tmp_path, how, encoding, name):
    content = '{"å": "é", "b": 1}\n' if ".jsonl" in name else "å,b\né,1\n"
    data = content.encode(how)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = read(path, **({"encoding": encoding} if encoding else {}))
    assert found.to_dict("list") == {"å": ["é"], "b": [1]}


def test_a_wrong_encoding_is_refused(tmp_path):
    message = refusal(tmp_path / "a.csv", "a\né\n".encode("latin-1"))
    assert message == (
        "a.csv is not utf-8: line 2 has the byte 0xe9, which is 'é' in cp1252 (Windows, Latin-1)"
    )


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_of_the_whole_start_is_found(tmp_path, separator):
    content = "a,b,c\n1,x,2.5\n2,y,3.5\n".replace(",", separator)
    found = text(tmp_path / "a.csv", content)
    assert found.to_dict("list") == {"a": [1, 2], "b": ["x", "y"], "c": [2.5, 3.5]}


def test_decimal_commas_and_thousands_are_read_where_they_are_given(tmp_path):
    content = "a;b\n1.234,5;1,5\n2;0,25\n"
    found = text(tmp_path / "a.csv", content, decimal=",", thousands=".")
    assert found.to_dict("list") == {"a": [1234.5, 2.0], "b": [1.5, 0.25]}


def test_a_sign_between_thousands_that_stands_elsewhere_is_part_of_a_text(tmp_path):
    content = "day;share;a\n31.12.2026;0.5; 1.000\n01.02.2026;12.25;2\n"
    found = text(tmp_path / "a.csv", content, decimal=",", thousands=".")
    assert found["day"].tolist() == ["31.12.2026", "01.02.2026"]
    assert found["share"].tolist() == ["0.5", "12.25"]
    assert found["a"].tolist() == [1000, 2]


def test_space_around_names_and_values_is_no_part_of_them(tmp_path):
    content = ' id , b ,"c ",d\n007 , x ," ?",12 \n 7,x, 5 , " y"\n'
    (tmp_path / "a.csv").write_text(content)
    found = read(tmp_path / "a.csv", missing=("?",), id="id")
    assert found["id"].tolist() == ["007", "7"]
    assert found["b"].tolist() == ["x", "x"]
    assert found["c"].tolist() == [pytest.approx(np.nan, nan_ok=True), 5.0]
    assert found["d"].tolist() == ["12", "y"]


def test_names_that_are_one_without_their_space_are_refused(tmp_path):
    assert "a column name twice: a" in refusal(tmp_path / "a.csv", "a,a \n1,2\n")


# --- missing values ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_only_the_empty_text_and_the_markers_are_missing(tmp_path, name):
    words = ["NA", "nan", "null", "None", "", "?", "-", "n/a"]
    frame = pd.DataFrame({"word": words, "number": ["1", "2", "?", "", "5", "6", "7", "8"]})
    write_source(frame, tmp_path / name)
    found = read(tmp_path / name, missing=("?", "-"))
    assert found["word"].isna().tolist() == [False] * 4 + [True, True, True, False]
    assert found["number"].isna().sum() == 2
    if name == "a.csv":
        assert found["number"].dtype == "float64"


def test_numbers_with_a_marker_in_json_lines_are_numbers(tmp_path):
    found = text(tmp_path / "a.jsonl", '{"a": 1}\n{"a": "?"}\n\n{"a": 3.5}\n', missing=("?",))
    assert found["a"].dtype == "float64"
    assert found["a"].tolist() == [1, pytest.approx(np.nan, nan_ok=True), 3.5]


def test_json_lines_keep_every_digit_and_may_leave_keys_out(tmp_path):
    lines = '{"a": 0.12345678901234568, "b": true}\n{"a": 9007199254740993e-3, "c": "x"}\n'
    found = text(tmp_path / "a.jsonl", lines)
    assert found["a"].tolist() == [0.12345678901234568, 9007199254740.993]
    assert found["b"].tolist()[0] is True
    assert found["c"].isna().tolist() == [True, False]


# --- plain types -------------------------------------------------------------------


def test_parquet_types_become_plain(tmp_path):
    frame = pd.DataFrame(
        {
            "category": pd.Categorical(["x", None, "?"]),
            "codes": pd.Categorical([3, 1, 3]),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "full": pd.array([1, 2, 3], dtype="Int32"),
            "truth": pd.array([True, None, False], dtype="boolean"),
            "text": pd.array(["a", None, ""], dtype="string"),
            "day": [datetime.date(2024, 1, 31), None, datetime.date(2024, 2, 1)],
            "price": [decimal.Decimal("1.50"), None, decimal.Decimal("2.25")],
            "nothing": [None, None, None],
            "small": np.array([1, 2, 3], dtype="uint8"),
            "zoned": pd.to_datetime(["2024-01-01"] * 3).tz_localize("UTC"),
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet", missing=("?",))
    assert {name: str(kind) for name, kind in found.dtypes.items()} == {
        "category": "str",
        "codes": "int64",
        "nullable": "float64",
        "full": "int64",
        "truth": "object",
        "text": "str",
        "day": "datetime64[s]",
        "price": "float64",
        "nothing": "float64",
        "small": "uint8",
        "zoned": str(frame["zoned"].dtype),
    }
    assert found["category"].isna().tolist() == [False, True, True]
    assert found["truth"].tolist() == [True, None, False]
    assert found["text"].isna().tolist() == [False, True, True]
    assert found["price"].tolist()[::2] == [1.5, 2.25]


def test_an_index_of_parquet_is_a_column_when_it_has_a_name(tmp_path):
    frame = make_frame(20)
    frame.set_index("customer").to_parquet(tmp_path / "named.parquet")
    frame[frame["age"] > 40].to_parquet(tmp_path / "filtered.parquet")
    assert read(tmp_path / "named.parquet").columns[0] == "customer"
    filtered = read(tmp_path / "filtered.parquet")
    assert list(filtered.columns) == list(frame.columns)
    assert isinstance(filtered.index, pd.RangeIndex)


def test_values_of_several_types_become_text(tmp_path):
    found = text(tmp_path / "a.jsonl", '{"a": 1}\n{"a": "x"}\n{"a": 2.0}\n{"a": true}\n')
    assert found["a"].tolist() == ["1", "x", "2", "true"]


def test_an_id_of_thirty_digits_stays_exact(tmp_path):
    long = "123456789012345678901234567890"
    for name, content in (
        ("a.csv", f"a,b\n{long},1\n{long[:-1]}1,2\n"),
        ("a.jsonl", f'{{"a": {long}}}\n{{"a": {long[:-1]}1}}\n'),
    ):
        assert text(tmp_path / name, content)["a"].tolist() == [long, long[:-1] + "1"]


@pytest.mark.parametrize("value", ["[1, 2]", '{"b": 1}'])
def test_nested_values_are_refused(tmp_path, value):
    message = refusal(tmp_path / "a.jsonl", f'{{"nested": {value}}}\n{{"nested": null}}\n')
    assert "'nested'" in message
    assert "lists" in message


def test_lists_in_parquet_are_refused(tmp_path):
    pd.DataFrame({"nested": [[1, 2], [3]]}).to_parquet(tmp_path / "a.parquet")
    assert "'nested'" in refusal(tmp_path / "a.parquet")


# --- refused -----------------------------------------------------------------------


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "gone.csv") == "data.source is 'gone.csv': there is no such file"


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "a.csv").mkdir()
    assert "there is no such file" in refusal(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl"])
def test_an_empty_file_is_refused(tmp_path, name):
    assert "0 bytes" in refusal(tmp_path / name, "")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "a,b\n", "0 rows and 2 columns"),
        ("a.csv", "\n\n", "No columns"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "line 3 has 3 fields, the header has 2"),
        ("a.csv", "a,b\n1,2,3\n4,5,6\n", "line 2 has 3 fields, the header has 2"),
        ("a.csv", "a,b\n0,2,3\n1,5,6\n", "line 2 has 3 fields, the header has 2"),
        ("a.csv", "a,b,a\n1,2,3\n", "a column name twice: a"),
        ("a.csv", 'a,b\n"1,2\n', "a double quote is opened in row 1 and never closed"),
        ("a.csv.gz", "a,b\n1,2\n", "Not a gzipped file"),
        ("a.jsonl", '{"a": 1}\n{"a": \n', "line 2 is not a JSON object"),
        ("a.jsonl", "[1, 2]\n", "line 1 is not a JSON object"),
        ("a.json", '[\n{"a": 1}\n]\n', "line 1 is not a JSON object"),
        ("a.jsonl", "\n", "0 rows and 0 columns"),
        ("a.parquet", "not parquet at all", "cannot be read as parquet"),
    ],
)
def test_what_cannot_be_parsed_is_refused_in_one_line(tmp_path, name, content, told):
    message = refusal(tmp_path / name, content)
    assert told in message
    assert name in message
    assert "\n" not in message


def test_a_gzip_file_that_was_cut_off_is_refused(tmp_path):
    whole = gzip.compress(make_frame(300).to_csv(index=False).encode())
    assert "cannot be read as csv" in refusal(tmp_path / "a.csv.gz", whole[: len(whole) // 2])
    assert "cannot be read as jsonl" in refusal(tmp_path / "a.jsonl.gz", whole[:200])


def test_a_parquet_file_that_was_cut_off_is_refused(tmp_path):
    write_source(make_frame(300), tmp_path / "a.parquet")
    data = (tmp_path / "a.parquet").read_bytes()
    message = refusal(tmp_path / "a.parquet", data[: len(data) // 2])
    assert re.match(r"a\.parquet cannot be read as parquet: \w+", message)


def test_ids_keep_their_leading_zeros(tmp_path):
    (tmp_path / "t.csv").write_text("id,y\n007,1\n7,0\n")
    data = Data(source="t.csv", target="y", positive=1, id="id")
    assert read_table(tmp_path / "t.csv", data)["id"].tolist() == ["007", "7"]
