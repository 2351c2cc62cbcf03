"""Values of frozen types, every field of them filled in: nothing that can hold text is left out."""

import random
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, JsonValue

_PATTERNS = {"^[0-9a-f]{64}$": "d" * 64}


class Filler:
    """Fills types.

    Attributes:
        texts: Of which each text is one.
        reached: Type and field of every text that was put in.
        none: How often something optional is left out, 0 to 1.
    """

    def __init__(self, texts: Sequence[str], seed: int = 0, none: float = 0.0) -> None:
        self.texts, self.none = texts, none
        self.reached: set[tuple[str, str]] = set()
        self._random = random.Random(seed)  # noqa: S311 -- to be repeated, not secret

    def model(self, kind: type[BaseModel], **given: Any) -> Any:
        """Return an instance; `given` are fields as they are to be."""
        made = {
            name: given[name]
            if name in given
            else self._value(field.annotation, field.metadata, (kind.__name__, name))
            for name, field in kind.model_fields.items()
        }
        return kind(**made)

    def _value(self, kind: Any, metadata: Sequence[Any], where: tuple[str, str]) -> Any:
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return self._value(inner[0], [*inner[1:], *metadata], where)
        if origin in (Union, types.UnionType):
            return self._union(inner, metadata, where)
        if origin is Literal:
            return self._random.choice(inner)
        if origin is tuple:
            each = inner[:1] * 2 if inner[-1] is Ellipsis else inner
            return tuple(self._value(item, (), where) for item in each)
        if origin in (dict, Mapping):
            keys = [self._value(inner[0], (), where) for _ in range(2)]
            return {key: self._value(inner[1], (), where) for key in keys}
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return self.model(kind)
        return self._single(kind, metadata, where)

    def _union(self, kinds: Sequence[Any], metadata: Sequence[Any], where: tuple[str, str]) -> Any:
        some = [kind for kind in kinds if kind is not type(None)]
        if len(some) < len(kinds) and self._random.random() < self.none:
            return None
        chosen = some[-1] if str in some and self._random.random() < 0.5 else some[0]
        return self._value(str if self.none == 0 and str in some else chosen, metadata, where)

    def _single(self, kind: Any, metadata: Sequence[Any], where: tuple[str, str]) -> Any:
        if kind is str:
            for item in metadata:
                pattern = getattr(item, "pattern", None)
                if pattern is not None:
                    return _PATTERNS[pattern]
            self.reached.add(where)
            return self._random.choice(self.texts)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._random.choice(list(kind))
        if kind is bool:
            return self._random.random() < 0.5
        if kind is int:
            return self._random.randint(1, 400)
        if kind is float:
            return round(self._random.random(), 3)
        if kind is JsonValue:
            self.reached.add(where)
            return self._random.choice(self.texts)
        raise TypeError(f"{where}: nothing is known of {kind}; teach it to tests/report/filled.py")


def text_fields(kind: type[BaseModel]) -> set[tuple[str, str]]:
    """Return type and field of everything below a type that may hold any text."""
    found: set[tuple[str, str]] = set()
    seen: set[type] = set()

    def look(annotation: Any, metadata: Sequence[Any], where: tuple[str, str]) -> None:
        origin, inner = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            look(inner[0], [*inner[1:], *metadata], where)
        elif origin is not Literal:
            for each in inner:
                look(each, metadata, where)
        bound = any(getattr(item, "pattern", None) for item in metadata)
        if annotation is JsonValue or (annotation is str and not bound):
            found.add(where)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            walk(annotation)

    def walk(model: type[BaseModel]) -> None:
        if model in seen:
            return
        seen.add(model)
        for name, field in model.model_fields.items():
            look(field.annotation, field.metadata, (model.__name__, name))

    walk(kind)
    return found
