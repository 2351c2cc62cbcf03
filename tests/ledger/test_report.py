"""The follower's report on its branch."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ledger.made import PRODUCTION, PROJECT, TIME, bare, clone, git, sha
from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.errors import RemoteRefused, ReportInvalid
from mergeline.ledger.report import FILE, FollowerReport, branch_of, read_report, write_report

BRANCH = "mergeline/follower/production"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    return bare(tmp_path / "origin.git")


@pytest.fixture
def follower(origin: Path, tmp_path: Path) -> Remote:
    return Remote(Git(bare(tmp_path / "follower.git")), str(origin))


@pytest.fixture
def reader(origin: Path, tmp_path: Path) -> Remote:
    return Remote(clone(origin, tmp_path / "reader"))


def report(**other: Any) -> FollowerReport:
    values: dict[str, Any] = {
        "project": PROJECT,
        "environment": PRODUCTION,
        "entry": 4,
        "version": "2",
        "model": sha("B"),
        "state": "live",
        "since": TIME,
        "time": TIME,
        "serving": 4,
    }
    return FollowerReport(**(values | other))


def test_without_a_branch_there_is_no_report(reader: Remote) -> None:
    assert branch_of(PRODUCTION) == BRANCH
    assert read_report(reader, PRODUCTION) is None


def test_a_report_takes_the_place_of_the_one_before(
    follower: Remote, reader: Remote, origin: Path
) -> None:
    write_report(follower, report())
    assert read_report(reader, PRODUCTION) == report()
    rejected = report(entry=6, state="rejected", reason="row 3: é \x1b[2J", serving=4)
    write_report(follower, rejected)
    write_report(follower, rejected)
    assert read_report(reader, PRODUCTION) == rejected
    assert git(origin, "rev-list", "--count", BRANCH) == "1"
    assert git(origin, "ls-tree", "-r", "--name-only", BRANCH) == FILE


def test_environments_have_branches_of_their_own(follower: Remote, reader: Remote) -> None:
    staging = report(environment="staging")
    write_report(follower, staging)
    assert read_report(reader, PRODUCTION) is None
    assert read_report(reader, "staging") == staging


@pytest.mark.parametrize(
    "name", ["EU production", "a:refs/heads/main", "..", "x.lock", ".x", "a~b^c", "x/../y", "ü@{1}"]
)
def test_an_environment_may_have_any_name(follower: Remote, reader: Remote, name: str) -> None:
    write_report(follower, report(environment=name))
    assert read_report(reader, name) == report(environment=name)
    assert reader.tip("main") is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "no such file"),
        (b"", "is no report"),
        (b"{}", "is no report"),
        (b"\xff\xfe", "is no report"),
        (json.dumps(report().as_json() | {"schema_version": 2}).encode(), "is no report"),
        (json.dumps(report().as_json() | {"serving": 0}).encode(), "is no report"),
        (json.dumps(report().as_json() | {"since": "yesterday"}).encode(), "is no report"),
        (json.dumps(report().as_json() | {"reason": "x" * 2001}).encode(), "is no report"),
        (json.dumps(report(environment="staging").as_json()).encode(), "speaks of 'staging'"),
        (b" " * 70_000, "70000 bytes"),
    ],
)
def test_what_is_no_report_is_said(
    reader: Remote, origin: Path, data: bytes | None, problem: str
) -> None:
    files = {"other": b"x"} if data is None else {FILE: data}
    made = Remote(Git(origin), str(origin)).commit_files(files, None, "x")
    git(origin, "update-ref", f"refs/heads/{BRANCH}", made)
    with pytest.raises(ReportInvalid, match=f"{FILE} on the branch {BRANCH}.*{problem}") as raised:
        read_report(reader, PRODUCTION)
    assert raised.value.message.isprintable()


def test_a_follower_that_may_not_push_is_told(follower: Remote, origin: Path) -> None:
    path = origin / "hooks/pre-receive"
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    with pytest.raises(RemoteRefused, match=BRANCH):
        write_report(follower, report())


def test_a_state_is_one_of_two() -> None:
    with pytest.raises(ValidationError):
        report(state="perhaps")
