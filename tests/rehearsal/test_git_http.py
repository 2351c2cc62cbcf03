"""Git over HTTP: clone, push, fetch by id, with and without the right to."""

from pathlib import Path

import pytest

from mergeline.rehearsal import Rehearsal

from .clients import Clone


def address(hub: Rehearsal, token: str | None) -> str:
    return hub.clone_url.replace("://", f"://x-access-token:{token}@" if token else "://")


def over_http(folder: Path, hub: Rehearsal, token: str | None) -> Clone:
    return Clone.make(folder, address(hub, token))


def test_clone_push_and_pull_request(hub: Rehearsal, clone: Clone, tmp_path: Path) -> None:
    other = over_http(tmp_path / "other", hub, hub.token("ann"))
    other.branch("topic")
    text = "".join(f"{number}\n" for number in range(400_000))  # more than one chunk
    head = other.commit("large.txt", text, push="topic")
    assert hub.repo.git.tip("topic") == head
    number = hub.open_pull("topic", login="ann")
    other.git("fetch", "-q", "origin", f"refs/pull/{number}/merge")
    other.git("fetch", "-q", "--depth=1", "origin", head)  # as actions/checkout does
    assert [(one.path, one.login, one.body) for one in hub.writes] == [
        ("/acme/credit.git/git-receive-pack", "ann", None)
    ]


def test_who_may_only_read_cannot_push(hub: Rehearsal, clone: Clone, tmp_path: Path) -> None:
    main = hub.repo.git.tip("main")
    scoped = hub.token("github-actions[bot]", "write", {"statuses": "write"})
    for place, token in enumerate((hub.token("ann", "read"), scoped, None, "unknown")):
        reader = over_http(tmp_path / f"{place}", hub, token)
        reader.commit("mine.txt", "m\n")
        said = reader.git("push", "--force", "origin", "HEAD:main", check=False)
        assert "403" in said or "could not read Username" in said or "Authentication" in said
    assert hub.repo.git.tip("main") == main


@pytest.mark.parametrize("private", [False, True])
def test_a_public_repository_is_read_without_a_token(tmp_path: Path, private: bool) -> None:
    with Rehearsal.start(tmp_path / "hub", private=private) as hub:
        Clone.make(tmp_path / "clone", hub.remote).commit("README", "hello\n", push="main")
        said = over_http(tmp_path / "other", hub, None).git("fetch", "origin", check=False)
        assert ("could not read Username" in said) is private
        with_token = over_http(tmp_path / "third", hub, hub.token("acme"))
        assert with_token.log() == ["Change README"]
        stranger = over_http(tmp_path / "fourth", hub, hub.token("stranger"))
        said = stranger.git("fetch", "origin", check=False)
        assert ("not found" in said) is private


def test_a_push_that_is_struck_after_it_was_done(
    hub: Rehearsal, clone: Clone, tmp_path: Path
) -> None:
    other = over_http(tmp_path / "other", hub, hub.token("ann"))
    other.branch("topic")
    hub.fault("POST", "*/git-receive-pack", "close", after=True)
    (other.folder / "a.txt").write_text("a\n")
    other.git("add", ".")
    other.git("commit", "-q", "-m", "a")
    other.git("push", "origin", "HEAD:topic", check=False)
    assert hub.repo.git.tip("topic") == other.git("rev-parse", "HEAD")
