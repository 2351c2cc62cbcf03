"""Entries as lines of canonical JSON, each with the SHA-256 of the line before."""

import json

from pydantic import ValidationError

from mergeline.config.problem import printable
from mergeline.core.digest import canonical_json, sha256
from mergeline.errors import LedgerInvalid, first_line
from mergeline.ledger.entries import ENTRY, Entry
from mergeline.ledger.history import History

FIRST = "0" * 64  # what the first entry holds in the place of a hash
_SCHEMA = 1
_LONGEST = 300


def line_of(entry: Entry) -> str:
    """Return an entry as its line, without the newline."""
    return canonical_json(entry.as_json()).decode()


def last_hash(data: bytes) -> str:
    """Return what the entry after these lines holds as `previous`."""
    return sha256(data.rstrip(b"\n").rsplit(b"\n", 1)[-1]) if data else FIRST


def read_lines(data: bytes) -> History:
    """Return the entries of a ledger's file, every one verified.

    Raises:
        LedgerInvalid: A line is not an entry, not in its place, or not what the next
            one holds the hash of.
    """
    if data and not data.endswith(b"\n"):
        number = data.count(b"\n") + 1
        raise _invalid(number, "it is cut: there is no newline at its end")
    entries: list[Entry] = []
    previous = FIRST
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        entries.append(_entry(number, line, previous))
        previous = sha256(line)
    return History(tuple(entries))


def _entry(number: int, line: bytes, previous: str) -> Entry:
    try:
        value = json.loads(line.decode())
        canonical = canonical_json(value)
    except (ValueError, RecursionError) as error:
        problem = "it is not JSON in UTF-8: " + printable(first_line(error))
        raise _invalid(number, problem) from error
    schema = value.get("schema_version") if isinstance(value, dict) else None
    if type(schema) is int and schema > _SCHEMA:
        problem = f"its schema_version is {schema}; this version of Mergeline reads {_SCHEMA}"
        raise _invalid(number, problem, hint="update Mergeline: a newer one wrote this entry")
    if type(schema) is not int or schema != _SCHEMA:  # True equals 1 elsewhere
        raise _invalid(number, f"it is no entry: schema_version is not {_SCHEMA}")
    if canonical != line:
        raise _invalid(number, "it is not in canonical form, in which Mergeline writes")
    try:
        entry = ENTRY.validate_json(line)
    except ValidationError as error:
        raise _invalid(number, f"it is no entry: {_first(error)}") from error
    if entry.number != number:
        raise _invalid(number, f"its number is {entry.number}")
    if entry.previous != previous:
        raise _invalid(
            number,
            f"it follows a line with the hash {entry.previous[:12]}, "
            f"but the line before has {previous[:12]}",
        )
    return entry


def _first(error: ValidationError) -> str:
    """Return the first thing that is wrong with an entry."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return printable(f"{'.'.join(map(str, found['loc']))}: {found['msg']}")[:_LONGEST]


def _invalid(number: int, problem: str, *, hint: str = "") -> LedgerInvalid:
    return LedgerInvalid(
        f"line {number} of the ledger cannot be believed: {problem}",
        hint=hint or "find out who changed the ledger's branch, then push its last good commit",
    )
