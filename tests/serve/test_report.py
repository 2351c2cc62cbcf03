"""What is told follows from what is known, and is one printable line."""

from pathlib import Path

import pytest

from mergeline.core.verdict import Outcome
from mergeline.ledger.entries import Promoted, Release
from mergeline.serve.memory import Rejection
from mergeline.serve.report import (
    Answering,
    Outlook,
    Troubles,
    declared_file,
    one_line,
    report_of,
    standing_of,
)

TIME = "2026-11-21T12:00:00Z"


def declared(number: int) -> Promoted:
    release = Release(
        project="toy",
        version=str(number),
        key="a" * 64,
        inputs="b" * 64,
        model="c" * 64,
        evidence="d" * 64,
        commit="e" * 40,
        tree="f" * 40,
        pull_request=number,
    )
    return Promoted(
        number=number,
        time=TIME,
        project="toy",
        by="test",
        environment="production",
        release=release,
        reviewed=1,
        pull_request=number,
        author="somebody",
        approvers=(),
        outcome=Outcome.PASSED,
        source="reused",
        position="e" * 40,
    )


def answering(number: int) -> Answering:
    return Answering(number, declared_file(declared(number)), Path("folder"), TIME)


def outlook(**parts: object) -> Outlook:
    return Outlook(environment="production", **parts)  # type: ignore[arg-type]


REJECTION = Rejection(reason="it is worse", time=TIME)
# Name: what is known; state, actual, desired; the report's state, entry and serving.
CASES = {
    "nothing": (outlook(), ("empty", None, None), None),
    "first": (outlook(desired=declared(1)), ("empty", None, 1), None),
    "first, watched": (
        outlook(desired=declared(1), tried=answering(1)),
        ("trying", 1, 1),
        None,
    ),
    "live": (
        outlook(desired=declared(1), served=answering(1)),
        ("live", 1, 1),
        ("live", 1, 1),
    ),
    "behind": (outlook(desired=declared(2), served=answering(1)), ("behind", 1, 2), None),
    "watched": (
        outlook(desired=declared(2), served=answering(1), tried=answering(2)),
        ("trying", 2, 2),
        None,
    ),
    "the old one is wanted while the new one is watched": (
        outlook(desired=declared(1), served=answering(1), tried=answering(2)),
        ("trying", 2, 1),
        None,
    ),
    "rejected": (
        outlook(desired=declared(2), served=answering(1), rejection=REJECTION),
        ("rejected", 1, 2),
        ("rejected", 2, 1),
    ),
    "first, rejected": (
        outlook(desired=declared(1), rejection=REJECTION),
        ("rejected", None, 1),
        ("rejected", 1, None),
    ),
    "without a ledger": (outlook(served=answering(1)), ("live", 1, None), None),
}


@pytest.mark.parametrize("name", CASES)
def test_standing_and_report(name: str) -> None:
    known, (state, actual, desired), expected = CASES[name]
    standing = standing_of(known)
    shown = [item.entry if item else None for item in (standing.actual, standing.desired)]
    assert (standing.state, *shown) == (state, actual, desired)
    report = report_of(known)
    if expected is None:
        assert report is None
        return
    assert report is not None
    assert (report.state, report.entry, report.serving) == expected
    assert report.reason == (REJECTION.reason if report.state == "rejected" else "")
    assert (report.version, report.model) == (str(report.entry), "c" * 64)


def test_troubles_are_said_once_and_once_that_they_are_over() -> None:
    said: list[str] = []
    troubles = Troubles(said.append)
    for text in ("away", "away", "still away"):
        troubles.note("ledger", text)
    assert troubles.texts == ("ledger: still away",)
    troubles.over("ledger")
    troubles.over("ledger")
    assert said == ["ledger: away", "ledger: still away", "ledger: well again"]
    assert troubles.texts == ()


def test_a_reason_says_all_that_is_wrong() -> None:
    known = outlook(
        desired=declared(2), served=answering(1), rejection=REJECTION, troubles=("git: away",)
    )
    assert standing_of(known).reason == "it is worse git: away"
    assert "none" in standing_of(outlook()).reason


def test_what_others_say_is_one_printable_line() -> None:
    assert one_line("a\nb\x1b[31m\u202ec\td") == "a b [31m c d"
    assert len(one_line("x" * 5000)) == 1000
