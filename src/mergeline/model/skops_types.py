"""The types that a skops file holds, from its schema alone: nothing is imported or built.

skops says the same with scikit-learn and joblib loaded. Here the archive and the schema are
read by the rules of zip and JSON alone, and what could be read in two ways is refused.
`skops_lists.json` holds what skops trusts by itself, by the node that it stands in.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mergeline.core.archive import Member, content, read_members
from mergeline.core.strict_json import read_json, shortened
from mergeline.model.skops_nodes import Node, odd, read_node, type_name
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
# What a stand-in keeps beside texts, numbers and bytes.
_LISTS = ("ListNode", "NdArrayNode")
# Stand-ins for models of other libraries: what they keep is read by those.
_STAND_INS = ("mergeline.model.boosted.", "mergeline.model.onnx.")


@dataclass(frozen=True)
class StandIn:
    """A stand-in for a model of another library, as the file has it.

    Attributes:
        kind: Its type.
        state: What it keeps, by name: texts and numbers, and bytes of members.
    """

    kind: str
    state: Mapping[str, Any]


@dataclass(frozen=True)
class Held:
    """What a skops file holds.

    Attributes:
        types: Those that skops does not trust by itself, sorted, as skops names them.
        stand_ins: Those that keep something.
    """

    types: tuple[str, ...]
    stand_ins: tuple[StandIn, ...]


def untrusted_types(data: bytes) -> tuple[str, ...]:
    """Return the types that skops does not trust by itself, sorted, as skops names them.

    Raises:
        ValueError: As `read_skops`.
    """
    return read_skops(data).types


def read_skops(data: bytes) -> Held:
    """Return what a skops file holds.

    Args:
        data: The bytes of a skops file.

    Raises:
        ValueError: It is not what skops writes; the message says what was found.
    """
    members = {member.name: member for member in read_members(data, most=_MOST_FILES)}
    met = _walk(_schema(data, members))
    if strange := members.keys() ^ {_SCHEMA, *met.arrays, *met.files}:
        raise ValueError(f"members and schema do not fit: {shortened(min(strange))}")
    for name in met.arrays:
        start = members[name].start
        if data[start : start + len(_ARRAY)] != _ARRAY:
            raise ValueError(f"{name} is not an array of NumPy's")
    stand_ins = [_stand_in(kind, node, met.by_id, data, members) for kind, node in met.stand_ins]
    return Held(tuple(sorted(met.types)), tuple(each for each in stand_ins if each.state))


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


@dataclass
class _Met:
    """What was met: types that skops does not trust, members that are arrays, and others."""

    types: set[str] = field(default_factory=set)
    arrays: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    stand_ins: list[tuple[str, Node]] = field(default_factory=list)
    by_id: dict[Any, list[Node]] = field(default_factory=dict)


def _walk(root: Node) -> _Met:
    """Meet every node, also those that skops would take from its memory by their id.

    Iterative, as models are deep.
    """
    met = _Met()
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        loader, name, inside = read_node(node)
        _require_place(loader, name)
        if name.startswith(_STAND_INS):
            met.stand_ins.append((name, node))
        met.by_id.setdefault(node.get("__id__"), []).append(node)
        met.types |= {name} - trusted_by_skops()[loader]
        met.types |= set(inside.types) - trusted_by_skops()["bit_generators"]
        met.arrays |= _given(inside.array)
        met.files |= _given(inside.file)
        stack += inside.nodes
    return met


def _stand_in(
    kind: str,
    node: Node,
    by_id: Mapping[Any, Sequence[Node]],
    data: bytes,
    members: Mapping[str, Member],
) -> StandIn:
    """Read what a stand-in keeps, where skops could not come to something else."""
    if "content" not in node:
        return StandIn(kind, {})
    inside = node["content"]
    if (inside["__loader__"], type_name(inside)) != ("DictNode", "builtins.dict"):
        raise odd(f"{kind} that keeps no names and values")
    state: dict[str, Any] = {}
    for name, value in inside["content"].items():
        if value["__loader__"] == "JsonNode":
            state[name] = json.loads(value["content"])
        elif value["__loader__"] == "BytesNode":
            state[name] = content(data, members[value["file"]])
        elif value["__loader__"] not in _LISTS:
            raise odd(f"{kind} that keeps {shortened(name)} in a {value['__loader__']}")
    # What has been met before skops takes from its memory, by its id.
    for part in (node, inside, *inside["content"].values()):
        others = by_id[part["__id__"]] if "__id__" in part else ()
        if any(other is not part and other != part for other in others):
            raise odd(f"{kind} with the id of something else")
    return StandIn(kind, state)


def _require_place(loader: str, name: str) -> None:
    """Refuse a trusted type in a node that would use it in another way."""
    if _OURS.get(name, loader) != loader:
        raise odd(f"{name} in a {loader}, expected in a {_OURS[name]}")
    # skops makes a tree of it whatever it is called.
    if loader == "TreeNode" and name != _TREE:
        raise odd(f"a TreeNode that calls itself {name}")


def _given(name: str | None) -> set[str]:
    return set() if name is None else {name}
