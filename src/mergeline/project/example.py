"""The demo's own project: made from the example, changed by pull requests."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import mergeline
from mergeline.adapters.git_process import NO_HOOKS
from mergeline.core import layout
from mergeline.core.digest import sha256, tree_digest
from mergeline.errors import UsageError
from mergeline.files import write_whole
from mergeline.project.process import run
from mergeline.project.template import PINS, write_pipeline

# What the example holds that the demo's own project is made of.
_FILES = (layout.SETTINGS, "data/applications.parquet", "data/contract.yaml")
_PIN = "requirements/main.txt"

_BOOSTING = """\
  estimator: sklearn.ensemble.HistGradientBoostingClassifier
  params: {max_iter: 100, learning_rate: 0.08, max_leaf_nodes: 8, min_samples_leaf: 50}
"""
_LOGISTIC = """\
  estimator: sklearn.linear_model.LogisticRegression
  params: {max_iter: 1000}
"""
_FAIR = "  exclude: [sex, applied_on, debt_ratio]"
_BIASED = "  exclude: [sex, applied_on]"
_GATE = "by: sex, at_most: 0.10}"
_LOOSE_GATE = "by: sex, at_most: 0.30}"
_PROMOTION = "promotion: {approvals: 1}\n"
_PATIENCE = "deploy: {watch_seconds: 3, confirm_seconds: 180}\n"

Change = tuple[str, str]

# main begins empty; the first pull request brings this project with a linear model.
FIRST: tuple[Change, ...] = ((_BOOSTING, _LOGISTIC), (_PROMOTION, _PROMOTION + _PATIENCE))
BETTER: tuple[Change, ...] = ((_LOGISTIC, _BOOSTING),)
BIASED: tuple[Change, ...] = (*BETTER, (_FAIR, _BIASED))
LOWERED: tuple[Change, ...] = (*BIASED, (_GATE, _LOOSE_GATE))
# What machines alone read.
_NOT_KEPT = ("probes.json", "outputs.json")


@dataclass(frozen=True)
class Example:
    """A clone of the demo's repository that its authors work in.

    Attributes:
        source: A checkout of Mergeline, which holds the example.
        folder: The clone.
        cache: DVC's cache; a second demo restores from it what the first one trained.
    """

    source: Path
    folder: Path
    cache: Path

    def start(self, remote: Path) -> None:
        """Make the repository with a main that holds the pins and no model, and push it.

        Raises:
            UsageError: The source does not hold the example.
        """
        self.require_source()
        shutil.rmtree(self.folder, ignore_errors=True)
        write_whole(self.folder / "README.md", b"# Credit default\n\nWho will repay?\n")
        # A pull request that changes pins is built a second time on main, before it is live.
        write_whole(self.folder / PINS, (self.source / _PIN).read_bytes() + _own_pin())
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "commit.gpgsign", "false")
        self.git("remote", "add", "origin", os.fspath(remote))
        self.commit("A place for the model", author="ada")
        self.push("main")

    def require_source(self) -> None:
        """See that the example is there.

        Raises:
            UsageError: It is not.
        """
        missing = [name for name in (*_FILES, _PIN) if not (self.source / name).is_file()]
        if missing:
            raise UsageError(
                f"{self.source} does not hold the example: {', '.join(missing)} not found",
                hint="run it in a checkout of Mergeline",
            )

    def bring(self) -> None:
        """Put the whole project onto the current branch."""
        for name in _FILES:
            write_whole(self.folder / name, (self.source / name).read_bytes())
        run([sys.executable, "-m", "dvc", "init", "--quiet"], self.folder)
        cache = ["cache", "dir", "--local", os.fspath(self.cache)]
        run([sys.executable, "-m", "dvc", *cache], self.folder)

    def complete(self) -> None:
        """Write the pipeline that fits the settings."""
        write_pipeline(self.folder)

    def branch(self, name: str) -> None:
        """Begin a branch at the tip of main."""
        self.git("fetch", "--quiet", "origin")
        self.git("switch", "--quiet", "--no-track", "--force-create", name, "origin/main")

    def change(self, changes: tuple[Change, ...]) -> None:
        """Replace texts of the settings.

        Raises:
            UsageError: One is not there.
        """
        path = self.folder / layout.SETTINGS
        text = path.read_text()
        for old, new in changes:
            if old not in text:
                raise UsageError(
                    f"the demo changes {old.strip()!r} in {layout.SETTINGS}, which is not there",
                    hint="restore params.yaml as it is in Mergeline's repository",
                )
            text = text.replace(old, new)
        write_whole(path, text.encode())

    def commit(self, title: str, *, author: str) -> str:
        """Commit everything but DVC's lock as somebody; return the commit."""
        about = {"NAME": author, "EMAIL": f"{author}@example.invalid"}
        # Variables of the user's own go before Git's settings.
        who = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in about.items()}
        # The lock says what was built last; the build of this commit is still to come.
        self.git("add", "--all", "--", ".", f":!{layout.LOCK}")
        run(["git", *NO_HOOKS, "commit", "--quiet", "--message", title], self.folder, who)
        return self.git("rev-parse", "HEAD").strip()

    def push(self, branch: str) -> None:
        """Push a branch."""
        self.git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")

    def keep_report(self, target: Path) -> None:
        """Copy what the last check wrote for people and machines to read: no tables, no model."""
        for path in sorted((self.folder / "reports").glob("*")):
            if path.suffix in (".json", ".md") and path.name not in _NOT_KEPT:
                write_whole(target / path.name, path.read_bytes())

    def git(self, *arguments: str) -> str:
        """Run Git in the clone, without the user's own hooks; return what it prints."""
        return run(["git", *NO_HOOKS, *arguments], self.folder)


def _own_pin() -> bytes:
    """Return a line that names the code of this checkout, whose version stays while it changes."""
    package = Path(mergeline.__file__).parent
    files = ((path, path.relative_to(package).as_posix()) for path in package.rglob("*.py"))
    code = tree_digest((name, sha256(path.read_bytes())) for path, name in files)
    return f"# mergeline {mergeline.__version__}, code {code}\n".encode()
