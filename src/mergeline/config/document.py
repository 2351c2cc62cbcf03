"""YAML to plain JSON values, with the line of each key. YAML 1.2 as DVC reads it."""

import math
import re
import warnings
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from mergeline.config.problem import Problem, Steps, printable, shown
from mergeline.errors import ConfigError, first_line

# Far beyond any settings; what is above it is an alias bomb or the wrong file. The parser
# takes 20 seconds for a megabyte.
_MOST_VALUES = 100_000
_LONGEST = 256 * 1024
# The settings of a commit are asked for again and again; what is larger is not worth the memory.
_REMEMBERED = 16 * 1024
_MOST_BITS = 1024  # of a whole number; Python does not write out much longer ones
# What the parser raises, besides its own errors, for a scalar or a key that Python cannot hold.
_CANNOT_HOLD = (ValueError, TypeError, LookupError, AttributeError)
_HALF = "half a character"


@dataclass(frozen=True)
class Document:
    """A YAML file whose top level is a mapping.

    Attributes:
        data: The top level, values as YAML gives them.
        node: The syntax tree, which knows the lines.
    """

    data: dict[Any, Any]
    node: Node

    def line(self, path: Steps) -> int | None:
        """Return the line of a key, from 1; of the innermost key around it that is there."""
        node, line = self.node, None
        for step in path:
            found = _child(node, step)
            if found is None:
                return line
            node, mark = found
            line = mark + 1
        return line


def _child(node: Node, step: str | int) -> tuple[Node, int] | None:
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return node.value[step], node.value[step].start_mark.line
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == step:
                return value, key.start_mark.line
    return None


class _Constructor(SafeConstructor):  # type: ignore[misc]
    """Says where a scalar is that Python cannot hold, e.g. the date 2026-13-45; stops bombs."""

    merged = 0

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            found = super().construct_object(node, deep=deep)
        except _CANNOT_HOLD as error:
            problem = f"found {_written(node)}, which is no number or date that there is"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark) from error
        if isinstance(found, int) and found.bit_length() > _MOST_BITS:
            problem = f"found {_written(node)}, which has more than {_MOST_BITS} bits"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark)
        return found

    def flatten_mapping(self, node: Node) -> None:
        """Write out what `<<` merges: a few lines that merge each other are billions of keys."""
        super().flatten_mapping(node)
        self.merged += len(getattr(node, "merge", None) or ())
        if self.merged > _MOST_VALUES:
            problem = f"<< merges more than {_MOST_VALUES:,} keys"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark)


def _written(node: Node) -> str:
    return shown(node.value) if isinstance(node.value, str) else f"a {node.id}"


def read_document(text: str, *, origin: str) -> Document:
    """Parse YAML. The same text may give the same document again: do not change it.

    Args:
        text: The whole file.
        origin: What to call the file in messages.

    Raises:
        ConfigError: It is not YAML, is empty, or is not a mapping.
    """
    return (_remembered if len(text) <= _REMEMBERED else _parsed)(text, origin)


@lru_cache(maxsize=64)
def _remembered(text: str, origin: str) -> Document:
    return _parsed(text, origin)


def _parsed(text: str, origin: str) -> Document:
    if len(text) > _LONGEST:
        raise ConfigError(
            f"{origin}: it has {len(text):,} characters, at most {_LONGEST:,} are allowed",
            hint="keep data in files of their own",
        )
    # The pure parser: the C one can overflow its stack on a hostile file.
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        with warnings.catch_warnings():
            # An anchor given twice is no mistake that a reader could act on.
            warnings.simplefilter("ignore")
            node = yaml.compose(text)
            data = None if node is None else yaml.constructor.construct_document(node)
    except YAMLError as error:
        raise _explained(error, text, origin) from error
    except RecursionError as error:
        raise ConfigError(
            f"{origin}: its lists and mappings are nested too deep", hint="nest them less"
        ) from error
    except _CANNOT_HOLD as error:
        raise ConfigError(
            f"{origin}: it holds something that no settings hold: {printable(first_line(error))}",
            hint="write plain mappings, lists, texts and numbers",
        ) from error
    if data is None:
        raise ConfigError(
            f"{origin}: the file is empty", hint="start with the sections project, data and model"
        )
    if not isinstance(data, dict):
        raise ConfigError(
            f"{origin}: found {shown(data)}, expected sections such as data: and model:",
            hint="start with the sections project, data and model",
        )
    return Document(data=data, node=node)


def _explained(error: YAMLError, text: str, origin: str) -> ConfigError:
    """Say in our own words what is wrong with the YAML, and in which line and column."""
    if not isinstance(error, MarkedYAMLError):
        before = text[: getattr(error, "position", 0)]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        what, hint = "found a control character", "delete it"
        return ConfigError(f"{origin}:{line}:{column}: {what}", hint=hint)
    mark = error.problem_mark or error.context_mark
    place = f"{origin}:{mark.line + 1}:{mark.column + 1}" if mark else origin
    problem = error.problem or ""
    twice = re.match(r'found duplicate key "(.*)" with value', problem, re.DOTALL)
    if twice:
        what, hint = f"the key {shown(twice[1])} is given twice", "keep one of the two"
    elif isinstance(error, ConstructorError):
        what, hint = printable(problem), "write it as plain text, or in quotes"
    else:
        parts = [part for part in (error.context, problem) if part]
        what = f"this is not YAML: {printable(', '.join(parts))}"
        hint = "look there for a missing space after a colon, a tab, or an open quote"
    return ConfigError(f"{place}: {what}", hint=hint)


# --- to JSON ---------------------------------------------------------------------


def plain(value: Any, path: Steps) -> tuple[Any, list[Problem]]:
    """Turn a value of YAML into plain JSON types: dates to ISO text, keys to text.

    Returns:
        The value, with None for what JSON cannot hold, and the problems found.
    """
    try:
        if _size(value, {}) > _MOST_VALUES:
            return None, [Problem(path, f"holds more than {_MOST_VALUES} values")]
        problems: list[Problem] = []
        return _plain(value, path, problems), problems
    except RecursionError:
        return None, [Problem(path, "refers to itself, or is nested too deep")]


def _size(value: Any, known: dict[int, int]) -> int:
    """Count the values that are left when every alias is written out."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        items = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(item, known) for item in items)
    return known[id(value)]


def _plain(value: Any, path: Steps, problems: list[Problem]) -> Any:
    match value:
        case dict():
            result: dict[str, Any] = {}
            for key, item in value.items():
                name = _key(key)
                if not _is_text(name):
                    problems.append(Problem(path, f"the key {shown(name)} holds {_HALF}"))
                    name = printable(name)
                if name in result:
                    problems.append(Problem(path, f"the key {shown(name)} is given twice"))
                result[name] = _plain(item, (*path, name), problems)
            return result
        case list():
            return [_plain(item, (*path, place), problems) for place, item in enumerate(value)]
        case date():
            return value.isoformat()
        case str() | int() | float() if wrong := _unwritable(value):
            problems.append(Problem(path, wrong))
        case None | str() | int() | float():
            return value
        case _:
            problems.append(Problem(path, f"found a {type(value).__name__}, which JSON has not"))
    return None


def _unwritable(value: float | str) -> str:
    """Say what a scalar is that JSON, or Python, does not write out; nothing of any other."""
    match value:
        case float() if not math.isfinite(value):
            return f"found {value}, expected a finite number"
        case str() if not _is_text(value):
            return f"found {shown(value)}, which holds {_HALF}"
        case int() if value.bit_length() > _MOST_BITS:
            return f"found a number of more than {_MOST_BITS} bits"
    return ""


def _is_text(value: str) -> bool:
    """Whether a text can be written: half of a surrogate pair is in no encoding."""
    return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)


def _key(key: Any) -> str:
    match key:
        case str():
            return key
        case bool():
            return "true" if key else "false"
        case date():
            return key.isoformat()
        case None:
            return "null"
        case _:
            return str(key)
