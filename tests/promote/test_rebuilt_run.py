"""A second build that a run handed over: taken where one is wanted, read as hostile."""

from collections.abc import Mapping
from typing import Any

import pytest

from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS
from mergeline.bundle.pack import pack
from mergeline.core.answers import Name
from mergeline.ledger.entries import Promoted
from mergeline.promote.run import Needs, build_needed
from promote.scenario import Change, Scenario, other_model, params, refused

FILES = {"params.yaml": params(c=0.5)}
STEERING = {**FILES, "requirements.txt": "x\n"}


def parts(scenario: Scenario, change: Change | None = None) -> dict[str, bytes]:
    root = scenario.rebuilt(change)
    return {part: pack(root, part) for part in PARTS}


def handed(scenario: Scenario, artifacts: Mapping[str, bytes], **about: Any) -> int:
    """The run of the push to main, which goes on while its promotion reads what it built."""
    about = {"event": "push", "head_branch": "main", "status": "in_progress", **about}
    return scenario.world.add_run(scenario.main, **about, artifacts=artifacts)


def test_it_is_taken_where_one_is_wanted(scenario: Scenario) -> None:
    scenario.merged(STEERING)
    base = scenario.git.first_parent(scenario.tip_in_clone())
    assert build_needed(scenario.job()) == Needs("rebuild", base)
    assert scenario.promote(rebuilt=handed(scenario, parts(scenario))).name is Name.LIVE
    assert scenario.last(Promoted).source == "rebuilt"


def test_it_is_left_alone_where_none_is_wanted(scenario: Scenario) -> None:
    scenario.merged(FILES)
    assert build_needed(scenario.job()) == Needs("reuse")
    run = handed(scenario, {EVIDENCE_PART: b"hostile", MODEL_PART: b"hostile"})
    before = len(scenario.world.requests)
    assert scenario.promote(rebuilt=run).name is Name.LIVE
    asked = [each.path for each in scenario.world.requests[before:]]
    assert not [path for path in asked if f"/runs/{run}" in path]
    assert scenario.last(Promoted).source == "reused"


def test_the_newest_of_each_name_counts(scenario: Scenario) -> None:
    scenario.merged(STEERING)
    run = handed(scenario, dict.fromkeys(PARTS, b"of the first attempt"))
    again = handed(scenario, parts(scenario))
    runs = scenario.world.repo.runs
    runs[run].artifacts[:0] = runs[again].artifacts
    assert scenario.promote(rebuilt=run).name is Name.LIVE


@pytest.mark.parametrize(
    ("kept", "missing"),
    [
        ((), "handed over no mergeline-evidence and mergeline-model."),
        ((EVIDENCE_PART,), "handed over no mergeline-model."),
        ((MODEL_PART,), "handed over no mergeline-evidence."),
    ],
)
def test_without_artifacts_it_is_undecided(
    scenario: Scenario, kept: tuple[str, ...], missing: str
) -> None:
    scenario.merged(STEERING)
    run = handed(scenario, {name: parts(scenario)[name] for name in kept})
    ended = refused(scenario, Name.UNDECIDED, rebuilt=run)
    said = f"The pull request touched requirements.txt. Run {run} {missing}"
    assert ended.reason == said
    assert "run its failed jobs again" in ended.next_step


def test_artifacts_that_have_expired(scenario: Scenario) -> None:
    scenario.merged(STEERING)
    run = handed(scenario, parts(scenario))
    scenario.world.expire(run, MODEL_PART)
    assert (
        f"Run {run} has lost mergeline-model."
        in refused(scenario, Name.UNDECIDED, rebuilt=run).reason
    )


def test_a_run_that_is_not_there(scenario: Scenario) -> None:
    scenario.merged(STEERING)
    refused(scenario, Name.UNDECIDED, rebuilt=999_999)


def test_a_build_of_another_commit(scenario: Scenario) -> None:
    before = parts(scenario)
    scenario.merged(STEERING)
    ended = refused(scenario, Name.EVIDENCE_INVALID, rebuilt=handed(scenario, before))
    assert f"expected one of {scenario.main[:12]}" in ended.reason


def test_another_model(scenario: Scenario) -> None:
    """Equivalent to the reviewed one: the reviewed bytes go live."""
    scenario.merged(STEERING)
    run = handed(scenario, parts(scenario, other_model))
    assert scenario.promote(rebuilt=run).name is Name.LIVE
    assert scenario.last(Promoted).source == "equivalent"


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip" * 99], ids=len)
def test_what_is_no_archive(scenario: Scenario, data: bytes) -> None:
    scenario.merged(STEERING)
    run = handed(scenario, parts(scenario) | {MODEL_PART: data})
    assert "mergeline-model" in refused(scenario, Name.EVIDENCE_INVALID, rebuilt=run).reason
