"""DATA_UNAVAILABLE: whose run it is, and what to do now."""

import json
from pathlib import Path
from typing import Any

import pytest

from mergeline.check.unavailable import Origin, origin_of, unavailable
from mergeline.core.answers import Name
from mergeline.errors import DataUnavailable


def event(folder: Path, **request: Any) -> dict[str, str]:
    path = folder / "event.json"
    path.write_text(json.dumps({"pull_request": request}))
    return {"GITHUB_EVENT_PATH": str(path), "GITHUB_REF": "refs/pull/7/merge"}


def side(name: str) -> dict[str, Any]:
    return {"repo": {"full_name": name}}


def error(kind: str = "refused") -> DataUnavailable:
    said = "the data x.csv cannot be had: refused"
    return DataUnavailable(said, hint="give a credential", kind=kind)


class TestOrigin:
    def test_a_branch(self, tmp_path: Path) -> None:
        environ = event(tmp_path, number=7, head=side("Acme/credit"), base=side("acme/credit"))
        assert origin_of(environ) == Origin(fork=False, pull_request=7)

    def test_a_fork(self, tmp_path: Path) -> None:
        environ = event(tmp_path, number=7, head=side("eve/credit"), base=side("acme/credit"))
        assert origin_of(environ) == Origin(fork=True, pull_request=7)

    def test_a_fork_that_was_deleted(self, tmp_path: Path) -> None:
        environ = event(tmp_path, number=7, head={"repo": None}, base=side("acme/credit"))
        assert origin_of(environ) == Origin(fork=True, pull_request=7)

    @pytest.mark.parametrize("ref", ["refs/heads/main", "refs/pull/x/merge", "refs/pull/7/merge;x"])
    def test_elsewhere(self, ref: str) -> None:
        assert origin_of({"GITHUB_REF": ref}) == Origin()

    def test_an_event_of_another_kind(self, tmp_path: Path) -> None:
        environ = event(tmp_path)
        (tmp_path / "event.json").write_text('{"pull_request": [1]}')
        assert origin_of(environ) == Origin(pull_request=7)


def test_a_fork_is_started_by_a_maintainer() -> None:
    answer = unavailable(error(), Origin(fork=True, pull_request=7))
    assert (answer.name, answer.name.exit_code) == (Name.DATA_UNAVAILABLE, 4)
    assert answer.reason.startswith("The data x.csv cannot be had: refused. Nothing was run.")
    assert "run of a fork" in answer.reason
    command = "git fetch origin pull/7/head && git push origin FETCH_HEAD:refs/heads/from-fork/7"
    assert command in answer.next_step


def test_a_branch_needs_a_credential() -> None:
    answer = unavailable(error(), Origin(pull_request=7))
    assert "fork" not in answer.reason
    assert answer.next_step == "give a credential"


@pytest.mark.parametrize("kind", ["absent", "slow", "unreachable"])
def test_a_remote_that_does_not_answer_is_nobodys_fault(kind: str) -> None:
    answer = unavailable(error(kind), Origin(fork=True, pull_request=7))
    assert answer.next_step == "give a credential"
