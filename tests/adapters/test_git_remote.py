"""A Git remote against real repositories."""

import os
import subprocess
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from mergeline.adapters.git import Git, find_repository
from mergeline.adapters.git_process import run_git, without_credentials
from mergeline.adapters.git_remote import Remote, full_ref
from mergeline.errors import RemoteRefused, ToolError


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    return tmp_path / "origin.git"


@pytest.fixture
def remote(origin: Path, tmp_path: Path) -> Remote:
    git(tmp_path, "clone", "-q", str(origin), "clone")
    return Remote(Git(tmp_path / "clone"))


def hook(origin: Path, script: str) -> None:
    path = origin / "hooks/pre-receive"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_commit_holds_exactly_its_files(remote: Remote) -> None:
    first = remote.commit_files({"a": b"1", "folder/in/b": b"\0\xff", "folder/c": b""}, None, "one")
    second = remote.commit_files({"ümlaut name": b"2"}, first, "two\n\nmore ß")
    assert remote.git.read(first, "folder/in/b") == b"\0\xff"
    assert sorted(remote.git.entries(first)) == ["a", "folder/c", "folder/in/b"]
    assert sorted(remote.git.entries(second)) == ["ümlaut name"]
    assert remote.git.parents(second) == (first,)
    assert git(remote.git.root, "log", "-1", "--format=%B", second) == "two\n\nmore ß"
    git(remote.git.root, "fsck", "--strict")


def test_a_branch_is_made_moved_and_replaced(remote: Remote, origin: Path) -> None:
    one, two, other = (remote.commit_files({"a": n.encode()}, None, n) for n in "123")
    assert remote.tip("line/x") is None
    assert remote.push("line/x", one, None)
    assert remote.tip("line/x") == one == git(origin, "rev-parse", "line/x")
    assert remote.push("line/x", two, one)  # not a descendant
    assert not remote.push("line/x", other, one)
    assert not remote.push("line/x", other, None)
    assert not remote.push("line/y", other, one)
    assert remote.tip("refs/heads/line/x") == two
    assert remote.tip("line/y") is None
    assert remote.push("line/x", two, two)


def test_a_branch_of_a_similar_name_is_not_taken_for_it(remote: Remote) -> None:
    one = remote.commit_files({"a": b"1"}, None, "one")
    assert remote.push("refs/heads/x/refs/heads/main", one, None)
    assert remote.tip("main") is None


def test_only_what_is_asked_for_is_fetched(remote: Remote, tmp_path: Path) -> None:
    for name in ("main", "other"):
        assert remote.push(name, remote.commit_files({"a": name.encode()}, None, name), None)
    git(tmp_path, "init", "-q", "--bare", "reader.git")
    reader = Remote(Git(tmp_path / "reader.git"), str(tmp_path / "origin.git"))
    tip = reader.fetched("main")
    assert tip == remote.tip("main")
    assert reader.git.has(str(tip))
    assert not reader.git.has(str(remote.tip("other")))
    assert git(reader.git.root, "for-each-ref") == ""
    reader.fetch("refs/heads/other:refs/private/other")
    assert git(reader.git.root, "for-each-ref", "--format=%(refname)") == "refs/private/other"
    assert reader.fetched("absent") is None
    with pytest.raises(ToolError, match="find remote ref"):
        reader.fetch("refs/heads/absent")


def test_a_commit_that_is_known_is_not_fetched(remote: Remote, tmp_path: Path) -> None:
    one = remote.commit_files({"a": b"1"}, None, "one")
    assert remote.push("main", one, None)
    git(tmp_path, "init", "-q", "--bare", "reader.git")
    reader = Remote(Git(tmp_path / "reader.git"), str(tmp_path / "origin.git"))
    assert reader.fetched("main", known=one) == one
    assert not reader.git.has(one)
    assert reader.fetched("main") == one
    assert reader.git.has(one)


def test_a_commit_is_remembered_in_a_ref_of_ours(remote: Remote) -> None:
    one = remote.commit_files({"a": b"1"}, None, "one")
    assert remote.remembered("refs/mergeline/x") is None
    remote.remember("refs/mergeline/x", one)
    assert remote.remembered("refs/mergeline/x") == one


@pytest.mark.parametrize("name", ["origin", "address"])
def test_a_rule_that_refuses_is_told_from_a_lost_race(
    remote: Remote, origin: Path, name: str
) -> None:
    hook(origin, 'echo "GH013: \033[31mrule violations, already exists" >&2; exit 1')
    ours = Remote(remote.git, str(origin) if name == "address" else name)
    one = ours.commit_files({"a": b"1"}, None, "one")
    with pytest.raises(RemoteRefused, match="does not let us change refs/heads/main") as raised:
        ours.push("main", one, None)
    assert "GH013" in raised.value.message
    assert raised.value.message.isprintable()
    assert "`contents: write`" in raised.value.hint


def test_a_server_that_takes_no_rewriting_refuses(remote: Remote, origin: Path) -> None:
    git(origin, "config", "receive.denyNonFastForwards", "true")
    one, two = (remote.commit_files({"a": n.encode()}, None, n) for n in "12")
    assert remote.push("main", one, None)
    with pytest.raises(RemoteRefused, match="non-fast-forward"):
        remote.push("main", two, one)


def test_a_ref_that_cannot_be_written_is_no_lost_race(remote: Remote, origin: Path) -> None:
    one, two = (remote.commit_files({"a": n.encode()}, None, n) for n in "12")
    assert remote.push("main", one, None)
    (origin / "refs/heads/main.lock").touch()
    with pytest.raises(ToolError, match="cannot change refs/heads/main now") as raised:
        remote.push("main", two, one)
    assert not isinstance(raised.value, RemoteRefused)


def test_a_connection_that_breaks_is_not_known(remote: Remote, origin: Path) -> None:
    hook(origin, "kill -9 $PPID")
    one = remote.commit_files({"a": b"1"}, None, "one")
    with pytest.raises(ToolError, match="cannot be reached") as raised:
        remote.push("main", one, None)
    assert not isinstance(raised.value, RemoteRefused)
    assert "network" in raised.value.hint


def test_hooks_and_settings_of_the_clone_do_not_interfere(remote: Remote, origin: Path) -> None:
    root = remote.git.root
    for name in ("pre-push", "reference-transaction", "post-checkout"):
        (root / f".git/hooks/{name}").write_text("#!/bin/sh\ntouch hooked\nexit 1\n")
        (root / f".git/hooks/{name}").chmod(0o755)
    for key, value in {
        "push.gpgSign": "true",
        "commit.gpgSign": "true",
        "push.followTags": "true",
        "fetch.prune": "true",
        "remote.origin.mirror": "true",
        "remote.origin.tagOpt": "--tags",
    }.items():
        git(root, "config", key, value)
    one = remote.commit_files({"a": b"1"}, None, "one")
    assert remote.push("main", one, None)
    git(origin, "tag", "v1", one)
    assert remote.fetched("main") == one
    remote.remember("refs/mergeline/x", one)
    assert git(origin, "for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/main",
        "refs/tags/v1",
    ]
    assert git(root, "tag") == ""
    assert not (root / "hooked").exists()


@pytest.mark.parametrize(
    ("address", "problem", "hint"),
    [
        ("origin-of-nobody", "is not there: .*does not appear to be a git repository", "remote -v"),
        ("/absent/repository.git", "is not there", "remote -v"),
        ("https://user:secret@127.0.0.1:1/x.git", "cannot be reached", "network"),
        ("--upload-pack=touch hooked", "cannot be reached", "network"),
    ],
)
def test_a_remote_that_cannot_be_read_is_said(
    remote: Remote, address: str, problem: str, hint: str
) -> None:
    there = Remote(remote.git, address)
    with pytest.raises(ToolError, match=problem) as raised:
        there.tip("main")
    assert hint in raised.value.hint
    assert "secret" not in raised.value.message
    assert not (remote.git.root / "hooked").exists()


def test_names_and_addresses() -> None:
    assert full_ref("main") == "refs/heads/main"
    assert full_ref("refs/tags/v1") == "refs/tags/v1"
    assert without_credentials("https://user:pass@host/x.git") == "https://host/x.git"
    assert without_credentials("git@host:owner/x.git") == "git@host:owner/x.git"


def test_the_address_is_that_of_the_name(remote: Remote, origin: Path) -> None:
    assert remote.address() == str(origin)
    git(remote.git.root, "remote", "set-url", "origin", "https://token@host/x.git")
    assert remote.address() == "https://host/x.git"
    assert Remote(remote.git, "https://a:b@other/y.git").address() == "https://other/y.git"


def test_a_repository_is_found_with_and_without_a_working_tree(
    remote: Remote, origin: Path, tmp_path: Path
) -> None:
    (remote.git.root / "folder").mkdir()
    assert find_repository(remote.git.root / "folder").root == remote.git.root
    assert find_repository(origin / "refs").root == origin
    with pytest.raises(ToolError, match="is not in a Git repository"):
        find_repository(tmp_path)


class Answering(BaseHTTPRequestHandler):
    """A web server that answers every request with one status."""

    status = HTTPStatus.OK

    def do_GET(self) -> None:
        self.send_response(self.status)
        if self.status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Basic realm=x")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (HTTPStatus.UNAUTHORIZED, RemoteRefused, "credentials"),
        (HTTPStatus.FORBIDDEN, RemoteRefused, "`contents: write`"),
        (HTTPStatus.NOT_FOUND, RemoteRefused, "looks absent too"),
        (HTTPStatus.BAD_GATEWAY, ToolError, "network"),
    ],
)
def test_what_a_web_server_says_becomes_a_hint(
    remote: Remote, status: HTTPStatus, kind: type[ToolError], hint: str
) -> None:
    handler = type("Handler", (Answering,), {"status": status})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        there = Remote(remote.git, f"http://127.0.0.1:{server.server_port}/x.git")
        with pytest.raises(ToolError) as raised:
            there.tip("main")
        server.shutdown()
    assert type(raised.value) is kind
    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        ("git@host: Permission denied (publickey).", RemoteRefused, "credentials"),
        ("Host key verification failed.", RemoteRefused, "credentials"),
        ("ERROR: Repository not found.", RemoteRefused, "looks absent too"),
        ("ssh: connect to host x port 22: Connection timed out", ToolError, "network"),
        ("kex_exchange_identification: Connection closed by remote host", ToolError, "network"),
    ],
)
def test_what_ssh_says_becomes_a_hint(
    remote: Remote,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    kind: type[ToolError],
    hint: str,
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", f"sh -c 'echo \"{said}\" >&2; exit 255'")
    with pytest.raises(ToolError, match=r"the remote 'git@host:x\.git'") as raised:
        Remote(remote.git, "git@host:x.git").tip("main")
    assert type(raised.value) is kind
    assert hint in raised.value.hint


def test_a_remote_that_does_not_answer_is_given_up(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Git started still runs then, and holds on to what it was given."""
    monkeypatch.setenv("GIT_SSH_COMMAND", "sh -c 'sleep 20'")
    with pytest.raises(ToolError, match="did not end within 1 seconds") as raised:
        run_git(remote.git.root, "ls-remote", "ssh://me:secret@host/x.git", seconds=1)
    assert "secret" not in raised.value.message
