"""What pydantic found, in sentences of our own: the value seen and what is allowed."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mergeline.config.problem import Problem, Steps, did_you_mean, shown
from mergeline.config.schema import settings_schema
from mergeline.core.policy import GATE_KINDS

Node = Mapping[str, Any]


def problems_of(error: ValidationError, data: Any) -> list[Problem]:
    """Turn a validation error into problems, one for each wrong value.

    Args:
        error: What `Settings.model_validate_json` raised.
        data: The value that was validated.
    """
    schema = settings_schema()
    found: dict[Steps, str] = {}
    unions: set[Steps] = set()
    renamed: set[Steps] = set()
    for detail in error.errors(include_url=False):
        loc, kind = detail["loc"], detail["type"]
        path = _path(loc, data)
        if kind == "missing":
            path = (*path, loc[-1])
            found[path] = f"is missing, expected {_expected(_nodes(path, schema, loc))}"
        elif kind == "extra_forbidden":
            found[path], meant = _unknown_key(loc, path, schema)
            renamed |= {(*path[:-1], meant)} if meant else set()
        else:
            found[path] = _wrong_value(detail, path, schema)
            unions |= {path} if _branch(loc, path) else set()
    # A key that is there under a misspelt name is not missing as well; of a value that
    # fits no branch of a union, the innermost problem says most.
    dropped = renamed | {outer for outer in unions if any(_inside(path, outer) for path in found)}
    return [Problem(path, text) for path, text in found.items() if path not in dropped]


def _inside(path: Steps, outer: Steps) -> bool:
    return len(path) > len(outer) and path[: len(outer)] == outer


def _branch(loc: Steps, path: Steps) -> bool:
    """Whether pydantic's place ends in the name of a union's branch."""
    return loc[-1] != path[-1] and loc[0] != "gates"


def _path(loc: Steps, data: Any) -> Steps:
    """Drop what is no key of the user's: a gate's kind, the name of a union's branch."""
    path: list[str | int] = []
    for place, step in enumerate(loc):
        tag = place == 2 and loc[0] == "gates"  # noqa: PLR2004 -- gates, name, kind
        if not tag and _holds(data, step):
            path.append(step)
            data = data[step]
    return tuple(path)


def _holds(data: Any, step: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(step, int)
    return isinstance(data, dict) and step in data


# --- unknown keys ----------------------------------------------------------------


def _unknown_key(loc: Steps, path: Steps, schema: Node) -> tuple[str, str | None]:
    """Return the sentence, and the key that was probably meant."""
    options = _nodes(path[:-1], schema, loc)
    known = [key for node in options for key in node.get("properties", ())]
    # A gate's kind is one of its keys: misspelt, the gate is taken for one of another kind.
    kinds = GATE_KINDS if loc[0] == "gates" else ()
    meant = did_you_mean(str(path[-1]), known) or did_you_mean(str(path[-1]), kinds)
    if meant:
        return f"unknown key, did you mean {meant}?", meant
    return f"unknown key, the keys here are {', '.join(known)}", None


# --- wrong values ----------------------------------------------------------------


def _wrong_value(detail: ErrorDetails, path: Steps, schema: Node) -> str:
    value = detail["input"]
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    if detail["type"] == "gate_kind":
        return _no_kind(value)
    options = _nodes(path, schema, detail["loc"])
    return f"found {shown(value)}, expected {_expected(options)}{_advice(value, options)}"


def _no_kind(gate: Any) -> str:
    *most, last = GATE_KINDS
    text = f"a gate names what it judges: {', '.join(most)} or {last}"
    for key in gate if isinstance(gate, dict) else ():
        meant = did_you_mean(key, GATE_KINDS)
        if meant:
            return f"{text}; found {shown(key)}, did you mean {meant}?"
    return text


def _advice(value: Any, options: Iterable[Node]) -> str:
    """Say how to write what was probably meant."""
    kinds = {node.get("type") for node in options}
    given = [word for node in options for word in node.get("enum", [node.get("const")])]
    choices = [word for word in given if isinstance(word, str)]
    if isinstance(value, str):
        meant = did_you_mean(value, choices)
        if meant:
            return f"; did you mean {meant}?"
        if kinds & {"number", "integer"} and _is_number(value):
            return "; write it without quotes"
        if "array" in kinds:
            return f"; write [{shown(value)}]"
    elif value is None and kinds & {"array", "object"}:
        return f"; write {'[]' if 'array' in kinds else '{}'} or leave the key out"
    elif value is not None and kinds <= {"string", "null"} and not choices:
        return "; write it in quotes" if isinstance(value, int | float) else ""
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
_NAMES = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}


def _expected(options: Iterable[Node]) -> str:
    words = dict.fromkeys(text for node in options if (text := _words(node)))
    if "a number" in words:
        words.pop("a whole number", None)
    return " or ".join(words)


def _words(node: Node) -> str:
    """Describe what a node of the schema allows; nothing for null."""
    if "enum" in node:
        return f"one of {', '.join(map(str, node['enum']))}"
    if "const" in node:
        return str(node["const"])
    match node.get("type"):
        case "string":
            return _text_words(node)
        case "array":
            least = node.get("minItems")
            return f"a list of at least {least} values" if least else "a list"
        case "object":
            return "keys and values"
        case "integer" | "number" | "boolean" as kind:
            bounds = [f"{name} {node[key]}" for key, name in _BOUNDS.items() if key in node]
            return " ".join([_NAMES[kind], " and ".join(bounds)]).strip()
    return ""


def _text_words(node: Node) -> str:
    if node.get("format") == "date":
        return "a day as YYYY-MM-DD"
    if "pattern" in node:
        return f"text like {node['examples'][0]} that matches {node['pattern']}"
    if node.get("maxLength") == 1:
        return "one character"
    return "text that is not empty" if node.get("minLength") else "text"


# --- the schema at a path --------------------------------------------------------


def _nodes(path: Steps, schema: Node, loc: Steps) -> list[Node]:
    """Return what the schema says of the value at a path, one node for each alternative.

    Args:
        path: The keys that lead to the value.
        schema: Of the settings.
        loc: pydantic's place, which names the kind of a gate.
    """
    nodes = _options(schema, schema)
    for place, step in enumerate(path):
        nodes = [
            option
            for node in nodes
            for child in _children(node, step)
            for option in _options(child, schema)
        ]
        if place == 1 and loc[0] == "gates":
            nodes = [node for node in nodes if _gate_kind(node) in loc[2:3]]
    return nodes


def _gate_kind(node: Node) -> str | None:
    return next((kind for kind in GATE_KINDS if kind in node.get("properties", ())), None)


def _options(node: Node, schema: Node) -> list[Node]:
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        return _options({**schema["$defs"][name], **_own(node)}, schema)
    if "properties" in node:
        return [node]
    several = node.get("anyOf") or node.get("oneOf")
    if several is None:
        return [node]
    return [option for one in several for option in _options({**one, **_own(node)}, schema)]


def _own(node: Node) -> Node:
    """The examples of a key go with each of its alternatives."""
    return {key: node[key] for key in ("examples",) if key in node}


def _children(node: Node, step: str | int) -> list[Node]:
    if isinstance(step, int):
        return [node["items"]] if "items" in node else []
    if step in node.get("properties", ()):
        return [node["properties"][step]]
    others = node.get("additionalProperties")
    return [others] if isinstance(others, dict) else []
