"""Which repository is asked, and which token goes where."""

from pathlib import Path

import pytest

from mergeline.project.doctor.finding import Finding
from mergeline.project.doctor.place import Where, find_place

from .conftest import git

TOKEN = "ghp_of-the-environment"  # noqa: S105
ENVIRON = {"GITHUB_TOKEN": TOKEN}


@pytest.fixture(autouse=True)
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `gh` that knows one host, on the PATH with Git and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "gh"
    known = '[ "$1 $2 $3 $4" = "auth token --hostname git.example.org" ] && echo gho_of-gh'
    program.write_text(f"#!/bin/sh\n{known}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return program


def origin(folder: Path, address: str) -> Path:
    git(folder, "remote", "add", "origin", address)
    return folder


def asked(folder: Path | None, environ: dict[str, str]) -> Where:
    found = find_place(folder, environ)
    assert isinstance(found, Where), found
    return found


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/credit.git",
        "https://ann@github.com/acme/credit",
        "git@github.com:acme/credit.git",
        "ssh://git@ssh.github.com:443/acme/credit.git",
    ],
)
def test_the_remote_origin(folder: Path, address: str) -> None:
    where = asked(origin(folder, address), ENVIRON)
    assert where.place.repository == "acme/credit"
    assert (where.place.address, where.place.token) == ("https://api.github.com", TOKEN)
    assert (where.host, where.source) == ("github.com", "GITHUB_TOKEN")


def test_the_environment_wins(folder: Path) -> None:
    origin(folder, "https://github.com/acme/credit.git")
    environ = {"GH_TOKEN": "x", "GITHUB_REPOSITORY": "acme/other"}
    where = asked(folder, environ)
    assert (where.place.repository, where.source) == ("acme/other", "GH_TOKEN")
    assert asked(None, environ).place.repository == "acme/other"


def test_no_token_goes_to_a_host_that_a_remote_names(folder: Path) -> None:
    found = find_place(origin(folder, "https://gitlab.example.org/acme/credit.git"), ENVIRON)
    assert isinstance(found, Finding)
    assert "gh auth login --hostname gitlab.example.org" in found.next_step


def test_a_host_that_gh_knows(folder: Path) -> None:
    where = asked(origin(folder, "https://git.example.org/acme/credit.git"), ENVIRON)
    assert where.place.address == "https://git.example.org/api/v3"
    assert (where.place.token, where.source) == ("gho_of-gh", "gh auth token")


def test_a_host_that_the_environment_names(folder: Path) -> None:
    environ = ENVIRON | {"GITHUB_API_URL": "https://git.other.org/api/v3"}
    where = asked(origin(folder, "https://git.other.org/acme/credit.git"), environ)
    assert (where.place.address, where.place.token) == ("https://git.other.org/api/v3", TOKEN)


def test_nothing_to_ask(folder: Path) -> None:
    found = find_place(folder, ENVIRON)
    assert isinstance(found, Finding)
    assert (found.state, "git remote add origin" in found.next_step) == ("unknown", True)
    origin(folder, "/srv/git/credit.git")
    assert isinstance(find_place(folder, ENVIRON), Finding)


def test_no_token(folder: Path) -> None:
    found = find_place(origin(folder, "https://github.com/acme/credit.git"), {})
    assert isinstance(found, Finding)
    assert (found.state, found.name) == ("unknown", "token")
    assert "gh auth login, or export GITHUB_TOKEN" in found.next_step


def test_a_variable_that_is_wrong(folder: Path) -> None:
    environ = ENVIRON | {"GITHUB_REPOSITORY": "acme"}
    found = find_place(folder, environ)
    assert isinstance(found, Finding)
    assert (found.state, "owner/name" in found.detail) == ("missing", True)
    assert TOKEN not in found.model_dump_json()
