"""CML's command: what it is told, what it gets to see, and what its failures mean."""

import os
import select
import shutil
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cmls import Installed, tls_environ
from mergeline.adapters.cml import (
    Cml,
    carries,
    connect_cml,
    watermark,
    watermark_title,
    without_watermark,
)
from mergeline.adapters.github import ACTIONS_USER, GitHub, connect
from mergeline.adapters.github_client import Patience
from mergeline.adapters.github_place import API, Place
from mergeline.errors import CmlFailed
from mergeline.rehearsal import Rehearsal
from mergeline.report.markdown import marker
from review.lines import commit_files

HEAD = "c0ffee" + "0" * 34
TITLE = "mergeline: credit"
REPORT = "<!-- mergeline: credit -->\n\nThe report: *ünï*, SECRET-WORDS\n"
WORKFLOW = "acme/credit/.github/workflows/comment.yml@refs/heads/main"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path_factory.mktemp("cml"), tls=True) as rehearsal:
        rehearsal.add_user("ann", permission="write")
        commit_files(Path(rehearsal.remote), "main", {"a.txt": "1"})
        yield rehearsal


def as_user(world: Rehearsal, login: str = ACTIONS_USER, permission: str = "write") -> GitHub:
    token = {"GITHUB_TOKEN": world.token(login, permission), "GITHUB_WORKFLOW_REF": WORKFLOW}
    return connect(tls_environ(world) | token, Patience(seconds=5, tries=3, pause=0.01))


def cml(world: Rehearsal, installed: Installed, github: GitHub | None = None, **more) -> Cml:
    return replace(installed.connect(world, github or as_user(world)), commit=HEAD, **more)


def bodies(world: Rehearsal, number: int) -> list[str]:
    return [comment.body for comment in as_user(world).comments(number)]


# --- what it does --------------------------------------------------------------------------


def test_it_makes_a_comment_and_then_edits_it(
    world: Rehearsal, number: int, installed: Installed
) -> None:
    made = cml(world, installed).update(number, TITLE, REPORT)
    (comment,) = as_user(world).comments(number)
    assert (comment.id, comment.user) == (made, ACTIONS_USER)
    assert comment.body == REPORT + watermark(TITLE, HEAD), "these bytes, and its own watermark"
    assert carries(comment.body, TITLE)
    assert without_watermark(comment.body, TITLE) == REPORT.rstrip()
    assert cml(world, installed).update(number, TITLE, "other") == made
    assert bodies(world, number) == [f"other{watermark(TITLE, HEAD)}"]


def test_it_takes_anybodys_comment_with_the_watermark_for_its_own(
    world: Rehearsal, number: int, installed: Installed
) -> None:
    theirs = world.comment(number, "ann", f"mine{watermark(TITLE, 'a' * 40)}")
    assert cml(world, installed).update(number, TITLE, REPORT) == theirs


def test_it_does_not_look_beyond_thirty_comments(
    world: Rehearsal, number: int, installed: Installed
) -> None:
    for each in range(30):
        world.comment(number, "ann", f"talk {each}")
    world.comment(number, ACTIONS_USER, f"{REPORT}{watermark(TITLE, HEAD)}")
    cml(world, installed).update(number, TITLE, REPORT)
    assert len(bodies(world, number)) == 32


def test_two_projects_have_a_comment_each(
    world: Rehearsal, number: int, installed: Installed
) -> None:
    names = ["a_b", "a-b", "a.b", "a", "A", "a_", "a__b"]
    titles = [watermark_title(marker(name)) for name in names]
    for title in titles:
        cml(world, installed).update(number, title, title)
    assert bodies(world, number) == [f"{title}{watermark(title, HEAD)}" for title in titles]
    cml(world, installed).update(number, titles[0], "again")
    assert [body.split("\n")[0] for body in bodies(world, number)] == ["again", *titles[1:]]


@pytest.mark.parametrize("kind", ["close", "cut", "truncate"])
def test_an_answer_that_got_lost(
    world: Rehearsal, number: int, installed: Installed, kind: str
) -> None:
    world.fault("POST", "*/comments", kind, after=kind == "close")
    with pytest.raises(CmlFailed) if kind != "cut" else nullcontext() as caught:
        assert cml(world, installed).update(number, TITLE, REPORT) is None, "and no word of it"
    assert "SECRET-WORDS" not in str(caught)
    assert len(bodies(world, number)) == 1


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "GITHUB_TOKEN"),
        (404, "`pull-requests: write`"),
        (422, "mend that"),
        (429, "limit of requests"),
        (500, "trouble"),
        (502, "trouble"),
    ],
)
def test_a_refusal_says_in_a_line_what_to_change(
    world: Rehearsal, number: int, installed: Installed, status: int, hint: str
) -> None:
    world.fault("POST", "*/comments", status=status)
    with pytest.raises(CmlFailed) as caught:
        cml(world, installed).update(number, TITLE, REPORT * 500)
    message = f"GitHub answered {status} to cml comment update /repos/{world.name}/issues/{number}"
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint
    told = caught.value.message + caught.value.hint
    assert told.isprintable()
    assert "SECRET-WORDS" not in told
    assert len(told) < 600


def test_a_token_that_may_not_comment(world: Rehearsal, number: int, installed: Installed) -> None:
    with pytest.raises(CmlFailed) as caught:
        cml(world, installed, as_user(world, permission="read")).update(number, TITLE, REPORT)
    assert "`pull-requests: write`" in caught.value.hint
    assert ".github/workflows/comment.yml" in caught.value.hint


def test_no_network(world: Rehearsal, number: int, installed: Installed) -> None:
    there = cml(world, installed)
    place = replace(there.place, address="https://localhost:1/api/v3")
    with pytest.raises(CmlFailed) as caught:
        replace(there, place=place, server="https://localhost:1").update(number, TITLE, REPORT)
    assert caught.value.message.startswith("GitHub did not answer it: ")
    assert "network" in caught.value.hint


def test_an_authority_that_it_does_not_know(
    world: Rehearsal, number: int, installed: Installed
) -> None:
    with pytest.raises(CmlFailed) as caught:
        cml(world, installed, network={}).update(number, TITLE, REPORT)
    assert "certificate" in caught.value.message
    assert "NODE_EXTRA_CA_CERTS" in caught.value.hint


def test_a_limit_that_it_would_wait_for(
    world: Rehearsal, number: int, installed: Installed
) -> None:
    world.fault("POST", "*/comments", status=403, times=9)
    with pytest.raises(CmlFailed) as caught:
        cml(world, installed, seconds=6).update(number, TITLE, REPORT)
    assert caught.value.message == "GitHub limits requests, and it would wait longer than 6 seconds"


# --- what it gets to see -------------------------------------------------------------------


def test_command_line_and_environment(
    world: Rehearsal, number: int, standin: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "MERGELINE_TOKEN", "MERGELINE_DVC_CONFIG", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("GITHUB_SERVER_URL", str(world.tls_url))
    github = as_user(world)
    cml(world, standin, github).update(number, TITLE, REPORT)
    ((call),) = standin.calls()
    repo = f"{world.tls_url}/acme/credit"
    assert call["arguments"] == [
        *("comment", "update", "--driver", "github", "--repo", repo, "--target", f"pr/{number}"),
        *("--publish=false", "--watermark-title", TITLE, "report.md"),
    ]
    environ = {name: value for name, value in call["environ"].items() if name != "LC_CTYPE"}
    home = environ.pop("HOME")
    assert environ == {
        "PATH": standin.path,
        "GITHUB_TOKEN": github.client.place.token,
        "GITHUB_SHA": HEAD,
        "ITERATIVE_DO_NOT_TRACK": "1",
        "NODE_EXTRA_CA_CERTS": str(world.ca_file),
    }
    assert Path(home).parent == Path(call["folder"])
    assert not Path(home).exists(), "and gone with all that it wrote there"
    assert [each.path for each in world.requests if "/users/" in each.path] == []


def test_proxies_and_authorities_are_passed_on() -> None:
    place = Place(API, "o/r", "token")
    given = {"PATH": "/bin", "HTTPS_PROXY": "http://proxy:1", "NODE_EXTRA_CA_CERTS": "/a.pem"}
    made = connect_cml({**given, "GITHUB_TOKEN": "x", "SECRET": "y"}, place, print)
    assert made.network == {"HTTPS_PROXY": "http://proxy:1", "NODE_EXTRA_CA_CERTS": "/a.pem"}
    assert made.server == "https://github.com"
    assert connect_cml({}, replace(place, verify="/b.pem"), print).network == {
        "NODE_EXTRA_CA_CERTS": "/b.pem"
    }
    assert connect_cml({}, place, print).network == {}


# --- it cannot be used, or goes wrong ------------------------------------------------------


def test_there_is_none_on_path(world: Rehearsal, number: int, tmp_path: Path) -> None:
    with pytest.raises(CmlFailed) as caught:
        cml(world, Installed(str(tmp_path), tmp_path)).update(number, TITLE, REPORT)
    assert caught.value.message == "there is no `cml` on PATH"
    assert "report.transport: api" in caught.value.hint


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1/api/v3"),
        ("https://github.com", "http://127.0.0.1:1"),
        ("https://evil.example", API),
        ("https://octo.ghe.com", "https://api.octo.ghe.com"),
        ("https://me:secret@ghe.example", "https://ghe.example/api/v3"),
        ("https://ghe.example/git", "https://ghe.example/api/v3"),
        ("https://[", "https://[/api/v3"),
    ],
)
def test_the_token_goes_to_no_other_host(standin: Installed, server: str, address: str) -> None:
    environ = {"PATH": standin.path, "GITHUB_SERVER_URL": server}
    with pytest.raises(CmlFailed, match="it can only ask"):
        connect_cml(environ, Place(address, "o/r", "token"), print).update(1, TITLE, REPORT)
    assert standin.calls() == []


@pytest.mark.parametrize(
    "address", ["https://api.github.com", "https://ghe.example/api/v3", "https://ghe:8443/api/v3"]
)
def test_servers_that_it_can_be_used_with(tmp_path: Path, address: str) -> None:
    """No program answers there; that it is looked for with this PATH says that it may be."""
    host = urlsplit(address).netloc.removeprefix("api.")
    program = tmp_path / "cml"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    environ = {"PATH": str(tmp_path), "GITHUB_SERVER_URL": f"https://{host}/"}
    with pytest.raises(CmlFailed, match="exit code 3"):
        connect_cml(environ, Place(address, "o/r", "token"), print).update(1, TITLE, REPORT)


def test_one_that_hangs_is_ended_with_all_that_it_started(
    world: Rehearsal, number: int, standin: Installed
) -> None:
    standin.fault("hang")
    with pytest.raises(CmlFailed, match="did not end within 5 seconds"):
        cml(world, standin, seconds=5).update(number, TITLE, REPORT)
    mother, child = map(int, (standin.folder / "hanging").read_text().split())
    with pytest.raises(ProcessLookupError):
        os.kill(mother, 0)
    with suppress(ProcessLookupError):  # gone and buried
        end = select.poll()
        end.register(os.pidfd_open(child), select.POLLIN)
        assert end.poll(30_000), "it still runs"


def test_one_that_prints_without_an_end(world: Rehearsal, number: int, standin: Installed) -> None:
    standin.fault("flood")
    with pytest.raises(CmlFailed, match="it printed more than"):
        cml(world, standin).update(number, TITLE, REPORT)


def test_one_that_crashes(world: Rehearsal, number: int, standin: Installed) -> None:
    standin.fault("crash")
    with pytest.raises(CmlFailed) as caught:
        cml(world, standin).update(number, TITLE, REPORT)
    assert caught.value.message == "it ended with exit code 1"


@pytest.mark.parametrize(
    ("text", "why"),
    [("#!/nowhere\n", "cannot be started"), ("#!/bin/sh\nkill -9 $$\n", "exit code -9")],
)
def test_a_program_that_is_none(
    world: Rehearsal, number: int, standin: Installed, text: str, why: str
) -> None:
    (standin.folder / "cml").write_text(text)
    with pytest.raises(CmlFailed, match=why):
        cml(world, standin).update(number, TITLE, REPORT)


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"level": "error", "status": "403", "response": {}}',
        '{"level": "error", "message": ["SECRET"], "name": "SECRET \\u001b[2J", "code": 7}',
        '{"level": "error", "status": 403, "response": {"headers": [], "data": ["SECRET"]}}',
        '{"level": "error", "message": "SECRET \\u001b[2J", "status": 500}',
        "7",
        "SECRET",
        "\udcff",
    ],
    ids=len,
)
def test_error_lines_that_say_nothing_we_know(
    world: Rehearsal, number: int, standin: Installed, line: str
) -> None:
    text = standin.folder / "text"
    text.write_text(line, errors="surrogateescape")
    (standin.folder / "cml").write_text(f"#!/bin/sh\n{shutil.which('cat')} {text} >&2\nexit 1\n")
    with pytest.raises(CmlFailed) as caught:
        cml(world, standin).update(number, TITLE, REPORT)
    told = caught.value.message + caught.value.hint
    assert "SECRET" not in told
    assert told.isprintable()


# --- the watermark -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["credit-default", "a_b", "A.b-c_d", "x" * 100, "not a name"])
def test_a_title_holds_only_what_cml_leaves_as_it_is(name: str) -> None:
    title = watermark_title(marker(name))
    assert title.startswith("mergeline: ")
    assert not set(title) & set('_*[<"(){}$\n')


def test_a_watermark_is_taken_off_at_the_end_only() -> None:
    mark = watermark(TITLE, HEAD)
    assert without_watermark(f"a{mark}\nb{mark}\n\n", TITLE) == f"a{mark}\nb"
    other = watermark(f"{TITLE}-default", HEAD)
    assert without_watermark(f"a{other}", TITLE) == f"a{other}"
    assert not carries(other, TITLE)
