"""The base of every frozen type, and the one number type that they share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, GetCoreSchemaHandler
from pydantic_core import CoreSchema

_CONTAINERS = ("list", "tuple", "set", "frozenset", "dict")


class Frozen(BaseModel):
    """An immutable value: unknown keys, wrong types, NaN and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def as_json(self) -> Any:
        """Return the value as plain JSON types."""
        return self.model_dump(mode="json")

    def as_given(self) -> Any:
        """Return as plain JSON types what was given: of what was parsed, what its text says.

        For digests: a field that a later version adds changes none of a text from before it.
        """
        return self.model_dump(mode="json", exclude_unset=True)


def _fail_fast(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") in _CONTAINERS:
            schema["fail_fast"] = True
        for part in schema.values():
            _fail_fast(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            _fail_fast(part)


class Stated(Frozen):
    """What somebody states who may be hostile.

    A list or a mapping is refused at its first wrong item: a few megabytes can hold millions
    of them, and an error for each would fill the memory.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return pydantic's schema of the class, its containers failing fast."""
        schema = handler(source)
        _fail_fast(schema)
        return schema


class Estimate(Stated):
    """A number measured on rows, with its uncertainty.

    Attributes:
        value: The point estimate; None when it could not be computed (see `reason`).
        low: Lower end of the 95 % interval; None when there is no interval.
        high: Upper end of the 95 % interval.
        n: The number of rows it was measured on.
        reason: Why there is no value or no interval, or why the interval is in doubt; else empty.
    """

    value: FiniteFloat | None
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    n: Annotated[int, Field(ge=0)]
    reason: str = ""
