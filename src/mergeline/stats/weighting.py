"""Rows under several weightings at once: what the metrics of every task share."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

R = TypeVar("R")


class RowsWeighed(ABC, Generic[R]):
    """Rows of a task under b weightings; a metric is computed once, however often it is asked for.

    Args:
        rows: The rows, in an order of their own.
        weights: Of the rows in that order, shape (b, n).
    """

    def __init__(self, rows: R, weights: "Floats") -> None:
        self.rows = rows
        self.weights = weights
        self._values: dict[str, Floats] = {}

    def value(self, metric: str) -> "Floats":
        """Return a metric under each weighting, shape (b,); NaN where it is undefined."""
        if metric not in self._values:
            self._values[metric] = self._compute(metric)
        return self._values[metric]

    @cached_property
    def total(self) -> "Floats":
        """Weight of all rows, shape (b,)."""
        total: Floats = self.weights.sum(axis=1)
        return total

    @abstractmethod
    def _compute(self, metric: str) -> "Floats":
        """Return a metric under each weighting, shape (b,)."""
