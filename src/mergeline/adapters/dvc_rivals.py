"""Entries of a remote's run-cache that say another result of the very same inputs.

Imports DVC: import this where needed.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mergeline.config.document import read_document
from mergeline.errors import ConfigError

_LARGEST_ENTRY = 1024 * 1024
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


@dataclass(frozen=True)
class Rivals:
    """What lies beside an entry, under the same key.

    Attributes:
        whole: The name of one whose outputs are all there; empty without one.
        broken: Paths of those that cannot be read, or whose outputs are not all there.
    """

    whole: str
    broken: tuple[str, ...]


def rivals(odb: Any, fs: Any, target: str, entry: Path) -> Rivals:
    """Look for other results of an entry's inputs.

    Args:
        odb: The remote's objects.
        fs: Where its entries are.
        target: The entry's path there, whether it is there or not.
        entry: The same in our cache.

    Raises:
        Exception: The remote cannot be asked; each kind has errors of its own.
    """
    ours = _outputs(entry.read_bytes())
    whole, broken = "", []
    for path in _beside(fs, target):
        theirs = _outputs(_read(fs, path, _LARGEST_ENTRY))
        if theirs == ours:
            continue
        if theirs and all(_is_whole(odb, md5) for md5 in theirs.values()):
            whole = fs.name(path)
        else:
            broken.append(path)
    return Rivals(whole, tuple(broken))


def _beside(fs: Any, target: str) -> list[str]:
    try:
        return [path for path in sorted(fs.find(fs.parent(target))) if path != target]
    except FileNotFoundError:
        return []


def _outputs(data: bytes) -> Mapping[str, str]:
    """Return what an entry says, by path; nothing where it cannot be read."""
    try:
        document = read_document(data.decode(errors="replace"), origin="an entry").data
        return {str(out["path"]): str(out["md5"]) for out in document["outs"]}
    except (ConfigError, KeyError, TypeError):
        return {}


def _is_whole(odb: Any, md5: str) -> bool:
    """Return whether an object is there, and of a folder all that is in it."""
    if not _is_there(odb, md5):
        return False
    if not md5.endswith(".dir"):
        return True
    return all(_is_there(odb, each) for each in _listed(_read(odb.fs, odb.oid_to_path(md5))))


def _is_there(odb: Any, md5: str) -> bool:
    if not _MD5.fullmatch(md5):
        return False
    try:
        odb.fs.info(odb.oid_to_path(md5))  # `exists` says no of a remote that does not answer
    except FileNotFoundError:
        return False
    return True


def _listed(data: bytes) -> Iterator[str]:
    """Yield the addresses that the list of a folder holds; an empty one where it is none."""
    try:
        yield from [str(each["md5"]) for each in json.loads(data)]
    except (ValueError, KeyError, TypeError):
        yield ""


def _read(fs: Any, path: str, most: int | None = None) -> bytes:
    """Return a file's bytes; none of one that is larger than that."""
    if most is not None and (fs.info(path).get("size") or 0) > most:
        return b""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "file")
        fs.get_file(path, os.fspath(file))
        return file.read_bytes()
