"""The types that a skops file holds, from its schema alone: nothing is imported or built.

skops says the same with scikit-learn and joblib loaded. Here the archive and the schema are
read by the rules of zip and JSON alone, and what could be read in two ways is refused.
`skops_lists.json` holds what skops trusts by itself, by the node that it stands in.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mergeline.core.archive import Member, content, read_members
from mergeline.core.strict_json import read_json, shortened
from mergeline.model.skops_nodes import Node, odd, read_node
from mergeline.model.trust import TRUSTED_TYPES

_SCHEMA = "schema.json"
_MOST_SCHEMA = 128 * 1024 * 1024
_MOST_VALUES = 10_000_000
_MOST_FILES = 65_535
_DEEPEST = 200
_PROTOCOL = 2
# NumPy opens zip archives too, and gives what it does not know to pickle.
_ARRAY = b"\x93NUMPY"

_TREE = "sklearn.tree._tree.Tree"
# Where skops writes the types of our own list; the others of it are plain objects.
_PLACES = {
    "functools.partial": "PartialNode",
    "numpy.dtype": "DTypeNode",
    "scipy._lib.array_api_compat.numpy._aliases.asarray": "FunctionNode",
    "sklearn.feature_selection._mutual_info.mutual_info_classif": "FunctionNode",
    "sklearn.feature_selection._mutual_info.mutual_info_regression": "FunctionNode",
    "sklearn.feature_selection._univariate_selection.chi2": "FunctionNode",
    "sklearn.feature_selection._univariate_selection.f_classif": "FunctionNode",
    "sklearn.feature_selection._univariate_selection.f_regression": "FunctionNode",
    "sklearn.impute._iterative._ImputerTriplet": "TupleNode",
    "sklearn.utils._bunch.Bunch": "DictNode",
    "sklearn.utils.validation.check_array": "FunctionNode",
    _TREE: "TreeNode",
}
_OURS = {name: _PLACES.get(name, "ObjectNode") for name in TRUSTED_TYPES}


def untrusted_types(data: bytes) -> tuple[str, ...]:
    """Return the types that skops does not trust by itself, sorted, as skops names them.

    Args:
        data: The bytes of a skops file.

    Raises:
        ValueError: It is not what skops writes; the message says what was found.
    """
    members = {member.name: member for member in read_members(data, most=_MOST_FILES)}
    root = _schema(data, members)
    types, arrays, files = _walk(root)
    if strange := members.keys() ^ {_SCHEMA, *arrays, *files}:
        raise ValueError(f"members and schema do not fit: {shortened(min(strange))}")
    for name in arrays:
        start = members[name].start
        if data[start : start + len(_ARRAY)] != _ARRAY:
            raise ValueError(f"{name} is not an array of NumPy's")
    return tuple(sorted(types))


@cache
def trusted_by_skops() -> Mapping[str, frozenset[str]]:
    """Return the names that skops trusts by itself, by the node that they stand in."""
    lists = json.loads(Path(__file__).with_name("skops_lists.json").read_text())
    return {loader: frozenset(names) for loader, names in lists.items()}


def _schema(data: bytes, members: Mapping[str, Member]) -> Node:
    """Return the outermost node, whose protocol decides how skops reads all others."""
    for name, member in members.items():
        if member.size != member.compressed:
            raise ValueError(f"{shortened(name)} is compressed, expected as it is")
    if _SCHEMA not in members:
        raise ValueError(f"it has no {_SCHEMA}")
    if members[_SCHEMA].size > _MOST_SCHEMA:
        raise ValueError(f"its {_SCHEMA} has more than {_MOST_SCHEMA:,} bytes")
    raw = content(data, members[_SCHEMA])
    schema = read_json(raw, values=_MOST_VALUES, text=len(raw), deepest=_DEEPEST)
    protocol = schema.pop("protocol", None) if isinstance(schema, dict) else None
    if type(protocol) is not int or protocol != _PROTOCOL:
        raise odd(f"the protocol {shortened(protocol)}, expected {_PROTOCOL}")
    schema.pop("_skops_version", None)
    root: Node = schema
    return root


def _walk(root: Node) -> tuple[set[str], set[str], set[str]]:
    """Meet every node, also those that skops would take from its memory by their id.

    Iterative, as models are deep. Returns the types that skops does not trust by itself, the
    members that are arrays, and the other members.
    """
    types: set[str] = set()
    arrays: set[str] = set()
    files: set[str] = set()
    stack: list[Any] = [root]
    while stack:
        loader, name, inside = read_node(stack.pop())
        _require_place(loader, name)
        types |= {name} - trusted_by_skops()[loader]
        types |= set(inside.types) - trusted_by_skops()["bit_generators"]
        arrays |= _given(inside.array)
        files |= _given(inside.file)
        stack += inside.nodes
    return types, arrays, files


def _require_place(loader: str, name: str) -> None:
    """Refuse a trusted type in a node that would use it in another way."""
    if _OURS.get(name, loader) != loader:
        raise odd(f"{name} in a {loader}, expected in a {_OURS[name]}")
    # skops makes a tree of it whatever it is called.
    if loader == "TreeNode" and name != _TREE:
        raise odd(f"a TreeNode that calls itself {name}")


def _given(name: str | None) -> set[str]:
    return set() if name is None else {name}
