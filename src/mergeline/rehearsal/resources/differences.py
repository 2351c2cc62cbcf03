"""The files that two commits differ in, as GitHub lists them."""

import re
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import quote

from mergeline.rehearsal.answers import Json
from mergeline.rehearsal.calls import Call
from mergeline.rehearsal.repository import NOTHING, Repository
from mergeline.rehearsal.resources.repos import repo_page, repo_url

_WORDS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied"}


@dataclass(frozen=True)
class Change:
    """A file that differs.

    Attributes:
        before: The name that it had, when it was renamed.
        sha: The file's object; of a removed one the object that it was.
        patch: The difference; None when the file is not text.
    """

    name: str
    before: str | None
    status: str
    sha: str
    added: int
    deleted: int
    patch: str | None


def changes(git: Repository, before: str | None, after: str) -> list[Change]:
    """Return the files that differ between two commits, by name.

    Args:
        git: Where they are.
        before: The older; None stands for nothing at all.
        after: The newer.
    """
    base = before or git.text("hash-object", "-t", "tree", "-w", "/dev/null")
    arguments = ("diff-tree", "-r", "-M", "--no-ext-diff", "--full-index")
    raw = git.text(*arguments, "--raw", "-z", base, after, strip=False)
    counts = git.text(*arguments, "--numstat", "-z", base, after, strip=False)
    patches = _patches(git.text(*arguments, "--patch", base, after, strip=False))
    files = _raw(raw)
    if len(patches) != len(files):  # a file that became a link has two
        patches = [None] * len(files)
    return [
        Change(names[-1], names[0] if len(names) > 1 else None, status, sha, added, deleted, patch)
        for (status, sha, names), (added, deleted), patch in zip(
            files, _numbers(counts), patches, strict=True
        )
    ]


def show_change(call: Call, commit: str, change: Change) -> Json:
    """Write a file that differs."""
    path = quote(change.name)
    html = repo_page(call, call.repo)
    body: Json = {
        "sha": change.sha,
        "filename": change.name,
        "status": change.status,
        "additions": change.added,
        "deletions": change.deleted,
        "changes": change.added + change.deleted,
        "blob_url": f"{html}/blob/{commit}/{path}",
        "raw_url": f"{html}/raw/{commit}/{path}",
        "contents_url": f"{repo_url(call, call.repo)}/contents/{path}?ref={commit}",
    }
    if change.patch is not None:
        body["patch"] = change.patch
    return body | ({"previous_filename": change.before} if change.before else {})


def _raw(text: str) -> list[tuple[str, str, list[str]]]:
    fields = iter(text.split("\0"))
    found = []
    for about in filter(None, fields):
        _, _, old, new, status = about.split()
        names = [next(fields) for _ in range(2 if status[0] in "RC" else 1)]
        sha = old if new == NOTHING else new
        found.append((_WORDS.get(status[0], "changed"), sha, names))
    return found


def _numbers(text: str) -> list[tuple[int, int]]:
    fields = iter(text.split("\0"))
    found = []
    for about in filter(None, fields):
        added, deleted, name = about.split("\t", 2)
        if not name:  # renamed: both names follow
            next(fields), next(fields)
        found.append((0 if added == "-" else int(added), 0 if deleted == "-" else int(deleted)))
    return found


def _patches(text: str) -> list[str | None]:
    """Return what stands below each file's header, from the first `@@`."""
    starts = [one.start() for one in re.finditer("^diff --git ", text, re.MULTILINE)]
    parts = [text[start:end] for start, end in pairwise([*starts, len(text)])]
    found = (re.search("^@@ ", part, re.MULTILINE) for part in parts)
    pairs = zip(parts, found, strict=True)
    return [part[at.start() :].rstrip("\n") if at else None for part, at in pairs]
