"""A real project in a folder, with the repository's own workflows."""

import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mergeline.project.template import write_pipeline

REPOSITORY = Path(__file__).parents[3]
SETTINGS = {
    "project": "toy",
    "data": {
        "source": "data/customers.csv",
        "target": "left",
        "positive": "yes",
        "id": "customer",
        "contract": "data/contract.yaml",
    },
    "model": {"estimator": "sklearn.linear_model.LogisticRegression"},
    "gates": {"floor": {"metric": "roc_auc", "at_least": 0.6}},
    "registry": {"uri": "https://mlflow.example.org"},
}


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    done = subprocess.run(
        ["git", *who, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that lacks nothing."""
    root = tmp_path / "project"
    write(root / "data/customers.csv", "customer,age,left\nC1,30,yes\nC2,40,no\n")
    write(root / "data/contract.yaml", "schema_type: dataframe\ncolumns:\n  age: {dtype: int64}\n")
    with (root / "params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(SETTINGS, file)
    git(root, "init", "-q", "-b", "main")
    storage = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../storage\n"
    write(root / ".dvc/config", storage)
    (tmp_path / "storage").mkdir()
    write_pipeline(root)
    shutil.copytree(REPOSITORY / ".github", root / ".github")
    write(root / ".github/CODEOWNERS", "* @acme/all\n/params.yaml @bob\n/.github/ @bob\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "A project")
    return root
