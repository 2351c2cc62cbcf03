"""What the installed skops trusts by itself, by node; in a process of its own.

skops looks some names up in the modules that are loaded, so what it says depends on them.
Run as a program it prints the lists as `src/mergeline/model/skops_lists.json` holds them.
"""

import io
import json
import zipfile
from typing import Any

REFUSED = {"CachedNode", "QuantileForestNode"}


def node(loader: str, name: str = "builtins.str", **more: Any) -> dict[str, Any]:
    """A node as skops writes it."""
    module, _, kind = name.rpartition(".")
    return {"__class__": kind, "__module__": module, "__loader__": loader, **more}


TEXT = node("JsonNode", content='"x"', is_json=True)
LIST = node("ListNode", "builtins.list", content=[])
TUPLE = node("TupleNode", "builtins.tuple", content=[])
DICT = node("DictNode", "builtins.dict", content={}, key_types=LIST)
BITS = node(
    "DictNode",
    "builtins.dict",
    content={"bit_generator": node("JsonNode", content='"PCG64"', is_json=True)},
    key_types=LIST,
)
TREE = "sklearn.tree._tree.Tree"

# The least that each node holds.
INSIDE: dict[str, dict[str, Any]] = {
    "BytearrayNode": {"file": "0.bin"},
    "BytesNode": {"file": "0.bin"},
    "ConstructorFromReduceNode": {"content": TUPLE},
    "DTypeNode": {"content": TEXT},
    "DefaultDictNode": {"content": {"main": DICT, "default_factory": TEXT}},
    "DictNode": {"content": {}, "key_types": LIST},
    "FunctionNode": {},
    "JsonNode": {"content": '"x"', "is_json": True},
    "ListNode": {"content": []},
    "LossNode": {"__reduce__": {"args": TUPLE}, "content": DICT},
    "MaskedArrayNode": {"content": {"data": TEXT, "mask": TEXT}},
    "MethodNode": {"content": {"func": "strip", "obj": TEXT}},
    "NdArrayNode": {"type": "json", "content": [], "shape": TUPLE},
    "ObjectNode": {},
    "OperatorFuncNode": {"attrs": TUPLE},
    "PartialNode": {"content": {"func": TEXT, "args": TUPLE, "kwds": DICT, "namespace": TEXT}},
    "RandomGeneratorNode": {"content": {"bit_generator": BITS, "seed_seq": DICT}},
    "RandomStateNode": {"content": DICT},
    "SetNode": {"content": []},
    "SliceNode": {"content": {"start": None, "stop": 3, "step": None}},
    "SparseMatrixNode": {"type": "scipy", "file": "0.npz"},
    "TreeNode": {"__reduce__": {"args": TUPLE}, "content": DICT},
    "TupleNode": {"content": []},
    "TypeNode": {},
}


def packed(schema: Any, **files: bytes) -> bytes:
    """A skops file with this schema."""
    if isinstance(schema, dict):
        schema = {**schema, "protocol": 2, "_skops_version": "0.16.0"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in files.items():
            target.writestr(name, data)
        target.writestr("schema.json", json.dumps(schema))
    return buffer.getvalue()


def lists() -> dict[str, list[str]]:
    """What skops trusts by itself, by node, sorted."""
    import skops.io
    from skops.io._audit import NODE_TYPE_MAPPING
    from skops.io._protocol import PROTOCOL
    from skops.io._trusted_types import NUMPY_RANDOM_BIT_GENERATOR_TYPE_NAMES
    from skops.io._utils import LoadContext

    known = {loader for loader, protocol in NODE_TYPE_MAPPING if protocol == PROTOCOL}
    assert known == INSIDE.keys() | REFUSED, skops.__version__
    with zipfile.ZipFile(io.BytesIO(packed({}, **{"0.bin": b"", "0.npz": b""}))) as source:
        found = {}
        for loader, inside in INSIDE.items():
            name = "operator.itemgetter" if loader == "OperatorFuncNode" else "builtins.str"
            context = LoadContext(src=source, protocol=PROTOCOL)
            made = NODE_TYPE_MAPPING[loader, PROTOCOL](node(loader, name, **inside), context)
            found[loader] = sorted(set(made.trusted))
    return {**found, "bit_generators": sorted(NUMPY_RANDOM_BIT_GENERATOR_TYPE_NAMES)}


if __name__ == "__main__":
    print(json.dumps(lists(), indent=1, sort_keys=True))  # noqa: T201
