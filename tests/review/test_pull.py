"""Which pull request a run speaks of, asked of the stand-in."""

from collections.abc import Iterator

import pytest

from mergeline.core.answers import Answer, Name
from mergeline.review.pull import find_pull
from review.lines import SmallLine, commit_files, git


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLine]:
    made = SmallLine.start(tmp_path_factory.mktemp("pull"))
    with made.world:
        yield made


def found(line: SmallLine, run: int) -> int | Name:
    github = line.job().github
    pull = find_pull(github, github.run(run))
    return pull.name if isinstance(pull, Answer) else pull.number


def test_the_one_at_the_runs_commit(line: SmallLine) -> None:
    branch, other = line.push(), line.push()
    number = line.world.open_pull(branch, login="ann")
    line.world.open_pull(other, login="ann")
    assert found(line, line.run(branch, {})) == number


def test_a_fork_with_a_branch_of_the_same_name(line: SmallLine) -> None:
    branch = line.push()
    ours = line.world.open_pull(branch, login="ann")
    line.world.add_user("eve")
    line.world.add_fork("eve")
    theirs = line.world.open_pull(f"eve:{branch}", login="eve")
    # Both are at the same commit: only the repository tells them apart.
    assert found(line, line.run(branch, {})) == ours
    assert found(line, line.run(branch, {}, head_repository="eve/credit")) == theirs


def test_a_run_of_an_older_commit_is_stale(line: SmallLine) -> None:
    branch = line.push()
    line.world.open_pull(branch, login="ann")
    run = line.run(branch, {})
    commit_files(line.remote, branch, {"b.txt": "more"}, onto=branch)
    assert found(line, run) is Name.STALE_RUN


def test_a_run_of_a_closed_or_merged_pull_request_is_stale(line: SmallLine) -> None:
    closed, merged = line.push(), line.push()
    line.world.close_pull(line.world.open_pull(closed, login="ann"))
    line.world.merge(line.world.open_pull(merged, login="ann"))
    assert found(line, line.run(closed, {})) is Name.STALE_RUN
    assert found(line, line.run(merged, {})) is Name.STALE_RUN


def test_a_run_that_claims_another_branch_is_stale(line: SmallLine) -> None:
    branch = line.push()
    line.world.open_pull(branch, login="ann")
    run = line.run(branch, {}, head_branch="main")
    assert found(line, run) is Name.STALE_RUN


@pytest.mark.parametrize("event", ["push", "pull_request_target", "schedule"])
def test_only_runs_of_pull_requests_count(line: SmallLine, event: str) -> None:
    branch = line.push()
    line.world.open_pull(branch, login="ann")
    assert found(line, line.run(branch, {}, event=event)) is Name.STALE_RUN


def test_a_run_that_goes_on_is_undecided(line: SmallLine) -> None:
    branch = line.push()
    line.world.open_pull(branch, login="ann")
    assert found(line, line.run(branch, {}, status="in_progress")) is Name.UNDECIDED


def test_several_are_ambiguous_and_named(line: SmallLine) -> None:
    git(line.remote, "branch", "release", "main")
    branch = line.push()
    numbers = [line.world.open_pull(branch, base, login="ann") for base in ("main", "release")]
    github = line.job().github
    answer = find_pull(github, github.run(line.run(branch, {})))
    assert isinstance(answer, Answer)
    assert answer.name is Name.AMBIGUOUS
    assert all(f"#{number}" in answer.reason for number in numbers)
