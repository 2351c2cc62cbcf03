"""What is held while stages run."""

import os
import shutil
from pathlib import Path

import pytest

from mergeline.adapters.deepchecks import SOCKET, DeepchecksServer
from mergeline.check import running
from mergeline.check.running import while_running
from mergeline.errors import ContractError
from projects import make_project
from toys import Toy

MODEL, EVIDENCE = "reports/model", "reports/train.json"


class StoppedError(Exception):
    """Something went wrong."""


def read(toy: Toy) -> dict[str, bytes]:
    return {name: (toy.root / name).read_bytes() for name in (f"{MODEL}/model.txt", EVIDENCE)}


def remove(toy: Toy) -> None:
    """Take outputs away, as DVC does before it runs their stage."""
    shutil.rmtree(toy.root / MODEL)
    (toy.root / EVIDENCE).unlink()


def stop(toy: Toy, made: str | None = None) -> None:
    """Let something go wrong while a stage runs, after it has made a file or before."""
    with while_running(toy.root, frozenset({"train"})):
        remove(toy)
        if made is not None:
            toy.write(made, "new")
        raise StoppedError


def leftovers(toy: Toy) -> list[Path]:
    return list(toy.root.glob(".mergeline/worktrees/*"))


def test_outputs_that_are_gone_after_an_error_are_put_back(toy: Toy) -> None:
    before = read(toy)
    with pytest.raises(StoppedError):
        stop(toy)
    assert read(toy) == before
    assert leftovers(toy) == []
    assert toy.git.dirty() == ()


def test_outputs_that_were_made_before_the_error_stay(toy: Toy) -> None:
    """A folder is one output: old files never come among new ones."""
    with pytest.raises(StoppedError):
        stop(toy, made=f"{MODEL}/other.txt")
    assert [path.name for path in (toy.root / MODEL).iterdir()] == ["other.txt"]
    assert (toy.root / EVIDENCE).is_file()


def test_nothing_comes_back_when_all_went_well(toy: Toy) -> None:
    with while_running(toy.root, frozenset({"train"})):
        remove(toy)
    assert not (toy.root / MODEL).exists()
    assert leftovers(toy) == []


def test_without_hard_links_files_are_copied(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    before = read(toy)
    monkeypatch.setattr(running.os, "link", refuse)
    with pytest.raises(StoppedError):
        stop(toy)
    assert read(toy) == before


def test_data_that_is_not_there_is_told_before_anything_starts(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    (root / "data/customers.csv").unlink()
    with (
        pytest.raises(ContractError, match=r"data\.source is 'data/customers\.csv'"),
        while_running(root, frozenset({"prepare", "check_data"})),
    ):
        pytest.fail("went on")


def test_deepchecks_is_started_once_and_by_nobody_who_is_served(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SOCKET, raising=False)
    stale = frozenset({"check_model"})
    with DeepchecksServer() as server, while_running(toy.root, stale):
        assert os.environ[SOCKET] == str(server.socket)
    monkeypatch.setenv(SOCKET, str(server.socket))  # of one that is gone
    with while_running(toy.root, stale):
        own = Path(os.environ[SOCKET])
        assert own != server.socket
        assert own.is_socket()
    assert not own.exists()
