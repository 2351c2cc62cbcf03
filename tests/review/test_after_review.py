"""After somebody's review the head's last build is taken; at any moment it comes to the same."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bundle.commits import HEAD
from mergeline.core.answers import Answer, Name
from mergeline.core.plan import Plan
from mergeline.review.run import Reviewing, review
from report import plans
from review.lines import WORDS, SmallLine, commit_files, git

SECONDS = 60


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    made = SmallLine.start(tmp_path_factory.mktemp("after"))
    with made.world:
        yield made


def opened(line: SmallLine) -> tuple[str, str, int]:
    """A branch, its tip and its pull request."""
    branch = line.push()
    head = git(line.remote, "rev-parse", branch)
    return branch, head, line.world.open_pull(branch, login="ann")


def reviewing(line: SmallLine, branch: str, **about: Any) -> int:
    """The run of the workflow that only says that somebody reviewed."""
    return line.run(branch, {}, event="pull_request_review", name="review", **about)


def done(line: SmallLine, run: int) -> Reviewing:
    found = review(line.job(), run)
    assert isinstance(found, Reviewing), found
    return found


def nothing(line: SmallLine, run: int, name: Name) -> Answer:
    """A refusal that leaves nothing, not even a status."""
    since, entries = len(line.world.writes), line.ledger()
    found = review(line.job(), run)
    assert isinstance(found, Answer), found
    assert found.name is name
    assert (line.world.writes[since:], line.ledger()) == ([], entries)
    return found


def test_the_build_is_judged_again(line: SmallLine) -> None:
    branch, head, number = opened(line)
    built = done(line, line.run(branch, line.parts(plans.better(), head)))
    entries = line.ledger()
    again = done(line, reviewing(line, branch))
    assert (again.entry, line.ledger()) == (built.entry, entries)
    assert again.comment is not None
    assert built.comment is not None
    assert again.comment.id == built.comment.id
    assert len(line.job().github.comments(number)) == 1
    assert line.statuses()[-1][0] == "success"


def test_a_review_that_comes_before_the_builds_own_comment(line: SmallLine) -> None:
    branch, head, number = opened(line)
    run = line.run(branch, line.parts(plans.better(), head))
    first = done(line, reviewing(line, branch))
    assert first.entry.run == run
    assert done(line, run).entry == first.entry
    assert len(line.job().github.comments(number)) == 1


def test_before_any_build_has_ended_there_is_nothing_to_comment(line: SmallLine) -> None:
    branch, head, number = opened(line)
    answer = nothing(line, reviewing(line, branch), Name.UNDECIDED)
    assert answer.name.exit_code == 4
    assert f"no build of #{number} at {head[:12]} has ended" in answer.reason
    line.run(branch, {}, status="in_progress")
    nothing(line, reviewing(line, branch), Name.UNDECIDED)


def test_builds_that_brought_nothing_keep_their_status(line: SmallLine) -> None:
    branch, _, _ = opened(line)
    failed = review(line.job(), line.run(branch, {}, conclusion="failure"))
    assert isinstance(failed, Answer)
    before = line.statuses()
    answer = nothing(line, reviewing(line, branch), Name.NO_EVIDENCE)
    assert answer.name.exit_code == 12
    assert line.statuses() == before


def test_artifacts_that_have_expired(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    line.world.expire(line.run(branch, line.parts(plans.better(), head)))
    nothing(line, reviewing(line, branch), Name.NO_EVIDENCE)


def test_the_last_build_that_handed_over_counts(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    unfair = plans.better(fairness=plans.fairness(0.31))
    line.run(branch, line.parts(unfair, head))
    last = line.run(branch, line.parts(plans.better(), head))
    line.run(branch, {}, conclusion="cancelled")
    line.run(branch, line.parts(unfair, head), status="in_progress")
    assert done(line, reviewing(line, branch)).entry.run == last


def test_only_builds_of_this_very_pull_request_hand_over(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    line.world.add_user("eve")
    line.world.add_fork("eve")
    parts = line.parts(plans.better(), head)
    others: tuple[Mapping[str, Any], ...] = (
        {"event": "push"},
        {"event": "workflow_dispatch"},
        {"event": "pull_request_target"},
        {"event": "pull_request_review"},
        {"event": "merge_group"},
        {"head_repository": "eve/credit"},
        {"head_branch": "other"},
    )
    for about in others:
        line.run(branch, parts, **about)
    nothing(line, reviewing(line, branch), Name.UNDECIDED)


def test_a_review_of_an_older_head_is_stale(line: SmallLine) -> None:
    branch, head, _ = opened(line)
    line.run(branch, line.parts(plans.better(), head))
    run = reviewing(line, branch)
    commit_files(line.remote, branch, {"b.txt": "more"}, onto=branch)
    nothing(line, run, Name.STALE_RUN)
    nothing(line, reviewing(line, branch), Name.UNDECIDED)


def test_a_review_of_a_forks_pull_request(line: SmallLine) -> None:
    line.world.add_user("carl")
    line.world.add_fork("carl")
    fork = next(each for each in line.world.world.repos.values() if each.owner == "carl")
    head = commit_files(fork.git.path, "theirs", HEAD | {"README.md": "hello"}, onto="main")
    number = line.world.open_pull("carl:theirs", login="carl")
    about = {"head_branch": "theirs", "head_repository": "carl/credit"}
    built = line.world.add_run(head, **about, artifacts=line.parts(plans.better(), head))
    found = done(line, line.world.add_run(head, event="pull_request_review", **about))
    assert (found.pull.number, found.entry.run) == (number, built)


def test_a_review_while_the_comments_job_is_at_work(line: SmallLine) -> None:
    """Both have judged and neither has written: there is one comment and one entry in the end."""
    branch, head, number = opened(line)
    runs = [line.run(branch, line.parts(plans.better(), head)), reviewing(line, branch)]
    second = line.clone.parent / "second"
    shutil.copytree(line.clone, second, symlinks=True)
    meet, entries = threading.Barrier(2), line.ledger()

    def comment(plan: Plan) -> str:
        meet.wait(SECONDS)
        return WORDS.comment(plan)

    def at_work(place: SmallLine, run: int) -> Reviewing | Answer:
        return review(place.job(words=replace(WORDS, comment=comment)), run)

    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(at_work, place, run)
            for place, run in zip((line, replace(line, clone=second)), runs, strict=True)
        ]
        found = [job.result(SECONDS) for job in jobs]
    (kept,) = line.job().github.comments(number)
    (entry,) = line.ledger()[len(entries) :]
    assert (entry.run, entry.comment) == (runs[0], kept.id)
    assert [one.entry for one in found if isinstance(one, Reviewing)] == [entry, entry]
    assert [state for state, *_ in line.statuses()[-2:]] == ["success", "success"]
