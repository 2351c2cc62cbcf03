"""A repository that begins with a real table, as `mergeline init` drafts its project."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from cli.author import Author
from mergeline.core import layout

FOLDER = os.environ.get("MERGELINE_TEST_DATA")

# What `init` drafts, and what makes it quick here.
QUICK = (
    ("{max_iter: 100}", "{max_iter: 40}"),
    ("{rows: 2000, budget_seconds: 60}", "{rows: 100}"),
    ("{sample: 10000}", "{sample: 500}"),
    ("evaluate:\n", "evaluate:\n  bootstrap: 200\n"),
)
# As the literature measures this table.
ADULT = (
    ("  # noun: what", "  exclude: [fnlwgt]\n  # noun: what"),
    ("  threshold: 0.24  # guessed: the share of positive rows\n", ""),
)
PATIENCE = "promotion: {approvals: 1}\ndeploy: {watch_seconds: 1, confirm_seconds: 60}\n"
CHANGE = ("{max_iter: 40}", "{max_iter: 80, learning_rate: 0.08}")


@dataclass
class Repository(Author):
    """What `Line` asks of one."""

    table: str
    target: str
    said: str = ""

    def start(self, remote: Path) -> None:
        """Begin with the table, write the project, check it on main, and push."""
        (self.folder / "data").mkdir(parents=True)
        shutil.copy(Path(str(FOLDER)) / self.table, self.folder / "data" / self.table)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", str(remote))
        self.commit("The data")
        given = ("--data", f"data/{self.table}", "--target", self.target, "--yes")
        self.said = self.mergeline("init", *given)
        settings = self.folder / layout.SETTINGS
        text = settings.read_text()
        for old, new in (*QUICK, *(ADULT if self.table == "adult.csv" else ())):
            assert old in text
            text = text.replace(old, new)
        settings.write_text(re.sub(r"promotion:\n(  .*\n)+", PATIENCE, text))
        self.commit("A first model")
        self.mergeline("check")
        self.push("main")

    def change(self) -> str:
        """Commit another model to a branch; return the commit."""
        self.git("switch", "--quiet", "--create", "longer")
        settings = self.folder / layout.SETTINGS
        settings.write_text(settings.read_text().replace(*CHANGE))
        return self.commit("More and smaller steps")
