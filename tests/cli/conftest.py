"""A small project that real `mergeline check` processes work on; checked once, copied after."""

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mergeline.core.evidence import STAGES
from mergeline.project.template import PINS, write_pipeline

REPOSITORY = Path(__file__).parents[2]
SETTINGS = """\
project: loans

data:
  source: data/loans.csv
  target: default
  positive: 1
  noun: defaulter
  id: application_id
  sensitive: [sex]
  exclude: [sex, applied_on, debt_ratio]
  contract: data/contract.yaml

split: {test: 0.2}

model:
  estimator: sklearn.linear_model.LogisticRegression
  params: {C: 1.0}

evaluate: {metrics: [roc_auc, brier_score, precision], threshold: 0.4, bootstrap: 200}

fairness: {min_group: 30}

explain: {rows: 100}

checks: {sample: 1000}

gates:
  auc-floor: {metric: roc_auc, at_least: 0.6}
  auc-baseline: {metric: roc_auc, no_worse_than_baseline_by: 0.05}
  equal-odds: {fairness: equalized_odds_difference, by: sex, at_most: 0.5}
  precise: {metric: precision, at_least: 0.1}
  data-checks: {check: data, new_only: true}
  model-checks: {check: model, new_only: true}

report: {rows: false}
"""
CONTRACT = """\
schema_type: dataframe
api: pandas
columns:
  age:
    dtype: int64
    in_range: {min_value: 18, max_value: 120, include_min: true, include_max: true}
  sex:
    dtype: str
    isin: [female, male]
"""
ROWS = 2000
FIRST_MODEL, SECOND_MODEL = "{C: 1.0}", "{C: 0.01}"
UNCHANGED = dict.fromkeys(STAGES, "unchanged")
RESTORED = dict.fromkeys(STAGES, "restored")

# Every Python that is started writes down its command line before anything else.
JOURNAL = "JOURNAL"
SITE = f"""\
import os, sys
with open(os.environ["{JOURNAL}"], "a") as file:
    file.write(" ".join(sys.orig_argv[1:]) + "\\n")
"""
# DVC would ask for its newest version, and say that it was used.
OFFLINE = "[core]\n    analytics = false\n    check_update = false\n"
HIDDEN = (
    *("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_BASE_REF"),
    *("MLFLOW_TRACKING_URI", "COLUMNS"),
)


@dataclass(frozen=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str

    def error(self) -> tuple[str, str]:
        """Return message and hint, after seeing that there is one of each and no traceback."""
        assert "Traceback" not in self.err + self.out, self.err
        assert self.err.count("ERROR ") == self.err.count("\nTIP   ") == 1, self.err
        message, _, hint = self.err.partition("ERROR ")[2].partition("\nTIP   ")
        assert hint.strip().count("\n") == 0, self.err
        assert "ERROR" not in self.out
        return message, hint.strip()

    def answer(self) -> tuple[str, str]:
        """Return the two lines of a named answer, after seeing that there is nothing else."""
        assert "Traceback" not in self.err + self.out, self.err
        assert "ERROR" not in self.err, self.err
        reason, then = self.out.splitlines()
        return reason, then


@dataclass(frozen=True)
class Project:
    """A project in a folder of its own."""

    root: Path
    env: Mapping[str, str]

    def check(self, *options: str, cwd: str = ".", **more: Any) -> Done:
        return self.run(sys.executable, "-m", "mergeline", "check", *options, cwd=cwd, **more)

    def dvc(self, *arguments: str) -> str:
        done = self.run(sys.executable, "-m", "dvc", *arguments)
        assert done.code == 0, done.out + done.err
        return done.out

    def git(self, *arguments: str) -> str:
        done = self.run("git", *arguments)
        assert done.code == 0, done.out + done.err
        return done.out.strip()

    def run(
        self, *command: str, cwd: str = ".", env: Mapping[str, str] | None = None, **more: Any
    ) -> Done:
        done = subprocess.run(
            command,
            cwd=self.root / cwd,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
            **more,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a check, to be waited for."""
        return subprocess.Popen(
            [sys.executable, "-m", "mergeline", "check", *options],
            cwd=self.root,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read(self, name: str) -> str:
        return (self.root / name).read_text()

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def edit(self, old: str, new: str, name: str = "params.yaml") -> None:
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new))

    def commit(self, message: str = "change") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def copy(self, root: Path) -> "Project":
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root, self.env)

    def json(self, name: str) -> dict[str, Any]:
        return json.loads(self.read(f"reports/{name}.json"))

    def actions(self) -> dict[str, str]:
        """Return what the last check did with each stage."""
        return {stage["name"]: stage["action"] for stage in self.json("verdict")["stages"]}

    def gates(self) -> dict[str, dict[str, Any]]:
        return {
            gate["name"]: gate for gate in self.json("verdict")["judgement"]["verdict"]["gates"]
        }

    def written(self) -> dict[str, bytes]:
        """Return the bytes of all that stages and checks wrote, by path."""
        paths = [*(self.root / "reports").rglob("*"), *(self.root / "data/prepared").rglob("*")]
        files = [path for path in paths if path.is_file() or path.is_symlink()]
        return {os.fspath(path.relative_to(self.root)): path.read_bytes() for path in files}


class Journal:
    """Every Python process that is started with `env` writes its command line down."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(SITE)
        self._path = folder / "lines.txt"
        self.env = {"PYTHONPATH": os.fspath(folder), JOURNAL: os.fspath(self._path)}

    def lines(self) -> list[str]:
        return self._path.read_text().splitlines()


def only(lines: str) -> dict[str, str]:
    """Return what `check --only` printed: what became of each stage."""
    return {line.split()[0]: line.split()[1] for line in lines.splitlines()}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one of the processes that run tests in; the others wait."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def load_generator() -> Any:
    """Import `data/generate.py`, which is in no package."""
    spec = importlib.util.spec_from_file_location("generate", REPOSITORY / "data/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    return module


def environment(empty: Path) -> dict[str, str]:
    """Return this environment without the machine's own Git and DVC settings."""
    inherited = {key: value for key, value in os.environ.items() if key not in HIDDEN}
    (empty / "GLOBAL_CONFIG_DIR").mkdir(parents=True, exist_ok=True)
    (empty / "GLOBAL_CONFIG_DIR/config").write_text(OFFLINE)
    folders = ("GLOBAL_CONFIG_DIR", "SYSTEM_CONFIG_DIR", "SITE_CACHE_DIR")
    roles = ("AUTHOR", "COMMITTER")
    return (
        inherited
        | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "COLUMNS": "100"}
        | {f"DVC_{name}": os.fspath(empty / name) for name in folders}
        | {f"GIT_{role}_NAME": "somebody" for role in roles}
        | {f"GIT_{role}_EMAIL": "somebody@example.org" for role in roles}
    )


def begin(project: Project) -> None:
    """Make a repository of the project's files."""
    write_pipeline(project.root)
    project.git("init", "--quiet", "--initial-branch=main")
    project.dvc("init", "--quiet")
    project.commit("A first model")


def _make(project: Project) -> None:
    project.write("params.yaml", SETTINGS)
    project.write("data/contract.yaml", CONTRACT)
    project.write(PINS, "mergeline==0.1.0\n")
    table = load_generator().generate(ROWS, seed=7)
    table.to_csv(project.root / "data/loans.csv", index=False)
    begin(project)


@dataclass(frozen=True)
class Checked:
    """A project, and what its last check printed."""

    project: Project
    done: Done


Maker = Callable[[str, Callable[[Project], Done]], Checked]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, deepchecks: Mapping[str, str]) -> Maker:
    """Make a project by name once, though several processes run the tests."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "checked"
    shared.mkdir(exist_ok=True)

    def make(name: str, how: Callable[[Project], Done]) -> Checked:
        project = Project(shared / name, environment(shared / "empty") | deepchecks)
        record = shared / f"{name}.json"
        with _alone(shared):
            if not record.exists():
                project.root.mkdir()
                done = how(project)
                record.write_text(json.dumps([done.code, done.out, done.err]))
        return Checked(project, Done(*json.loads(record.read_text())))

    return make


@pytest.fixture(scope="session")
def first(once: Maker) -> Checked:
    """Main, checked as its own first pull request."""

    def how(project: Project) -> Done:
        _make(project)
        return project.check()

    return once("first", how)


@pytest.fixture(scope="session")
def second(once: Maker, first: Checked) -> Checked:
    """A pull request with another model; main has the lock of the first one."""

    def how(project: Project) -> Done:
        shutil.copytree(first.project.root, project.root, symlinks=True, dirs_exist_ok=True)
        project.commit("The lock")
        project.git("switch", "--quiet", "--create", "simpler")
        project.edit(FIRST_MODEL, SECOND_MODEL)
        project.commit("A simpler model")
        return project.check()

    return once("second", how)


@pytest.fixture
def project(second: Checked, tmp_path: Path) -> Project:
    """A copy of the second pull request, its check done, its lock not committed."""
    return second.project.copy(tmp_path / "project")
