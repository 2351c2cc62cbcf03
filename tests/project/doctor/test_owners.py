"""Who owns a path, by the file of code owners."""

from pathlib import Path

import pytest

from mergeline.project.doctor.owners import owners_file, owners_of

from .conftest import write


@pytest.mark.parametrize(
    ("pattern", "owned"),
    [
        ("*", {"params.yaml", "data/params.yaml", ".github/workflows/a.yml"}),
        ("params.yaml", {"params.yaml", "data/params.yaml"}),
        ("/params.yaml", {"params.yaml"}),
        ("*.yaml", {"params.yaml", "data/params.yaml"}),
        (".github/", {".github/workflows/a.yml"}),
        ("/.github/", {".github/workflows/a.yml"}),
        ("/.github", {".github/workflows/a.yml"}),
        ("/.github/*", set()),
        (".github/workflows/*", {".github/workflows/a.yml"}),
        ("workflows/", {".github/workflows/a.yml"}),
        ("/workflows/", set()),
        ("data/", {"data/params.yaml"}),
        ("params.yaml/", set()),
        ("# params.yaml", set()),
    ],
)
def test_patterns(pattern: str, owned: set[str]) -> None:
    paths = ("params.yaml", "data/params.yaml", ".github/workflows/a.yml")
    assert {path for path in paths if owners_of(f"{pattern} @bob\n", path)} == owned


def test_the_last_line_counts_and_may_name_nobody() -> None:
    text = "* @ann\n\n/params.yaml @bob @acme/team # the policy\n/data/\n"
    assert owners_of(text, "params.yaml") == ("@bob", "@acme/team")
    assert owners_of(text, "README.md") == ("@ann",)
    assert owners_of(text, "data/x.csv") == ()


def test_where_the_file_is(tmp_path: Path) -> None:
    assert owners_file(tmp_path) is None
    for name in ("docs/CODEOWNERS", "CODEOWNERS", ".github/CODEOWNERS"):
        write(tmp_path / name, "")
        assert owners_file(tmp_path) == name, "the first that GitHub looks for counts"
