"""A repository, or DVC's state, that the line cannot work on."""

import shutil
from collections.abc import Callable

import pytest

from cli.conftest import Project
from failures.case import Case, edit, nothing, write
from failures.conftest import Holder


def remove(name: str):
    def do(project: Project) -> None:
        path = project.root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return do


def no_commit(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    project.git("init", "--quiet")


def conflict(project: Project) -> None:
    lock = project.read("dvc.lock")
    project.write("dvc.lock", f"<<<<<<< HEAD\n{lock}=======\n{lock}>>>>>>> other\n")


EMPTY = "empty"


def elsewhere(remote: str = "") -> Callable[[Project], None]:
    """Leave of the table, which is another one now, what DVC commits: its pointer."""

    def do(project: Project) -> None:
        table = "data/loans.csv"
        (project.root / table).write_bytes(project.read(table).rpartition("\n")[0].encode())
        project.git("rm", "--quiet", "--cached", table)
        project.dvc("add", "--quiet", table)
        digest = project.read(f"{table}.dvc").partition("md5: ")[2][:32]
        for path in (table, f".dvc/cache/files/md5/{digest[:2]}/{digest[2:]}"):
            (project.root / path).unlink()
        if remote == EMPTY:
            (project.root / EMPTY).mkdir()
        if remote:
            project.dvc("remote", "add", "--default", "store", remote)

    return do


CASES = [
    Case("No DVC project", remove(".dvc"), 4),
    Case("No Git repository", remove(".git"), 4),
    Case("No commit yet", no_commit, 2),
    Case("A merge conflict in dvc.lock", conflict, 4),
    Case("dvc.yaml is not YAML", write("dvc.yaml", "stages: [\n")),
    Case("No dvc.yaml", remove("dvc.yaml"), 3),
    Case("A base that there is not", nothing, 2, command="mergeline check --base mian"),
    Case("A stage that there is not", nothing, 2, command="mergeline check --only trian"),
    Case(
        "A stage's own command fails",
        edit("cmd: mergeline stage train", "cmd: 'echo out of luck >&2; exit 7'", "dvc.yaml"),
        4,
        apart=True,
    ),
    Case(
        "A prepared table that was cut off",
        write("data/prepared/train.parquet", b"PAR1"),
        3,
        command="mergeline stage train",
    ),
    Case(
        "A model that is not whole",
        remove("reports/model"),
        3,
        command="mergeline stage evaluate",
    ),
    Case("Data that DVC tracks, and no remote", elsewhere(), 4, answered=True),
    Case("Data that the remote does not hold", elsewhere(EMPTY), 4, answered=True),
    Case("A remote that does not answer", elsewhere("http://127.0.0.1:9/x"), 4, answered=True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_one_message(case: Case, holds: Holder) -> None:
    holds(case, "repository")
