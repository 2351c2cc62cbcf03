"""The entries of the ledger. One line of JSON each; a line holds the hash of the one before."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from mergeline.core.base import Frozen
from mergeline.core.plan import GateSeen
from mergeline.core.policy import Accept
from mergeline.core.verdict import OutcomeName

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
CommitId = Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]


def utc_now() -> str:
    """Return the time as the ledger writes it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(time: str) -> datetime:
    """Return a time of the ledger.

    Raises:
        ValueError: There is no such time.
    """
    return datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _existing(time: str) -> str:
    moment(time)
    return time


# UTC, ISO 8601 to the second: `2026-01-31T12:00:00Z`.
Time = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
    AfterValidator(_existing),
]
Number = Annotated[int, Field(ge=1)]


class Release(Frozen):
    """Which bytes are to be live: all that the follower needs to fetch and verify them.

    Attributes:
        version: In the registry, as MLflow numbers it.
        key: K. `inputs` is I, `model` M, `evidence` E.
        commit: On main; its tree is `tree`.
        trusted: Types beyond Mergeline's own list that the base's policy trusted.
    """

    project: str
    version: str
    key: Sha256
    inputs: Sha256
    model: Sha256
    evidence: Sha256
    commit: CommitId
    tree: CommitId
    pull_request: Number | None
    trusted: tuple[str, ...] = ()


class BundlePart(Frozen):
    """One artifact of the reviewed run, as the trusted job received it.

    Attributes:
        artifact: Its id at GitHub.
        sha256: Of the bytes received (the archive).
    """

    name: str
    artifact: Number
    sha256: Sha256


class Header(Frozen):
    """What every entry says.

    Attributes:
        number: 1, 2, 3, ...
        previous: SHA-256 of the line before, without its newline; 64 zeros for the first.
        by: Who appended: a user, or the run of a workflow.
    """

    schema_version: Literal[1] = 1
    number: Number = 1
    previous: Sha256 = "0" * 64
    time: Time
    project: str
    by: str


class Reviewed(Header):
    """A pull request's head was judged by the trusted job, and its comment exists.

    Or it was what a merge queue made of the head; then the comment is the head's.

    Attributes:
        commit: The head, or the commit of the queue's group; its tree is `tree`.
        base: The tip of main that it was judged against; of a group, what it is on.
        run: The GitHub run whose artifacts were read.
        head_repository: `owner/name` that the head lies in.
        head: Of a group: the pull request's head that it brings. None for a head itself.
        comment: The comment's id; `commented` is when it came to say this.
        held_out: Of the keys of the rows that it was judged on; None in older entries.
        gates: By name, as `ledger.seen` bounds them, by the rules in force; None in older entries.
    """

    kind: Literal["reviewed"] = "reviewed"
    pull_request: Number
    commit: CommitId
    tree: CommitId
    base: CommitId | None
    inputs: Sha256
    model: Sha256
    evidence: Sha256
    key: Sha256
    outcome: OutcomeName
    answer: str
    run: Number
    parts: tuple[BundlePart, ...]
    head_repository: str
    comment: Number
    commented: Time
    # Not written where it is None: such a line is what it was before there were groups.
    head: CommitId | None = Field(default=None, exclude_if=lambda head: head is None)
    # Nor is this: a line of before rows were counted is what it was.
    held_out: Sha256 | None = Field(default=None, exclude_if=lambda rows: rows is None)
    # Nor this: a line of before gates were kept is what it was.
    gates: dict[str, GateSeen] | None = Field(default=None, exclude_if=lambda seen: seen is None)


class Promoted(Header):
    """A merge declared what is to be live.

    Attributes:
        environment: Where.
        reviewed: The number of the `reviewed` entry that it rests on.
        pull_request: The one that was merged; `author` opened it.
        waivers: Gate, reason and owner of each that counted, as text.
        source: The reviewed bytes themselves, an equal rebuild, or the reviewed bytes
            after a rebuild that is equivalent.
        accepted: Commits since the position that the policy accepts by name.
        position: The commit of main.
    """

    kind: Literal["promoted"] = "promoted"
    environment: str
    release: Release
    reviewed: Number
    pull_request: Number
    author: str
    approvers: tuple[str, ...]
    outcome: OutcomeName
    waivers: tuple[str, ...] = ()
    source: Literal["reused", "rebuilt", "equivalent"]
    accepted: tuple[Accept, ...] = ()
    position: CommitId


class RolledBack(Header):
    """Somebody declared that an earlier release is to be live again.

    Attributes:
        release: The earlier one.
        replaces: The version that it replaces.
        bars: M of the release that it replaces: not promoted again unless reinstated.
        main: Main's tip at the time. What its policy reinstated before does not count.
        position: The line's position at the time; a rollback does not move it.
    """

    kind: Literal["rolled_back"] = "rolled_back"
    environment: str
    release: Release
    replaces: str
    bars: Sha256
    reason: Annotated[str, Field(min_length=1)]
    main: CommitId
    position: CommitId | None


class Live(Header):
    """The follower reported that a declared release answers requests.

    Attributes:
        of: The number of the `promoted` or `rolled_back` entry.
        position: As that entry has it. Only a promotion that is live moves the line.
        since: When it began to answer.
    """

    kind: Literal["live"] = "live"
    environment: str
    of: Number
    version: str
    model: Sha256
    position: CommitId | None
    since: Time


class Rejected(Header):
    """The follower reported that it kept what it had.

    Attributes:
        of: The number of the `promoted` or `rolled_back` entry.
    """

    kind: Literal["rejected"] = "rejected"
    environment: str
    of: Number
    version: str
    model: Sha256
    reason: str


class Settled(Header):
    """A merge that leaves what is live as it is, and moves the position."""

    kind: Literal["settled"] = "settled"
    environment: str
    answer: Literal["ALREADY_LIVE", "POLICY_ONLY"]
    pull_request: Number
    approvers: tuple[str, ...]
    accepted: tuple[Accept, ...] = ()
    position: CommitId


Declared = Promoted | RolledBack
Entry = Annotated[
    Reviewed | Promoted | RolledBack | Live | Rejected | Settled, Field(discriminator="kind")
]
ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
