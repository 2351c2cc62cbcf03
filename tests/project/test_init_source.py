"""The table that a project begins with: found, read, or refused by name."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from mergeline.errors import ContractError, MergelineError, UsageError
from mergeline.project.source import find_source
from projects import make_frame, write_source

TABLE = "a,b,y\n1,x,0\n2,z,1\n"


def written(root: Path, name: str, data: str | bytes = TABLE) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet", "t.jsonl", "t.csv.gz", "t.CSV"])
def test_tables_of_every_kind_are_read(tmp_path: Path, name: str) -> None:
    frame = make_frame(20).drop(columns="joined")
    write_source(frame, tmp_path / "data" / name)
    found = find_source(tmp_path, tmp_path / "data" / name)
    assert found.path == f"data/{name}"
    assert found.frame.shape == frame.shape
    assert found.bytes == (tmp_path / "data" / name).stat().st_size
    assert (found.encoding, found.separator) == ("utf-8-sig", None)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators_are_found(tmp_path: Path, separator: str) -> None:
    path = written(tmp_path, "t.csv", TABLE.replace(",", separator).replace("x", '"1,5"'))
    found = find_source(tmp_path, path)
    assert (found.separator, list(found.frame.columns)) == (separator, ["a", "b", "y"])


@pytest.mark.parametrize(("encoding", "name"), [("cp1252", "cp1252"), ("utf-16", "utf-16")])
def test_encodings_are_found(tmp_path: Path, encoding: str, name: str) -> None:
    path = written(tmp_path, "t.csv", TABLE.replace("x", "Zürich").encode(encoding))
    found = find_source(tmp_path, path)
    assert (found.encoding, found.frame["b"][0]) == (name, "Zürich")


def test_a_path_is_taken_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "data/t.csv")
    monkeypatch.chdir(tmp_path / "data")
    assert find_source(tmp_path, Path("t.csv")).path == "data/t.csv"
    (tmp_path / "link.csv").symlink_to("data/t.csv")
    assert find_source(tmp_path, tmp_path / "link.csv").path == "data/t.csv"


@pytest.mark.parametrize(
    ("name", "data", "kind", "said"),
    [
        ("t.xlsx", TABLE, UsageError, "known format"),
        ("t.csv", "", ContractError, "empty"),
        ("t.csv", "a,b,y\n", ContractError, "0 rows"),
        ("t.csv.gz", gzip.compress(TABLE.encode(), mtime=0)[:-9], ContractError, "cannot be read"),
        ("t.csv.gz", TABLE, ContractError, "cannot be read"),
        ("t.jsonl", "[1]\n", ContractError, "cannot be read"),
        ("reports/t.csv", TABLE, UsageError, "is in reports"),
        ("data/prepared/t.csv", TABLE, UsageError, "is in data/prepared"),
        ("a\\b.csv", TABLE, UsageError, "cannot hold"),
        ("${x}.csv", TABLE, UsageError, "cannot hold"),
        ("a\nb.csv", TABLE, UsageError, "cannot hold"),
    ],
)
def test_what_is_no_table_of_ours(
    tmp_path: Path, name: str, data: str, kind: type[MergelineError], said: str
) -> None:
    path = written(tmp_path, name, data)
    with pytest.raises(kind) as caught:
        find_source(tmp_path, path)
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    written(tmp_path, "data/customers.csv")
    with pytest.raises(UsageError, match=r"did you mean customers\.csv\?"):
        find_source(tmp_path, tmp_path / "data/custmers.csv")
    with pytest.raises(UsageError, match="is a folder"):
        find_source(tmp_path, tmp_path / "data")
    with pytest.raises(UsageError, match="no such file"):
        find_source(tmp_path, tmp_path / "nowhere/t.csv")


def test_a_file_that_dvc_keeps_and_nobody_pulled(tmp_path: Path) -> None:
    written(tmp_path, "t.csv.dvc", "outs: []\n")
    with pytest.raises(UsageError, match="DVC tracks it") as caught:
        find_source(tmp_path, tmp_path / "t.csv")
    assert "dvc pull" in caught.value.hint


def test_a_file_outside_of_the_repository(tmp_path: Path) -> None:
    path = written(tmp_path, "t.csv")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/t.csv").symlink_to(path)
    for given in (path, tmp_path / "project/../t.csv", tmp_path / "project/t.csv"):
        with pytest.raises(UsageError, match="outside of the repository"):
            find_source(tmp_path / "project", given)


def test_columns_that_are_numbered(tmp_path: Path) -> None:
    pd.DataFrame({0: [1, 2], 1: [0, 1]}).to_parquet(tmp_path / "t.parquet")
    assert list(find_source(tmp_path, tmp_path / "t.parquet").frame.columns) == ["0", "1"]
