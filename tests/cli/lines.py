"""A repository with a ledger and a follower's report, and `mergeline` in a clone of it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ledger.made import PRODUCTION, PROJECT, bare, clone, commit, git, sha
from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.ledger.entries import Declared, Entry
from mergeline.ledger.report import FollowerReport, write_report
from mergeline.ledger.store import Ledger

SETTINGS = """\
project: credit-default
data: {source: data.csv, target: left, positive: "yes"}
model: {estimator: sklearn.linear_model.LogisticRegression}
"""
LATER = "2026-02-01T00:00:00Z"


@dataclass(frozen=True)
class Line:
    """A remote and one clone of it.

    Attributes:
        first: Main's first commit, which has the settings.
    """

    origin: Path
    git: Git
    first: str

    def append(self, entry: Entry) -> Entry:
        """Append to the ledger and return the entry as it stands there."""
        return Ledger(self.git).append(lambda _: entry).entries[-1]

    def merge(self, name: str, message: str = "") -> str:
        """Bring a commit to main and return it."""
        made = commit(self.git.root, name, message=message)
        git(self.git.root, "push", "-q", "origin", "HEAD:main")
        return made

    def report(self, declared: Declared, serving: Declared | None = None) -> None:
        """Let the follower report on a declaration: live, or kept something else."""
        live = serving is None
        write_report(
            Remote(self.git),
            FollowerReport(
                project=PROJECT,
                environment=declared.environment,
                entry=declared.number,
                version=declared.release.version,
                model=declared.release.model,
                state="live" if live else "rejected",
                reason="" if live else "row 3 \x1b[31mdiffers",
                since=LATER,
                time=LATER,
                serving=(serving or declared).number,
            ),
        )


def make_line(folder: Path, settings: str = SETTINGS) -> Line:
    """Make a remote with one commit of settings, and a clone."""
    origin = bare(folder / "origin.git")
    cloned = clone(origin, folder / "clone")
    line = Line(origin, cloned, commit(cloned.root, "params.yaml", settings))
    git(cloned.root, "push", "-q", "origin", "HEAD:main")
    return line


def mergeline(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `mergeline` in a folder."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        [sys.executable, "-m", "mergeline", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


__all__ = ["LATER", "PRODUCTION", "Line", "make_line", "mergeline", "sha"]
