"""The next step follows from what is desired and what there is, and from nothing else."""

from dataclasses import replace
from itertools import product

import pytest

from mergeline.ledger.entries import Release
from mergeline.serve.steps import (
    MOST_ATTEMPTS,
    Served,
    Step,
    Trial,
    View,
    Wanted,
    decide,
    same_bytes,
)


def release(version: str = "1") -> Release:
    return Release(
        project="toy",
        version=version,
        key="a" * 64,
        inputs="b" * 64,
        model="c" * 64,
        evidence="d" * 64,
        commit="e" * 40,
        tree="f" * 40,
        pull_request=1,
    )


OLD = Served(1, release("1"))
NEW = Wanted(2, release("2"))

CASES = {
    "nothing is declared": (View(), Step.KEEP),
    "nothing is declared, something is served": (View(served=OLD), Step.KEEP),
    "nothing answers, and something is on disk": (View(may_revive=True), Step.REVIVE),
    "the first one is fetched": (View(NEW), Step.FETCH),
    "the next one is fetched": (View(NEW, OLD), Step.FETCH),
    "what is on disk is tried": (View(replace(NEW, on_disk=True), OLD), Step.TRY),
    "what answers comes before what is desired": (View(NEW, may_revive=True), Step.REVIVE),
    "it is served": (View(Wanted(1, release("1")), OLD), Step.KEEP),
    "another entry declares the same": (View(Wanted(3, release("1")), OLD), Step.ADOPT),
    "it was rejected": (View(replace(NEW, rejected=True), OLD), Step.KEEP),
    "it was rejected, and nothing is served": (View(replace(NEW, rejected=True)), Step.KEEP),
    "the pause is not over": (View(replace(NEW, may_begin=False), OLD), Step.KEEP),
    "it ended the server too often": (
        View(replace(NEW, on_disk=True, attempts=MOST_ATTEMPTS), OLD),
        Step.REJECT,
    ),
    "it ended the server, not too often": (
        View(replace(NEW, on_disk=True, attempts=MOST_ATTEMPTS - 1), OLD),
        Step.TRY,
    ),
    "it is watched": (View(NEW, OLD, Trial(2)), Step.WATCH),
    "it passed": (View(NEW, OLD, Trial(2, over=True)), Step.SETTLE),
    "it failed": (View(NEW, OLD, Trial(2, failed=True)), Step.REJECT),
    "it failed at the end": (View(NEW, OLD, Trial(2, failed=True, over=True)), Step.REJECT),
    "the old one is desired while the new one is watched": (
        View(Wanted(1, release("1")), OLD, Trial(2)),
        Step.UNDO,
    ),
    "a third one is desired while the second is watched": (
        View(Wanted(3, release("3")), OLD, Trial(2, over=True)),
        Step.UNDO,
    ),
    "nothing is desired any more": (View(None, OLD, Trial(2)), Step.UNDO),
}


@pytest.mark.parametrize("name", CASES)
def test_the_next_step(name: str) -> None:
    view, step = CASES[name]
    assert decide(view) is step


def test_every_step_is_asked_for_by_some_case() -> None:
    assert {step for _, step in CASES.values()} == set(Step)


def test_what_is_served_is_never_given_up_for_what_is_not_there() -> None:
    """Without a trial no step but those that end in a trial leaves what is served."""
    flags = product([True, False], repeat=3)
    for rejected, on_disk, may_begin in flags:
        wanted = replace(NEW, rejected=rejected, on_disk=on_disk, may_begin=may_begin)
        assert decide(View(wanted, OLD)) in {Step.KEEP, Step.FETCH, Step.TRY}


@pytest.mark.parametrize("field", ["project", "version", "key", "model", "evidence", "trusted"])
def test_other_bytes_are_another_release(field: str) -> None:
    value = ("x.Y",) if field == "trusted" else "9" * 64
    assert not same_bytes(release(), release().model_copy(update={field: value}))


@pytest.mark.parametrize("field", ["commit", "tree", "pull_request"])
def test_another_commit_with_the_same_bytes_is_the_same_release(field: str) -> None:
    assert same_bytes(release(), release().model_copy(update={field: None}))
