"""Whether two builds of one model measured the same: what people approved was a number too."""

import math
from collections.abc import Iterator
from typing import Any

from mergeline.core.evidence import EvidenceSet
from mergeline.core.strict_json import shortened

# What is computed from the predictions alone; a check or an explanation may come out otherwise
# on another machine.
_STAGES = ("evaluate", "fairness")
_TOLERANCE = 1e-6


def measured_unlike(reviewed: EvidenceSet, rebuilt: EvidenceSet) -> Iterator[str]:
    """Yield in which numbers two builds differ, as clauses; nothing where they measured the same.

    Args:
        reviewed: Of the build that was reviewed; read as hostile.
        rebuilt: Of the build on main.
    """
    for stage in _STAGES:
        first, second = (_numbers(getattr(each, stage)) for each in (reviewed, rebuilt))
        for place in sorted(first.keys() | second.keys()):
            one, other = first.get(place), second.get(place)
            if not _alike(one, other):
                where = shortened(".".join(place))
                yield f"{stage} has {where} {_shown(one)} as reviewed, {_shown(other)} as rebuilt"


def _alike(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return False
    return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


def _shown(value: float | None) -> str:
    return "nowhere" if value is None else f"{value:.6g}"


def _numbers(item: Any) -> dict[tuple[str, ...], float]:
    """Return all numbers of a stage's content by where they stand."""
    return {} if item is None else dict(_walk(item.content.as_json(), ()))


def _walk(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _walk(each, (*place, str(key)))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _walk(each, (*place, str(number)))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield place, float(value)
