"""An error that names a line of a file, as a build on GitHub shows it."""

from pathlib import Path

import pytest

from cli.conftest import Project
from mergeline.cli.annotate import commands
from mergeline.errors import ContractError

GITHUB = {"GITHUB_ACTIONS": "true"}
CONTRACT = """schema_type: dataframe
columns:
  age: {dtype: int64, in_range: {min_value: 18, max_value: 120}}
  "age: years":
    dtype: int64
  town:
    isin: [Oslo]
"""


def shown(message: str, root: Path, environ: dict[str, str] = GITHUB) -> list[str]:
    return list(commands(ContractError(message, hint="mend it"), root, environ))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a,b.yaml").write_text(CONTRACT)
    (tmp_path / "data" / "contract.yaml").write_text(CONTRACT)
    return tmp_path


def test_breaches_of_the_contract_at_their_columns(root: Path) -> None:
    message = (
        "stage prepare: data/t.csv breaks its contract data/contract.yaml:\n"
        "  age: in_range(18, 120) (5 rows)\n"
        "  age: years: not_nullable (1 row)\n"
        "  town: isin(['Oslo', '100 %'])\n"
        "  (table): unique\n"
        "  and 5 more"
    )
    assert shown(message, root) == [
        "::error file=data/contract.yaml,line=3::age: in_range(18, 120) (5 rows)",
        "::error file=data/contract.yaml,line=4::age: years: not_nullable (1 row)",
        "::error file=data/contract.yaml,line=6::town: isin(['Oslo', '100 %25'])",
        "::error file=data/contract.yaml,line=2::(table): unique",
        "::error file=data/contract.yaml,line=2::and 5 more",
    ]


def test_settings_that_are_wrong(root: Path) -> None:
    message = "params.yaml: 2 problems\nparams.yaml:3: gates: no\nparams.yaml:9:4: tab"
    assert shown(message, root) == [
        "::error file=params.yaml,line=3::gates: no",
        "::error file=params.yaml,line=9::tab",
    ]


def test_other_errors_name_no_line(root: Path) -> None:
    assert shown("the disk is full", root) == []
    assert shown("data/t.csv breaks its contract data/gone.yaml:\n  age: x", root) == []


def test_outside_of_github_nothing_is_shown(root: Path) -> None:
    assert shown("params.yaml:3: gates: no", root, {}) == []
    assert shown("params.yaml:3: gates: no", root, {"GITHUB_ACTIONS": "false"}) == []


def test_no_text_begins_a_command_of_its_own(root: Path) -> None:
    message = "x breaks its contract data/a,b.yaml:\n  town: \r::warning::x\n::set-output name=a::b"
    found = shown(message, root)
    assert all(line.startswith("::error file=data/a%2Cb.yaml,line=") for line in found)
    assert not any("\r" in line or "\n" in line for line in found)


def test_no_more_than_github_shows(root: Path) -> None:
    assert len(shown("\n".join(f"params.yaml:{n}: no" for n in range(1, 99)), root)) == 10


def test_a_build_that_a_contract_stops(project: Project) -> None:
    project.edit("min_value: 18", "min_value: 30", "data/contract.yaml")
    done = project.check(env=GITHUB)
    assert done.code == 3
    (shown,) = [line for line in done.err.splitlines() if line.startswith("::")]
    lines = project.read("data/contract.yaml").splitlines()
    number = next(number for number, line in enumerate(lines, 1) if line.strip() == "age:")
    assert shown.startswith(f"::error file=data/contract.yaml,line={number}::age: in_range(30, ")
    assert "ERROR stage prepare: data/loans.csv breaks its contract" in done.err
