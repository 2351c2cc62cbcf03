"""Files that are no table, or not the one that was meant."""

import gzip

import pytest

from cli.conftest import Project
from failures.case import Case, edit, lines, write
from failures.conftest import Holder

TABLE = "data/loans.csv"
STAGE = "mergeline stage prepare"
PAGE = "<!DOCTYPE html>\n<html><body>Please sign in</body></html>\n"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a21\nsize 12345\n"


def whole(project: Project) -> bytes:
    return (project.root / TABLE).read_bytes()


def as_parquet(project: Project) -> None:
    """A Parquet file of which the end is missing."""
    import pandas as pd

    data = pd.read_csv(project.root / TABLE).to_parquet()
    (project.root / "data/loans.parquet").write_bytes(data[: len(data) // 2])
    project.edit(TABLE, "data/loans.parquet")


def packed(project: Project) -> None:
    (project.root / TABLE).write_bytes(gzip.compress(whole(project)))


def utf_16(project: Project) -> None:
    (project.root / TABLE).write_bytes(whole(project).decode().encode("utf-16-le"))


def cut_off(project: Project) -> None:
    (project.root / TABLE).write_bytes(whole(project)[:20_030])


CASES = [
    Case("No such file", lambda project: (project.root / TABLE).unlink()),
    Case("An empty file", write(TABLE, ""), command=STAGE),
    Case("A header and no rows", lines(lambda rows: rows[:1]), command=STAGE),
    Case("Not UTF-8", write(TABLE, "name,default\nJosé,1\n".encode("latin-1")), command=STAGE),
    Case("UTF-16 without its mark", utf_16, command=STAGE),
    Case("A gzip file that is not called so", packed, command=STAGE),
    Case("A web page instead of the table", write(TABLE, PAGE), command=STAGE),
    Case("A pointer of Git LFS", write(TABLE, POINTER), command=STAGE),
    Case("A file that was cut off", cut_off, command=STAGE),
    Case("A Parquet file that was cut off", as_parquet, command=STAGE),
    Case(
        "A line with a field too many",
        lines(lambda rows: [*rows[:9], rows[9] + ",7", *rows[10:]]),
        command="mergeline check",
        apart=True,
    ),
    Case(
        "A column name twice",
        lines(lambda rows: [rows[0].replace("income", "age"), *rows[1:]]),
        command=STAGE,
    ),
    Case(
        "Two separators that fit",
        write(TABLE, "a;b|c\n" + "1;2|3\n" * 9),
        command=STAGE,
    ),
    Case(
        "A quote that is never closed",
        lines(lambda rows: [*rows[:9], '"' + rows[9], *rows[10:]]),
        command=STAGE,
    ),
    Case("A kind of file that is not known", edit(TABLE, "data/contract.yaml"), command=STAGE),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_one_message(case: Case, holds: Holder) -> None:
    holds(case, "files")
