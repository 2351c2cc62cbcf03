"""What is missing is said, with the next command."""

import sys

import pytest

from mergeline.adapters import deepchecks_environment as room
from mergeline.project.doctor import diagnose


def finding(name):
    (found,) = [item for item in diagnose() if item.name == name]
    return found


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    monkeypatch.delenv(room.PYTHON, raising=False)


def test_what_runs_the_tests_is_there():
    assert [item.name for item in diagnose()] == ["python", "git", "dvc", "deepchecks"]
    for name in ("python", "git", "dvc"):
        assert finding(name).ok
        assert finding(name).detail[0].isdigit()
        assert finding(name).next_command == ""


def test_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    assert not finding("python").ok
    assert "3.11 or newer" in finding("python").detail


def test_git_not_on_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not finding("git").ok
    assert "install" in finding("git").next_command


def test_git_that_does_not_work(tmp_path, monkeypatch):
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\nexit 1\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not finding("git").ok


def test_missing_deepchecks(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    found = finding("deepchecks")
    assert (found.ok, found.next_command) == (False, "mergeline doctor --build")
    assert str(tmp_path / "deepchecks") in found.detail


def test_outdated_and_ready_deepchecks(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(room, "LOCK", tmp_path / "lock.txt")
    (tmp_path / "lock.txt").write_text("# nothing\n")
    room.build_environment()
    assert finding("deepchecks").ok
    (tmp_path / "lock.txt").write_text("# changed\n")
    assert not finding("deepchecks").ok
    assert "lock" in finding("deepchecks").detail


def test_chosen_python_without_deepchecks(monkeypatch):
    monkeypatch.setenv(room.PYTHON, "/nowhere/python")
    found = finding("deepchecks")
    assert not found.ok
    assert found.next_command == f"unset {room.PYTHON}, then mergeline doctor --build"
