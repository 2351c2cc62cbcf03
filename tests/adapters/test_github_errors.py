"""Answers that are no help, put into words."""

import json
import time
from typing import Any

import pytest

from mergeline.adapters.github_errors import Asked, Said, no_answer, refusal

ASKED = Asked("POST", "/repos/o/r/issues/1/comments", "pull-requests: write", "a.yml")


def said(status: int, body: Any = None, **headers: str) -> Said:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(status, named, body if isinstance(body, str) else json.dumps(body))


def test_what_github_says_is_one_bounded_printable_line() -> None:
    hostile = "\x1b[2J\u202eno\r\n" + "x" * 5000
    error = refusal(ASKED, said(400, {"message": hostile}))
    assert error.message.isprintable()
    assert "\\u001b[2J\\u202eno" in error.message
    assert len(error.message) < 400


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([{"message": "body is too long"}], "Validation Failed; body is too long"),
        (
            [{"resource": "Status", "field": "state", "code": "invalid"}],
            "Validation Failed; Status state invalid",
        ),
        (["No commit found"], "Validation Failed; No commit found"),
        ([{"message": str(each)} for each in range(9)], "Validation Failed; 0; 1; 2; 3; 4"),
        ("not a list", "Validation Failed"),
    ],
)
def test_details_of_a_422_are_told(errors: Any, expected: str) -> None:
    answer = said(422, {"message": "Validation Failed", "errors": errors})
    assert answer.message() == expected


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", "[" * 100_000, '["a"]', "7"])
def test_a_body_that_is_no_message_gives_the_status_in_words(body: str) -> None:
    assert said(502, body).message() == "Bad Gateway"
    assert said(599, body).message() == "no message"


@pytest.mark.parametrize(
    ("answer", "least", "most"),
    [
        (said(503), 0, 0),
        (said(501), None, None),
        (said(404), None, None),
        (said(403), None, None),
        (said(403, {"message": "You have exceeded a secondary rate limit."}), 0, 0),
        (said(429), 0, 0),
        (said(429, retry_after="7"), 7, 7),
        (said(503, retry_after="7"), 7, 7),
        (said(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), 0, 0),
        (said(429, retry_after="-5"), 0, 0),
        (said(429, retry_after="9" * 400), 0, 0),
    ],
)
def test_when_it_may_be_asked_again(answer: Said, least: float | None, most: float | None) -> None:
    assert answer.wait() == least == most


def test_the_hourly_limit_ends_at_a_time_that_is_told() -> None:
    reset = str(int(time.time()) + 600)
    answer = said(403, {"message": "API rate limit exceeded"}, x_ratelimit_remaining="0")
    assert answer.wait() == 0, "without a time the one who asks chooses it"
    answer = said(403, x_ratelimit_remaining="0", x_ratelimit_reset=reset)
    wait = answer.wait()
    assert wait is not None
    assert 500 < wait <= 600
    error = refusal(ASKED, answer)
    assert "limit of requests is reached (403); run it again after 20" in error.hint
    assert not error.unclear


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "GITHUB_TOKEN of a.yml"),
        (403, "add `pull-requests: write` to the `permissions:` of a.yml"),
        (403, "a run that a fork's pull request starts never has it"),
        (404, "GITHUB_REPOSITORY"),
        (404, "`pull-requests: write` in the `permissions:` of a.yml"),
        (410, "expire"),
        (422, "mend that"),
        (422, "nothing is wrong with `pull-requests: write` in a.yml"),
        (429, "nothing is wrong with `pull-requests: write` in a.yml"),
        (307, "renamed"),
        (503, "trouble"),
        (418, "GITHUB_API_URL"),
    ],
)
def test_every_status_has_a_hint_that_says_what_to_change(status: int, hint: str) -> None:
    error = refusal(ASKED, said(status))
    assert hint in error.hint
    assert error.status == status
    assert f"GitHub answered {status} to POST /repos/o/r/issues/1/comments: " in error.message


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("Unable to create comment because issue is locked.", "unlock the conversation"),
        ("Repository was archived so is read-only.", "unarchive"),
    ],
)
def test_what_no_permission_changes(message: str, hint: str) -> None:
    found = refusal(ASKED, said(403, {"message": message})).hint
    assert hint in found
    assert "permissions:" not in found


def test_what_a_fork_may_as_well_says_nothing_of_forks() -> None:
    asked = Asked("GET", "/repos/o/r/pulls", "pull-requests: read", "a.yml")
    assert "fork" not in refusal(asked, said(403)).hint


def test_the_innermost_cause_is_told() -> None:
    inner = ConnectionRefusedError(111, "Connection refused")
    outer = RuntimeError("https://host/?secret=1", RuntimeError("Max retries", inner))
    error = no_answer(ASKED, outer, 10)
    assert error.message == (
        "GitHub did not answer POST /repos/o/r/issues/1/comments: Connection refused"
    )
    assert error.unclear
