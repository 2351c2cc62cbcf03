"""`mergeline audit`, `checkout` and `predict`, asked in a clone of the project."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from mergeline.adapters.registry import KEY
from mergeline.cli import main
from mergeline.ledger.entries import Promoted
from projects import make_frame
from promote.conftest import (  # noqa: F401 -- fixtures
    builds,
    empty,
    empty_line,
    first_line,
    line_folder,
    plain_environment_of_promotions,
)
from promote.scenario import Builds, Scenario, first_files, fresh, git, params, silent

Run = Callable[..., tuple[int, str, str]]
# As seen from the clone.
REGISTRY = "sqlite:///../registry/registry.db"


@pytest.fixture(scope="module")
def line(
    first_line: Path,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
    builds: Builds,  # noqa: F811
) -> Iterator[Scenario]:
    """The first release live, and main's tip checked out."""
    folder = tmp_path_factory.mktemp("released")
    for scenario in fresh(first_line, folder / "line", builds, 10):
        checked_out(scenario)
        yield scenario


def checked_out(scenario: Scenario) -> None:
    scenario.fetch()
    git(scenario.clone, "checkout", "--quiet", "--force", "--detach", scenario.main)


@pytest.fixture
def run(line: Scenario, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `mergeline` in the clone; returns exit code, output and errors."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", REGISTRY)
    before = signal.getsignal(signal.SIGTERM)

    def started(*arguments: str, at: Scenario = line) -> tuple[int, str, str]:
        monkeypatch.chdir(at.clone)
        monkeypatch.setattr(sys, "argv", ["mergeline", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        signal.signal(signal.SIGTERM, before)
        done = capsys.readouterr()
        return int(ended.value.code or 0), done.out, done.err

    return started


# --- audit -----------------------------------------------------------------------------------


def test_an_audit_as_a_person_reads_it(line: Scenario) -> None:
    """The command itself, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "mergeline", "audit"],
        cwd=line.clone,
        env={**os.environ, "MLFLOW_TRACKING_URI": REGISTRY},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    head, *links, last = done.stdout.splitlines()
    assert (head, last) == ("leavers version 1, production", "every link holds")
    assert len(links) == 12
    assert all(re.match(r"✓ [\w ,()]{25}  \S", link) for link in links)
    assert "✓ approvals                  approved by bob; 1 asked for" in links


def test_an_audit_as_a_program_reads_it(run: Run) -> None:
    code, out, _ = run("audit", "1", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["schema_version"], found["project"], found["version"]) == (1, "leavers", "1")
    assert {link["state"] for link in found["links"]} == {"holds"}
    assert set(found["links"][0]) == {"name", "state", "detail"}


def test_a_broken_link_is_exit_code_12(line: Scenario, run: Run) -> None:
    key = line.last(Promoted).release.key
    with line.registry._asking() as store:
        store.client.set_model_version_tag("leavers", "1", KEY, "e" * 64)
    try:
        code, out, _ = run("audit")
        as_json = run("audit", "--json")
    finally:
        with line.registry._asking() as store:
            store.client.set_model_version_tag("leavers", "1", KEY, key)
    assert code == as_json[0] == 12
    assert "\n✗ registry                   its key (K) is eeeeeeeeeeee, declared is " in out
    assert out.splitlines()[-1] == "not proven: registry"
    broken = [link for link in json.loads(as_json[1])["links"] if link["state"] == "broken"]
    assert [link["name"] for link in broken] == ["registry"]


def test_a_registry_that_is_away_proves_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    code, out, _ = run("audit")
    assert code == 12
    assert "\n? registry  " in out
    assert "\n✓ approvals " in out
    assert out.splitlines()[-1].startswith("not proven: registry, model and evidence (M, E), ")


def test_a_branch_that_is_not_there_proves_nothing(run: Run) -> None:
    code, out, _ = run("audit", "--main", "trunk")
    assert code == 12
    assert out.splitlines()[-1] == "not proven: commit"


@pytest.mark.parametrize("verb", ["audit", "checkout"])
def test_a_version_that_never_was(run: Run, verb: str) -> None:
    code, out, err = run(verb, "7")
    assert (code, out) == (2, "")
    assert "ERROR the ledger never declared version '7' for production; it knows: 1\n" in err
    assert "mergeline log" in err


def test_an_environment_that_never_was(run: Run) -> None:
    code, _, err = run("audit", "--environment", "staging")
    assert code == 2
    assert "never declared any version for staging; it knows: none" in err


# --- checkout ----------------------------------------------------------------------------------


def test_a_checkout_beside_the_project(line: Scenario, run: Run) -> None:
    folder = line.folder / "leavers-v1"
    code, out, err = run("checkout", "1")
    try:
        assert (code, err) == (0, "")
        assert len(out.splitlines()) == 3
        assert str(folder) in out
        assert (folder / "params.yaml").read_text() == params()
        assert (folder / "reports/model/MLmodel").is_file()
        code, _, err = run("checkout", "1")
        assert code == 2
        assert "leavers-v1 is there already" in err
        # What its help says removes it.
        git(line.clone, "worktree", "remove", "--force", str(folder))
        assert not folder.exists()
    finally:
        line.git.remove_worktree(folder)


def test_a_checkout_elsewhere(line: Scenario, run: Run) -> None:
    code, _, err = run("checkout", "1", "--to", "../other/place")
    folder = line.folder / "other/place"
    try:
        assert (code, err) == (0, "")
        assert (folder / "data/customers.csv").read_text() == first_files()["data/customers.csv"]
    finally:
        line.git.remove_worktree(folder)


# --- predict -------------------------------------------------------------------------------------


def test_scores_beside_the_file(line: Scenario, run: Run, tmp_path: Path) -> None:
    frame = make_frame(30)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    code, out, err = run("predict", str(tmp_path / "rows.csv"), "--chunk", "7")
    target = tmp_path / "rows-scores.csv"
    assert (code, err) == (0, "")
    assert out == f"30 rows scored by version 1: {target}\n"
    answer = pd.read_csv(target, dtype=str)
    assert answer.columns.to_list() == [
        *frame.columns,
        *("probability", "label", "positive", "release"),
    ]
    assert set(answer["release"]) == {f"1 {line.last(Promoted).release.model[:12]}"}


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("rows.parquet", "rows-scores.parquet"),
        ("rows.jsonl", "rows-scores.csv"),
        ("a.b.csv.gz", "a.b-scores.csv"),
    ],
)
def test_the_answers_name(run: Run, tmp_path: Path, name: str, beside: str) -> None:
    frame, source = make_frame(3), tmp_path / name
    if name.endswith("jsonl"):
        frame.to_json(source, orient="records", lines=True, date_format="iso")
    elif name.endswith("parquet"):
        frame.to_parquet(source)
    else:
        frame.to_csv(source, index=False)
    code, _, err = run("predict", str(source), "--version", "1")
    assert (code, err) == (0, "")
    assert (tmp_path / beside).is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nothing.csv",), 2, "ERROR there is no file nothing.csv"),
        (("params.yaml", "--output", "x.txt"), 2, "ERROR the output is 'x.txt'"),
        (("params.yaml", "--output", "x.csv"), 3, "ending says no known format"),
        (("params.yaml", "--version", "7"), 2, "never declared version '7'"),
        (("params.yaml", "--environment", "staging"), 2, "nothing is live in staging"),
    ],
)
def test_what_cannot_be_scored(
    line: Scenario, run: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = run("predict", *arguments)
    assert (found, out) == (code, "")
    assert said in err
    assert git(line.clone, "status", "--short") == ""


def test_what_nobody_confirmed_does_not_score(
    empty: Scenario,  # noqa: F811
    run: Run,
    tmp_path: Path,
) -> None:
    """Declared is not live; whoever wants its scores names it."""
    quick = params().replace("confirm_seconds: 20", "confirm_seconds: 0.1")
    empty.merged({**first_files(), "params.yaml": quick})
    empty.promote(silent)
    checked_out(empty)
    make_frame(3).to_csv(tmp_path / "rows.csv", index=False)
    code, _, err = run("predict", str(tmp_path / "rows.csv"), at=empty)
    assert code == 2
    assert "nothing is live in production by the ledger" in err
    assert "mergeline status" in err
    assert run("predict", str(tmp_path / "rows.csv"), "--version", "1", at=empty)[0] == 0
