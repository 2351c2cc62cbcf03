"""Canonical form: a model saved twice has the same bytes.

A skops file names its arrays by memory address and its zip members carry the time of
writing; an MLflow model directory holds a random id, the time, pip's version and the
patch version of Python. None of that belongs to the model.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mergeline.core.digest import sha256, tree_digest

_EPOCH = (1980, 1, 1, 0, 0, 0)
_SCHEMA = "schema.json"
# An attribute of scikit-learn's vectorizers of text: where in memory something lay.
_ADDRESS = "_stop_words_id"


def canonical_skops(data: bytes) -> bytes:
    """Return a skops file with ids and member names in order of appearance.

    Args:
        data: The bytes of a skops file.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        schema = json.loads(source.read(_SCHEMA))
        members = {name: source.read(name) for name in source.namelist() if name != _SCHEMA}
    ids: dict[int, int] = {}
    files: dict[str, str] = {}
    _renumber(schema, ids, files)
    renamed = {files[name]: members[name] for name in files}
    renamed[_SCHEMA] = json.dumps(schema, separators=(",", ":")).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for name in sorted(renamed):
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.create_system = 3
            info.external_attr = 0o644 << 16
            target.writestr(info, renamed[name])
    return buffer.getvalue()


def _renumber(root: Any, ids: dict[int, int], files: dict[str, str]) -> None:
    """Walk the schema in document order; iterative, as trees can be deep."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if isinstance(node.get("__id__"), int):
                node["__id__"] = ids.setdefault(node["__id__"], len(ids))
            if isinstance(node.get("file"), str):
                suffix = Path(node["file"]).suffix
                node["file"] = files.setdefault(node["file"], f"{len(files):06d}{suffix}")
            if isinstance(node.get(_ADDRESS), dict):
                node[_ADDRESS]["content"] = "0"
            stack.extend(reversed(list(node.values())))
        elif isinstance(node, list):
            stack.extend(reversed(node))


def model_digest(files: Mapping[str, bytes]) -> str:
    """Return M of the files of a model directory, by path relative to it."""
    return tree_digest((name, sha256(data)) for name, data in files.items())


def directory_digest(folder: Path) -> str:
    """Return M: the digest of every file under a model directory, by path and SHA-256."""
    return tree_digest(
        (path.relative_to(folder).as_posix(), sha256(path.read_bytes()))
        for path in folder.rglob("*")
        if path.is_file()
    )


def directory_bytes(folder: Path) -> int:
    """Return the size of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
