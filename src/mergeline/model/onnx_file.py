"""An ONNX file, read strictly and without ONNX Runtime.

ONNX Runtime is a large program in C++ that also reads other files, runs functions that a file
brings along, and takes the arrays of a model as they are. What is not understood here is refused
before it sees the file.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from mergeline.core.labels import label_text
from mergeline.core.strict_json import read_json, shortened
from mergeline.errors import UnsafeModel
from mergeline.model.onnx_messages import MESSAGES
from mergeline.model.onnx_operators import ML, labels_of, require_operator, trees_of
from mergeline.model.protobuf import Message, read_message

_MOST_BYTES = 128 * 1024 * 1024
_MOST_NODES = 20_000
# Graphs within graphs.
_DEEPEST = 3
_CLASSES = "classes"
_MOST_CLASSES = 10_000
_SHOWN = 40
# By number of a type of ONNX: its name, and the bytes of one where it lies as it is.
_TYPES = {
    1: ("float", 4), 2: ("uint8", 1), 3: ("int8", 1), 4: ("uint16", 2), 5: ("int16", 2),
    6: ("int32", 4), 7: ("int64", 8), 8: ("text", 0), 9: ("bool", 1), 10: ("float16", 2),
    11: ("double", 8), 12: ("uint32", 4), 13: ("uint64", 8), 16: ("bfloat16", 2),
}  # fmt: skip
_HINTS = {
    "external_data": "save it as one file, with its tensors inside",
    "functions": "export it with its functions put in their places (inlined)",
    "of those that only compute": "export it for an older set of operators, or by other means",
}


@dataclass(frozen=True)
class Port:
    """An input or an output.

    Attributes:
        kind: `float`, `text`, ... of a tensor, else `sequence` or `map`.
        shape: None for a length that is free; None as a whole where nothing is said.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...] | None = None

    def __str__(self) -> str:
        sides = ["N" if side is None else str(side) for side in self.shape or ()]
        lengths = "" if self.shape is None else f"[{', '.join(sides)}]"
        return f"{shortened(self.name)} ({self.kind}{lengths})"


@dataclass(frozen=True)
class OnnxFile:
    """What a file holds.

    Attributes:
        opsets: The version of each set of operators, by its domain.
        producer: The program that wrote it, as the file says.
        classes: In the order of its probabilities, as text; none where it states none.
        trees: How many.
        numbers: Other numbers that it keeps.
    """

    opsets: Mapping[str, int]
    producer: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    classes: tuple[str, ...]
    trees: int
    numbers: int

    @property
    def summary(self) -> str:
        """What it is, in a few words."""
        sets = ", ".join(
            f"{domain or 'opset'} {version}" for domain, version in self.opsets.items()
        )
        return f"ONNX {sets}" + (f", by {self.producer}" if self.producer else "")


def read_onnx(data: bytes) -> OnnxFile:
    """Return what an ONNX file holds.

    Raises:
        UnsafeModel: It holds what could do more than score, or what is not understood.
    """
    try:
        return _file(_model(data))
    except ValueError as error:
        problem = str(error)
        hints = [hint for words, hint in _HINTS.items() if words in problem]
        raise UnsafeModel(
            f"the ONNX file is not one that Mergeline reads: it holds {problem}",
            hint=(hints or ["export it anew; README.md says what an ONNX file may hold"])[0],
        ) from error


def _model(data: bytes) -> Message:
    if not isinstance(data, bytes) or not 0 < len(data) <= _MOST_BYTES:
        raise ValueError(f"no bytes, or more than {_MOST_BYTES:,} of them")
    return read_message(data, "Model", MESSAGES)


def _file(model: Message) -> OnnxFile:
    graph = model.get("graph")
    if graph is None:
        raise ValueError("no graph")
    opsets = _opsets(model.get("opset_import", ()))
    nodes = [*_nodes(graph, 0)]
    if len(nodes) > _MOST_NODES:
        raise ValueError(f"{len(nodes):,} operators, at most {_MOST_NODES:,} are read")
    numbers = trees = 0
    stated: Counter[tuple[str, ...]] = Counter()
    for node in nodes:
        attributes = _attributes(node)
        require_operator(_domain(node), node.get("op_type", ""), attributes)
        numbers += sum(len(each.get("ints", ())) for each in attributes.values())
        numbers += sum(each.get("floats", 0) for each in attributes.values())
        trees += trees_of(attributes)
        if labels := labels_of(node["op_type"], attributes):
            stated[tuple(map(label_text, labels))] += 1
    numbers += sum(_tensor(tensor) for tensor in _tensors(graph, nodes))
    given = _properties(model).get(_CLASSES)
    inside = {tensor.get("name", "") for tensor in graph.get("initializer", ())}
    ports = [_port(value) for value in graph.get("input", ())]
    return OnnxFile(
        opsets=opsets,
        producer=" ".join(
            _plain(model.get(key, "")) for key in ("producer_name", "producer_version")
        ).strip(),
        inputs=tuple(port for port in ports if port.name not in inside),
        outputs=tuple(_port(value) for value in graph.get("output", ())),
        classes=_given_classes(given) if given is not None else _agreed(stated),
        trees=trees,
        numbers=numbers,
    )


def _plain(text: str) -> str:
    return "".join(each for each in text if each.isprintable())[:_SHOWN].strip()


def _opsets(imports: Sequence[Message]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in imports:
        domain, number = _domain(each), each.get("version", 0)
        if found.setdefault(domain, number) != number:
            raise ValueError(f"two versions of the operators of {domain or 'ai.onnx'}")
    # Others may be named, no operator of theirs is there.
    return {domain: found[domain] for domain in ("", ML) if domain in found}


def _domain(message: Message) -> str:
    domain: str = message.get("domain", "")
    return "" if domain == "ai.onnx" else domain


def _properties(model: Message) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in model.get("metadata_props", ()):
        key = entry.get("key", "")
        if key in found:
            raise ValueError(f"the property {shortened(key)} twice")
        found[key] = entry.get("value", "")
    return found


def _given_classes(text: str) -> tuple[str, ...]:
    try:
        found = read_json(text.encode(), values=_MOST_CLASSES, text=len(text))
    except ValueError as error:
        raise ValueError(f"a property `{_CLASSES}` that is no JSON: {error}") from error
    if not isinstance(found, list) or not all(isinstance(each, str | int) for each in found):
        raise ValueError(f"a property `{_CLASSES}` that is no list of texts")
    return tuple(map(label_text, found))


def _agreed(stated: Mapping[tuple[str, ...], int]) -> tuple[str, ...]:
    """Return the classes where all operators that state some state the same."""
    return next(iter(stated)) if len(stated) == 1 else ()


# --- graphs -----------------------------------------------------------------------------------


def _nodes(graph: Message, depth: int) -> Iterator[Message]:
    if depth > _DEEPEST:
        raise ValueError(f"graphs within graphs, deeper than {_DEEPEST}")
    for node in graph.get("node", ()):
        yield node
        for attribute in node.get("attribute", ()):
            if "g" in attribute:
                yield from _nodes(attribute["g"], depth + 1)


def _attributes(node: Message) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for attribute in node.get("attribute", ()):
        name = attribute.get("name", "")
        if name in found:
            raise ValueError(f"the attribute {shortened(name)} twice")
        found[name] = attribute
        if "g" in attribute and node.get("op_type") not in {"If", "Scan"}:
            raise ValueError(f"a graph within {shortened(node.get('op_type', ''))}")
    return found


def _tensors(graph: Message, nodes: Sequence[Message]) -> Iterator[Message]:
    yield from graph.get("initializer", ())
    for node in nodes:
        for attribute in node.get("attribute", ()):
            if "t" in attribute:
                yield attribute["t"]
            yield from attribute.get("g", {}).get("initializer", ())


def _tensor(tensor: Message) -> int:
    """Return how many numbers a tensor has, as it says and as it holds."""
    dims = tensor.get("dims", ())
    name = shortened(tensor.get("name", ""))
    kind, size = _TYPES.get(tensor.get("data_type", 0), ("", 0))
    if not kind:
        raise ValueError(f"the tensor {name} of a type that is not read")
    if tensor.get("data_location", 0) != 0:
        raise ValueError(f"the tensor {name} in another file (external_data)")
    if any(side < 0 for side in dims):
        raise ValueError(f"the tensor {name} with a side of less than nothing")
    count, raw = prod(dims), tensor.get("raw_data")
    lists = [
        *(tensor[key] for key in ("float_data", "double_data") if key in tensor),
        *(len(tensor[key]) for key in _LISTS if key in tensor),
    ]
    held = lists[0] if len(lists) == 1 else 0
    if raw is not None:
        held = len(raw) // size if size and len(raw) % size == 0 and not any(lists) else -1
    if held != count or (raw is None and len(lists) > 1):
        raise ValueError(f"the tensor {name} of {shortened(count)} numbers that holds others")
    return count


_LISTS = ("int32_data", "int64_data", "uint64_data", "string_data")


def _port(value: Message) -> Port:
    """Return what is said of an input or an output."""
    kinds = value.get("type", {})
    if len(kinds.keys() - {"denotation"}) > 1:
        raise ValueError(f"{shortened(value.get('name', ''))} of two types")
    name: str = value.get("name", "")
    if "tensor_type" not in kinds:
        return Port(name, next((key[:-5] for key in kinds if key.endswith("_type")), "unknown"))
    tensor = kinds["tensor_type"]
    kind, _ = _TYPES.get(tensor.get("elem_type", 0), ("unknown", 0))
    shape = tensor.get("shape")
    sides = None if shape is None else tuple(_side(dim) for dim in shape.get("dim", ()))
    return Port(name, kind, sides)


def _side(dim: Message) -> int | None:
    if "dim_value" in dim and "dim_param" in dim:
        raise ValueError("a side with two lengths")
    value: int | None = dim.get("dim_value")
    return value if value is None or value > 0 else None
