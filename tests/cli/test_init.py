"""`mergeline init` as its user meets it: what it says, asks, writes, and what runs after it."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Checked, Done, Maker, Project, environment
from mergeline.core.evidence import STAGES
from projects import make_frame

FRAMEWORK = "acme/mergeline@3d3c42e5aac5ba805825da76410c181273ba90b1"
DATA = ("--data", "data/customers.csv", "--target", "left")
YES = (*DATA, "--yes", "--framework", FRAMEWORK)


def init(project: Project, *options: str, cwd: str = ".") -> Done:
    return project.run(sys.executable, "-m", "mergeline", "init", *options, cwd=cwd)


def begin(project: Project, rows: int) -> None:
    project.root.mkdir(exist_ok=True)
    (project.root / "data").mkdir()
    make_frame(rows).to_csv(project.root / "data/customers.csv", index=False)
    project.git("init", "--quiet", "--initial-branch=main")
    project.commit("The data")


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    """A repository with a table, and nothing else."""
    project = Project(tmp_path / "customers", environment(tmp_path / "empty"))
    begin(project, 600)
    return project


@pytest.fixture(scope="module")
def checked(once: Maker) -> Checked:
    """A project as `init` wrote it, checked as it is."""

    def how(project: Project) -> Done:
        begin(project, 1500)
        done = init(project, *YES)
        assert done.code == 0, done.err
        project.write("said.txt", done.out)
        return project.check()

    return once("initialised", how)


# --- after it the project runs --------------------------------------------------------------


def test_the_check_of_what_was_written_comes_to_a_verdict(checked: Checked) -> None:
    assert checked.done.code == 0, checked.done.out + checked.done.err
    outcomes = {name: gate["outcome"] for name, gate in checked.project.gates().items()}
    relative = ("auc-baseline", "no-new-gap-sex", "no-new-gap-age")
    assert {outcomes.pop(name) for name in relative} == {"SKIPPED"}
    assert outcomes.pop("auc-floor") == "PASSED"
    assert outcomes.keys() == {"data-checks", "model-checks"}
    assert set(outcomes.values()) <= {"PASSED", "WARNED"}
    assert set(checked.project.actions()) == set(STAGES)


def test_the_next_change_is_judged_against_it(checked: Checked, tmp_path: Path) -> None:
    project = checked.project.copy(tmp_path / "project")
    project.commit("A first model")
    project.git("switch", "--quiet", "-c", "idea")
    # A model of its own would take all stages, and be compared no otherwise.
    project.write("README.md", "Who leaves, and why.\n")
    project.commit("Words")
    done = project.check()
    assert done.code == 0, done.out + done.err
    outcomes = {name: gate["outcome"] for name, gate in project.gates().items()}
    assert "SKIPPED" not in outcomes.values()
    assert "ERRORED" not in outcomes.values()


def test_the_doctor_finds_nothing_of_ours(checked: Checked) -> None:
    done = checked.project.run(sys.executable, "-m", "mergeline", "doctor")
    own = done.out.partition("The project")[2].partition("\nGitHub\n")[0]
    assert "dvc.yaml" in own
    assert "promote.yml" in own
    assert "MISSING" not in own, done.out
    warned = re.findall(r"^ +(?:warn|unknown) +(\S+(?: \S+)*?)  ", own, re.MULTILINE)
    # What only its owners can say: where data and models are kept.
    assert set(warned) <= {"dvc remote", "registry"}, done.out


def test_the_commands_that_it_names_work(checked: Checked, tmp_path: Path) -> None:
    """All but what talks to a remote; they end in a project that is committed whole."""
    project = checked.project.copy(tmp_path / "project")
    said = re.findall(r"^     ((?:git|sed) .*)$", project.read("said.txt"), re.MULTILINE)
    local = [command for command in said if not command.startswith("git push")]
    assert len(local) == len(said) - 2 == 6
    before = project.git("rev-parse", "HEAD")
    for command in local:
        done = project.run("sh", "-c", command)
        assert done.code == 0, (command, done.err)
    workflows = project.git("rev-parse", "main")
    assert project.git("rev-parse", "main^") == before
    assert set(project.git("diff", "--name-only", before, "main").split("\n")) == {
        "requirements/mergeline.txt",
        *(
            f".github/workflows/{name}.yml"
            for name in ("pull-request", "comment", "review", "promote", "rollback")
        ),
    }
    assert f"since: '{workflows}'" in project.read("params.yaml")
    left = project.git("status", "--porcelain", "--", ":!dvc.lock", ":!said.txt")
    assert left == ""


# --- what it says and asks -----------------------------------------------------------------


def test_what_it_says(empty: Project) -> None:
    done = init(empty, *YES)
    assert (done.code, done.err) == (0, "")
    assert '"left", positive is "yes" (the other class is "no")' in done.out
    assert re.search(r'id +"customer"', done.out)
    assert re.search(r"write +params\.yaml", done.out)
    assert "mergeline doctor" in done.out
    assert "mergeline check" in done.out
    assert empty.git("log", "--oneline").count("\n") == 0  # nothing is committed for anybody


def test_a_folder_below_the_root_will_do(empty: Project) -> None:
    done = init(empty, "--data", "customers.csv", *DATA[2:], "--yes", cwd="data")
    assert done.code == 0, done.err
    assert "source: data/customers.csv" in empty.read("params.yaml")
    assert not (empty.root / "data/params.yaml").exists()


def test_without_a_framework_it_says_what_to_run(empty: Project) -> None:
    # An installation that nobody else can find: a copy of the package outside of any repository.
    code = "import sys, mergeline.project.callers as c; c.installed_framework = lambda: None; "
    code += "from mergeline.cli import main; sys.argv[0] = 'mergeline'; main()"
    done = empty.run(sys.executable, "-c", code, "init", *DATA, "--yes")
    assert done.code == 0, done.err
    assert f"mergeline init {' '.join(DATA)} --framework OWNER/NAME@COMMIT" in done.out
    assert not (empty.root / ".github").exists()


def test_workflows_that_are_committed_are_not_asked_for_again(empty: Project) -> None:
    assert "git push origin main" in init(empty, *YES).out
    assert "git push origin main" in init(empty, *YES).out
    empty.commit("All of it")
    said = init(empty, *YES).out
    assert "git push origin main" not in said
    assert "The project itself" in said


def test_what_was_left_is_shown_with_what_it_would_have_held(empty: Project) -> None:
    empty.write("dvc.yaml", "stages: {}\n")
    done = init(empty, *YES)
    assert done.code == 0, done.err
    assert re.search(r"LEFT +dvc\.yaml", done.out)
    assert "  -stages: {}" in done.out
    assert re.search(r"and \d+ more lines", done.out)
    assert empty.read("dvc.yaml") == "stages: {}\n"


def test_git_ignores_the_table(empty: Project) -> None:
    empty.git("rm", "--quiet", "--cached", "data/customers.csv")
    empty.write(".gitignore", "*.csv\n")
    done = init(empty, *YES)
    assert "Git ignores data/customers.csv" in done.out
    assert "dvc add data/customers.csv" in done.out
    assert re.search(r"git add .* data/customers\.csv\.dvc\n", done.out)


def test_a_large_table_is_for_dvc(empty: Project) -> None:
    code = "import sys, mergeline.project.source as s; s.LARGE_BYTES = 1000; "
    code += "from mergeline.cli import main; sys.argv[0] = 'mergeline'; main()"
    done = empty.run(sys.executable, "-c", code, "init", *YES)
    assert done.code == 0, done.err
    assert "let DVC keep it instead of Git" in done.out
    assert "git rm --cached data/customers.csv" in done.out


def test_nobody_can_be_asked(empty: Project) -> None:
    done = init(empty, *DATA)
    assert done.code == 2
    message, hint = done.error()
    assert "no terminal" in message
    assert "--yes" in hint
    assert not (empty.root / "params.yaml").exists()


@pytest.mark.parametrize(("answer", "written"), [("y\n", True), ("n\n", False), ("\x04", False)])
def test_it_asks_before_it_writes(empty: Project, answer: str, written: bool) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mergeline", "init", *DATA, "--framework", FRAMEWORK]
    with subprocess.Popen(
        command,
        cwd=empty.root,
        env=dict(empty.env),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        os.close(theirs)
        os.write(ours, answer.encode())
        said, _ = process.communicate(timeout=120)
    os.close(ours)
    assert process.returncode == 0, said
    assert "Write these files?" in said
    assert (empty.root / "params.yaml").exists() == written
    assert ("Nothing was written." in said) != written


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((*DATA[:3], "lfet", "--yes"), 2),
        (("--data", "nowhere.csv", *DATA[2:], "--yes"), 2),
        ((*DATA, "--yes", "--framework", "acme/mergeline@main"), 2),
        ((*DATA[:2], "--yes"), 2),
        ((*DATA[:3], "joined", "--yes"), 3),
    ],
)
def test_what_it_refuses(empty: Project, options: tuple[str, ...], code: int) -> None:
    done = init(empty, *options)
    assert done.code == code, done.out + done.err
    assert "Traceback" not in done.err
    assert sorted(path.name for path in empty.root.iterdir()) == [".git", "data"]


def test_outside_of_a_repository(tmp_path: Path) -> None:
    project = Project(tmp_path, environment(tmp_path / "empty"))
    make_frame(60).to_csv(tmp_path / "customers.csv")
    done = init(project, "--data", "customers.csv", "--target", "left", "--yes")
    assert done.code == 4
    assert "git init" in done.error()[1]
