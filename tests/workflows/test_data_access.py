"""Private data, by the workflows: branches read it with the credential, forks do not."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dvc_over_http import PASSWORD, WRITER, Storage, served
from workflows.line import STRANGER, Project, git
from workflows.test_refusals import ended, said

CONFIG = ".dvc/config.local"


def keep_privately(project: Project, storage: Storage) -> None:
    """Let DVC keep the table, at a remote that wants a password."""

    def dvc(*arguments: str) -> None:
        command = [sys.executable, "-m", "dvc", *arguments]
        subprocess.run(command, cwd=project.clone, check=True, capture_output=True, timeout=120)

    dvc("add", "--quiet", "data/customers.csv")
    dvc("remote", "add", "--quiet", "--default", "store", storage.url)
    (project.clone / CONFIG).write_text(storage.settings(WRITER))
    dvc("push", "--quiet")
    (project.clone / CONFIG).unlink()
    listed = git(project.clone, "ls-files", "--cached", "--others", "--exclude-standard").split()
    project.files = {name: project.text(name) for name in listed}
    assert "data/customers.csv" not in project.files


def test_a_branch_reads_private_data_and_a_fork_is_told_how_to_start(
    begun: Callable[..., Project], tmp_path: Path
) -> None:
    with served(tmp_path / "store") as storage:
        project = begun()
        keep_privately(project, storage)
        project.hosted.secrets["MERGELINE_DVC_CONFIG"] = storage.settings()
        number = project.change("first")
        runs = project.hosted.opened(number)
        assert ended(runs) == {"pull-request": "success", "comment": "success"}
        assert PASSWORD not in runs[0].log

        fork = project.world.add_fork(STRANGER)
        commit = project.push("second", {"NOTES.md": "from a fork\n"}, to=fork)
        number = project.world.open_pull(f"{STRANGER}:second", login=STRANGER)
        runs = project.hosted.opened(number)
        assert ended(runs) == {"pull-request": "failure", "comment": "failure"}
        log = said(runs, "pull-request")
        assert "DATA_UNAVAILABLE" in log
        assert f"git fetch origin pull/{number}/head" in log
        assert "running train" not in log
        assert "DATA_UNAVAILABLE" in project.status(commit)
        assert project.comments(number) == []
