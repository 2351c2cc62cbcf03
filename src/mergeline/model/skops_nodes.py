"""The nodes of a skops schema: what each may hold, read more strictly than skops reads it.

A key that skops would pass over, or a value of another kind than it writes, is refused: what
is not understood here might be understood there.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mergeline.core.strict_json import shortened

_FILE = re.compile(r"[0-9A-Za-z-]{1,60}\.(npy|npz|bin)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MODULE = re.compile(rf"{_NAME.pattern}(\.{_NAME.pattern})*")
_OWN_KEYS = {"__class__", "__module__", "__loader__"}

Node = dict[str, Any]


@dataclass(frozen=True)
class Inside:
    """What lies inside a node.

    Attributes:
        nodes: Other nodes, not yet looked at.
        array: The member that NumPy reads; None without one.
        file: The member that something else reads; None without one.
        types: What the node has called or looked up besides its own type.
    """

    nodes: tuple[Any, ...] = ()
    array: str | None = None
    file: str | None = None
    types: tuple[str, ...] = ()


def read_node(value: Any) -> tuple[str, str, Inside]:
    """Return a node's loader, its own type and what lies inside.

    Raises:
        ValueError: It is not a node that skops writes, or one that is refused here.
    """
    loader = value.get("__loader__") if isinstance(value, dict) else None
    reader = _READERS.get(loader) if isinstance(loader, str) else None
    if reader is None or loader is None:
        what = f"the loader {shortened(loader)}" if loader is not None else shortened(value)
        raise odd(f"{what} where a node is expected")
    return loader, type_name(value), reader(value)


def type_name(node: Node) -> str:
    """Return a node's type; module and name joined can be taken apart in one way only."""
    module, name = node.get("__module__"), node.get("__class__")
    if not isinstance(module, str) or _MODULE.fullmatch(module) is None:
        raise odd(f"the module {shortened(module)}")
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise odd(f"the type {shortened(name)} of the module {module[:60]}")
    return f"{module}.{name}"


def odd(what: str) -> ValueError:
    """Return the error for something that skops does not write."""
    return ValueError(f"its schema holds {what}")


# --- the kinds of nodes -----------------------------------------------------------------


def _expect(value: Any, *keys: str, own: bool = True) -> list[Any]:
    """Return the values of an object's keys: of these and of no other."""
    wanted = {*keys, *(_OWN_KEYS if own else ())}
    if not isinstance(value, dict):
        raise odd(f"{shortened(value)} where {', '.join(sorted(wanted))} are expected")
    if strange := value.keys() - {"__id__"} ^ wanted:
        loader = shortened(value.get("__loader__", "its content"))
        raise odd(f"{shortened(min(strange))} where {loader} has {', '.join(sorted(wanted))}")
    if type(value.get("__id__", 0)) is not int:
        raise odd(f"the id {shortened(value['__id__'])}")
    return [value[key] for key in keys]


def _leaf(node: Node) -> Inside:
    _expect(node)
    return Inside()


def _one(node: Node) -> Inside:
    return Inside((*_expect(node, "content"),))


def _object(node: Node) -> Inside:
    return _one(node) if "content" in node else _leaf(node)


def _items(node: Node) -> Inside:
    return Inside(_list(*_expect(node, "content")))


def _dict(node: Node) -> Inside:
    values, key_types = _expect(node, "content", "key_types")
    if not isinstance(values, dict):
        raise odd(f"{shortened(values)} as the content of a DictNode")
    return Inside((key_types, *values.values()))


def _parts(*keys: str) -> Callable[[Node], Inside]:
    def read(node: Node) -> Inside:
        return Inside((*_expect(*_expect(node, "content"), *keys, own=False),))

    return read


def _reduced(node: Node) -> Inside:
    reduced, state = _expect(node, "__reduce__", "content")
    return Inside((*_expect(reduced, "args", own=False), state))


def _attributes(node: Node) -> Inside:
    if node.get("__module__") != "operator":
        raise odd(f"an OperatorFuncNode of {type_name(node)}")
    return Inside((*_expect(node, "attrs"),))


def _json(node: Node) -> Inside:
    text, is_json = _expect(node, "content", "is_json")
    if not isinstance(text, str) or is_json is not True:
        raise odd(f"{shortened(text)} as the content of a JsonNode")
    return Inside()


def _slice(node: Node) -> Inside:
    for end in _expect(*_expect(node, "content"), "start", "stop", "step", own=False):
        if not isinstance(end, str | int | None):
            raise odd(f"{shortened(end)} as the end of a SliceNode")
    return Inside()


def _array(node: Node) -> Inside:
    if node.get("type") == "json":
        items, shape, _ = _expect(node, "content", "shape", "type")
        return Inside((shape, *_list(items)))
    file, kind = _expect(node, "file", "type")
    if kind != "numpy":
        raise odd(f"an array of the type {shortened(kind)}")
    return Inside(array=_member(file))


def _bytes(node: Node) -> Inside:
    return Inside(file=_member(*_expect(node, "file")))


def _sparse(node: Node) -> Inside:
    file, kind = _expect(node, "file", "type")
    if kind != "scipy":
        raise odd(f"a sparse matrix of the type {shortened(kind)}")
    return Inside(file=_member(file))


def _method(node: Node) -> Inside:
    function, owner = _expect(*_expect(node, "content"), "func", "obj", own=False)
    if not isinstance(function, str) or _NAME.fullmatch(function) is None:
        raise odd(f"the method {shortened(function)}")
    name = type_name(node)
    if not isinstance(owner, dict) or type_name(owner) != name:
        raise odd(f"a method of {name} that belongs to something else")
    return Inside((owner,), types=(f"{name}.{function}",))


def _generator(node: Node) -> Inside:
    bits, seed = _expect(*_expect(node, "content"), "bit_generator", "seed_seq", own=False)
    try:
        name = json.loads(bits["content"]["bit_generator"]["content"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise odd("a random generator that does not say its kind") from error
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise odd(f"a random generator of the kind {shortened(name)}")
    return Inside((bits, seed), types=(f"numpy.random.{name}",))


def _list(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise odd(f"{shortened(value)} where a list is expected")
    return tuple(value)


def _member(name: Any) -> str:
    if not isinstance(name, str) or _FILE.fullmatch(name) is None:
        raise odd(f"the file name {shortened(name)}")
    return name


# What skops knows but for CachedNode, which it never writes, and QuantileForestNode, whose
# library it would look for.
_READERS: Mapping[str, Callable[[Node], Inside]] = {
    "BytearrayNode": _bytes,
    "BytesNode": _bytes,
    "ConstructorFromReduceNode": _one,
    "DTypeNode": _one,
    "DefaultDictNode": _parts("main", "default_factory"),
    "DictNode": _dict,
    "FunctionNode": _leaf,
    "JsonNode": _json,
    "ListNode": _items,
    "LossNode": _reduced,
    "MaskedArrayNode": _parts("data", "mask"),
    "MethodNode": _method,
    "NdArrayNode": _array,
    "ObjectNode": _object,
    "OperatorFuncNode": _attributes,
    "PartialNode": _parts("func", "args", "kwds", "namespace"),
    "RandomGeneratorNode": _generator,
    "RandomStateNode": _one,
    "SetNode": _items,
    "SliceNode": _slice,
    "SparseMatrixNode": _sparse,
    "TreeNode": _reduced,
    "TupleNode": _items,
    "TypeNode": _leaf,
}
