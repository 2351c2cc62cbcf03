"""Storage is asked in a process of its own, which ends."""

import socket
from pathlib import Path

import pytest

from mergeline.adapters.dvc_remote import look_at_remote


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".dvc").mkdir()
    return tmp_path


def describe(project: Path, url: str) -> None:
    config = f"['remote \"storage\"']\n    url = {url}\n"
    (project / ".dvc/config").write_text(config, encoding="utf-8")


def test_a_folder(project: Path) -> None:
    describe(project, str(project))
    before = sorted(project.rglob("*"))
    assert look_at_remote(project, "storage").state == "reached"
    assert sorted(project.rglob("*")) == before, "nothing is written"


def test_a_remote_that_nobody_describes(project: Path) -> None:
    found = look_at_remote(project, "storage")
    assert (found.state, "storage" in found.said) == ("refused", True)


def test_storage_that_needs_a_plugin(project: Path) -> None:
    describe(project, "webhdfs://127.0.0.1:1/x")
    found = look_at_remote(project, "storage")
    assert (found.state, found.said) == ("no plugin", "webhdfs")


def test_storage_that_never_answers(project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        describe(project, f"http://ann:hunter2@127.0.0.1:{server.getsockname()[1]}/x")
        found = look_at_remote(project, "storage", seconds=2)
    assert (found.state, "2 seconds" in found.said) == ("silent", True)


def test_a_process_that_dies(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(project))
    (project / "sitecustomize.py").write_text("import os; os._exit(9)\n", encoding="utf-8")
    found = look_at_remote(project, "storage")
    assert (found.state, "exit code 9" in found.said) == ("refused", True)


def test_no_password_is_said(project: Path) -> None:
    describe(project, "http://ann:hunter2@127.0.0.1:1/x?key=hunter2")
    found = look_at_remote(project, "storage")
    assert found.state == "refused"
    assert "hunter2" not in found.said
