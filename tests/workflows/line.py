"""A project at the stand-in whose whole line is driven by its workflows."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mergeline.project.template import PINS, write_pipeline
from mergeline.rehearsal import Rehearsal
from projects import make_frame, make_project
from workflows.act import ROOT, Runner
from workflows.hosted import Hosted

AUTHOR, REVIEWER, STRANGER = "ann", "bob", "eve"
# Its follower is asked for often, and a release is watched for a moment only.
DEPLOY = {"confirm_seconds": 90, "watch_seconds": 1}
GATES = {"auc-floor": {"metric": "roc_auc", "at_least": 0.6}}
WORKFLOWS = ("pull-request", "comment", "review", "promote", "rollback")


def git(folder: Path, *arguments: str) -> str:
    """Run Git and return what it prints."""
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "-c", "commit.gpgsign=false", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environ, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


@dataclass
class Project:
    """A repository with its line.

    Attributes:
        clone: Where its authors work.
    """

    world: Rehearsal
    hosted: Hosted
    clone: Path

    @classmethod
    def start(cls, folder: Path, **settings: object) -> "Project":
        """Make the repository; main holds the workflows and the pins, and no model yet."""
        world = Rehearsal.start(folder / "github", tls=True)
        for login in (AUTHOR, REVIEWER):
            world.add_user(login, login.title(), f"{login}@example.org", permission="write")
        world.add_user(STRANGER, "Eve", "eve@example.org", permission="read")
        assert world.tls_url is not None
        assert world.ca_file is not None
        runner = Runner(folder / "runner", world.tls_url.removeprefix("https://"), world.ca_file)
        clone = make_project(
            folder / "clone",
            frame=make_frame(1500),
            **{"gates": GATES, "deploy": DEPLOY, "promotion": {"approvals": 1}, **settings},
        )
        project = cls(world, Hosted(world, runner), clone)
        project._begin()
        return project

    def _begin(self) -> None:
        for name in WORKFLOWS:
            target = self.clone / f".github/workflows/{name}.yml"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text((ROOT / f".github/workflows/{name}.yml").read_text())
        git(self.clone, "init", "--quiet", "--initial-branch=main")
        git(self.clone, "remote", "add", "origin", self.world.remote)
        (self.clone / PINS).parent.mkdir(exist_ok=True)
        (self.clone / PINS).write_text("# made by the tests\n")
        git(self.clone, "add", ".github", PINS)
        self.commit("A place for the model")
        git(self.clone, "push", "--quiet", "origin", "main")
        write_pipeline(self.clone)
        subprocess.run(
            ["dvc", "init", "--quiet"], cwd=self.clone, check=True, capture_output=True, timeout=60
        )

    def commit(self, message: str, author: str = AUTHOR) -> str:
        who = {"name": author.title(), "email": f"{author}@example.org"}
        given = [part for key, value in who.items() for part in ("-c", f"user.{key}={value}")]
        git(self.clone, *given, "commit", "--quiet", "--allow-empty", "-m", message)
        return git(self.clone, "rev-parse", "HEAD")

    def change(self, branch: str, files: Mapping[str, str], author: str = AUTHOR) -> int:
        """Push a branch with these files on top of main, and open its pull request."""
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "switch", "--quiet", "--create", branch, "origin/main")
        for name, text in files.items():
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / name).write_text(text)
        git(self.clone, "add", "--all")
        self.commit(f"Change {branch}", author)
        git(self.clone, "push", "--quiet", "origin", branch)
        return self.world.open_pull(branch, login=author, title=f"Change {branch}")

    def stop(self) -> None:
        self.world.stop()
