"""What the repositories of `Line`'s authors have in common, and a request to its server."""

import json
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mergeline.core import layout
from mergeline.project.process import run

WHO = {
    f"GIT_{role}_{name}": value
    for role in ("AUTHOR", "COMMITTER")
    for name, value in (("NAME", "ada"), ("EMAIL", "ada@example.invalid"))
}


@dataclass
class Author:
    """A clone that an author works in."""

    folder: Path

    def commit(self, title: str) -> str:
        """Commit all but `dvc.lock`; return the commit."""
        self.git("add", "--all", "--", ".", f":!{layout.LOCK}")
        run(["git", "commit", "--quiet", "--message", title], self.folder, WHO)
        return self.git("rev-parse", "HEAD").strip()

    def push(self, branch: str) -> None:
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def git(self, *arguments: str) -> str:
        return run(["git", *arguments], self.folder)

    def mergeline(self, *arguments: str) -> str:
        return run([sys.executable, "-m", "mergeline", *arguments], self.folder)

    def evidence(self, stage: str) -> dict[str, Any]:
        return json.loads((self.folder / layout.evidence(stage)).read_bytes())["content"]


def asked(port: int, rows: pd.DataFrame) -> dict[str, Any]:
    """Ask a server for predictions, as MLflow's clients do."""
    plain = rows.astype(object).where(rows.notna(), None)
    split = {"columns": list(rows.columns), "data": plain.to_numpy().tolist()}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        data=json.dumps({"dataframe_split": split}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- loopback
        found: dict[str, Any] = json.load(answer)
    return found
