"""What people see at GitHub: one deployment, one comment, made from the ledger."""

import pytest

from mergeline.core.answers import Name
from mergeline.ledger.entries import Reviewed
from mergeline.promote.announce import with_outcome
from mergeline.rehearsal.faults import Fault
from mergeline.report.markdown import marker
from promote.scenario import Scenario, live, params, rejecting, silent

BETTER = {"params.yaml": params(c=0.5)}
DOCS = {"README.md": "# More\n"}
AWAY = {"params.yaml": BETTER["params.yaml"].replace("confirm_seconds: 20", "confirm_seconds: 0.1")}
MARKER = marker("leavers")


def test_the_hidden_first_line_stays_first_and_is_followed_by_the_outcome() -> None:
    once = with_outcome(f"{MARKER}\n\n## Passed\n\n| gate |\n", "> **LIVE**")
    assert once.startswith(f"{MARKER}\n\n<!--")
    assert once.index("> **LIVE**") < once.index("## Passed")
    assert once.endswith("## Passed\n\n| gate |\n")
    assert with_outcome(once, "> **LIVE**") == once
    again = with_outcome(once.replace("\n", "\r\n"), "> **Rolled back**")
    assert "LIVE" not in again
    assert again.count("mergeline:outcome") == 2
    assert again.endswith("## Passed\n\n| gate |\n")


def comment(scenario: Scenario) -> str:
    """What the comment of the last review says now."""
    return scenario.world.repo.comments[scenario.last(Reviewed).comment].body


def states(scenario: Scenario) -> list[tuple[str, list[str]]]:
    found = scenario.world.repo.deployments.values()
    return [(each.sha, [status.state for status in each.statuses]) for each in found]


@pytest.mark.parametrize(
    ("follow", "files", "deployed", "said"),
    [
        (live, BETTER, ["success"], "> **LIVE** in `production` as version 2 since "),
        (rejecting, BETTER, ["failure"], "> **REJECTED** by the server of `production`: version 2"),
        (silent, AWAY, ["in_progress"], "> **UNCONFIRMED**: declared for `production`"),
    ],
)
def test_of_a_declaration(
    scenario: Scenario, follow: object, files: dict[str, str], deployed: list[str], said: str
) -> None:
    tip = scenario.merged(files)
    scenario.promote(follow)  # type: ignore[arg-type]
    assert states(scenario) == [(tip, deployed)]
    assert said in comment(scenario)
    assert comment(scenario).startswith(MARKER)
    assert "score differently" not in comment(scenario)


def test_of_a_merge_that_leaves_everything_as_it_is(scenario: Scenario) -> None:
    scenario.merged(DOCS)
    assert scenario.promote().name is Name.ALREADY_LIVE
    assert states(scenario) == []
    assert "> **ALREADY_LIVE**: merged" in comment(scenario)


def test_of_a_rollback(scenario: Scenario) -> None:
    tip = scenario.merged(BETTER)
    scenario.promote()
    scenario.rollback()
    first = scenario.history.declared("production")[0].release.commit
    assert states(scenario) == [(tip, ["success"]), (first, ["success"])]
    assert "> **Rolled back** in `production`: version 1" in comment(scenario)


def test_nothing_is_written_twice(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.promote()
    count = len(scenario.world.writes)
    scenario.promote()
    assert len(scenario.world.writes) == count


def test_a_deployment_whose_answer_was_lost_is_found(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    scenario.world.world.faults.add(Fault("POST", "*/deployments", "close", after=True))
    scenario.promote()
    assert [deployed for _, deployed in states(scenario)] == [["success"]]


def test_a_comment_that_somebody_removed_is_not_made_again(scenario: Scenario) -> None:
    scenario.merged(BETTER)
    with scenario.world.world.lock:
        scenario.world.repo.comments.clear()
    assert scenario.promote().name is Name.LIVE
    assert not scenario.world.repo.comments


def test_a_refusal_writes_nothing_at_github(scenario: Scenario) -> None:
    scenario.world.merge(scenario.open(BETTER))
    count = len(scenario.world.writes)
    assert scenario.promote().name is Name.NO_EVIDENCE
    assert len(scenario.world.writes) == count
