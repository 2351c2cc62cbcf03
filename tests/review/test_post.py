"""Exactly one comment of ours, whatever goes wrong on the way."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mergeline.adapters.github import ACTIONS_USER, GitHub, connect
from mergeline.adapters.github_client import Patience
from mergeline.errors import GitHubError
from mergeline.rehearsal import Rehearsal
from mergeline.review.post import post
from review.lines import commit_files

MARKER = "<!-- mergeline: credit -->"
OLD, NEW = f"{MARKER}\nold\n", f"{MARKER}\nnew\n"
PATIENCE = Patience(seconds=5, tries=3, pause=0.01)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path_factory.mktemp("post")) as rehearsal:
        rehearsal.add_user("ann", permission="write")
        commit_files(Path(rehearsal.remote), "main", {"a.txt": "1"})
        yield rehearsal


@pytest.fixture
def bot(world: Rehearsal) -> GitHub:
    return as_user(world, ACTIONS_USER)


def as_user(world: Rehearsal, login: str, permission: str = "write") -> GitHub:
    token = world.token(login, permission)
    where = {"GITHUB_API_URL": world.api_url, "GITHUB_REPOSITORY": world.name}
    return connect(where | {"GITHUB_TOKEN": token}, PATIENCE)


def bodies(github: GitHub, number: int) -> list[tuple[str | None, str]]:
    return [(comment.user, comment.body) for comment in github.comments(number)]


def methods(world: Rehearsal, number: int, since: int) -> list[str]:
    return [f"{each.method}{' done' * each.done}" for each in world.writes[since:]]


def test_one_is_made_then_left_alone_then_edited(
    world: Rehearsal, number: int, bot: GitHub
) -> None:
    since = len(world.writes)
    made = post(bot, number, OLD, MARKER)
    same = post(bot, number, OLD, MARKER)
    assert same == made, "it was not touched, so that it still says since when it says this"
    edited = post(bot, number, NEW, MARKER)
    assert edited.id == made.id
    assert methods(world, number, since) == ["POST done", "PATCH done"]
    assert bodies(bot, number) == [(ACTIONS_USER, NEW)]


def test_one_beyond_the_first_page_is_found(world: Rehearsal, number: int, bot: GitHub) -> None:
    for each in range(130):
        world.comment(number, "ann", f"talk {each}")
    made = post(bot, number, OLD, MARKER)
    assert post(bot, number, NEW, MARKER).id == made.id
    assert len(bodies(bot, number)) == 131


def test_other_peoples_comments_are_left_alone(world: Rehearsal, number: int, bot: GitHub) -> None:
    world.comment(number, "ann", OLD)
    world.comment(number, ACTIONS_USER, f"Somebody quoted:\n{MARKER}")
    world.comment(number, ACTIONS_USER, "<!-- mergeline: other -->\n")
    before = bodies(bot, number)
    post(bot, number, NEW, MARKER)
    assert bodies(bot, number) == [*before, (ACTIONS_USER, NEW)]


def test_of_several_of_ours_the_oldest_stays(world: Rehearsal, number: int, bot: GitHub) -> None:
    first = world.comment(number, ACTIONS_USER, OLD)
    world.comment(number, ACTIONS_USER, OLD)
    world.comment(number, ACTIONS_USER, NEW)
    since = len(world.writes)
    assert post(bot, number, NEW, MARKER).id == first
    assert bodies(bot, number) == [(ACTIONS_USER, NEW)]
    assert methods(world, number, since) == ["PATCH done", "DELETE done", "DELETE done"]


@pytest.mark.parametrize(
    ("fault", "writes"),
    [
        ({"kind": "close", "after": True}, ["POST done"]),
        ({"kind": "cut"}, ["POST done"]),
        ({"kind": "truncate"}, ["POST done"]),
        ({"kind": "status", "status": 502, "after": True}, ["POST done"]),
        ({"kind": "close"}, ["POST", "POST done"]),
        ({"kind": "status", "status": 503}, ["POST", "POST done"]),
        ({"kind": "status", "status": 429, "retry_after": 0}, ["POST", "POST done"]),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_an_unclear_write_is_looked_for_before_it_is_repeated(
    world: Rehearsal, number: int, bot: GitHub, fault: dict, writes: list[str]
) -> None:
    since = len(world.writes)
    world.fault("POST", f"*/issues/{number}/comments", **fault)
    made = post(bot, number, NEW, MARKER)
    assert [(comment.id, comment.body) for comment in bot.comments(number)] == [(made.id, NEW)]
    assert methods(world, number, since) == writes


@pytest.mark.parametrize("kind", ["close", "cut"])
def test_an_unclear_edit_is_looked_at(
    world: Rehearsal, number: int, bot: GitHub, kind: str
) -> None:
    post(bot, number, OLD, MARKER)
    since = len(world.writes)
    world.fault("PATCH", "*", kind, after=kind == "close")
    assert post(bot, number, NEW, MARKER).body == NEW
    assert methods(world, number, since) == ["PATCH done"]


def test_one_that_was_removed_meanwhile_is_made_again(
    world: Rehearsal, number: int, bot: GitHub
) -> None:
    post(bot, number, OLD, MARKER)
    world.fault("PATCH", "*", status=404)
    assert post(bot, number, NEW, MARKER).body == NEW
    assert bodies(bot, number) == [(ACTIONS_USER, NEW)]


def test_a_duplicate_that_somebody_else_removed(world: Rehearsal, number: int, bot: GitHub) -> None:
    first = world.comment(number, ACTIONS_USER, NEW)
    world.comment(number, ACTIONS_USER, NEW)
    world.fault("DELETE", "*", "close", after=True)
    assert post(bot, number, NEW, MARKER).id == first
    assert len(bodies(bot, number)) == 1


def test_a_refusal_is_not_repeated(world: Rehearsal, number: int) -> None:
    since = len(world.writes)
    with pytest.raises(GitHubError) as caught:
        post(as_user(world, ACTIONS_USER, "read"), number, NEW, MARKER)
    assert caught.value.status == 403
    assert methods(world, number, since) == ["POST"]


def test_a_limit_that_lasts_is_not_waited_for(world: Rehearsal, number: int, bot: GitHub) -> None:
    since = len(world.writes)
    world.fault("POST", f"*/issues/{number}/comments", status=429, retry_after=3600, times=99)
    with pytest.raises(GitHubError, match="429"):
        post(bot, number, NEW, MARKER)
    assert methods(world, number, since) == ["POST"]


def test_it_gives_up_after_three_attempts(world: Rehearsal, number: int, bot: GitHub) -> None:
    since = len(world.writes)
    world.fault("POST", f"*/issues/{number}/comments", times=99)
    with pytest.raises(GitHubError) as caught:
        post(bot, number, NEW, MARKER)
    assert caught.value.status == 503
    assert methods(world, number, since) == ["POST"] * 3


def test_an_app_that_does_not_know_its_name(world: Rehearsal, number: int) -> None:
    world.add_user("line-app[bot]", permission="write")
    app = as_user(world, "line-app[bot]")
    first = world.comment(number, "line-app[bot]", OLD)
    world.fault("GET", "/user", status=403, times=99)
    assert post(app, number, NEW, MARKER).id == first
    assert bodies(app, number) == [("line-app[bot]", NEW)]


@pytest.mark.parametrize("round_number", range(5))
def test_two_at_once_leave_one(world: Rehearsal, number: int, round_number: int) -> None:
    start = threading.Barrier(2)
    errors: list[BaseException] = []

    def work() -> None:
        github = as_user(world, ACTIONS_USER)
        start.wait(10)
        try:
            post(github, number, NEW, MARKER)
        except GitHubError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert bodies(as_user(world, "ann"), number) == [(ACTIONS_USER, NEW)]
