"""How long a fitted pipeline takes to score a row, by a rule that no clock decides."""

from typing import Any

# Measured with scikit-learn's forests, boosting, neighbours, support vectors, networks and
# Gaussian processes on two busy cores of a small server, and rounded up.
_PER_TREE = 1e-6
_PER_NUMBER = 2e-9


def seconds_a_row(pipeline: Any) -> float:
    """Return about how many seconds scoring one row takes, among many at once.

    A tree costs a fixed time, and so does every other number that the pipeline keeps:
    neighbours, support vectors, weights and covariances are all read for each row.

    Args:
        pipeline: Fitted; whatever it is made of is walked through.
    """
    import numpy as np

    trees = numbers = 0
    seen: set[int] = set()
    waiting = [pipeline]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or item is None or isinstance(item, str | int | float | type):
            continue
        seen.add(id(item))
        if type(item).__name__ in ("Tree", "TreePredictor"):
            trees += 1
        elif isinstance(item, np.ndarray) and item.dtype != object:
            numbers += item.size
        elif hasattr(item, "data") and hasattr(item, "indices"):
            numbers += item.data.size
        else:
            waiting.extend(_parts(item))
    return trees * _PER_TREE + numbers * _PER_NUMBER


def _parts(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return list(item.values())
    if isinstance(item, list | tuple) or hasattr(item, "__array__"):
        return list(item)
    return list(vars(item).values()) if hasattr(item, "__dict__") else []
