"""One comment of ours with CML in between, whatever CML and GitHub do."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cmls import Installed, tls_environ
from mergeline.adapters.cml import Cml, watermark, watermark_title
from mergeline.adapters.github import ACTIONS_USER, GitHub, connect
from mergeline.adapters.github_client import Patience
from mergeline.adapters.github_types import Comment
from mergeline.errors import GitHubError
from mergeline.promote.announce import with_outcome
from mergeline.rehearsal import Rehearsal
from mergeline.rehearsal.faults import Fault
from mergeline.report.markdown import marker
from mergeline.review.post import post
from review.lines import commit_files

HEAD = "c0ffee" + "0" * 34
MARKER = marker("credit_default")
MARK = watermark(watermark_title(MARKER), HEAD)
OLD, NEW = f"{MARKER}\nold\n", f"{MARKER}\nnew *text*\n"
PATIENCE = Patience(seconds=5, tries=3, pause=0.01)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path_factory.mktemp("through"), tls=True) as rehearsal:
        rehearsal.add_user("ann", permission="write")
        rehearsal.add_user("eve")
        commit_files(Path(rehearsal.remote), "main", {"a.txt": "1"})
        yield rehearsal


@pytest.fixture
def bot(world: Rehearsal) -> GitHub:
    return as_user(world, ACTIONS_USER)


def as_user(world: Rehearsal, login: str, permission: str = "write") -> GitHub:
    token = world.token(login, permission)
    return connect(tls_environ(world) | {"GITHUB_TOKEN": token}, PATIENCE)


def cml(world: Rehearsal, installed: Installed, github: GitHub, **more) -> Cml:
    return replace(installed.connect(world, github), commit=HEAD, **more)


def say(world: Rehearsal, number: int, body: str, installed: Installed, github: GitHub) -> Comment:
    return post(github, number, body, MARKER, cml(world, installed, github))


def bodies(github: GitHub, number: int) -> list[tuple[str | None, str]]:
    return [(comment.user, comment.body) for comment in github.comments(number)]


def methods(world: Rehearsal, since: int) -> list[str]:
    return [f"{each.method}{' done' * each.done}" for each in world.writes[since:]]


# --- it goes well --------------------------------------------------------------------------


def test_made_then_left_alone_then_edited(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    since = len(world.writes)
    made = say(world, number, OLD, installed, bot)
    assert say(world, number, OLD, installed, bot) == made, "not touched: `updated` stays"
    edited = say(world, number, NEW, installed, bot)
    assert edited.id == made.id
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]
    assert methods(world, since) == ["POST done", "PATCH done"]
    assert installed.said == []


def test_what_a_promotion_says_in_it_keeps_the_watermark(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    made = say(world, number, OLD, installed, bot)
    told = with_outcome(made.body, "> **LIVE**")
    bot.edit_comment(made.id, told)
    assert with_outcome(told, "> **LIVE**") == told
    assert told.endswith(f"old\n{MARK}")
    assert say(world, number, NEW, installed, bot).id == made.id
    assert (bodies(bot, number), installed.said) == ([(ACTIONS_USER, NEW + MARK)], [])


def test_a_report_as_long_as_they_get(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    line = "| ünï `code` *text* <b>&#60;</b> 1,000 |\n"
    body = f"{MARKER}\n{line * 2000}"[:59_899] + "\n"
    assert len(body) == 59_900
    made = say(world, number, OLD, installed, bot)
    assert say(world, number, body, installed, bot).id == made.id
    assert (bodies(bot, number), installed.said) == ([(ACTIONS_USER, body + MARK)], [])


def test_beside_another_projects_comment(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    other = marker("credit-default")
    post(bot, number, f"{other}\nother\n", other, cml(world, installed, bot))
    say(world, number, OLD, installed, bot)
    say(world, number, NEW, installed, bot)
    mark = watermark(watermark_title(other), HEAD)
    ours = [(ACTIONS_USER, f"{other}\nother\n{mark}"), (ACTIONS_USER, NEW + MARK)]
    assert (bodies(bot, number), installed.said) == (ours, [])


# --- what CML does not see ---------------------------------------------------------------


def crowd(world: Rehearsal, number: int) -> None:
    """45 comments, three of them with a forged marker or watermark."""
    forged = {5: NEW, 20: f"look here{MARK}", 40: NEW + MARK}
    for each in range(45):
        world.comment(number, "ann" if each % 2 else "eve", forged.get(each, f"talk {each}"))


@pytest.mark.parametrize("first", [True, False], ids=["ours first", "ours last"])
def test_among_45_comments_with_three_forged_ones(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed, first: bool
) -> None:
    if first:
        say(world, number, OLD, installed, bot)
    crowd(world, number)
    if not first:
        say(world, number, OLD, installed, bot)
    (place,) = [
        index for index, (user, _) in enumerate(bodies(bot, number)) if user == ACTIONS_USER
    ]
    assert place == (0 if first else 45)
    before = bot.comments(number)
    edited = say(world, number, NEW, installed, bot)
    after = bot.comments(number)
    assert edited == after[place]
    assert (edited.id, edited.body) == (before[place].id, NEW + MARK)
    assert [*after[:place], *after[place + 1 :]] == [*before[:place], *before[place + 1 :]]
    assert "is not ours and has our watermark" in installed.said[-1]


def test_ours_is_not_among_the_first_thirty(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    for each in range(30):
        world.comment(number, "ann", f"talk {each}")
    made = say(world, number, OLD, installed, bot)
    assert installed.said == [], "to make one is no matter of thirty"
    assert say(world, number, NEW, installed, bot).id == made.id
    assert bodies(bot, number)[30:] == [(ACTIONS_USER, NEW + MARK)]
    assert "not among the first 30" in installed.said[0]


def test_one_that_the_api_made_gets_the_watermark_and_is_cmls_then(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    made = post(bot, number, OLD, MARKER)
    assert say(world, number, OLD, installed, bot) == made, "it says so already"
    assert installed.said == []
    say(world, number, NEW, installed, bot)
    assert "made without its watermark" in installed.said[0]
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]
    say(world, number, OLD, installed, bot)
    assert (len(installed.said), bodies(bot, number)) == (1, [(ACTIONS_USER, OLD + MARK)])
    assert post(bot, number, OLD, MARKER).body == OLD + MARK, "the API alone leaves it, too"


def test_of_several_of_ours_the_oldest_stays(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    first = world.comment(number, ACTIONS_USER, OLD + MARK)
    world.comment(number, ACTIONS_USER, OLD + MARK)
    assert say(world, number, NEW, installed, bot).id == first
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]
    assert "there are 2 comments of ours" in installed.said[0]


# --- races ---------------------------------------------------------------------------------


@pytest.mark.parametrize("round_number", range(3))
def test_two_jobs_at_once_leave_one(
    world: Rehearsal, number: int, installed: Installed, round_number: int
) -> None:
    start = threading.Barrier(2)
    errors: list[BaseException] = []

    def work() -> None:
        github = as_user(world, ACTIONS_USER)
        start.wait(10)
        try:
            say(world, number, NEW, installed, github)
        except GitHubError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert bodies(as_user(world, "ann"), number) == [(ACTIONS_USER, NEW + MARK)]


class Meddled:
    """CML, and somebody who does something right before it looks."""

    def __init__(self, real: Cml, meddle) -> None:
        self.real, self.meddle, self.commit, self.say = real, meddle, real.commit, real.say

    def update(self, pull: int, title: str, report: str) -> int | None:
        self.meddle()
        return self.real.update(pull, title, report)


def test_a_comment_that_is_forged_right_before_cml_looks(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    """Somebody puts the watermark into a comment that was there: it says again what it said."""
    theirs = world.comment(number, "eve", "mine")

    def forge() -> None:
        as_user(world, "eve").edit_comment(theirs, f"mine{MARK}")

    post(bot, number, NEW, MARKER, Meddled(cml(world, installed, bot), forge))  # type: ignore[arg-type]
    assert bodies(bot, number) == [("eve", "mine"), (ACTIONS_USER, NEW + MARK)]
    assert f"wrote over comment {theirs}" in installed.said[0]


def test_a_comment_that_comes_right_before_cml_looks(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    """Nobody knows what it said; that it carries no report of ours is seen to."""
    meddled = Meddled(
        cml(world, installed, bot), lambda: world.comment(number, "eve", f"mine{MARK}")
    )
    post(bot, number, NEW, MARKER, meddled)  # type: ignore[arg-type]
    (eve, told), ours = bodies(bot, number)
    assert (eve, ours) == ("eve", (ACTIONS_USER, NEW + MARK))
    assert "What it said before is in its history" in told
    assert MARKER not in told
    post(bot, number, OLD, MARKER, cml(world, installed, bot))
    assert bodies(bot, number) == [("eve", told), (ACTIONS_USER, OLD + MARK)]


def test_somebody_elses_line_is_at_work_on_its_own_comment(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    theirs = world.comment(number, "ann", OLD)
    meddled = Meddled(
        cml(world, installed, bot), lambda: as_user(world, "ann").edit_comment(theirs, NEW)
    )
    post(bot, number, NEW, MARKER, meddled)  # type: ignore[arg-type]
    assert bodies(bot, number) == [("ann", NEW), (ACTIONS_USER, NEW + MARK)]
    assert installed.said == []


def test_ours_is_removed_right_before_cml_looks(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    made = say(world, number, OLD, installed, bot)
    meddled = Meddled(cml(world, installed, bot), lambda: bot.delete_comment(made.id))
    post(bot, number, NEW, MARKER, meddled)  # type: ignore[arg-type]
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]


# --- GitHub has a bad day ------------------------------------------------------------------

TROUBLE = [
    *({"kind": "status", "status": status} for status in (429, 500, 502)),
    {"kind": "status", "status": 502, "after": True},
    {"kind": "close"},
    {"kind": "close", "after": True},
    {"kind": "cut"},
    {"kind": "truncate"},
]


def name_of(value: object) -> str:
    return "-".join(map(str, value.values())) if isinstance(value, dict) else str(value)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", TROUBLE, ids=name_of)
def test_the_write_goes_wrong(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed, fault: dict, times: int
) -> None:
    """CML's write, or that and the API's first one."""
    world.world.faults.add(Fault("POST", f"*/issues/{number}/comments", times=times, **fault))
    say(world, number, OLD, installed, bot)
    assert bodies(bot, number) == [(ACTIONS_USER, OLD + MARK)]
    world.world.faults.clear()
    world.world.faults.add(Fault("PATCH", "*", times=times, **fault))
    say(world, number, NEW, installed, bot)
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]


def test_a_limit_of_requests_that_cml_would_wait_for(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    world.fault("POST", f"*/issues/{number}/comments", status=403, times=2)
    post(bot, number, NEW, MARKER, cml(world, installed, bot, seconds=5))
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]
    assert "GitHub limits requests" in installed.said[0]


def test_the_answer_does_not_come(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    world.fault("POST", f"*/issues/{number}/comments", "slow", seconds=120)
    post(bot, number, NEW, MARKER, cml(world, installed, bot, seconds=4))
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]
    assert "did not end within 4 seconds" in installed.said[0]


def test_a_limit_that_lasts_ends_in_bounded_time(
    world: Rehearsal, number: int, bot: GitHub, standin: Installed
) -> None:
    world.fault("POST", f"*/issues/{number}/comments", status=429, retry_after=3600, times=99)
    with pytest.raises(GitHubError) as caught:
        say(world, number, NEW, standin, bot)
    assert "limit of requests is reached (429); run it again after" in caught.value.hint
    assert bodies(bot, number) == []


@pytest.mark.parametrize("kind", ["close", "cut"])
def test_every_list_is_broken_once(
    world: Rehearsal, number: int, bot: GitHub, standin: Installed, kind: str
) -> None:
    world.fault("GET", "*/comments", kind)
    say(world, number, NEW, standin, bot)
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]


def test_a_token_that_may_not_comment_is_told_what_to_change(
    world: Rehearsal, number: int, installed: Installed
) -> None:
    reader = as_user(world, ACTIONS_USER, "read")
    with pytest.raises(GitHubError) as caught:
        say(world, number, NEW, installed, reader)
    assert "`pull-requests: write`" in caught.value.hint
    assert "`pull-requests: write`" in installed.said[0]
    assert "new" not in installed.said[0].split()


# --- CML has a bad day ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("crash", "exit code 1"),
        ("crash-after", "exit code 1"),
        ("flood", "it printed more than"),
        ("duplicate", "left 2 comments of ours"),
        ("cut", "left 1 comments of ours, not one that says"),
        ("silent", "left 0 comments of ours"),
    ],
)
def test_cml_goes_wrong(
    world: Rehearsal, number: int, bot: GitHub, standin: Installed, kind: str, said: str
) -> None:
    standin.fault(kind)
    made = say(world, number, NEW, standin, bot)
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]
    assert made == bot.comments(number)[0]
    (line,) = standin.said
    assert line.startswith("warning: ")
    assert said in line


def test_cml_hangs(world: Rehearsal, number: int, bot: GitHub, standin: Installed) -> None:
    standin.fault("hang")
    post(bot, number, NEW, MARKER, cml(world, standin, bot, seconds=1))
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]
    assert "did not end within 1 seconds" in standin.said[0]


def test_there_is_no_cml(world: Rehearsal, number: int, bot: GitHub, tmp_path: Path) -> None:
    nothing = Installed(str(tmp_path), tmp_path)
    say(world, number, NEW, nothing, bot)
    assert bodies(bot, number) == [(ACTIONS_USER, NEW + MARK)]
    (line,) = nothing.said
    assert line.startswith("warning: the comment goes by GitHub's API, not through CML: there is")
    assert "setup-cml" in line


# --- who we are ------------------------------------------------------------------------------


def test_the_token_of_actions_does_not_know_its_name(
    world: Rehearsal, number: int, bot: GitHub, installed: Installed
) -> None:
    world.fault("GET", "/user", status=403, times=99)
    say(world, number, OLD, installed, bot)
    say(world, number, NEW, installed, bot)
    assert (bodies(bot, number), installed.said) == ([(ACTIONS_USER, NEW + MARK)], [])


def test_an_app_that_does_not_know_its_name(
    world: Rehearsal, number: int, installed: Installed
) -> None:
    world.add_user("line-app[bot]", permission="write")
    app = as_user(world, "line-app[bot]")
    world.fault("GET", "/user", status=403, times=99)
    made = say(world, number, OLD, installed, app)
    assert bodies(app, number) == [("line-app[bot]", OLD + MARK)]
    assert say(world, number, NEW, installed, app).id == made.id
    assert bodies(app, number) == [("line-app[bot]", NEW + MARK)]
