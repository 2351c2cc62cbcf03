"""`mergeline rollback` as somebody on call types it, and as a job runs it."""

import json
import os

import pytest

from cli.test_promote import BETTER, mergeline
from mergeline.core.answers import Name
from mergeline.ledger.entries import RolledBack
from promote.conftest import (  # noqa: F401 -- fixtures
    builds,
    empty_line,
    first_line,
    line_folder,
    plain_environment_of_promotions,
)
from promote.conftest import scenario as one  # noqa: F401
from promote.scenario import Scenario, following


@pytest.fixture
def two(one: Scenario) -> Scenario:  # noqa: F811
    """A line with a second model live."""
    one.merged(BETTER)
    assert one.promote().name is Name.LIVE
    return one


def registry(two: Scenario) -> dict[str, str]:
    return {"MLFLOW_TRACKING_URI": f"sqlite:///{two.folder / 'registry/registry.db'}"}


def test_by_hand_without_github(two: Scenario) -> None:
    with following(two):
        done = mergeline(two, "rollback", "--reason", " it is worse ", environ=registry(two))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("LIVE: Version 1 (")
    assert "GitHub is left out: " in done.stderr
    assert "    git revert --no-edit -m 1 " in done.stderr
    entry = two.last(RolledBack)
    assert (entry.reason, entry.replaces) == ("it is worse", "2")
    assert entry.by == os.environ.get("USER", entry.by)


def test_in_a_job_with_a_token_of_the_lines_own(two: Scenario) -> None:
    own = {"MERGELINE_TOKEN": two.world.token("line-app", "write"), "GITHUB_ACTIONS": "true"}
    with following(two):
        done = mergeline(
            two,
            *("rollback", "--to", "1", "--reason", "worse", "--json"),
            environ={**two.environ, **registry(two), **own},
        )
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert (ended["name"], ended["version"]) == ("LIVE", "1")
    assert two.world.pull(ended["revert"]).login == "line-app"
    assert f"#{ended['revert']} takes back" in done.stderr


def test_in_a_job_without_one_the_commands_are_printed(two: Scenario) -> None:
    pulls = set(two.world.repo.pulls)
    job = {"GITHUB_ACTIONS": "true", "MERGELINE_TOKEN": ""}
    with following(two):
        done = mergeline(
            two,
            # As a workflow hands on an input that nobody gave.
            *("rollback", "--reason", "worse", "--to", ""),
            environ={**two.environ, **registry(two), **job},
        )
    assert done.returncode == 0, done.stderr
    assert set(two.world.repo.pulls) == pulls
    assert "    gh pr create --base main --head mergeline/revert-" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--reason", " "), "--reason is empty"), (("--reason", "x", "--to", "9"), "version 9")],
)
def test_what_cannot_be_meant(two: Scenario, arguments: tuple[str, ...], said: str) -> None:
    done = mergeline(two, "rollback", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("ERROR ") == done.stderr.count("\nTIP   ") == 1
    assert said in done.stderr
