"""A project at the stand-in whose whole line is driven by its workflows."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from mergeline.project.template import PINS, write_pipeline
from mergeline.rehearsal import Rehearsal
from projects import make_frame, make_project
from promote.scenario import PIPELINE
from workflows.act import ROOT, Runner
from workflows.hosted import Hosted, Ran

AUTHOR, REVIEWER, STRANGER = "ann", "bob", "eve"
# Its follower is asked for often, and a release is watched for a moment only.
DEPLOY = {"confirm_seconds": 90, "watch_seconds": 1}
GATES = {"auc-floor": {"metric": "roc_auc", "at_least": 0.6}}
NOTHING: Mapping[str, str] = MappingProxyType({})
WORKFLOWS = ("pull-request", "comment", "review", "promote", "rollback")


def git(folder: Path, *arguments: str) -> str:
    """Run Git and return what it prints."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environ["GIT_CONFIG_GLOBAL"] = os.devnull
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
        files: The project as it begins, by name.
    """

    world: Rehearsal
    hosted: Hosted
    clone: Path
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def start(cls, folder: Path, **settings: object) -> "Project":
        """Make the repository; main holds the workflows and the pins, and no model yet.

        Few rows, three stages, and no job sets Mergeline up.

        Args:
            folder: For everything; made here.
            settings: Sections of `params.yaml`.
        """
        folder.mkdir()
        world = Rehearsal.start(folder / "github", tls=True)
        for login in (AUTHOR, REVIEWER):
            world.add_user(login, login.title(), f"{login}@example.org", permission="write")
        world.add_user(STRANGER, "Eve", "eve@example.org", permission="read")
        assert world.tls_url is not None
        assert world.ca_file is not None
        server = world.tls_url.removeprefix("https://")
        runner = Runner(folder / "runner", server, world.ca_file, quick=True)
        clone = make_project(
            folder / "clone",
            frame=make_frame(400),
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
        (self.clone / "dvc.yaml").write_text(PIPELINE)
        # Nothing listens there; a file would not outlive the job.
        self.hosted.environments["production"] = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
        dvc = [sys.executable, "-m", "dvc", "init", "--quiet"]
        subprocess.run(dvc, cwd=self.clone, check=True, capture_output=True, timeout=60)
        listed = git(self.clone, "ls-files", "--cached", "--others", "--exclude-standard").split()
        self.files = {name: self.text(name) for name in listed}

    def commit(self, message: str, author: str = AUTHOR) -> str:
        who = {"name": author.title(), "email": f"{author}@example.org"}
        given = [part for key, value in who.items() for part in ("-c", f"user.{key}={value}")]
        git(self.clone, *given, "commit", "--quiet", "--allow-empty", "-m", message)
        return git(self.clone, "rev-parse", "HEAD")

    def change(self, branch: str, files: Mapping[str, str] = NOTHING) -> int:
        """Push a branch with these files on top of main, and open its pull request."""
        self.push(branch, files)
        return self.world.open_pull(branch, login=AUTHOR, title=f"Change {branch}")

    def push(
        self,
        branch: str,
        files: Mapping[str, str] = NOTHING,
        *,
        to: str = "origin",
        alone: bool = False,
    ) -> str:
        """Replace a branch by one commit on top of main, and return it.

        Args:
            branch: Its name.
            files: What the commit holds, beside the project's own files where main lacks them.
            to: The repository.
            alone: Whether the project's own files are left out.
        """
        git(self.clone, "fetch", "--quiet", "origin")
        git(self.clone, "switch", "--quiet", "--no-track", "--force-create", branch, "origin/main")
        # main begins without the project's own files: who is first brings them.
        own = {} if alone else self.files
        missing = {k: v for k, v in own.items() if not (self.clone / k).exists()}
        for name, text in {**missing, **files}.items():
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / name).write_text(text)
        git(self.clone, "add", "--all", *(["--", *files] if alone else []))
        commit = self.commit(f"Change {branch}")
        git(self.clone, "push", "--quiet", "--force", to, branch)
        return commit

    def merge(self, number: int) -> list[Ran]:
        """Merge a pull request, and run what that starts."""
        self.world.merge(number, "squash", login=REVIEWER)
        return self.hosted.pushed()

    def text(self, name: str) -> str:
        """Return what a file of the author's checkout holds."""
        return (self.clone / name).read_text()

    def comments(self, number: int) -> list[str]:
        """Return what was said on a pull request."""
        known = self.world.repo.comments.values()
        return [comment.body for comment in known if comment.number == number]

    def status(self, commit: str) -> str:
        """Return the last status `mergeline` of a commit, `STATE: TEXT`."""
        said = [one for one in self.world.repo.statuses if one.sha == commit]
        return f"{said[-1].state}: {said[-1].description}" if said else "none"

    def ledger(self) -> list[str]:
        """Return the kinds of the ledger's entries."""
        try:
            lines = git(Path(self.world.remote), "show", "mergeline/ledger:ledger.jsonl")
        except subprocess.CalledProcessError:
            return []
        return [json.loads(line)["kind"] for line in lines.splitlines()]

    def stop(self) -> None:
        self.world.stop()
