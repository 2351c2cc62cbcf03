"""GitHub fails at one call: the promotion says so, and run again it leaves one of each."""

import re
from collections import Counter
from typing import Any

import pytest

from mergeline.core.answers import Name
from mergeline.ledger.entries import Promoted
from promote.scenario import Checkpoint, Scenario
from promote.test_again import merged, scenario, state, undisturbed  # noqa: F401 -- fixtures

FOR_EVER = {"times": 999}
DONE = {"after": True}
DOWNLOADS = "/_rehearsal/downloads/*"

# Before anything is written: all is as it was.
READS = [
    ("*/commits/*/pulls", {"status": 503, **FOR_EVER}),
    ("*/collaborators/bob/permission", {"status": 403, "retry_after": 3600}),
    ("*/pulls/*/reviews", {"kind": "truncate", **FOR_EVER}),
    (DOWNLOADS, {"kind": "truncate", **FOR_EVER}),
    (DOWNLOADS, {"kind": "close", **FOR_EVER}),
]
# When the ledger has said it already.
LATE = [
    ("POST", "*/deployments", {"kind": "close", **DONE}),
    ("POST", "*/deployments", {"status": 422}),
    ("POST", "*/deployments/*/statuses", {"status": 502, **DONE}),
    ("GET", "*/issues/*/comments", {"status": 503, **FOR_EVER}),
    ("PATCH", "*/issues/comments/*", {"kind": "cut"}),
]


def writes(line: Scenario) -> Counter[str]:
    """Return what was written through the API, how often."""
    done = (f"{one.method} {one.path} {one.body}" for one in line.world.writes if one.done)
    passing = r"(?<=/deployments/)\d+| since \d\S+"
    return Counter(re.sub(passing, "", written) for written in done)


@pytest.fixture(scope="module")
def written(
    merged: tuple[Scenario, Checkpoint],  # noqa: F811
    undisturbed: dict[str, Any],  # noqa: F811
) -> Counter[str]:
    """What an undisturbed promotion writes."""
    made, checkpoint = merged
    checkpoint.restore(made)
    made.world.world.recorder.requests.clear()
    assert made.promote().name is Name.LIVE
    found = writes(made)
    assert sorted(what.split()[0] for what in found.elements()) == ["PATCH", "POST", "POST"]
    return found


@pytest.fixture(autouse=True)
def nothing_written(written: Counter[str], scenario: Scenario) -> None:  # noqa: F811
    scenario.world.world.recorder.requests.clear()


@pytest.mark.parametrize(("path", "how"), READS)
def test_what_cannot_be_read_is_undecided(
    scenario: Scenario,  # noqa: F811
    path: str,
    how: dict[str, Any],
    undisturbed: dict[str, Any],  # noqa: F811
    written: Counter[str],
) -> None:
    before = scenario.snapshot()
    scenario.world.fault("GET", path, **how)
    ended = scenario.promote()
    assert (ended.name, ended.name.exit_code) == (Name.UNDECIDED, 4)
    assert ended.reason
    assert ended.next_step
    assert scenario.snapshot() == before
    assert not scenario.world.writes
    run_again(scenario, undisturbed, written)


@pytest.mark.parametrize(("method", "path", "how"), LATE)
def test_what_cannot_be_shown_is_shown_by_the_next_run(
    scenario: Scenario,  # noqa: F811
    method: str,
    path: str,
    how: dict[str, Any],
    undisturbed: dict[str, Any],  # noqa: F811
    written: Counter[str],
) -> None:
    scenario.world.fault(method, path, **how)
    assert scenario.promote().name is Name.LIVE
    assert isinstance(scenario.history.entries[-2], Promoted)
    run_again(scenario, undisturbed, written)


def run_again(
    scenario: Scenario,  # noqa: F811
    undisturbed: dict[str, Any],  # noqa: F811
    written: Counter[str],
) -> None:
    """Run it without a fault, and see that nothing was done twice."""
    scenario.world.world.faults.clear()
    assert scenario.promote().name is Name.LIVE
    assert state(scenario) == undisturbed
    assert writes(scenario) == written
