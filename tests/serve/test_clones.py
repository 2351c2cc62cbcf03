"""The follower's own clones: of a path or an address, and as little as is needed."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.errors import ConfigError, ToolError
from mergeline.serve.clones import Clones, fetched_settings, open_clone
from serve.lines_made import Line


def address_of(git: Git) -> str:
    return Remote(git).address()


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a/b.git", "git@example.org:a/b.git", "host:b.git", "file:///a/b"],
)
def test_an_address_is_taken_as_it_is(tmp_path: Path, address: str) -> None:
    assert address_of(open_clone(tmp_path / "clone", address)) == address


@pytest.mark.parametrize("path", ["remote.git", "./remote.git", "not-there-yet/remote.git"])
def test_a_path_starts_where_we_are(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert address_of(open_clone(tmp_path / "clone", path)) == str((tmp_path / path).resolve())


def test_a_clone_follows_an_address_that_changed(tmp_path: Path) -> None:
    open_clone(tmp_path / "clone", "https://example.org/old.git")
    git = open_clone(tmp_path / "clone", "https://example.org/new.git")
    assert address_of(git) == "https://example.org/new.git"


def test_settings_are_those_of_the_commit_and_stay_readable_without_the_remote(
    line: Line, stock_uri: str, tmp_path: Path
) -> None:
    old = str(line.commit)
    line.configure(stock_uri, watch=7)
    git = open_clone(tmp_path / "clone", str(line.remote))
    assert fetched_settings(git, old).deploy.watch_seconds == 0.3
    assert fetched_settings(git, str(line.commit)).deploy.watch_seconds == 7
    line.remote.rename(tmp_path / "hidden")
    subprocess.run(["git", "gc", "-q", "--prune=now"], cwd=git.root, check=True)
    assert fetched_settings(git, old).deploy.watch_seconds == 0.3


def test_no_history_is_fetched(line: Line, stock_uri: str, tmp_path: Path) -> None:
    old = str(line.commit)
    line.configure(stock_uri, watch=7)
    git = open_clone(tmp_path / "clone", str(line.remote))
    fetched_settings(git, str(line.commit))
    line.remote.rename(tmp_path / "hidden")
    assert not git.has(old)


def test_a_commit_that_is_not_there_is_a_matter_of_the_remote(line: Line, tmp_path: Path) -> None:
    git = open_clone(tmp_path / "clone", str(line.remote))
    with pytest.raises(ToolError, match="Git failed"):
        fetched_settings(git, "1" * 40)


def test_a_commit_without_settings(tmp_path: Path) -> None:
    writer = open_clone(tmp_path / "writer", str(tmp_path / "remote"))
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "remote"], check=True)
    commit = Remote(writer).commit_files({"a": b""}, None, "a")
    assert Remote(writer).push("main", commit, None)
    git = open_clone(tmp_path / "clone", str(tmp_path / "remote"))
    with pytest.raises(ConfigError, match="no such file"):
        fetched_settings(git, commit)


def test_both_clones_are_made_once_whoever_asks_first(line: Line, tmp_path: Path) -> None:
    async def ask() -> list[Git]:
        clones = Clones(tmp_path / "state", str(line.remote))
        return await asyncio.gather(*(clones.ledger() for _ in range(4)))

    assert len({id(git) for git in asyncio.run(ask())}) == 1


@pytest.fixture
def stock_uri() -> str:
    return "sqlite:////nowhere.db"


@pytest.fixture
def line(tmp_path: Path, stock_uri: str) -> Line:
    return Line(tmp_path, stock_uri)
