"""Lines of the ledger: what is read back, and everything that is not believed."""

import json
from typing import Any

import pytest

from ledger.made import chained, live, promoted, rejected, reviewed, rolled_back, settled
from mergeline.core.digest import canonical_json, sha256
from mergeline.errors import LedgerInvalid
from mergeline.ledger.chain import FIRST, last_hash, line_of, read_lines
from mergeline.ledger.entries import Entry
from mergeline.ledger.history import History

FIRST_RELEASE = promoted("A", "1")
SECOND_RELEASE = promoted("B", "2", pull_request=14)
ENTRIES: tuple[Entry, ...] = (
    reviewed(),
    FIRST_RELEASE,
    live(FIRST_RELEASE),
    SECOND_RELEASE,
    rejected(SECOND_RELEASE, reason='naïve \u2028 \N{SNOWMAN} \\ " line'),
    settled("a" * 40),
    rolled_back(to=FIRST_RELEASE, replaces=SECOND_RELEASE),
)
DATA = chained(*ENTRIES)
LINES = DATA.splitlines(keepends=True)


def changed(line: bytes, **values: Any) -> bytes:
    """Return a line with other values, in canonical form."""
    return canonical_json(json.loads(line) | values) + b"\n"


def test_every_kind_of_entry_is_read_back() -> None:
    history = read_lines(DATA)
    assert [type(entry) for entry in history.entries] == [type(entry) for entry in ENTRIES]
    assert [entry.number for entry in history.entries] == list(range(1, len(ENTRIES) + 1))
    assert history.entries[0].previous == FIRST
    assert [line_of(entry).encode() + b"\n" for entry in history.entries] == LINES
    assert read_lines(b"") == History()


def test_the_next_entry_holds_the_hash_of_the_last_line() -> None:
    assert last_hash(b"") == FIRST
    assert last_hash(DATA) == sha256(LINES[-1].rstrip(b"\n"))
    assert read_lines(DATA).entries[-1].previous == sha256(LINES[-2].rstrip(b"\n"))


CASES = {
    "tampered": (LINES[0], changed(LINES[1], author="mallory"), *LINES[2:]),
    "reordered": (LINES[0], LINES[2], LINES[1], *LINES[3:]),
    "one left out": (LINES[0], *LINES[2:]),
    "first left out": LINES[1:],
    "twice": (*LINES, LINES[-1]),
    "duplicated number": (*LINES, changed(LINES[-1], previous=last_hash(DATA))),
    "another chain": (*LINES, changed(LINES[-1], number=len(LINES) + 1)),
}


@pytest.mark.parametrize(
    ("case", "line", "problem"),
    [
        ("tampered", 3, "follows a line with the hash"),
        ("reordered", 2, "its number is 3"),
        ("one left out", 2, "its number is 3"),
        ("first left out", 1, "its number is 2"),
        ("twice", 8, "its number is 7"),
        ("duplicated number", 8, "its number is 7"),
        ("another chain", 8, "follows a line with the hash"),
    ],
)
def test_a_line_that_is_not_in_its_place_is_named(case: str, line: int, problem: str) -> None:
    with pytest.raises(LedgerInvalid, match=f"line {line} of the ledger.*{problem}"):
        read_lines(b"".join(CASES[case]))


LAST = LINES[-1]


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        (LAST[:-1], "it is cut"),
        (LAST[:40], "it is cut"),
        (LAST[:40] + b"\n", "not JSON"),
        (LAST.replace(b"complaints", b"compl\xff"), "not JSON in UTF-8"),
        (LAST.replace(b"complaints", b"\\ud800"), "not JSON in UTF-8"),
        (b"\xef\xbb\xbf" + LAST, "not JSON"),
        (LAST.decode().encode("utf-16-le"), "it is cut"),
        (b"\n", "not JSON"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (LAST.replace(b'"reason":', b'"reason": '), "not in canonical form"),
        (LAST.replace(b"\n", b"\r\n"), "not in canonical form"),
        (LAST.replace(b'{"bars"', b'{"bars":"x","bars"'), "not in canonical form"),
        (LAST.replace(b'"number":7', b'"number":7.0'), "it is no entry: .*number"),
        (changed(LAST, schema_version=True), "it is no entry: .*schema_version"),
        (changed(LAST, schema_version=0), "it is no entry: .*schema_version"),
        (b"7\n", "it is no entry"),
        (changed(LAST, kind="deleted"), "it is no entry: .*kind"),
        (changed(LAST, reason=""), "it is no entry: .*reason"),
        (changed(LAST, extra=1), "it is no entry: .*extra"),
        (changed(LAST, time="2026-02-30T12:00:00Z"), "it is no entry: .*time"),
        (changed(LAST, time="2026-02-20T12:00:00"), "it is no entry: .*time"),
        (changed(LAST, bars="A" * 64), "it is no entry: .*bars"),
    ],
)
def test_what_is_no_entry_is_refused(last: bytes, problem: str) -> None:
    with pytest.raises(LedgerInvalid, match=f"line (7|8) of the ledger.*{problem}"):
        read_lines(b"".join(LINES[:-1]) + last)


def test_an_outcome_of_another_kind_is_refused() -> None:
    for outcome in ("GREAT", 3, None):
        with pytest.raises(LedgerInvalid, match=r"line 1 .* it is no entry: reviewed\.outcome"):
            read_lines(changed(LINES[0], outcome=outcome))


def test_nothing_of_theirs_reaches_the_terminal() -> None:
    with pytest.raises(LedgerInvalid) as raised:
        read_lines(changed(LINES[0], **{"\x1b[2J\x1b]0;x\x07": 1}))
    assert raised.value.message.isprintable()


def test_trailing_lines_are_not_overlooked() -> None:
    with pytest.raises(LedgerInvalid, match="line 8"):
        read_lines(DATA + b"\n")
    with pytest.raises(LedgerInvalid, match=r"line 8 .* it is cut"):
        read_lines(DATA + b" ")


def test_an_entry_of_a_newer_version_asks_for_an_update() -> None:
    newer = changed(LAST, schema_version=2, kind="audited", about="something new")
    with pytest.raises(LedgerInvalid, match=r"line 7 .* schema_version is 2; .* reads 1") as raised:
        read_lines(b"".join(LINES[:-1]) + newer)
    assert "update Mergeline" in raised.value.hint
