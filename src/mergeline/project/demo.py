"""The demo: a project of its own with Git history, and four pull requests against it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import mergeline
from mergeline.adapters.git_process import clean_environment
from mergeline.core import layout
from mergeline.core.digest import sha256, tree_digest
from mergeline.errors import ToolError, UsageError
from mergeline.files import write_whole
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


@dataclass(frozen=True)
class PullRequest:
    """One pull request of the demo.

    Attributes:
        branch: Its branch.
        title: What its author wants.
        changes: Texts of `params.yaml` and what replaces them.
        exit_code: What `mergeline check` must answer.
        answer: What a merge would get.
    """

    branch: str
    title: str
    changes: tuple[tuple[str, str], ...]
    exit_code: int
    answer: str


PULL_REQUESTS = (
    PullRequest(
        "better-model",
        "Boosted trees instead of a linear model",
        ((_LOGISTIC, _BOOSTING),),
        0,
        "PROMOTE",
    ),
    PullRequest(
        "biased-model",
        "Use the debt ratio too: a higher AUC",
        ((_LOGISTIC, _BOOSTING), (_FAIR, _BIASED)),
        10,
        "POLICY_FAILED",
    ),
    PullRequest(
        "lowered-gate",
        "Use the debt ratio, and allow a larger gap",
        ((_LOGISTIC, _BOOSTING), (_FAIR, _BIASED), (_GATE, _LOOSE_GATE)),
        10,
        "POLICY_WEAKENED",
    ),
    PullRequest(
        "policy-only",
        "Allow a larger gap, in the open",
        ((_GATE, _LOOSE_GATE),),
        0,
        "POLICY_ONLY",
    ),
)


class Demo:
    """A project in a fresh folder, made from the example.

    Args:
        source: A checkout that holds the example.
        folder: Where the demo lives; its `project` is made anew, its `cache` is kept, so
            that a second demo restores what the first one trained.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        missing = [name for name in (*_FILES, _PIN) if not (source / name).is_file()]
        if missing:
            raise UsageError(
                f"{source} does not hold the example: {', '.join(missing)} not found",
                hint="run the demo in a checkout of Mergeline",
            )
        self.source = source
        self.project = folder / "project"
        self.cache = folder / "cache"
        self.comments = folder / "comments"

    def start(self) -> None:
        """Make the project: main with a first model."""
        shutil.rmtree(self.project, ignore_errors=True)
        for name in _FILES:
            write_whole(self.project / name, (self.source / name).read_bytes())
        write_whole(self.project / PINS, (self.source / _PIN).read_bytes() + _own_pin())
        self._change(((_BOOSTING, _LOGISTIC),))
        write_pipeline(self.project)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("config", "user.name", "Mergeline demo")
        self._git("config", "user.email", "demo@example.invalid")
        self._git("config", "commit.gpgsign", "false")
        self._run([sys.executable, "-m", "dvc", "init", "--quiet"])
        self._run([sys.executable, "-m", "dvc", "cache", "dir", "--local", str(self.cache)])
        self._commit("A first model: logistic regression")

    def first_check(self) -> None:
        """Check main itself, as its first pull request was."""
        self._check(0, ())

    def open(self, request: PullRequest) -> str:
        """Make a pull request's branch and check it.

        Returns:
            The comment.

        Raises:
            ToolError: The check did not answer as this pull request is meant to show.
        """
        self._git("switch", "--quiet", "--create", request.branch, "main")
        self._change(request.changes)
        self._commit(request.title)
        self._check(request.exit_code, ("--base", "main"))
        comment = (self.project / layout.COMMENT).read_text()
        write_whole(self.comments / f"{request.branch}.md", comment.encode())
        return comment

    def keep_report(self, target: Path) -> None:
        """Copy what the last check wrote for people and machines to read: no tables, no model."""
        for path in sorted((self.project / "reports").glob("*")):
            if path.suffix in (".json", ".md") and path.name != "probes.json":
                write_whole(target / path.name, path.read_bytes())

    def _change(self, changes: tuple[tuple[str, str], ...]) -> None:
        path = self.project / layout.SETTINGS
        text = path.read_text()
        for old, new in changes:
            if old not in text:
                raise UsageError(
                    f"the demo changes {old.strip()!r} in {layout.SETTINGS}, which is not there",
                    hint="restore params.yaml as it is in Mergeline's repository",
                )
            text = text.replace(old, new)
        write_whole(path, text.encode())

    def _commit(self, title: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", title)

    def _git(self, *arguments: str) -> None:
        self._run(["git", *arguments])

    def _check(self, expected: int, options: tuple[str, ...]) -> None:
        done = self._process([sys.executable, "-m", "mergeline", "check", *options, "--json"])
        if done.returncode != expected:
            raise ToolError(
                f"mergeline check ended with {done.returncode}, not {expected}:\n{done.stderr}",
                hint=f"look into {self.project}",
            )
        self._git("add", layout.LOCK)
        self._git("commit", "--quiet", "--message", "dvc.lock as checked", "--allow-empty")

    def _run(self, command: list[str]) -> None:
        done = self._process(command)
        if done.returncode != 0:
            raise ToolError(
                f"{' '.join(command)} failed: {done.stderr.strip()}",
                hint=f"look into {self.project}",
            )

    def _process(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        # The demo is a project of its own: nothing of the surrounding job speaks into it.
        hidden = {"GITHUB_STEP_SUMMARY", "GITHUB_BASE_REF", "MLFLOW_TRACKING_URI"}
        environment = {k: v for k, v in clean_environment(os.environ).items() if k not in hidden}
        environment["DVC_NO_ANALYTICS"] = "1"
        return subprocess.run(
            command,
            cwd=self.project,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=1200,
        )


def _own_pin() -> bytes:
    """Return a line that names the code of this checkout, whose version stays while it changes."""
    package = Path(mergeline.__file__).parent
    files = ((path, path.relative_to(package).as_posix()) for path in package.rglob("*.py"))
    code = tree_digest((name, sha256(path.read_bytes())) for path, name in files)
    return f"# mergeline {mergeline.__version__}, code {code}\n".encode()
