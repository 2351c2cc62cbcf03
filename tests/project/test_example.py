"""The demo's own project, made on a machine with settings of somebody's own."""

from pathlib import Path

import pytest

from mergeline.project.example import Example
from mergeline.project.process import run

SOURCE = Path(__file__).parents[2]


def test_hooks_of_the_user_do_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks, settings, remote = (tmp_path / name for name in ("hooks", "settings", "remote.git"))
    hooks.mkdir()
    for name in ("pre-commit", "pre-push"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    settings.write_text(f"[core]\nhooksPath = {hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote)], tmp_path)
    Example(SOURCE, tmp_path / "project", tmp_path / "cache").start(remote)
    said = run(["git", "log", "--format=%an %s", "main"], remote)
    assert said == "ada A place for the model\n"
