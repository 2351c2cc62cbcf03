"""The environment: built whole or not at all, from the lock and only from it.

The locks here are empty or broken, so that nothing is downloaded.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from mergeline.adapters import deepchecks_environment as room
from mergeline.errors import ToolError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def prefix(tmp_path, monkeypatch):
    """An installation of its own, with an empty lock."""
    folder = tmp_path / "prefix"
    folder.mkdir()
    lock = tmp_path / "lock.txt"
    lock.write_text("# nothing\n")
    monkeypatch.delenv(room.PYTHON, raising=False)
    monkeypatch.setattr(sys, "prefix", str(folder))
    monkeypatch.setattr(room, "LOCK", lock)
    return folder


def test_the_lock_travels_with_the_package():
    assert room.LOCK.read_bytes() == (ROOT / "requirements" / "deepchecks.txt").read_bytes()
    assert "deepchecks==" in room.LOCK.read_text()


def test_missing_environment_names_the_path_and_the_command(prefix):
    assert room.state() == "missing"
    with pytest.raises(ToolError) as caught:
        room.interpreter()
    assert str(prefix / "deepchecks") in caught.value.message
    assert "mergeline doctor --build" in caught.value.hint
    assert caught.value.exit_code == 4


def test_built_once_and_again_for_another_lock(prefix):
    assert room.build_environment()
    python = room.interpreter()
    assert python == prefix / "deepchecks" / "bin" / "python"
    shown = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.prefix)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip() == str(prefix / "deepchecks")
    assert not room.build_environment()
    room.LOCK.write_text("# something else\n")
    assert room.state() == "outdated"
    with pytest.raises(ToolError, match="was not made from this version's lock"):
        room.interpreter()
    assert room.build_environment()
    assert room.state() == "ready"
    assert [path.name for path in prefix.iterdir()] == ["deepchecks"]


def test_environment_without_a_stamp_is_outdated(prefix):
    room.build_environment()
    (prefix / "deepchecks" / room.STAMP).unlink()
    assert room.state() == "outdated"


def test_failed_build_leaves_what_was_there(prefix):
    room.build_environment()
    before = (prefix / "deepchecks" / room.STAMP).read_text()
    room.LOCK.write_text("deepchecks==0.19.1\n")
    with pytest.raises(ToolError, match="building deepchecks' environment failed") as caught:
        room.build_environment()
    assert "hash" in caught.value.message
    assert (prefix / "deepchecks" / room.STAMP).read_text() == before
    assert [path.name for path in prefix.iterdir()] == ["deepchecks"]


def test_folder_that_cannot_be_written(prefix, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(prefix / "gone"))
    with pytest.raises(ToolError, match="cannot be written"):
        room.build_environment()


def test_chosen_interpreter_wins_and_nothing_is_built(prefix, monkeypatch):
    monkeypatch.setenv(room.PYTHON, sys.executable)
    assert room.state() == "chosen"
    assert room.interpreter() == Path(sys.executable)
    assert not room.build_environment()
    assert list(prefix.iterdir()) == []


def test_chosen_interpreter_that_is_not_there(prefix, monkeypatch):
    monkeypatch.setenv(room.PYTHON, "/nowhere/python")
    with pytest.raises(ToolError, match=r"MERGELINE_DEEPCHECKS_PYTHON is '/nowhere/python'"):
        room.interpreter()


@pytest.fixture
def too_new(prefix, tmp_path, monkeypatch):
    """A Python that is too new, and a PATH with what the test puts there."""
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    monkeypatch.setenv("PATH", str(path))

    def program(name, text):
        (path / name).write_text(text)
        (path / name).chmod(0o755)

    return program


def test_no_python_fits(too_new):
    with pytest.raises(ToolError, match=r"this one is 3\.13, and none of python3\.12") as caught:
        room.build_environment()
    assert room.PYTHON in caught.value.hint


def test_a_shim_without_a_python_behind_it_is_passed_over(too_new, prefix):
    too_new("python3.12", "#!/bin/sh\necho no such version >&2; exit 127\n")
    too_new("python3.10", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    assert room.build_environment()
    assert room.state() == "ready"
