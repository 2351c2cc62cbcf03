"""Killed after any step and run again, or run twice at a time: it comes to the same."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mergeline.core.answers import Name
from promote.children import ended, start, task_of
from promote.scenario import Builds, Checkpoint, Scenario, fresh, params

# The last function to return, and its how manieth return.
POINTS = (
    ("verify", 1),
    ("upload", 1),
    ("Registry.create", 1),
    ("register", 1),
    ("Remote.commit_files", 1),
    ("Remote.push", 1),
    ("declare", 1),
    ("Remote.push", 2),
    ("Remote.push", 3),
    ("confirm", 1),
    ("Registry.set_alias", 1),
    ("GitHub.create_deployment", 1),
    ("GitHub.set_deployment", 1),
    ("GitHub.edit_comment", 1),
)
ROUNDS = 5


@pytest.fixture(scope="module")
def merged(
    first_line: Path, tmp_path_factory: pytest.TempPathFactory, builds: Builds
) -> Iterator[tuple[Scenario, Checkpoint]]:
    """A line whose second model is merged, and not promoted."""
    for scenario in fresh(first_line, tmp_path_factory.mktemp("merged") / "line", builds, 10):
        scenario.merged({"params.yaml": params(c=0.5)})
        scenario.fetch()
        yield scenario, Checkpoint.of(scenario)


@pytest.fixture
def scenario(merged: tuple[Scenario, Checkpoint]) -> Scenario:
    made, checkpoint = merged
    checkpoint.restore(made)
    return made


def state(scenario: Scenario) -> dict[str, Any]:
    """Everything that a promotion leaves, but for times."""
    passing = {"time", "since", "previous", "commented"}
    comment = next(iter(scenario.world.repo.comments.values())).body
    return {
        "ledger": [entry.model_dump(exclude=passing) for entry in scenario.history.entries],
        "versions": [(each.number, each.key, each.tags) for each in scenario.registry.versions()],
        "aliases": scenario.registry.aliases(),
        "deployments": [
            (each.sha, each.environment, [status.state for status in each.statuses])
            for each in scenario.world.repo.deployments.values()
        ],
        "comment": comment[: comment.index(" since")],
    }


@pytest.fixture(scope="module")
def undisturbed(merged: tuple[Scenario, Checkpoint]) -> dict[str, Any]:
    """What a promotion leaves that nobody disturbs."""
    made, checkpoint = merged
    checkpoint.restore(made)
    assert made.promote().name is Name.LIVE
    return state(made)


def test_undisturbed_it_leaves_one_of_each(undisturbed: dict[str, Any]) -> None:
    kinds = [entry["kind"] for entry in undisturbed["ledger"]]
    assert kinds == ["reviewed", "promoted", "live"] * 2
    assert [number for number, *_ in undisturbed["versions"]] == ["1", "2"]
    assert undisturbed["aliases"] == {"champion": "2", "previous": "1"}
    assert [states for *_, states in undisturbed["deployments"]] == [["success"]]
    assert "**LIVE** in `production` as version 2" in undisturbed["comment"]


@pytest.mark.parametrize(("after", "time"), POINTS)
def test_killed_and_run_again(
    scenario: Scenario, undisturbed: dict[str, Any], after: str, time: int
) -> None:
    assert ended(start(task_of(scenario, after=after, time=time))) == -signal.SIGKILL
    assert scenario.promote().name is Name.LIVE
    assert state(scenario) == undisturbed


def test_run_again_when_all_is_done_it_changes_nothing(
    scenario: Scenario, undisturbed: dict[str, Any]
) -> None:
    scenario.promote()
    before, writes = scenario.snapshot(), len(scenario.world.writes)
    assert scenario.promote().name is Name.LIVE
    assert scenario.snapshot() == before
    assert len(scenario.world.writes) == writes
    assert state(scenario) == undisturbed


def test_two_at_a_time_agree(
    merged: tuple[Scenario, Checkpoint], undisturbed: dict[str, Any]
) -> None:
    made, checkpoint = merged
    for _ in range(ROUNDS):
        checkpoint.restore(made)
        second = made.folder / "second"
        shutil.rmtree(second, ignore_errors=True)
        shutil.copytree(made.clone, second, symlinks=True)
        processes = [start(task_of(made)), start(task_of(made, second))]
        assert [ended(process) for process in processes] == [0, 0]
        found = state(made)
        versions = found.pop("versions")
        expected = {**undisturbed}
        keys = [key for _, key, _ in expected.pop("versions")]
        # Of two that were made at the same moment the lower one stands.
        assert [key for _, key, _ in versions] == keys
        live = versions[-1][0]
        assert found["aliases"] == {"champion": live, "previous": "1"}
        desired = made.history.desired("production")
        assert desired is not None
        assert desired.release.version == live
        kinds = [entry["kind"] for entry in found["ledger"]]
        assert kinds == [entry["kind"] for entry in expected["ledger"]]
