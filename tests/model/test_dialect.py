"""Encoding and separator are found where they are certain, and named where they are not."""

import gzip

import pytest

from mergeline.config.settings import Data
from mergeline.errors import ContractError
from mergeline.model.dialect import Dialect, find_dialect, require_even


def found(path, content, kind="csv", **given):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return find_dialect(path, kind, data(path, **given))


def data(path, **given):
    return Data(source=path.name, target="y", positive=1, **given)


def refused(path, content, kind="csv"):
    with pytest.raises(ContractError) as caught:
        found(path, content, kind)
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("kind", "content", "separator"),
    [
        ("csv", "a,b\n1,2\n", ","),
        ("csv", "a;b\n1;2\n", ";"),
        ("csv", "a;b\n1,5;2,5\n", ";"),
        ("csv", "a\tb\n1\t2\n", "\t"),
        ("tsv", "a\tb\n1\t2\n", "\t"),
        ("tsv", "a,b\n1,2\n", ","),
        ("csv", 'a,"b;c"\n1,2\n', ","),
        # One column, though a value holds a semicolon.
        ("csv", "a\n1;2\n3\n", ","),
        # A name with a comma in it; its rows have none.
        ("csv", "name, first;b\nx;1\n", ";"),
        # Both divide all lines evenly: the format's own wins.
        ("csv", "a,b;c\n1,2;3\n", ","),
        ("csv", "", ","),
    ],
)
def test_separators(tmp_path, kind, content, separator):
    assert found(tmp_path / "a.txt", content, kind).separator == separator


def test_a_separator_that_is_given_is_not_looked_for(tmp_path):
    assert found(tmp_path / "a.csv", "a;b\n1;2\n", separator="|").separator == "|"


def test_two_separators_that_fit_are_named(tmp_path):
    message, hint = refused(tmp_path / "a.csv", "a;b|c\n1;2|3\n")
    assert message == "a.csv could be separated by ';' or by '|'"
    assert "data.separator" in hint


@pytest.mark.parametrize(
    ("encoding", "read_as"),
    [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16")],
)
def test_a_mark_decides(tmp_path, encoding, read_as):
    content = "å;b\n1;2\n".encode(encoding)
    assert found(tmp_path / "a.csv", content) == Dialect(read_as, ";")
    assert found(tmp_path / "a.csv.gz", gzip.compress(content)) == Dialect(read_as, ";")


@pytest.mark.parametrize(
    ("content", "told", "hint"),
    [
        (gzip.compress(b"a,b\n", mtime=0), "a gzip file", "end in .gz"),
        (b"PK\x03\x04....", "a workbook", "as CSV"),
        (b"PAR1....", "a Parquet file", "data.format: parquet"),
        (b'{"name": "secret", "y": 1}\n', "begins as JSON", "data.format: jsonl"),
        (b"<!DOCTYPE html>\n<html>", "a web page", "fetch the table itself"),
        (b"version https://git-lfs.github.com/spec/v1\n", "pointer of Git LFS", "git lfs pull"),
        (b"\xef\xbb\xbfsep=;\na;b\n", "sep=", "delete that line"),
        (b"a,b\n1,\0\n", "NUL byte in line 2", "utf-16-le"),
        ("a,b\n1,2\n".encode("utf-16-le"), "NUL byte in line 1", "utf-16-le"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, told, hint):
    message, next_step = refused(tmp_path / "a.csv", content)
    assert told in message
    assert hint in next_step


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a,b,c\n1,2,3\n4,5\n", "line 3 has 2 fields, the header has 3"),
        ("a,b\n1,2\n3\n", "line 3 has 1 field, the header has 2"),
        ('a,b\n"1\n1",2\n3,4,5\n', "line 4 has 3 fields, the header has 2"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_uneven_lines_are_named(tmp_path, name, content, told):
    path = tmp_path / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    with pytest.raises(ContractError, match=told):
        require_even(path, Dialect("utf-8-sig", ","), data(path))


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n\n3,4\n\n",
        'a,b\n1, "x,y"\n2,"x\ny"\n',  # Arrow's reader takes the first quote for text
        "a\n1\n2\n",
        'a,b\n1,5" pipe\n',
        "",
    ],
)
def test_even_lines_pass(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    require_even(tmp_path / "a.csv", Dialect("utf-8-sig", ","), data(tmp_path / "a.csv"))
