"""The client of GitHub's API, against the rehearsal's stand-in."""

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mergeline.adapters.github import ACTIONS_USER, GitHub, connect
from mergeline.adapters.github_client import Patience
from mergeline.errors import GitHubError, UsageError
from mergeline.rehearsal import Rehearsal

# Short waits: the stand-in answers at once, unless a test has it do otherwise.
QUICK = Patience(seconds=5, tries=3, pause=0.01, longest=2, total=20)
PROMPT = Patience(seconds=1, tries=1)
DATES = {f"GIT_{role}_DATE": "2026-11-20T10:00:00Z" for role in ("AUTHOR", "COMMITTER")}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with Rehearsal.start(tmp_path_factory.mktemp("github"), tls=True) as rehearsal:
        rehearsal.add_user("ann", "Ann", "ann@example.org", "write")
        rehearsal.add_user("bob", "Bob", "bob@example.org", "maintain")
        main = fast_import(rehearsal.remote, "main", 1)
        fast_import(rehearsal.remote, "better", 131, onto=main)
        yield rehearsal


@pytest.fixture(autouse=True)
def no_faults(world: Rehearsal) -> Iterator[None]:
    yield
    world.world.faults.clear()


@pytest.fixture
def fresh(world: Rehearsal, request: pytest.FixtureRequest) -> int:
    """A pull request that no other test has commented or reviewed."""
    fast_import(world.remote, request.node.name, 1, onto=tip_of(world.remote, "main"))
    return world.open_pull(request.node.name, login="ann")


@pytest.fixture(scope="module")
def number(world: Rehearsal) -> int:
    return world.open_pull("better", login="ann", title="A better model")


def fast_import(remote: str, branch: str, commits: int, onto: str | None = None) -> str:
    """Put commits of one file on a branch; return its tip."""
    lines = []
    for each in range(commits):
        lines += [
            f"commit refs/heads/{branch}",
            "author Ann <ann@example.org> 1700000000 +0000",
            "committer Ann <ann@example.org> 1700000000 +0000",
            f"data <<END\n{branch} {each}\nEND",
            *([f"from {onto}"] if onto and not each else []),
            f"M 100644 inline {branch}.txt\ndata <<END\n{each}\nEND",
        ]
    command = ("git", "-C", remote, "fast-import", "--quiet", "--force")
    subprocess.run(command, input="\n".join(lines) + "\n", text=True, check=True, timeout=60)
    return tip_of(remote, branch)


def tip_of(remote: str, branch: str) -> str:
    command = ("git", "-C", remote, "rev-parse", branch)
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60
    ).stdout.strip()


def environ(world: Rehearsal, token: str, **more: str) -> dict[str, str]:
    return {
        "GITHUB_API_URL": world.api_url,
        "GITHUB_REPOSITORY": world.name,
        "GITHUB_TOKEN": token,
        **more,
    }


def client(
    world: Rehearsal, login: str = "ann", patience: Patience = QUICK, **token: Any
) -> GitHub:
    return connect(environ(world, world.token(login, **token)), patience)


def asked(world: Rehearsal, path: str) -> int:
    return sum(request.path == path for request in world.requests)


# --- what is read ----------------------------------------------------------------------


def test_a_pull_request_open_and_merged(world: Rehearsal) -> None:
    fast_import(world.remote, "small", 1, onto=tip_of(world.remote, "main"))
    small = world.open_pull("small", login="ann", title="Small")
    github = client(world)
    pull = github.pull(small)
    assert (pull.number, pull.title, pull.author, pull.state) == (small, "Small", "ann", "open")
    assert (pull.merged, pull.merge_commit) == (False, None), "a trial merge is no merge"
    assert (pull.base_ref, pull.head_ref, pull.head_repository) == ("main", "small", "acme/credit")
    assert pull.head_sha == tip_of(world.remote, "small")
    assert pull.created.endswith("Z")
    commit = world.merge(small, "squash")
    merged = github.pull(small)
    assert (merged.state, merged.merged, merged.merge_commit) == ("closed", True, commit)
    assert [found.number for found in github.pulls_of(commit)] == [small]


def test_open_pulls_are_found_by_owner_and_branch(world: Rehearsal, number: int) -> None:
    world.add_fork("eve")
    fork = next(repo for repo in world.world.repos.values() if repo.owner == "eve")
    fast_import(str(fork.git.path), "better", 1, onto=tip_of(world.remote, "main"))
    world.add_user("eve")
    theirs = world.open_pull("eve:better", login="eve")
    github = client(world)
    assert [pull.number for pull in github.open_pulls("acme", "better")] == [number]
    (found,) = github.open_pulls("eve", "better")
    assert (found.number, found.head_repository, found.merged) == (theirs, "eve/credit", False)
    assert github.open_pulls("acme", "nothing") == ()


def test_all_pages_of_a_list(world: Rehearsal, fresh: int, number: int) -> None:
    for each in range(205):
        world.comment(fresh, "bob", f"comment {each}")
    github = client(world)
    comments = github.comments(fresh)
    assert [comment.body for comment in comments] == [f"comment {each}" for each in range(205)]
    assert asked(world, f"/repos/acme/credit/issues/{fresh}/comments") == 3
    assert {(comment.user, comment.created[-1]) for comment in comments} == {("bob", "Z")}
    commits = github.pull_commits(number)
    assert [commit.message.strip() for commit in commits] == [
        f"better {each}" for each in range(131)
    ]
    first = commits[0]
    assert (first.author, first.author_name, first.author_email) == (
        "ann",
        "Ann",
        "ann@example.org",
    )


def test_more_commits_than_github_lists_are_refused(world: Rehearsal) -> None:
    fast_import(world.remote, "long", 250, onto=tip_of(world.remote, "main"))
    number = world.open_pull("long", login="ann")
    with pytest.raises(GitHubError, match="250 commits or more") as caught:
        client(world).pull_commits(number)
    assert "squash" in caught.value.hint


def test_reviews_keep_what_became_of_them(world: Rehearsal, fresh: int) -> None:
    first = world.approve(fresh, "bob")
    world.dismiss(fresh, first)
    world.request_changes(fresh, "bob")
    reviews = client(world).reviews(fresh)
    assert [(review.user, review.state) for review in reviews] == [
        ("bob", "DISMISSED"),
        ("bob", "CHANGES_REQUESTED"),
    ]
    assert {review.commit for review in reviews} == {
        tip_of(world.remote, "test_reviews_keep_what_became_of_them")
    }
    assert all(review.submitted for review in reviews)


def test_what_is_left_of_somebody_who_is_gone(world: Rehearsal, fresh: int) -> None:
    world.add_user("gone", permission="write")
    world.approve(fresh, "gone")
    world.remove_user("gone")
    users = [review.user for review in client(world).reviews(fresh)]
    assert users[-1] in (None, "ghost")


def test_permissions_and_people(world: Rehearsal) -> None:
    github = client(world)
    world.add_user("tri", permission="triage")
    world.add_user("stranger", "A Stranger", "stranger@example.org")
    assert [github.permission(user) for user in ("acme", "ann", "bob", "tri", "stranger")] == [
        "admin",
        "write",
        "maintain",
        "triage",
        "read",
    ]
    assert github.user("ann")[0] == "Ann"
    with pytest.raises(GitHubError) as caught:
        github.user("nobody-of-that-name")
    assert caught.value.status == 404


def test_who_writes_the_comments(world: Rehearsal) -> None:
    assert client(world, "ann").viewer() == "ann"
    assert client(world, ACTIONS_USER, permission="write").viewer() == ACTIONS_USER


def test_runs_and_their_artifacts(world: Rehearsal) -> None:
    head = tip_of(world.remote, "better")
    data = b"a zip, as far as GitHub knows" * 100
    artifacts = {f"part-{each:02}": data for each in range(101)}
    number = world.add_run(head, head_branch="better", conclusion="failure", artifacts=artifacts)
    github = client(world)
    run = github.run(number)
    assert (run.head_sha, run.head_branch, run.head_repository) == (head, "better", "acme/credit")
    assert (run.event, run.status, run.conclusion) == ("pull_request", "completed", "failure")
    assert (run.attempt, run.repository) == (1, "acme/credit")
    assert [found.id for found in github.runs_of(head)] == [number]
    found = github.artifacts(number)
    assert sorted(artifact.name for artifact in found) == sorted(artifacts)
    assert {(artifact.size, artifact.expired) for artifact in found} == {(len(data), False)}
    assert github.download(found[0], len(data)) == data


def test_a_download_is_bounded(world: Rehearsal) -> None:
    head = tip_of(world.remote, "better")
    number = world.add_run(head, artifacts={"a": b"x" * 100_000})
    github = client(world)
    (artifact,) = github.artifacts(number)
    with pytest.raises(GitHubError, match="more than 99,999 bytes"):
        github.download(artifact, 99_999)


def test_a_download_that_is_not_whole_is_asked_for_again(world: Rehearsal) -> None:
    """A proxy can cut it and say that it was all: then GitHub's own digest tells."""
    number = world.add_run(tip_of(world.remote, "better"), artifacts={"a": b"x" * 1000})
    github = client(world)
    (artifact,) = github.artifacts(number)
    world.fault("GET", "/_rehearsal/downloads/*", "truncate")
    assert github.download(artifact, 1000) == b"x" * 1000
    world.fault("GET", "/_rehearsal/downloads/*", "truncate", times=99)
    with pytest.raises(GitHubError, match="500 bytes came") as caught:
        github.download(artifact, 1000)
    assert caught.value.again_after is not None
    # An artifact that was uploaded in an old way has none.
    without = artifact.model_copy(update={"digest": None})
    assert len(github.download(without, 1000)) == 500


def test_an_expired_artifact_is_gone(world: Rehearsal) -> None:
    number = world.add_run(tip_of(world.remote, "better"), artifacts={"a": b"x"})
    world.expire(number)
    github = client(world)
    (artifact,) = github.artifacts(number)
    assert artifact.expired
    with pytest.raises(GitHubError) as caught:
        github.download(artifact, 10)
    assert caught.value.status == 410
    assert "expire" in caught.value.hint


# --- what is written -------------------------------------------------------------------


def test_a_comment_is_made_edited_and_removed(world: Rehearsal, number: int) -> None:
    github = client(world)
    made = github.create_comment(number, "Grüße\n\n| a |\n|---|")
    assert (made.user, made.body) == ("ann", "Grüße\n\n| a |\n|---|")
    assert made.url.startswith("http")
    assert github.edit_comment(made.id, "other").body == "other"
    assert [comment.body for comment in github.comments(number) if comment.id == made.id] == [
        "other"
    ]
    github.delete_comment(made.id)
    assert made.id not in [comment.id for comment in github.comments(number)]


def test_a_status(world: Rehearsal) -> None:
    head = tip_of(world.remote, "better")
    client(world).set_status(head, "success", "x" * 200, "https://example.org/c")
    write = world.writes[-1]
    assert write.path == f"/repos/acme/credit/statuses/{head}"
    assert write.body == {
        "state": "success",
        "context": "mergeline",
        "description": "x" * 140,
        "target_url": "https://example.org/c",
    }
    assert write.done


def test_a_deployment_and_its_states(world: Rehearsal) -> None:
    github, head = client(world), tip_of(world.remote, "main")
    assert github.deployments(head, "production") == ()
    made = github.create_deployment(head, "production", "version 3", {"version": "3"})
    assert (made.sha, made.environment, made.state) == (head, "production", None)
    github.set_deployment(made.id, "in_progress", "declared", "")
    github.set_deployment(made.id, "success", "live", "https://example.org/r")
    (found,) = github.deployments(head, "production")
    assert (found.id, found.state) == (made.id, "success")
    assert github.deployments(head, "staging") == ()


def test_a_pull_request_is_opened(world: Rehearsal) -> None:
    fast_import(world.remote, "revert", 1, onto=tip_of(world.remote, "main"))
    made = client(world).create_pull("Revert", "revert", "main", "Because.")
    assert (made.title, made.head_ref, made.base_ref, made.author) == (
        "Revert",
        "revert",
        "main",
        "ann",
    )


# --- a bad day at GitHub -----------------------------------------------------------------

PATH = "/repos/acme/credit"
ROLE = f"{PATH}/collaborators/ann/permission"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502},
        {"status": 503, "retry_after": 1},
        {"status": 504},
        {"status": 429, "retry_after": 0},
        {"status": 403, "retry_after": 1},
        {"kind": "close"},
        {"kind": "close", "after": True},
        {"kind": "cut"},
        {"kind": "truncate"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_a_read_is_repeated_after_a_passing_fault(world: Rehearsal, fault: dict[str, Any]) -> None:
    github = client(world)
    before = asked(world, ROLE)
    world.fault("GET", ROLE, **fault)
    assert github.permission("ann") == "write"
    assert asked(world, ROLE) - before == 2


@pytest.mark.parametrize("kind", ["status", "close", "cut", "truncate"])
def test_a_read_is_repeated_so_often_and_no_more(world: Rehearsal, kind: str) -> None:
    github = client(world)
    before = asked(world, ROLE)
    world.fault("GET", ROLE, kind, times=99)
    with pytest.raises(GitHubError, match=f"GET {ROLE}") as caught:
        github.permission("ann")
    assert asked(world, ROLE) - before == QUICK.tries
    assert caught.value.hint


def test_a_later_page_is_repeated_too(world: Rehearsal, number: int) -> None:
    path = f"{PATH}/pulls/{number}/commits"
    world.fault("GET", path, nth=2)
    assert len(client(world).pull_commits(number)) == 131


def test_half_a_list_is_no_list(world: Rehearsal, number: int) -> None:
    world.fault("GET", f"{PATH}/pulls/{number}/commits", nth=2, times=99)
    with pytest.raises(GitHubError) as caught:
        client(world).pull_commits(number)
    assert caught.value.status == 503


def test_a_limit_that_ends_late_is_not_waited_for(world: Rehearsal) -> None:
    github = client(world)
    before = asked(world, ROLE)
    world.fault("GET", ROLE, status=429, retry_after=3600, times=99)
    with pytest.raises(GitHubError, match="secondary rate limit") as caught:
        github.permission("ann")
    assert asked(world, ROLE) - before == 1
    assert "limit of requests is reached (429); run it again after 20" in caught.value.hint


def test_no_try_begins_after_the_time_is_up(world: Rehearsal) -> None:
    github = client(world, patience=Patience(seconds=5, tries=5, pause=0.2, total=0.5))
    before = asked(world, ROLE)
    world.fault("GET", ROLE, times=99)
    with pytest.raises(GitHubError):
        github.permission("ann")
    assert asked(world, ROLE) - before in (1, 2), "the second pause would end past 0.5 s"


@pytest.mark.parametrize("fault", [{"seconds": 60.0}, {"seconds": 12.0}], ids=["stops", "drips"])
def test_an_answer_that_comes_too_slowly_is_given_up(
    world: Rehearsal, fault: dict[str, Any]
) -> None:
    """Each byte comes within the wait for one, or none does."""
    world.fault("GET", ROLE, "slow", **fault)
    with pytest.raises(GitHubError, match="nothing came for 1 seconds, or the whole") as caught:
        client(world, patience=PROMPT).permission("ann")
    assert caught.value.status is None


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        ({"kind": "close", "after": True}, True),
        ({"kind": "close"}, False),
        ({"kind": "status", "status": 502, "after": True}, True),
        ({"kind": "status", "status": 503}, False),
        ({"kind": "cut"}, True),
        ({"kind": "truncate"}, True),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_a_write_is_never_repeated(
    world: Rehearsal, number: int, fault: dict[str, Any], done: bool
) -> None:
    github, path = client(world), f"{PATH}/issues/{number}/comments"
    before = len(world.writes)
    text = f"once {sorted(fault.items())}"
    world.fault("POST", path, **fault)
    with pytest.raises(GitHubError, match=f"POST {path}") as caught:
        github.create_comment(number, text)
    assert caught.value.unclear
    assert [(write.path, write.done) for write in world.writes[before:]] == [(path, done)]
    assert sum(comment.body == text for comment in github.comments(number)) == done


def test_a_refused_write_is_not_unclear(world: Rehearsal, number: int) -> None:
    with pytest.raises(GitHubError) as caught:
        client(world).create_comment(number, "x" * 65_537)
    assert (caught.value.status, caught.value.unclear) == (422, False)
    assert "too long" in caught.value.message
    assert "mend that" in caught.value.hint


def test_a_limit_of_writes_tells_when(world: Rehearsal, number: int) -> None:
    world.fault("POST", f"{PATH}/issues/*", status=403, retry_after=5)
    before = len(world.writes)
    with pytest.raises(GitHubError) as caught:
        client(world).create_comment(number, "no")
    assert (caught.value.unclear, caught.value.again_after) == (False, 5)
    assert len(world.writes) == before + 1


# --- tokens, addresses, certificates -------------------------------------------------------


def test_a_read_only_token_is_told_which_permission(world: Rehearsal, number: int) -> None:
    workflow = "acme/credit/.github/workflows/comment.yml@refs/heads/main"
    token = world.token("ann", permission="read")
    github = connect(environ(world, token, GITHUB_WORKFLOW_REF=workflow), QUICK)
    assert github.pull(number).number == number
    with pytest.raises(GitHubError, match="Resource not accessible by integration") as caught:
        github.create_comment(number, "no")
    assert (caught.value.status, caught.value.unclear) == (403, False)
    assert caught.value.hint == (
        "the token may not do that: add `pull-requests: write` to the `permissions:` of "
        ".github/workflows/comment.yml, or give a token that has it; a run that a fork's pull "
        "request starts never has it: do this in a workflow that `workflow_run` starts"
    )
    with pytest.raises(GitHubError) as caught:
        github.set_status("a" * 40, "success", "", "")
    assert "`statuses: write`" in caught.value.hint


def test_an_unknown_token(world: Rehearsal) -> None:
    github = connect(environ(world, "ghs_0123456789secret"), QUICK)
    before = asked(world, ROLE)
    with pytest.raises(
        GitHubError, match=r"401 to GET /repos/acme/credit/collab.*: Bad cred"
    ) as caught:
        github.permission("ann")
    assert caught.value.status == 401
    assert "GITHUB_TOKEN" in caught.value.hint
    assert "secret" not in str(caught.value) + repr(github)
    assert asked(world, ROLE) - before == 1, "a refusal is not asked again"


def test_a_missing_number_and_a_hidden_repository(world: Rehearsal) -> None:
    with pytest.raises(GitHubError, match="404 to GET /repos/acme/credit/pulls/99999") as caught:
        client(world).pull(99_999)
    assert "GITHUB_REPOSITORY" in caught.value.hint
    other = environ(world, world.token("ann")) | {"GITHUB_REPOSITORY": "acme/other"}
    with pytest.raises(GitHubError) as caught:
        connect(other, QUICK).permission("ann")
    assert caught.value.status == 404


def test_nobody_listens(world: Rehearsal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    there = environ(world, "t") | {"GITHUB_API_URL": f"http://127.0.0.1:{port}/api/v3"}
    with pytest.raises(GitHubError, match=r"did not answer GET .*refused") as caught:
        connect(there, QUICK).permission("ann")
    assert "network" in caught.value.hint


def test_what_answers_is_no_github(world: Rehearsal) -> None:
    there = environ(world, world.token("ann")) | {"GITHUB_API_URL": f"{world.url}/elsewhere"}
    with pytest.raises(GitHubError) as caught:
        connect(there, QUICK).permission("ann")
    assert caught.value.status == 404


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_authority_of_ones_own(world: Rehearsal, variable: str) -> None:
    address = {"GITHUB_API_URL": f"{world.tls_url}/api/v3"}
    there = environ(world, world.token("ann")) | address
    assert connect(there | {variable: str(world.ca_file)}, QUICK).permission("ann") == "write"
    number = world.add_run(tip_of(world.remote, "main"), artifacts={"a": b"x" * 50})
    github = connect(there | {variable: str(world.ca_file)}, QUICK)
    assert github.download(github.artifacts(number)[0], 50) == b"x" * 50


def test_a_certificate_that_nobody_vouches_for(world: Rehearsal, tmp_path: Path) -> None:
    there = environ(world, "t") | {"GITHUB_API_URL": f"{world.tls_url}/api/v3"}
    with pytest.raises(GitHubError, match="certificate is not accepted") as caught:
        connect(there, QUICK).permission("ann")
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    missing = tmp_path / "no.pem"
    with pytest.raises(GitHubError, match="did not answer") as caught:
        connect(there | {"SSL_CERT_FILE": str(missing)}, QUICK).permission("ann")
    assert str(missing) in caught.value.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": "two words"}, "GITHUB_TOKEN holds spaces"),
        ({"GITHUB_REPOSITORY": ""}, "GITHUB_REPOSITORY is not set"),
        ({"GITHUB_REPOSITORY": "a/b/../c"}, "not owner/name"),
        ({"GITHUB_API_URL": "http://example.org"}, "not the https address"),
        ({"GITHUB_API_URL": "https://user:word@example.org"}, "not the https address"),
        ({"GITHUB_API_URL": "ftp://example.org"}, "not the https address"),
        ({"GITHUB_API_URL": "https://example.org:many/api"}, "not the https address"),
    ],
)
def test_a_wrong_environment_is_named(changes: dict[str, str], said: str) -> None:
    whole = {"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "acme/credit"}
    with pytest.raises(UsageError, match=said) as caught:
        connect(whole | changes)
    assert "two words" not in str(caught.value)


def test_github_com_is_the_default() -> None:
    place = connect({"GITHUB_TOKEN": " t\n", "GITHUB_REPOSITORY": "acme/credit"}).client.place
    assert (place.address, place.token, place.verify) == ("https://api.github.com", "t", True)


def test_nothing_is_logged_or_left_in_pygithub(
    world: Rehearsal, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    from github.Requester import HTTPSRequestsConnectionClass, Requester

    with caplog.at_level(logging.DEBUG):
        client(world).permission("ann")
    assert [record.name for record in caplog.records if record.name.startswith("github")] == []
    assert capsys.readouterr() == ("", "")
    used = vars(Requester)["_Requester__httpsConnectionClass"]
    assert used is HTTPSRequestsConnectionClass, "other users of PyGithub keep its connections"


def test_the_command_line_does_not_wait_for_pygithub() -> None:
    code = "import sys, mergeline.adapters.github; sys.exit('github' in sys.modules)"
    command = (sys.executable, "-c", code)
    assert subprocess.run(command, check=False, timeout=60).returncode == 0
