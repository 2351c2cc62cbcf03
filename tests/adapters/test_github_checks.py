"""Check runs over GitHub's API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.adapters.github import ACTIONS_USER, GitHub, connect
from mergeline.adapters.github_checks import MOST_ANNOTATIONS, Annotation, CheckRun, body_of
from mergeline.core.remarks import CheckText, Remark
from mergeline.errors import GitHubError
from mergeline.rehearsal import Rehearsal
from review.lines import PATIENCE, commit_files

ONE = Remark(path="a.txt", line=3, level="failure", title="T", message="one\ntwo")
TEXT = CheckText(conclusion="failure", title="T", summary="S", remarks=(ONE,))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path_factory.mktemp("checks")) as rehearsal:
        yield rehearsal


@pytest.fixture
def github(world: Rehearsal) -> GitHub:
    token = world.token(ACTIONS_USER, "write")
    where = {"GITHUB_API_URL": world.api_url, "GITHUB_REPOSITORY": world.name}
    return connect(where | {"GITHUB_TOKEN": token}, PATIENCE)


@pytest.fixture
def sha(world: Rehearsal, request: pytest.FixtureRequest) -> str:
    return commit_files(Path(world.remote), request.node.name, {"a.txt": request.node.name})


def test_what_is_made_is_found_with_its_remarks(github: GitHub, sha: str) -> None:
    first = github.create_check_run(sha, "n", "7", TEXT)
    second = github.create_check_run(sha, "n", "8", TEXT)
    github.create_check_run(sha, "other", "7", TEXT)
    found = {each.id: each.external_id for each in github.check_runs(sha, "n")}
    assert found == {first.id: "7", second.id: "8"}, "also the one that the second replaces"
    assert github.remarks(first.id) == (ONE,)


def test_an_update_adds_remarks_of_all_pages(github: GitHub, sha: str) -> None:
    made = github.create_check_run(sha, "n", "7", TEXT)
    for start in (0, 50, 100):
        more = tuple(ONE.model_copy(update={"line": start + each}) for each in range(1, 51))
        github.update_check_run(made.id, TEXT.model_copy(update={"remarks": more}))
    assert len(github.remarks(made.id)) == 151


def test_one_request_holds_no_more_than_github_takes() -> None:
    many = TEXT.model_copy(update={"remarks": (ONE,) * (MOST_ANNOTATIONS + 1)})
    assert len(body_of(many)["output"]["annotations"]) == MOST_ANNOTATIONS


def test_a_user_may_not(world: Rehearsal, sha: str) -> None:
    world.add_user("ann", permission="write")
    where = {"GITHUB_API_URL": world.api_url, "GITHUB_REPOSITORY": world.name}
    github = connect(where | {"GITHUB_TOKEN": world.token("ann", "write")}, PATIENCE)
    with pytest.raises(GitHubError) as caught:
        github.create_check_run(sha, "n", "7", TEXT)
    assert "`checks: write`" in caught.value.hint


def test_what_others_leave_out_reads_as_empty() -> None:
    run = CheckRun.read({"id": 7, "external_id": None, "html_url": None})
    assert (run.external_id, run.url) == ("", "")
    note = {"path": "a", "start_line": 1, "annotation_level": "notice", "title": None}
    assert Annotation.read(note | {"message": None}).remark().title == ""
