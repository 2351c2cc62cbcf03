"""What is missing is said, with the next command."""

import sys

import pytest

from mergeline.adapters import deepchecks_environment as room
from mergeline.project.doctor.machine import machine


def finding(name):
    (found,) = [item for item in machine().findings if item.name == name]
    return found


@pytest.fixture(autouse=True)
def no_choice(monkeypatch):
    monkeypatch.delenv(room.PYTHON, raising=False)


def test_what_runs_the_tests_is_there():
    names = [item.name for item in machine().findings]
    assert names == ["python", "git", "dvc", "deepchecks", "cml", "gh"]
    for name in ("python", "git", "dvc"):
        assert finding(name).ok
        assert finding(name).detail[0].isdigit()
        assert finding(name).next_step == ""


def test_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    assert not finding("python").ok
    assert "3.11 or newer" in finding("python").detail


def test_git_not_on_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not finding("git").ok
    assert "install" in finding("git").next_step


def test_git_that_does_not_work(tmp_path, monkeypatch):
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\nexit 1\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not finding("git").ok


def test_missing_deepchecks(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    found = finding("deepchecks")
    assert (found.state, found.next_step) == ("missing", "mergeline doctor --build")
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
    assert found.next_step == f"unset {room.PYTHON}, then mergeline doctor --build"


@pytest.mark.parametrize("name", ["cml", "gh"])
def test_optional_tools(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert finding(name).state == "warn", "a machine of one's own does without"
    program = tmp_path / name
    program.write_text("#!/bin/sh\necho 1.2.3\n")
    program.chmod(0o755)
    assert (finding(name).state, finding(name).detail) == ("ok", "1.2.3")
