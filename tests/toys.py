"""A small pipeline for real Git and real DVC: seconds, not minutes."""

import os
import subprocess
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import pytest

from mergeline.adapters.git import Git
from mergeline.check.reproduce import reproduce

STAGE = """
import json, os, sys, time
from pathlib import Path

from params import PARAMS

name = sys.argv[1]
meet = os.environ.get("MEET")
if meet and name in ("fairness", "explain"):
    Path(meet, name).touch()
    end = time.monotonic() + 30
    while len(os.listdir(meet)) < 2:
        if time.monotonic() > end:
            sys.exit("nobody came")
        time.sleep(0.02)
if PARAMS.get("fail") == name:
    print("a warning", file=sys.stderr)
    print("ERROR found 0, expected more\\nsecond line\\nTIP   give more", file=sys.stderr)
    sys.exit(3)
Path("reports/model").mkdir(parents=True, exist_ok=True)
Path("data/prepared").mkdir(parents=True, exist_ok=True)
if name == "prepare":
    import pyarrow, pyarrow.parquet
    rows = Path("data/source.csv").read_text().split()
    keys = {"_mergeline_key": [row.split(",")[0] for row in rows], "x": rows}
    pyarrow.parquet.write_table(pyarrow.table(keys), "data/prepared/train.parquet")
if name == "train":
    Path("reports/model/model.txt").write_text(str(PARAMS["train"]["depth"]))
# Coarse on purpose: some parameters change nothing further on.
content = {"stage": name, "value": PARAMS[name]["depth"] // 10}
Path("reports", name + ".json").write_text(json.dumps(content))
"""
PARAMS = """
import json, re
from pathlib import Path

text = Path("params.yaml").read_text()
PARAMS = {key: {"depth": int(depth)} for key, depth in re.findall(r"(\\w+): {depth: (\\d+)}", text)}
failing = re.search(r"fail: (\\w+)", text)
PARAMS["fail"] = failing and failing[1]
"""
SETTINGS = """prepare: {depth: 10}
train: {depth: 20}
fairness: {depth: 30}
explain: {depth: 40}
fail: nothing
"""
# By stage: what it needs besides its code, and what it makes.
STAGES = {
    "prepare": ("data/source.csv", "data/prepared/train.parquet, reports/prepare.json"),
    "train": ("reports/prepare.json", "reports/model, reports/train.json"),
    "explain": ("reports/train.json", "reports/explain.json"),
    "fairness": ("reports/train.json", "reports/fairness.json"),
}
NAMES = tuple(STAGES)


@dataclass(frozen=True)
class Toy:
    """A project with the toy pipeline."""

    root: Path

    @property
    def git(self) -> Git:
        return Git(self.root)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def set(self, stage: str, depth: int) -> None:
        old = (self.root / "params.yaml").read_text().splitlines()
        lines = [f"{stage}: {{depth: {depth}}}" if x.startswith(stage) else x for x in old]
        self.write("params.yaml", "\n".join(lines) + "\n")

    def break_explain(self) -> None:
        text = (self.root / "params.yaml").read_text()
        self.write("params.yaml", text.replace("fail: nothing", "fail: explain"))

    def commit(self, message: str = "change") -> str:
        run(self.root, "git", "add", "-A")
        run(self.root, "git", "commit", "-q", "--allow-empty", "-m", message)
        return self.git.head()

    @property
    def remote(self) -> Path:
        """The folder of the DVC remote, which clones share; it is not there at first."""
        return self.root.parent / "remote"

    def clone(self) -> "Toy":
        folder = self.root.parent / "clone"
        run(self.root, "git", "clone", "-q", os.fspath(self.root), os.fspath(folder))
        return Toy(folder)

    def push(self) -> None:
        """Push outputs and runs to the remote."""
        from dvc.repo import Repo

        self.remote.mkdir(exist_ok=True)
        with chdir(self.root), Repo() as repo:
            repo.push(run_cache=True)

    def actions(self, **options: object) -> dict[str, str]:
        """Reproduce, and return what became of each stage."""
        done = reproduce(self.root, **options)  # type: ignore[arg-type]
        return {stage.name: stage.action for stage in done.stages}


def run(root: Path, *command: str) -> None:
    subprocess.run(command, cwd=root, check=True, capture_output=True)


def pipeline(names: tuple[str, ...] = NAMES) -> str:
    """Return a `dvc.yaml` of the toy's stages."""
    return "stages:\n" + "".join(
        f"  {name}:\n"
        f"    cmd: python stage.py {name}\n"
        f"    deps: [{STAGES[name][0]}, stage.py, params.py, requirements/main.txt]\n"
        f"    params: [{name}{', fail' if name == 'explain' else ''}]\n"
        f"    outs: [{STAGES[name][1]}]\n"
        for name in names
    )


def make(root: Path, names: tuple[str, ...] = NAMES) -> Toy:
    """Make a project whose stages have not run, with a DVC remote that is not there yet."""
    from dvc.repo import Repo

    toy = Toy(root)
    toy.write("stage.py", STAGE)
    toy.write("params.py", PARAMS)
    toy.write("params.yaml", SETTINGS)
    toy.write("dvc.yaml", pipeline(names))
    toy.write("data/source.csv", "a,1\nb,2\nc,3\n")
    toy.write("requirements/main.txt", "mergeline==1\n")
    toy.write(".dvcignore", "__pycache__\n.mergeline\n")
    toy.write(".gitignore", "__pycache__/\n.mergeline/\n")
    run(root, "git", "init", "-q", "-b", "main")
    Repo.init(os.fspath(root)).close()
    toy.write(
        ".dvc/config",
        "[core]\n    remote = store\n['remote \"store\"']\n    url = ../../remote\n",
    )
    toy.commit("files")
    return toy


def set_apart(patch: pytest.MonkeyPatch, empty: Path) -> None:
    """Keep the machine's Git and DVC settings, and DVC's memory, out of the tests."""
    patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for name in ("GLOBAL_CONFIG_DIR", "SYSTEM_CONFIG_DIR", "SITE_CACHE_DIR"):
        patch.setenv(f"DVC_{name}", os.fspath(empty / name))
    for role in ("AUTHOR", "COMMITTER"):
        patch.setenv(f"GIT_{role}_NAME", "somebody")
        patch.setenv(f"GIT_{role}_EMAIL", "somebody@example.org")
