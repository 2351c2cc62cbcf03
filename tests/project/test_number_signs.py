"""How numbers are written in a file is found from all of its columns."""

from pathlib import Path

import pytest

from mergeline.project.source import Source, find_source


def found(folder: Path, *columns: str, separator: str = ";") -> Source:
    """A table of columns `name: value value ...`."""
    named = [column.split(": ") for column in columns]
    lines = [[name for name, _ in named], *zip(*(v.split("|") for _, v in named), strict=True)]
    text = "\n".join(separator.join(f'"{cell}"' for cell in line) for line in lines) + "\n"
    (folder / "t.csv").write_text(text)
    return find_source(folder, folder / "t.csv")


@pytest.mark.parametrize(
    ("values", "separator", "decimal", "thousands", "read"),
    [
        ("3,14|0,5", ";", ",", None, [3.14, 0.5]),
        ("3,14|0,5", ",", ",", None, [3.14, 0.5]),
        ("1.234,5|12", ";", ",", ".", [1234.5, 12]),
        ("1,234.5|12", ",", ".", ",", [1234.5, 12]),
        ("1,234|12,345", ";", ",", None, [1.234, 12.345]),
        ("1,234|12,345", ",", ".", ",", [1234, 12345]),
        ("1'234.5|12", ",", ".", "'", [1234.5, 12]),
        ("1 234.5|12", ",", ".", " ", [1234.5, 12]),
        ("1 234,5|12", ";", ",", " ", [1234.5, 12]),
        ("3.14|0.5", ";", ".", None, [3.14, 0.5]),
    ],
)
def test_one_column(
    tmp_path: Path,
    values: str,
    separator: str,
    decimal: str,
    thousands: str | None,
    read: list[float],
) -> None:
    source = found(tmp_path, f"x: {values}", "y: a|b", separator=separator)
    assert (source.signs.decimal, source.signs.thousands) == (decimal, thousands)
    assert source.frame["x"].tolist() == read


def test_another_column_says_what_one_alone_does_not(tmp_path: Path) -> None:
    source = found(tmp_path, "x: 1,234|2,345", "z: 1,5|12,25", "y: a|b", separator="|")
    assert source.frame["x"].tolist() == [1.234, 2.345]
    source = found(tmp_path, "x: 1.234|2.345", "z: 1,5|12,25", "y: a|b")
    assert source.frame["x"].tolist() == [1234, 2345]
    assert source.signs.example in ("1,5", "12,25")


def test_columns_that_contradict_each_other_are_left_as_they_are(tmp_path: Path) -> None:
    source = found(tmp_path, "x: 1,25|2,5", "z: 0.5|0.75", "y: a|b")
    assert (source.signs.decimal, source.signs.thousands) == (".", None)
    assert source.frame["z"].tolist() == [0.5, 0.75]


def test_texts_with_such_signs_are_no_numbers(tmp_path: Path) -> None:
    source = found(tmp_path, "x: a, b|1, 2", "z: 31.12.2026|1.2.3", "y: 007|8", "w: 12:30|?")
    assert source.signs.decimal == "."
    assert source.frame["x"].tolist() == ["a, b", "1, 2"]


def test_dates_with_points_stay_dates_beside_points_between_thousands(tmp_path: Path) -> None:
    source = found(tmp_path, "x: 1.234,5|2", "z: 31.12.2026|01.02.2025", "y: a|b")
    assert source.signs.thousands == "."
    assert source.frame["z"].tolist() == ["31.12.2026", "01.02.2025"]
