"""A merge queue's group: judged by the head's review or by its own build, or refused."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bundle.commits import GATES, HEAD, PIPELINE, more_iterations, settings
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART
from mergeline.core.answers import Answer, Name
from mergeline.core.plan import Plan
from mergeline.core.queue import QueueBranch
from mergeline.ledger.entries import Reviewed
from mergeline.review.run import Reviewing, review
from report import plans
from review.lines import SmallLine, commit_files, git, open_reviewed

STRICT = {**GATES, "equal-odds": {**GATES["equal-odds"], "at_most": 0.01}}
LOOSE = {**GATES, "equal-odds": {**GATES["equal-odds"], "at_most": 0.9}}
# Another way to run a stage: another I, and nothing that evidence states.
OTHER_INPUTS = {
    "dvc.yaml": json.dumps(
        {
            **PIPELINE,
            "stages": {
                **PIPELINE["stages"],
                "train": {**PIPELINE["stages"]["train"], "cmd": "mergeline  stage train"},
            },
        },
        indent=1,
    )
}


# Two branches with this do not conflict.
SAME = {"README.md": "same"}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    made = SmallLine.start(tmp_path_factory.mktemp("group"))
    with made.world:
        yield made


@pytest.fixture(autouse=True)
def as_before(line: SmallLine) -> Iterator[None]:
    """The tests share one line."""
    with line.borrowed():
        yield


def unfair() -> Plan:
    return plans.better(fairness=plans.fairness(0.31))


def queued(line: SmallLine, number: int, parent: str | None = None) -> tuple[str, QueueBranch]:
    """The commit of its group, and its branch."""
    return line.world.queue(number), QueueBranch("main", number, parent or line.main)


def run_of(
    line: SmallLine,
    commit: str,
    branch: QueueBranch,
    artifacts: Mapping[str, bytes] | None = None,
    **about: Any,
) -> int:
    about = {"event": "merge_group", "head_branch": branch.name, **about}
    return line.world.add_run(commit, **about, artifacts=artifacts or {})


def judged(line: SmallLine, run: int) -> Reviewing:
    done = review(line.job(), run)
    assert isinstance(done, Reviewing), done
    return done


def refused(line: SmallLine, run: int, name: Name) -> Answer:
    """A refusal; without a name for the commit's status it leaves nothing."""
    since, entries = len(line.world.writes), line.ledger()
    done = review(line.job(), run)
    assert isinstance(done, Answer), done
    assert (done.name, line.ledger()) == (name, entries)
    writes = line.world.writes[since:]
    assert len(writes) == (name not in (Name.STALE_RUN, Name.UNDECIDED))
    assert all("/statuses/" in each.path for each in writes)
    return done


def status_of(line: SmallLine, commit: str) -> str | None:
    said = [one for one in line.world.repo.statuses if one.sha == commit]
    return said[-1].state if said else None


# --- the review of the head serves ---------------------------------------------------------


def test_of_the_same_inputs_it_needs_no_build(line: SmallLine) -> None:
    number, entry = open_reviewed(line)
    commit, branch = queued(line, number)
    entries, since = line.ledger(), len(line.world.writes)
    done = judged(line, run_of(line, commit, branch))
    assert (done.comment, done.entry) == (None, entry)
    assert done.plan.candidate.commit == commit
    assert line.ledger() == entries
    (write,) = line.world.writes[since:]
    assert write.path.endswith(f"/statuses/{commit}")
    assert status_of(line, commit) == "success"


def test_it_is_judged_by_what_main_says_now(line: SmallLine) -> None:
    number, _ = open_reviewed(line, plans.better(fairness=plans.fairness(0.05)))
    commit_files(line.remote, "main", {"params.yaml": settings(gates=STRICT)}, onto="main")
    commit, branch = queued(line, number)
    assert judged(line, run_of(line, commit, branch)).plan.judgement.answer == "POLICY_FAILED"
    assert status_of(line, commit) == "failure"


def test_what_is_ahead_loosens_the_policy_only_once_main_has_it(line: SmallLine) -> None:
    number, entry = open_reviewed(line, unfair(), files=HEAD | SAME)
    assert entry.answer == "POLICY_FAILED"
    ahead = line.world.open_pull(
        line.push({"params.yaml": settings(gates=LOOSE), **SAME}), login="ann"
    )
    parent, _ = queued(line, ahead)
    commit, branch = queued(line, number, parent)
    assert judged(line, run_of(line, commit, branch)).plan.judgement.answer == "POLICY_WEAKENED"
    assert status_of(line, commit) == "failure"


def test_artifacts_that_were_changed_since(line: SmallLine) -> None:
    number, entry = open_reviewed(line)
    commit, branch = queued(line, number)
    for artifact in line.world.repo.runs[entry.run].artifacts:
        artifact.data += b"\0"
    refused(line, run_of(line, commit, branch), Name.BYTES_MISMATCH)
    assert status_of(line, commit) == "failure"


# --- its own build ----------------------------------------------------------------------------


def with_other_inputs(line: SmallLine) -> tuple[int, Reviewed, str, QueueBranch]:
    """A queued pull request: main has changed an input since its review."""
    number, entry = open_reviewed(line)
    commit_files(line.remote, "main", OTHER_INPUTS, onto="main")
    return number, entry, *queued(line, number)


def test_of_other_inputs_its_own_build_counts(line: SmallLine) -> None:
    number, entry, commit, branch = with_other_inputs(line)
    bodies = [each.body for each in line.job().github.comments(number)]
    run = run_of(line, commit, branch, line.parts(plans.better(), commit, branch.parent))
    since = len(line.world.writes)
    done = judged(line, run)
    assert done.entry == line.ledger()[-1]
    assert done.entry.inputs != entry.inputs
    assert (done.entry.pull_request, done.entry.commit) == (number, commit)
    assert (done.entry.base, done.entry.run) == (branch.parent, run)
    assert done.entry.tree == git(line.remote, "rev-parse", f"{commit}^{{tree}}")
    assert (done.entry.comment, done.entry.commented) == (entry.comment, entry.commented)
    assert done.entry.head_repository == "acme/credit"
    assert [each.path for each in line.world.writes[since:]] == [
        f"/repos/acme/credit/statuses/{commit}"
    ]
    assert [each.body for each in line.job().github.comments(number)] == bodies
    assert status_of(line, commit) == "success"


def test_again_for_the_same_run_it_is_one_entry(line: SmallLine) -> None:
    _, _, commit, branch = with_other_inputs(line)
    run = run_of(line, commit, branch, line.parts(plans.better(), commit, branch.parent))
    first = judged(line, run)
    entries = line.ledger()
    assert judged(line, run).entry == first.entry
    assert line.ledger() == entries


def test_without_a_build_there_is_no_evidence(line: SmallLine) -> None:
    _, _, commit, branch = with_other_inputs(line)
    answer = refused(line, run_of(line, commit, branch), Name.NO_EVIDENCE)
    assert status_of(line, commit) == "error"
    assert "out of the queue" in answer.next_step


def test_a_build_that_fails_the_gates(line: SmallLine) -> None:
    _, _, commit, branch = with_other_inputs(line)
    run = run_of(line, commit, branch, line.parts(unfair(), commit, branch.parent))
    assert judged(line, run).entry.answer == "POLICY_FAILED"
    assert status_of(line, commit) == "failure"


def test_its_own_build_where_the_heads_artifacts_are_gone(line: SmallLine) -> None:
    number, entry = open_reviewed(line)
    commit, branch = queued(line, number)
    line.world.expire(entry.run)
    refused(line, run_of(line, commit, branch), Name.NO_EVIDENCE)
    run = run_of(line, commit, branch, line.parts(plans.better(), commit, branch.parent))
    assert judged(line, run).entry.run == run
    assert status_of(line, commit) == "success"


def test_the_second_is_compared_with_the_first(line: SmallLine) -> None:
    first = line.world.open_pull(line.push(OTHER_INPUTS | SAME), login="ann")
    second, _ = open_reviewed(line, files=HEAD | SAME)
    parent, _ = queued(line, first)
    commit, branch = queued(line, second, parent)
    done = judged(line, run_of(line, commit, branch, line.parts(plans.better(), commit, parent)))
    assert (done.entry.base, done.entry.commit) == (parent, commit)
    assert status_of(line, commit) == "success"
    assert status_of(line, parent) is None


def test_a_strangers_change_stays_a_strangers(line: SmallLine) -> None:
    """The queue runs it in our own repository; its bytes are the stranger's all the same."""
    line.world.add_user("eve")
    line.world.add_fork("eve")
    fork = next(each for each in line.world.world.repos.values() if each.owner == "eve")
    head = commit_files(fork.git.path, "theirs", HEAD | {"README.md": "hello"}, onto="main")
    number = line.world.open_pull("eve:theirs", login="eve")
    about = {"head_branch": "theirs", "head_repository": "eve/credit"}
    judged(line, line.world.add_run(head, **about, artifacts=line.parts(plans.better(), head)))
    commit_files(line.remote, "main", OTHER_INPUTS, onto="main")
    commit, branch = queued(line, number)
    run = run_of(line, commit, branch, line.parts(plans.better(), commit, branch.parent))
    assert judged(line, run).entry.head_repository == "eve/credit"


# --- forged, stale, unknown -------------------------------------------------------------------


@pytest.mark.parametrize("of", ["the head", "nothing that Git has"])
def test_a_build_of_another_commit(line: SmallLine, of: str) -> None:
    number, entry, commit, branch = with_other_inputs(line)
    parts = line.parts(plans.better(), entry.commit, branch.parent)
    if of != "the head":
        parts = {EVIDENCE_PART: b"PK", MODEL_PART: b"PK"}
    refused(line, run_of(line, commit, branch, parts), Name.EVIDENCE_INVALID)
    assert status_of(line, commit) == "failure"
    assert status_of(line, line.world.pull(number).head_sha) == "success", "of its own review"


def test_a_build_that_was_compared_with_something_else(line: SmallLine) -> None:
    before = line.main
    _, _, commit, branch = with_other_inputs(line)
    parts = line.parts(plans.better(), commit, before)
    answer = refused(line, run_of(line, commit, branch, parts), Name.EVIDENCE_INVALID)
    assert "compared with" in answer.reason


def test_a_group_that_was_made_anew_is_stale(line: SmallLine) -> None:
    number, _ = open_reviewed(line)
    commit, branch = queued(line, number)
    run = run_of(line, commit, branch)
    commit_files(line.remote, "main", {"NEWS.md": "moved"}, onto="main")
    newer, branch = queued(line, number)
    assert "is gone" in refused(line, run, Name.STALE_RUN).reason
    judged(line, run_of(line, newer, branch))
    git(line.remote, "update-ref", f"refs/heads/{branch.name}", "main")
    refused(line, run_of(line, newer, branch), Name.STALE_RUN)


def test_a_head_that_nobody_reviewed(line: SmallLine) -> None:
    number = line.world.open_pull(line.push(), login="ann")
    commit, branch = queued(line, number)
    parts = line.parts(plans.better(), commit, branch.parent)
    answer = refused(line, run_of(line, commit, branch, parts), Name.NO_EVIDENCE)
    assert "no review of the head" in answer.reason
    assert status_of(line, commit) == "error"


def test_a_pull_request_that_is_closed_or_goes_elsewhere(line: SmallLine) -> None:
    number, _ = open_reviewed(line)
    commit, branch = queued(line, number)
    elsewhere = QueueBranch("release", number, branch.parent)
    git(line.remote, "update-ref", f"refs/heads/{elsewhere.name}", commit)
    refused(line, run_of(line, commit, elsewhere), Name.STALE_RUN)
    line.world.close_pull(number)
    refused(line, run_of(line, commit, branch), Name.STALE_RUN)


def test_a_group_that_is_not_on_what_its_name_says(line: SmallLine) -> None:
    number, _ = open_reviewed(line)
    commit, _ = queued(line, number)
    other = commit_files(line.remote, "other", {"a.txt": "1"}, onto="main")
    for parent in (other, commit, "f" * 40):
        forged = QueueBranch("main", number, parent)
        git(line.remote, "update-ref", f"refs/heads/{forged.name}", commit)
        refused(line, run_of(line, commit, forged), Name.STALE_RUN)


@pytest.mark.parametrize(
    "about",
    [
        {"event": "push"},
        {"event": "workflow_dispatch"},
        {"head_repository": "eve/credit"},
        {"head_branch": "main"},
        {"head_branch": None},
    ],
    ids=str,
)
def test_a_run_that_only_looks_like_a_queues(line: SmallLine, about: dict[str, Any]) -> None:
    number, _ = open_reviewed(line)
    line.world.add_user("eve")
    if not any(one.owner == "eve" for one in line.world.world.repos.values()):
        line.world.add_fork("eve")
    commit, branch = queued(line, number)
    refused(line, run_of(line, commit, branch, **about), Name.STALE_RUN)


def test_a_branch_of_a_fork_with_a_queues_name(line: SmallLine) -> None:
    """Its build is that of a pull request like any other; the group that it names is left alone."""
    number, _ = open_reviewed(line)
    commit, branch = queued(line, number)
    line.world.add_user("mallory")
    line.world.add_fork("mallory")
    fork = next(each for each in line.world.world.repos.values() if each.owner == "mallory")
    files = {"params.yaml": more_iterations(), "data/applications.parquet": "applications 22000"}
    head = commit_files(fork.git.path, branch.name, files, onto="main")
    theirs = line.world.open_pull(f"mallory:{branch.name}", login="mallory")
    about = {"head_branch": branch.name, "head_repository": "mallory/credit"}
    run = line.world.add_run(head, **about, artifacts=line.parts(plans.better(), head))
    assert judged(line, run).entry.pull_request == theirs
    assert status_of(line, commit) is None


def test_a_run_that_goes_on(line: SmallLine) -> None:
    number, _ = open_reviewed(line)
    run = run_of(line, *queued(line, number), status="in_progress")
    refused(line, run, Name.UNDECIDED)
