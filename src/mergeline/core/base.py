"""The base of every frozen type, and the one number type that they share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat


class Frozen(BaseModel):
    """An immutable value: unknown keys, wrong types, NaN and infinities are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def as_json(self) -> Any:
        """Return the value as plain JSON types."""
        return self.model_dump(mode="json")


class Estimate(Frozen):
    """A number measured on rows, with its uncertainty.

    Attributes:
        value: The point estimate; None when it could not be computed (see `reason`).
        low: Lower end of the 95 % interval; None when there is no interval.
        high: Upper end of the 95 % interval.
        n: The number of rows it was measured on.
        reason: Why `value` is None, else empty.
    """

    value: FiniteFloat | None
    low: FiniteFloat | None = None
    high: FiniteFloat | None = None
    n: Annotated[int, Field(ge=0)]
    reason: str = ""
