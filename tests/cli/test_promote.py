"""`mergeline promote` as a job of a workflow runs it: output, exit codes, options."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from mergeline.bundle.names import PARTS
from mergeline.bundle.pack import pack
from mergeline.ledger.entries import Promoted
from promote.conftest import (  # noqa: F401 -- fixtures
    builds,
    empty_line,
    first_line,
    line_folder,
    plain_environment_of_promotions,
    scenario,
)
from promote.scenario import Scenario, following, git, params

REGISTRY = "registry: {uri: 'sqlite:///../registry/registry.db'}\n"
BETTER = {"params.yaml": params(c=0.5, more=REGISTRY)}


def mergeline(
    scenario: Scenario,  # noqa: F811
    *arguments: str,
    environ: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a verb in a checkout of main's tip."""
    git(scenario.clone, "checkout", "--quiet", "--detach", scenario.tip_in_clone())
    hidden = ("GITHUB_", "MLFLOW_", "MERGELINE_")
    plain = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    return subprocess.run(
        [sys.executable, "-m", "mergeline", *arguments],
        cwd=scenario.clone,
        env={
            **plain,
            "GIT_CONFIG_GLOBAL": os.devnull,
            **(scenario.environ if environ is None else environ),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_merge_that_wants_a_second_build(scenario: Scenario, tmp_path: Path) -> None:  # noqa: F811
    number = scenario.ready({**BETTER, "requirements.txt": "x\n"})
    scenario.world.merge(number)
    outputs = tmp_path / "outputs"
    outputs.write_text("before=1\n")
    handed_on = {**scenario.environ, "GITHUB_OUTPUT": str(outputs)}
    needs = mergeline(scenario, "promote", "--needs", environ=handed_on)
    assert (needs.returncode, needs.stdout) == (0, "rebuild\n"), needs.stderr
    base = git(scenario.remote, "rev-parse", "main~1")
    assert outputs.read_text() == f"before=1\nbuild=rebuild\nbase={base}\n"
    asked = mergeline(scenario, "promote")
    assert asked.returncode == 4
    assert asked.stdout.startswith("UNDECIDED: The pull request touched requirements.txt.")
    assert "\nnext: in a checkout of " in asked.stdout
    summary, run = tmp_path / "summary.md", {"GITHUB_RUN_ID": "77"}
    job = {"GITHUB_SHA": scenario.main, "GITHUB_STEP_SUMMARY": str(summary), **run}
    job |= {"GITHUB_SERVER_URL": "https://github.example"}
    second = scenario.rebuilt()
    with following(scenario):
        done = mergeline(
            scenario,
            *("promote", "--rebuilt", str(second), "--json"),
            environ={**scenario.environ, **job},
        )
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert (ended["name"], ended["version"], ended["pull_request"]) == ("LIVE", "2", number)
    assert (ended["commit"], ended["environment"]) == (scenario.main, "production")
    entry = scenario.last(Promoted)
    assert (ended["entry"], entry.by) == (entry.number, "run 77 of acme/credit")
    assert summary.read_text().startswith("**LIVE** Version 2")
    steps = ("identify", "approvals", "verify", "register", "declare", "confirm")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == list(steps)
    (deployment,) = scenario.world.repo.deployments.values()
    url = "https://github.example/acme/credit/actions/runs/77"
    assert [status.log_url for status in deployment.statuses] == [url]


def test_a_second_build_by_its_run(scenario: Scenario) -> None:  # noqa: F811
    scenario.world.merge(scenario.ready({**BETTER, "requirements.txt": "x\n"}))
    root = scenario.rebuilt()
    parts = {part: pack(root, part) for part in PARTS}
    about = {"event": "push", "head_branch": "main", "status": "in_progress"}
    empty = str(scenario.world.add_run(scenario.main, **about))
    asked = mergeline(scenario, "promote", "--rebuilt-run", empty)
    assert asked.returncode == 4
    assert f"Run {empty} handed over no mergeline-evidence" in asked.stdout
    run = str(scenario.world.add_run(scenario.main, **about, artifacts=parts))
    both = mergeline(scenario, "promote", "--rebuilt-run", run, "--rebuilt", str(root))
    assert (both.returncode, both.stdout) == (2, "")
    assert "--rebuilt and --rebuilt-run" in both.stderr
    with following(scenario):
        done = mergeline(scenario, "promote", "--rebuilt-run", run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert scenario.last(Promoted).source == "rebuilt"


def test_nothing_more_is_needed(scenario: Scenario, tmp_path: Path) -> None:  # noqa: F811
    outputs = tmp_path / "outputs"
    done = mergeline(
        scenario,
        *("promote", "--needs"),
        environ={**scenario.environ, "GITHUB_OUTPUT": str(outputs)},
    )
    assert (done.returncode, done.stdout) == (0, "reuse\n"), done.stderr
    assert outputs.read_text() == "build=reuse\nbase=\n"


def test_a_refusal(scenario: Scenario) -> None:  # noqa: F811
    pushed = scenario.push_to_main({"README.md": "# More\n"})
    before = scenario.snapshot()
    done = mergeline(scenario, "promote", "--json")
    assert done.returncode == 12, done.stderr
    ended = json.loads(done.stdout)
    assert ended["name"] == "DIRECT_PUSH"
    assert pushed in ended["next_step"]
    assert scenario.snapshot() == before


@pytest.mark.parametrize(
    ("environ", "arguments", "code", "said"),
    [
        ({}, (), 2, "GITHUB_"),
        (None, ("--commit", "nowhere"), 2, "nowhere"),
        (None, ("--remote", "elsewhere"), 4, "elsewhere"),
    ],
)
def test_what_is_missing_is_one_message(
    scenario: Scenario,  # noqa: F811
    environ: Mapping[str, str] | None,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    done = mergeline(scenario, "promote", *arguments, environ=environ)
    assert done.returncode == code
    message, _, hint = done.stderr.partition("\nTIP   ")
    assert message.startswith("ERROR ")
    assert said in message
    assert hint.strip()
    assert "Traceback" not in done.stderr
