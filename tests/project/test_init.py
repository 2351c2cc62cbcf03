"""A table and a target become a project; what is there already stays as it is."""

import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mergeline.check.pipeline import require_pipeline
from mergeline.config.load import load_settings
from mergeline.errors import MergelineError
from mergeline.project.callers import Framework
from mergeline.project.init import File, Start, plan_start, write_start
from mergeline.project.repository import data_keeper, main_branch, project_name
from mergeline.project.template import IGNORED, PINS
from mergeline.stages import prepare
from mergeline.stages.base import Clock
from projects import make_frame, write_source

ACME = Framework("acme/mergeline", "3d3c42e5aac5ba805825da76410c181273ba90b1")
WORKFLOWS = 5


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a table that is committed."""
    root = tmp_path / "Who leaves?"
    write_source(make_frame(600), root / "data/customers.csv")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "The data")
    return root


def planned(root: Path, **changes: Any) -> Start:
    given = {"data": root / "data/customers.csv", "target": "left", "framework": ACME, **changes}
    return plan_start(root, **given)


def begun(root: Path, **changes: Any) -> Start:
    start = planned(root, **changes)
    write_start(start)
    return start


def states(start: Start) -> dict[str, str]:
    return {file.path: file.state for file in start.files}


def snapshot(root: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


# --- a project begins ---------------------------------------------------------------------


def test_a_plan_writes_nothing(root: Path) -> None:
    before = snapshot(root)
    start = planned(root)
    assert snapshot(root) == before
    assert set(states(start).values()) == {"new"}
    assert start.dvc


def test_a_project_begins(root: Path) -> None:
    start = begun(root)
    settings = load_settings(root / "params.yaml")
    assert settings.project == "Who-leaves"
    assert settings.data.source == "data/customers.csv"
    assert (settings.data.id, settings.data.positive) == ("customer", "yes")
    assert settings.data.sensitive == ("age", "sex")
    assert "no-new-gap-sex" in settings.gates
    assert settings.promotion.since == git(root, "rev-parse", "HEAD")
    assert {path for path in states(start) if not (root / path).is_file()} == set()
    assert len(list((root / ".github/workflows").iterdir())) == WORKFLOWS
    assert (root / ".dvc/config").is_file()
    assert (root / PINS).read_text().startswith(f"{ACME.requirement}\nscikit-learn==")
    require_pipeline(root)
    for name, lines in IGNORED.items():
        assert set(lines) <= set((root / name).read_text().splitlines())


def test_the_table_meets_the_contract_that_was_written(root: Path) -> None:
    from mergeline.stages.base import run_stage

    begun(root)
    run_stage("prepare", root)
    assert (root / "reports/prepare.json").is_file()


def test_a_table_with_decimal_commas_begins_without_a_word(root: Path) -> None:
    table = make_frame(600)
    table["spent"] = (table["age"] * 1.25).round(2)
    path = root / "data/spent.csv"
    table.to_csv(path, sep=";", decimal=",", index=False)
    start = begun(root, data=path, target="spent")
    settings = load_settings(root / "params.yaml")
    assert (settings.data.decimal, settings.data.thousands) == (",", None)
    assert settings.data.task == "regression"
    content = prepare.run(root, settings, Clock()).content
    kinds = {column.name: column.kind for column in content.columns}  # type: ignore[attr-defined]
    assert (kinds["spent"], kinds["income"]) == ("number", "number")
    assert start.draft.signs.decimal == ","


def test_again_changes_nothing(root: Path) -> None:
    begun(root)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "A project")
    before = snapshot(root)
    again = begun(root)
    assert set(states(again).values()) == {"same"}
    assert not again.to_write()
    assert snapshot(root) == before


def test_workflows_may_come_later(root: Path) -> None:
    start = begun(root, framework=None)
    assert not (root / ".github").exists()
    assert start.framework is None
    assert (root / PINS).read_text().startswith("mergeline==")
    later = begun(root)
    assert [file.path for file in later.left()] == [PINS]
    assert len(later.to_write()) == WORKFLOWS
    assert {file.state for file in planned(root, framework=None).files} == {"same"}


# --- what is there already -----------------------------------------------------------------


def test_what_is_there_is_left_and_said(root: Path) -> None:
    (root / "dvc.yaml").write_text("stages: {}  # mine\n")
    (root / ".github/workflows").mkdir(parents=True)
    (root / ".github/workflows/comment.yml").write_text("name: mine\x1b[31m\n")
    start = begun(root)
    left = {file.path: list(file.difference()) for file in start.left()}
    assert set(left) == {"dvc.yaml", ".github/workflows/comment.yml"}
    assert (root / "dvc.yaml").read_text() == "stages: {}  # mine\n"
    assert left["dvc.yaml"][:2] == ["--- as it is", "+++ proposed"]
    assert "-stages: {}  # mine" in left["dvc.yaml"]
    assert "+    cmd: mergeline stage prepare" in left["dvc.yaml"]
    assert all(line.isprintable() for line in left[".github/workflows/comment.yml"])
    assert (root / "params.yaml").is_file()


def test_ignore_files_are_completed(root: Path) -> None:
    (root / ".gitignore").write_text("secret.txt\n__pycache__/")
    start = begun(root)
    assert states(start)[".gitignore"] == "complete"
    ignored = (root / ".gitignore").read_text().splitlines()
    assert ignored == ["secret.txt", "__pycache__/", "/.mergeline/", "/dvc_plots/"]
    assert "*.pyc" in (root / ".dvcignore").read_text().splitlines()


def test_the_pipeline_goes_by_settings_that_are_there(root: Path) -> None:
    text = "project: mine\ndata: {source: data/customers.csv, target: left, positive: 'yes'}\n"
    text += "model: {estimator: sklearn.linear_model.LogisticRegression}\n"
    (root / "params.yaml").write_text(text)
    start = begun(root)
    assert (root / "params.yaml").read_text() == text
    assert "data/contract.yaml" not in states(start)
    assert "${data.contract}" not in (root / "dvc.yaml").read_text()


def test_sections_of_somebody_else_are_left(root: Path) -> None:
    (root / "params.yaml").write_text("lr: 0.1\n")
    start = begun(root)
    assert [file.path for file in start.left()] == ["params.yaml"]
    assert "+project: Who-leaves" in list(start.left()[0].difference())


def test_a_folder_of_dvc_is_left(root: Path) -> None:
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    assert not begun(root).dvc
    assert (root / ".dvc/config").read_text() == "[core]\n    analytics = false\n"


def test_states_of_a_file() -> None:
    assert File("a", "x\n", None).state == "new"
    assert File("a", "x\n", "x\n").state == "same"
    assert File("a", "x\n", "y\n").state == "differs"
    assert File("a", "y\nx\n", "y\n", lines=True).state == "complete"


# --- where it cannot begin -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "target", "said"),
    [
        ("data/customer.csv", "left", "did you mean customers.csv?"),
        ("data/customers.csv", "lef", 'did you mean "left"?'),
        ("data/customers.csv", "income", "is missing in"),
        ("data/empty.csv", "left", "is empty"),
        ("data/small.csv", "left", "both sides"),
        ("data/kept.csv", "left", "keeps for itself"),
    ],
)
def test_what_cannot_begin_is_refused_and_writes_nothing(
    root: Path, data: str, target: str, said: str
) -> None:
    (root / "data/empty.csv").touch()
    (root / "data/small.csv").write_text("a,left\n1,yes\n2,no\n")
    make_frame(60).assign(_mergeline_key="x").to_csv(root / "data/kept.csv", index=False)
    before = snapshot(root)
    with pytest.raises(MergelineError) as caught:
        begun(root, data=root / data, target=target)
    assert said in caught.value.message
    assert snapshot(root) == before


# --- the repository ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "name"),
    [("credit-default", "credit-default"), ("-Über uns!", "Uber-uns"), ("人", "model")],
)
def test_the_projects_name_is_that_of_the_folder(tmp_path: Path, folder: str, name: str) -> None:
    root = tmp_path / folder
    root.mkdir()
    git(root, "init", "--quiet")
    assert project_name(root) == name


def test_the_projects_name_is_rather_that_of_the_remote(root: Path) -> None:
    git(root, "remote", "add", "origin", "git@github.com:acme/credit.git")
    assert project_name(root) == "credit"


def test_the_line_counts_from_main(root: Path) -> None:
    main = git(root, "rev-parse", "HEAD")
    git(root, "switch", "--quiet", "-c", "idea")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "not on main")
    start = planned(root)
    assert (start.main, start.on_main, start.draft.since) == ("main", False, main)


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    write_source(make_frame(600), tmp_path / "data/customers.csv")
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    start = planned(tmp_path)
    assert (start.main, start.on_main, start.draft.since) == ("trunk", True, None)
    write_start(start)
    assert load_settings(tmp_path / "params.yaml").promotion.since is None


def test_the_remotes_own_branch_is_delivered(root: Path, tmp_path: Path) -> None:
    git(root, "branch", "--move", "stable")
    git(tmp_path, "clone", "--quiet", str(root), "clone")
    git(tmp_path / "clone", "switch", "--quiet", "-c", "idea")
    assert main_branch(tmp_path / "clone") == "stable"


def test_who_keeps_the_table(root: Path) -> None:
    frame = pd.DataFrame({"a": [1]})
    for name in ("new", "hidden", "pointed"):
        frame.to_csv(root / f"data/{name}.csv")
    (root / ".gitignore").write_text("hidden.csv\n")
    (root / "data/pointed.csv.dvc").write_text("outs: []\n")
    found = {name: data_keeper(root, f"data/{name}.csv") for name in ("new", "hidden", "pointed")}
    assert found == {"new": "nobody", "hidden": "ignored", "pointed": "dvc"}
    assert data_keeper(root, "data/customers.csv") == "git"
