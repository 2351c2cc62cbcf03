"""`mergeline comment` as its workflow runs it: a process with an environment."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from report import plans
from review.lines import SmallLine, commit_files, git

# What the process loaded and unpickled, after whatever the verb printed.
WATCHED = """
import json, sys
unpickled = []
sys.addaudithook(lambda event, args: unpickled.append(args) if event == "pickle.find_class" else 0)
from mergeline.cli import main
sys.argv = ["mergeline", "comment", *sys.argv[1:]]
code = 0
try:
    main()
except SystemExit as end:
    code = end.code
files = [str(getattr(module, "__file__", None)) for module in list(sys.modules.values())]
print(json.dumps([sorted(sys.modules), files, [str(each) for each in unpickled], code]))
"""
UNWANTED = {"sklearn", "skops", "joblib", "mlflow", "cloudpickle", "dvc", "onnxruntime"}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    made = SmallLine.start(tmp_path_factory.mktemp("comment"))
    with made.world:
        yield made


@pytest.fixture
def run(line: SmallLine) -> int:
    """A run for the head of an open pull request."""
    branch = line.push()
    line.world.open_pull(branch, login="ann")
    head = git(line.remote, "rev-parse", branch)
    return line.run(branch, line.parts(plans.better(), head))


def comment(
    line: SmallLine,
    *arguments: str,
    start: tuple[str, ...] = ("-m", "mergeline", "comment"),
    **environ: str | None,
) -> subprocess.CompletedProcess[str]:
    ours = {"PATH": os.environ["PATH"], "HOME": str(line.clone.parent), **line.environ(), **environ}
    return subprocess.run(
        [sys.executable, *start, *arguments],
        cwd=line.clone,
        env={name: value for name, value in ours.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_run_by_its_number(line: SmallLine, run: int) -> None:
    done = comment(line, "--run", str(run), GITHUB_RUN_ID="77")
    assert done.returncode == 0, done.stderr
    entry = line.ledger()[-1]
    assert (entry.run, entry.by) == (run, "run 77 of acme/credit")
    (made,) = line.job().github.comments(entry.pull_request)
    assert done.stdout == (
        f"#{entry.pull_request} at {entry.commit[:12]}: PASSED, if merged now NOT_APPROVED; "
        f"entry {entry.number} of the ledger; {made.url}\n"
    )
    said = done.stderr.splitlines()
    assert [line for line in said if "the comment goes by GitHub's API" not in line] == []


def test_the_run_of_the_event(line: SmallLine, run: int, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"workflow_run": {"id": run}}))
    done = comment(line, GITHUB_EVENT_PATH=str(event))
    assert done.returncode == 0, done.stderr
    assert line.ledger()[-1].run == run


def test_it_loads_and_unpickles_nothing_of_the_project(line: SmallLine, run: int) -> None:
    # As the console script: without the current folder among those of modules.
    done = comment(line, "--run", str(run), start=("-P", "-c", WATCHED))
    modules, files, unpickled, code = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stderr
    assert unpickled == []
    assert UNWANTED & set(modules) == set()
    assert [name for name in files if name.startswith(str(line.clone))] == []


def test_a_refusal_is_named_and_has_its_exit_code(line: SmallLine, tmp_path: Path) -> None:
    branch = line.push()
    line.world.open_pull(branch, login="ann")
    run = line.run(branch, {})
    commit_files(line.remote, branch, {"b.txt": "more"}, onto=branch)
    summary = tmp_path / "summary.md"
    done = comment(line, "--run", str(run), GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 12
    assert done.stdout.startswith("STALE_RUN: No open pull request is at what run ")
    assert "**STALE_RUN**" in summary.read_text()


@pytest.mark.parametrize("event", [None, "{}", "no JSON", '{"workflow_run": {"id": "7"}}', "[]"])
def test_no_run_is_a_wrong_usage(line: SmallLine, tmp_path: Path, event: str | None) -> None:
    path = tmp_path / "event.json"
    if event is not None:
        path.write_text(event)
    done = comment(line, GITHUB_EVENT_PATH=str(path))
    assert done.returncode == 2
    assert "ERROR no run is named" in done.stderr
    assert "TIP   name it: `mergeline comment --run ID`" in done.stderr


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_REPOSITORY"])
def test_a_missing_variable_is_a_wrong_usage(line: SmallLine, name: str) -> None:
    done = comment(line, "--run", "1", **{name: None})
    assert done.returncode == 2
    assert f"ERROR {name} is not set" in done.stderr


def test_github_that_refuses_is_exit_code_4(line: SmallLine, run: int) -> None:
    done = comment(line, "--run", str(run), GITHUB_TOKEN="ghs_wrong")  # noqa: S106
    assert done.returncode == 4
    assert "ERROR GitHub answered 401 to GET /repos/acme/credit/actions/runs" in done.stderr
    assert "ghs_wrong" not in done.stderr + done.stdout


def test_a_remote_that_is_not_there_is_exit_code_4(line: SmallLine, run: int) -> None:
    done = comment(line, "--run", str(run), "--remote", "elsewhere")
    assert done.returncode == 4
    assert "elsewhere" in done.stderr


def test_the_page_is_made_too_and_the_comment_says_where(line: SmallLine, run: int) -> None:
    server = {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_RUN_ID": "78"}
    done = comment(line, "--run", str(run), "--page", "out/report.html", **server)
    assert done.returncode == 0, done.stderr
    page = (line.clone / "out/report.html").read_text("utf-8")
    assert line.ledger()[-1].commit in page
    assert "If merged now" in page


def test_a_page_that_cannot_be_made_costs_no_comment(line: SmallLine, run: int) -> None:
    (line.clone / "file").write_text("in the way")
    done = comment(line, "--run", str(run), "--page", "file/report.html")
    assert done.returncode == 0, done.stderr
    assert "entry " in done.stdout
    assert "warning: there is no page: " in done.stderr


def test_an_address_is_that_of_a_run_or_none() -> None:
    from mergeline.cli.comment import page_address

    environ = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_RUN_ID": "5"}
    assert page_address(environ, "a/b") == "https://github.com/a/b/actions/runs/5"
    for wrong in ({"GITHUB_RUN_ID": "5) x"}, {"GITHUB_SERVER_URL": "javascript:alert(1)"}, {}):
        assert page_address({**environ, **wrong} if wrong else {}, "a/b") == ""
