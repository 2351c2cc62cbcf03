"""Entries, repositories and follower's reports for tests."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any, TypeVar

from mergeline.adapters.git import Git
from mergeline.ledger.chain import FIRST, line_of
from mergeline.ledger.entries import (
    BundlePart,
    Declared,
    Entry,
    Live,
    Promoted,
    Rejected,
    Release,
    Reviewed,
    RolledBack,
    Settled,
)
from mergeline.ledger.history import History

AnyEntry = TypeVar("AnyEntry", bound=Entry)
PROJECT, PRODUCTION = "credit-default", "production"
TIME = "2026-01-31T12:00:00Z"


def sha(name: str) -> str:
    """Return a digest that a name stands for."""
    return hashlib.sha256(name.encode()).hexdigest()


def commit_id(name: str) -> str:
    """Return a commit's id that a name stands for."""
    return sha(name)[:40]


def header(time: str = TIME) -> dict[str, Any]:
    return {"time": time, "project": PROJECT, "by": "run 77"}


def release(model: str, version: str, pull_request: int = 12) -> Release:
    return Release(
        project=PROJECT,
        version=version,
        key=sha(f"key {model}"),
        inputs=sha(f"inputs {model}"),
        model=sha(model),
        evidence=sha(f"evidence {model}"),
        commit=commit_id(f"main {version}"),
        tree=commit_id(f"tree {version}"),
        pull_request=pull_request,
    )


def reviewed(pull_request: int = 12, model: str = "A", **other: Any) -> Reviewed:
    parts = tuple(
        BundlePart(name=name, artifact=5, sha256=sha(name))
        for name in ("mergeline-evidence", "mergeline-model")
    )
    values: dict[str, Any] = {
        "commit": commit_id(f"head {pull_request}"),
        "tree": commit_id(f"tree {pull_request}"),
        "base": commit_id("base"),
        "inputs": sha(f"inputs {model}"),
        "model": sha(model),
        "evidence": sha(f"evidence {model}"),
        "key": sha(f"key {model}"),
        "outcome": "PASSED",
        "answer": "PROMOTE",
        "run": 77,
        "parts": parts,
        "head_repository": "owner/name",
        "comment": 9,
        "commented": TIME,
    }
    return Reviewed(**header(), pull_request=pull_request, **(values | other))


def promoted(model: str, version: str, position: str = "", **other: Any) -> Promoted:
    made = release(model, version, other.get("pull_request", 12))
    values: dict[str, Any] = {
        "environment": PRODUCTION,
        "reviewed": 1,
        "pull_request": 12,
        "author": "ada",
        "approvers": ("grace",),
        "outcome": "PASSED",
        "source": "reused",
        "position": position or made.commit,
    }
    return Promoted(**header(), release=made, **(values | other))


def rolled_back(to: Declared, replaces: Declared, **other: Any) -> RolledBack:
    values: dict[str, Any] = {
        "environment": to.environment,
        "replaces": replaces.release.version,
        "bars": replaces.release.model,
        "reason": "complaints",
        "main": commit_id("main"),
        "position": commit_id("position"),
    }
    return RolledBack(**header(), release=to.release, **(values | other))


def live(declared: Declared, **other: Any) -> Live:
    return Live(
        **header(),
        environment=declared.environment,
        of=declared.number,
        version=declared.release.version,
        model=declared.release.model,
        position=declared.position,
        since=TIME,
        **other,
    )


def rejected(declared: Declared, reason: str = "row 3 scores 0.4 instead of 0.7") -> Rejected:
    return Rejected(
        **header(),
        environment=declared.environment,
        of=declared.number,
        version=declared.release.version,
        model=declared.release.model,
        reason=reason,
    )


def settled(position: str, pull_request: int = 13, **other: Any) -> Settled:
    values: dict[str, Any] = {"environment": PRODUCTION, "answer": "ALREADY_LIVE"}
    return Settled(
        **header(),
        pull_request=pull_request,
        approvers=("grace",),
        position=position,
        **(values | other),
    )


class Book:
    """A history that is written entry by entry, numbered as in a ledger."""

    def __init__(self) -> None:
        self.history = History()

    def add(self, entry: AnyEntry) -> AnyEntry:
        """Append an entry and return it as it stands there."""
        assert self.history.objection(entry) == ""
        number = len(self.history.entries) + 1
        placed = entry.model_copy(update={"number": number})
        self.history = History((*self.history.entries, placed))
        return placed

    def goes_live(self, declared: AnyEntry) -> AnyEntry:
        """Declare a release and report it live; return the declaration."""
        placed = self.add(declared)
        self.add(live(placed))
        return placed


def chained(*entries: Entry) -> bytes:
    """Return entries as a ledger's file."""
    lines: list[str] = []
    previous = FIRST
    for number, entry in enumerate(entries, start=1):
        placed = entry.model_copy(update={"number": number, "previous": previous})
        lines.append(line_of(placed))
        previous = hashlib.sha256(lines[-1].encode()).hexdigest()
    return "".join(f"{line}\n" for line in lines).encode()


def git(root: Path, *arguments: str, given: bytes = b"") -> str:
    """Run Git and return what it prints."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, check=True, capture_output=True, input=given
    )
    return done.stdout.decode().strip()


def bare(folder: Path) -> Path:
    """Make a bare repository to push to."""
    git(folder.parent, "init", "-q", "--bare", "-b", "main", os.fspath(folder))
    return folder


def clone(origin: Path, folder: Path, *options: str) -> Git:
    """Clone a repository."""
    git(folder.parent, "clone", "-q", *options, origin.as_uri(), os.fspath(folder))
    return Git(folder)


def commit(root: Path, name: str, content: str = "x\n", message: str = "") -> str:
    """Commit a file in a working tree and return the commit's id."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content)
    git(root, "add", "-A")
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    git(root, *who, "commit", "-q", "-m", message or name)
    return git(root, "rev-parse", "HEAD")
