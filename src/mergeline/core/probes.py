"""Probes: rows that a server must score as evaluation did, before it may answer requests."""

from typing import Literal, Self

from pydantic import FiniteFloat, model_validator

from mergeline.core.base import Stated


class Probes(Stated):
    """Rows that nobody's data holds, and what the model said of them.

    Attributes:
        columns: The model's features, in its order.
        rows: Values as a request gives them; None where there is none.
        scores: What the model says, a row each: the probability of the positive class, those
            of all of several classes, or the predicted value.
    """

    schema_version: Literal[1] = 1
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | FiniteFloat | bool | None, ...], ...]
    scores: tuple[tuple[FiniteFloat, ...], ...]

    @model_validator(mode="after")
    def _one_table(self) -> Self:
        if not self.rows or len(self.rows) != len(self.scores):
            raise ValueError(f"{len(self.rows)} rows with {len(self.scores)} scores")
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row has not the {len(self.columns)} values of the columns")
        if len({len(row) for row in self.scores}) != 1:
            raise ValueError("rows have different numbers of scores")
        return self
