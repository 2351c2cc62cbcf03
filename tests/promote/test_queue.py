"""Promotions of what a merge queue made: its own review counts, approvals are of the head's."""

from pathlib import Path
from typing import Any

import pytest

from bundle.parts import with_content
from mergeline.adapters.git_remote import Remote
from mergeline.bundle.names import PARTS
from mergeline.bundle.pack import pack
from mergeline.core.answers import Answer, Name
from mergeline.core.plan import Plan
from mergeline.core.queue import QueueBranch
from mergeline.ledger.entries import Promoted, Reviewed, Settled
from mergeline.release.audit import Sources, audit
from mergeline.release.find import find_release
from mergeline.review.run import Job as ReviewJob
from mergeline.review.run import Reviewing, review
from projects import make_frame
from promote.scenario import (
    GATES,
    OTHER,
    PRODUCTION,
    REVIEWER,
    TODAY,
    WORDS,
    Change,
    Scenario,
    commit_files,
    git,
    other_model,
    params,
    rechained,
    refused,
)

# They change different files, and both change I.
NEW_DATA = {"data/customers.csv": make_frame(420).to_csv(index=False)}
NEW_MODEL = {"params.yaml": params(c=0.5)}


def ready(scenario: Scenario, files: dict[str, str]) -> int:
    """Open a pull request, let the real job comment it, approve it."""
    number = scenario.open(files)
    scenario.review(number)
    scenario.world.approve(number, REVIEWER)
    return number


def queued(scenario: Scenario, number: int, method: str = "merge") -> tuple[str, QueueBranch]:
    """Put it into the queue; return its group's commit and branch."""
    commit = scenario.world.queue(number, method)
    refs = scenario.world.repo.git.refs("refs/heads/gh-readonly-queue/")
    name = next(name for name, tip in refs.items() if tip == commit)
    parent = name[-40:]
    return commit, QueueBranch("main", number, parent)


def group_run(
    scenario: Scenario,
    commit: str,
    branch: QueueBranch,
    *,
    built: bool = True,
    change: Change | None = None,
) -> int:
    """The run of a group, with a build of its commit or without."""
    scenario.fetch()
    parts: dict[str, bytes] = {}
    if built:
        into = scenario.folder / "builds" / f"group-{commit}"
        root, _ = scenario.builds.build(scenario.git, commit, branch.parent, into, change)
        parts = {part: pack(root, part) for part in PARTS}
    about: dict[str, Any] = {"event": "merge_group", "head_branch": branch.name}
    return scenario.world.add_run(commit, **about, artifacts=parts)


def judged(scenario: Scenario, run: int) -> Reviewed | Answer:
    """Do the comment's job for a group."""
    job = ReviewJob(
        github=scenario.github,
        remote=Remote(scenario.git, "origin"),
        ledger=scenario.ledger,
        words=WORDS,
        main="main",
        today=TODAY,
        by="run 1 of acme/credit",
    )
    done = review(job, run)
    return done.entry if isinstance(done, Reviewing) else done


def through_the_queue(
    scenario: Scenario, number: int, method: str = "merge", **built: Any
) -> Reviewed:
    """Queue, build, judge and merge; return the review that the group rests on."""
    commit, branch = queued(scenario, number, method)
    entry = judged(scenario, group_run(scenario, commit, branch, **built))
    assert isinstance(entry, Reviewed), entry
    assert scenario.world.merge_queued(number) == commit
    return entry


def moved(scenario: Scenario) -> int:
    """A pull request that is ready, and after that another one has changed an input."""
    number = ready(scenario, NEW_MODEL)
    scenario.merged(NEW_DATA)
    return number


# --- it goes live --------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_the_queue_built_is_what_goes_live(scenario: Scenario, method: str) -> None:
    number = moved(scenario)
    entry = through_the_queue(scenario, number, method)
    assert entry.commit == scenario.main
    ended = scenario.promote()
    assert ended.name is Name.LIVE, ended
    promoted = scenario.last(Promoted)
    assert (promoted.reviewed, promoted.source) == (entry.number, "reused")
    assert (promoted.release.inputs, promoted.release.key) == (entry.inputs, entry.key)
    assert (promoted.pull_request, promoted.approvers) == (number, (REVIEWER,))
    _audit_holds(scenario)


def _audit_holds(scenario: Scenario) -> None:
    scenario.fetch()
    remote = Remote(scenario.git, "origin")
    sources = Sources(scenario.git, remote, scenario.registry, scenario.history, "main")
    found = audit(sources, find_release(scenario.history, PRODUCTION, None))
    assert [link for link in found.links if link.state != "holds"] == []


def test_without_a_review_of_the_group_it_has_moved(scenario: Scenario) -> None:
    number = moved(scenario)
    scenario.world.queue(number)
    scenario.world.merge_queued(number)
    refused(scenario, Name.MOVED)


def test_of_the_same_inputs_nothing_is_built(scenario: Scenario) -> None:
    number = ready(scenario, NEW_MODEL)
    entry = through_the_queue(scenario, number, built=False)
    assert entry.commit == scenario.world.pull(number).head_sha
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).reviewed == entry.number


def test_two_in_one_push(scenario: Scenario) -> None:
    first, second = ready(scenario, NEW_DATA), ready(scenario, NEW_MODEL)
    one, two = queued(scenario, first), queued(scenario, second)
    head = judged(scenario, group_run(scenario, *one, built=False))
    entry = judged(scenario, group_run(scenario, *two))
    assert isinstance(head, Reviewed)
    assert isinstance(entry, Reviewed)
    assert (entry.base, entry.commit) == (one[0], two[0])
    assert scenario.world.merge_queued(second) == two[0]
    assert scenario.promote().name is Name.LIVE
    promoted = scenario.last(Promoted)
    assert (promoted.pull_request, promoted.reviewed) == (second, entry.number)
    assert promoted.release.inputs == entry.inputs != head.inputs
    _audit_holds(scenario)


def test_one_that_only_brings_words_to_a_model_that_is_live(scenario: Scenario) -> None:
    """Its head was reviewed with the old data; with the new ones it is what is live already."""
    number = ready(scenario, {"NOTES.md": "words"})
    scenario.merged(NEW_DATA)
    assert scenario.promote().name is Name.LIVE
    through_the_queue(scenario, number)
    ended = scenario.promote()
    assert ended.name is Name.ALREADY_LIVE, ended
    assert scenario.last(Settled).position == scenario.main


def test_a_commit_with_the_groups_tree(scenario: Scenario) -> None:
    number = moved(scenario)
    commit, branch = queued(scenario, number)
    entry = judged(scenario, group_run(scenario, commit, branch))
    assert isinstance(entry, Reviewed)
    merged = scenario.world.merge(number, "squash")
    assert merged != commit
    assert scenario.git.tree(scenario.tip_in_clone()) == entry.tree
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).reviewed == entry.number


# --- approvals are the head's ----------------------------------------------------------------


def test_nobody_approved_the_head(scenario: Scenario) -> None:
    number = scenario.open(NEW_MODEL)
    scenario.review(number)
    scenario.merged(NEW_DATA)
    through_the_queue(scenario, number)
    refused(scenario, Name.NOT_APPROVED)


def test_an_approval_of_the_groups_commit_is_none_of_the_head(scenario: Scenario) -> None:
    number = scenario.open(NEW_MODEL)
    scenario.review(number)
    scenario.merged(NEW_DATA)
    commit, branch = queued(scenario, number)
    judged(scenario, group_run(scenario, commit, branch))
    scenario.world.approve(number, REVIEWER, commit=commit)
    scenario.world.merge_queued(number)
    refused(scenario, Name.STALE_APPROVAL)


def test_an_approval_before_the_comment_is_not_revived_by_the_group(scenario: Scenario) -> None:
    number = scenario.open(NEW_MODEL)
    scenario.world.approve(number, REVIEWER)
    scenario.review(number)
    scenario.merged(NEW_DATA)
    through_the_queue(scenario, number)
    refused(scenario, Name.STALE_APPROVAL)


def test_everybody_in_the_group_must_be_approved(scenario: Scenario) -> None:
    first, second = scenario.open(NEW_DATA), ready(scenario, NEW_MODEL)
    scenario.review(first)
    queued(scenario, first)
    entry = judged(scenario, group_run(scenario, *queued(scenario, second)))
    assert isinstance(entry, Reviewed)
    scenario.world.merge_queued(second)
    assert f"#{first} " in refused(scenario, Name.NOT_APPROVED).reason


# --- forged, made anew, gone -------------------------------------------------------------------


def test_a_group_that_was_made_anew_is_not_the_one_that_was_built(scenario: Scenario) -> None:
    number = moved(scenario)
    built = judged(scenario, group_run(scenario, *queued(scenario, number)))
    assert isinstance(built, Reviewed)
    scenario.merged({"data/customers.csv": make_frame(440).to_csv(index=False)})
    commit, _ = queued(scenario, number)
    assert commit != built.commit
    scenario.world.merge_queued(number)
    refused(scenario, Name.MOVED)


@pytest.mark.parametrize("forged", ["another pull request", "another commit", "other inputs"])
def test_a_review_of_something_else_is_not_the_groups(scenario: Scenario, forged: str) -> None:
    number = moved(scenario)
    commit, branch = queued(scenario, number)
    entry = judged(scenario, group_run(scenario, commit, branch))
    assert isinstance(entry, Reviewed)
    head = scenario.history.reviewed(number, scenario.world.pull(number).head_sha)[-1]
    main = scenario.main
    scenario.world.merge_queued(number)
    change = {
        "another pull request": {"pull_request": number + 50},
        "another commit": {"commit": main, "tree": scenario.git.tree(main)},
        "other inputs": {"inputs": head.inputs},
    }[forged]
    # Two lines in the place of what the job appended: a ledger that never had its entry.
    git(scenario.remote, "update-ref", "refs/heads/mergeline/ledger", "mergeline/ledger~1")
    for ref in git(scenario.clone, "for-each-ref", "--format=%(refname)", "refs/mergeline").split():
        git(scenario.clone, "update-ref", "-d", ref)
    made = entry.model_copy(update=change)
    scenario.ledger.append(lambda _: made)
    refused(scenario, Name.MOVED)


def test_what_the_queue_built_was_changed_since(scenario: Scenario) -> None:
    number = moved(scenario)
    entry = through_the_queue(scenario, number)
    for artifact in scenario.world.repo.runs[entry.run].artifacts:
        artifact.data += b"\0"
    refused(scenario, Name.BYTES_MISMATCH)


def test_what_the_queue_built_has_expired(scenario: Scenario) -> None:
    number = moved(scenario)
    entry = through_the_queue(scenario, number)
    scenario.world.expire(entry.run)
    assert "expired" in refused(scenario, Name.UNDECIDED).reason
    assert scenario.promote(rebuilt=scenario.rebuilt()).name is Name.LIVE
    assert scenario.last(Promoted).source == "rebuilt"


def test_the_heads_artifacts_are_gone_and_the_queue_built_the_same(scenario: Scenario) -> None:
    number = ready(scenario, NEW_MODEL)
    head = scenario.last(Reviewed)
    scenario.world.expire(head.run)
    entry = through_the_queue(scenario, number)
    assert (entry.key, entry.commit) == (head.key, scenario.main)
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).reviewed == entry.number


def test_the_heads_artifacts_are_gone_and_the_queue_built_another_model(
    scenario: Scenario,
) -> None:
    """From the same inputs only the model that people approved may come."""
    number = ready(scenario, NEW_MODEL)
    head = scenario.last(Reviewed)
    scenario.world.expire(head.run)
    entry = through_the_queue(scenario, number, change=other_model)
    assert (entry.inputs == head.inputs, entry.key == head.key) == (True, False)
    assert "expired" in refused(scenario, Name.UNDECIDED).reason
    assert scenario.promote(rebuilt=scenario.rebuilt()).name is Name.LIVE
    assert scenario.last(Promoted).release.model == head.model


def test_a_strangers_change_is_built_a_second_time(scenario: Scenario) -> None:
    scenario.world.add_fork(OTHER)
    fork = next(one for one in scenario.world.world.repos.values() if one.owner == OTHER)
    commit_files(fork.git.path, "theirs", NEW_MODEL, scenario.main, author=OTHER)
    number = scenario.world.open_pull(f"{OTHER}:theirs", login=OTHER)
    scenario.review(number)
    scenario.world.approve(number, REVIEWER)
    scenario.merged(NEW_DATA)
    through_the_queue(scenario, number)
    assert "another repository" in refused(scenario, Name.UNDECIDED).reason
    assert scenario.promote(rebuilt=scenario.rebuilt()).name is Name.LIVE


def test_a_queued_change_of_the_workflows_is_built_a_second_time(scenario: Scenario) -> None:
    number = ready(scenario, {**NEW_MODEL, ".github/workflows/build.yml": "on: push\n"})
    scenario.merged(NEW_DATA)
    through_the_queue(scenario, number)
    assert ".github/workflows/build.yml" in refused(scenario, Name.UNDECIDED).reason


def test_a_gate_that_fails_with_both_changes(scenario: Scenario) -> None:
    strict = GATES + "  never: {metric: roc_auc, at_least: 0.999}\n"
    number = ready(scenario, {"params.yaml": params(c=0.5, gates=strict)})
    scenario.merged(NEW_DATA)
    entry = through_the_queue(scenario, number)
    assert entry.answer == "POLICY_FAILED"
    refused(scenario, Name.POLICY_FAILED)


# --- an earlier head's review is no group's ------------------------------------------------------


def measured_as(value: float) -> Change:
    """A build that measured this, whatever the model."""

    def change(root: Path, plan: Plan) -> Plan:
        metrics = dict(plan.evidence.evaluate.content.metrics)
        about = {"value": value, "low": value - 0.01, "high": value + 0.005}
        metrics["roc_auc"] = metrics["roc_auc"].model_copy(update=about)
        return rechained(root, with_content(plan, "evaluate", metrics=metrics))

    return change


def amended(scenario: Scenario, number: int) -> None:
    """Change the message of the head, and nothing else."""
    branch = scenario.world.pull(number).head_ref
    onto = git(scenario.remote, "rev-parse", f"{branch}^")
    commit_files(scenario.remote, branch, NEW_MODEL, onto, message="in other words")


@pytest.mark.parametrize("before", [0.55, 0.99])
def test_an_earlier_head_with_the_same_tree(scenario: Scenario, before: float) -> None:
    number = scenario.open(NEW_MODEL)
    first = review(scenario.review_job(), scenario.run(number, measured_as(before)))
    assert isinstance(first, Reviewing)
    amended(scenario, number)
    second = scenario.review(number)
    assert (second.tree, second.key) == (first.entry.tree, first.entry.key)
    assert second.evidence != first.entry.evidence
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE
    promoted = scenario.last(Promoted)
    assert (promoted.reviewed, promoted.release.evidence) == (second.number, second.evidence)


def test_a_group_of_an_earlier_head(scenario: Scenario) -> None:
    number = ready(scenario, NEW_MODEL)
    head = scenario.world.pull(number).head_sha
    scenario.world.expire(scenario.last(Reviewed).run)
    commit, branch = queued(scenario, number)
    group = judged(scenario, group_run(scenario, commit, branch, change=measured_as(0.99)))
    assert isinstance(group, Reviewed)
    assert (group.commit, group.head) == (commit, head)
    amended(scenario, number)
    second = scenario.review(number)
    assert second.tree == group.tree
    scenario.world.approve(number, REVIEWER)
    scenario.world.merge(number)
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).reviewed == second.number


def test_a_group_that_is_older_than_what_was_approved(scenario: Scenario) -> None:
    """The head was built once more, and came to other numbers that people then approved."""
    number = ready(scenario, NEW_MODEL)
    scenario.world.expire(scenario.last(Reviewed).run)
    commit, branch = queued(scenario, number)
    group = judged(scenario, group_run(scenario, commit, branch, change=measured_as(0.99)))
    assert isinstance(group, Reviewed)
    again = review(scenario.review_job(), scenario.run(number, measured_as(0.9)))
    assert isinstance(again, Reviewing)
    scenario.world.approve(number, REVIEWER)
    assert scenario.world.merge_queued(number) == group.commit
    assert scenario.promote().name is Name.LIVE
    assert scenario.last(Promoted).reviewed == again.entry.number
