"""GitHub's JSON, read: what is missing, null, or of another type."""

from typing import Any

import pytest
from pydantic import ValidationError

from mergeline.adapters.github_types import Account, Comment, Pull, PullCommit, Role, Run

SHA = "a" * 40
PULL: dict[str, Any] = {
    "number": 7,
    "title": "T",
    "user": {"login": "ann", "id": 1},
    "state": "open",
    "merged_at": None,
    "merge_commit_sha": "b" * 40,
    "base": {"ref": "main"},
    "head": {"ref": "x", "sha": SHA, "repo": {"full_name": "eve/r"}},
    "created_at": "2026-11-20T10:00:00Z",
    "unheard_of": {},
}


def test_a_pull_request_of_a_deleted_account_and_fork() -> None:
    pull = Pull.read(PULL | {"user": None, "head": PULL["head"] | {"repo": None}})
    assert (pull.author, pull.head_repository, pull.head_ref) == (None, None, "x")


def test_a_trial_merge_is_no_merge_commit() -> None:
    assert Pull.read(PULL).merge_commit is None
    merged = Pull.read(PULL | {"state": "closed", "merged_at": "2026-11-20T11:00:00Z"})
    assert (merged.merged, merged.merge_commit) == (True, "b" * 40)


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": "7"},
        {"state": "ajar"},
        {"head": {"ref": "x", "sha": "--upload-pack=evil"}},
        {"head": {"ref": "x"}},
        {"base": None},
        {"created_at": "yesterday"},
        {"created_at": "2026-11-20T10:00:00"},
        {"title": None},
        {"merge_commit_sha": "HEAD"},
    ],
    ids=str,
)
def test_what_is_no_pull_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Pull.read(PULL | change)


def test_times_are_in_utc_to_the_second() -> None:
    pull = Pull.read(PULL | {"created_at": "2026-11-20T10:00:00.123+02:00"})
    assert pull.created == "2026-11-20T08:00:00Z"


def test_a_commit_whose_author_has_no_account() -> None:
    data = {
        "sha": SHA,
        "author": {},
        "committer": None,
        "commit": {"author": {"name": "A", "email": "a@b"}, "message": "m\n\nCo-authored-by: x"},
    }
    commit = PullCommit.read(data)
    assert (commit.author, commit.committer) == (None, None)
    assert commit.message.endswith("Co-authored-by: x")


def test_a_run_without_branch_or_repository() -> None:
    data = {
        "id": 1,
        "head_sha": SHA,
        "head_branch": None,
        "head_repository": None,
        "event": "push",
        "created_at": "2026-11-20T10:00:00Z",
        "status": "queued",
        "conclusion": None,
        "run_attempt": 2,
    }
    run = Run.read(data)
    assert (run.head_branch, run.head_repository, run.conclusion, run.attempt) == (
        None,
        None,
        None,
        2,
    )


def test_a_comment_is_as_it_was_written() -> None:
    data = {
        "id": 1,
        "user": None,
        "body": "a\r\n\x1b",
        "created_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-20T11:00:00Z",
        "html_url": "https://example.org/1",
    }
    comment = Comment.read(data)
    assert (comment.user, comment.body, comment.updated[11:]) == (None, "a\r\n\x1b", "11:00:00Z")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"permission": "write", "role_name": "maintain"}, "maintain"),
        ({"permission": "read", "role_name": "triage"}, "triage"),
        ({"permission": "write", "role_name": "security-champion"}, "write"),
        ({"permission": "read", "role_name": "maintain"}, "read"),
        ({"permission": "admin"}, "admin"),
    ],
)
def test_the_more_exact_role_counts(data: dict[str, str], expected: str) -> None:
    assert Role.read(data).best() == expected


def test_a_role_that_github_does_not_know_is_refused() -> None:
    with pytest.raises(ValidationError):
        Role.read({"permission": "owner", "role_name": "admin"})


def test_names_and_addresses_may_be_private() -> None:
    account = Account.read({"login": "ann", "name": None, "email": None})
    assert (account.name, account.email) == ("", "")
    with pytest.raises(ValidationError):
        Account.read({"login": "ann", "name": 7})
