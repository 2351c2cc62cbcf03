"""Everything that a fitted pipeline is made of."""

from collections.abc import Collection, Iterator
from typing import Any


def walk(pipeline: Any, unread: Collection[str] = ()) -> Iterator[Any]:
    """Yield a pipeline and all that it holds, each object once; iterative, as models are deep.

    Args:
        pipeline: Of any kind. Arrays of numbers and sparse matrices are not looked into.
        unread: Attributes that are passed over.
    """
    seen: set[int] = set()
    waiting = [pipeline]
    while waiting:
        item = waiting.pop()
        if id(item) not in seen:
            seen.add(id(item))
            yield item
            waiting.extend(_parts(item, unread))


def _parts(item: Any, unread: Collection[str]) -> list[Any]:
    import numpy as np
    from scipy.sparse import issparse

    if isinstance(item, dict):
        return list(item.values())
    if isinstance(item, np.ndarray):
        return list(item.flat) if item.dtype == object else []
    if isinstance(item, list | tuple):
        return list(item)
    if issparse(item):
        return []
    return [value for name, value in getattr(item, "__dict__", {}).items() if name not in unread]
