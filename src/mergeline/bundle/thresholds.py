"""Whether what evidence says of other thresholds can be, and is of the commit's settings."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from mergeline.config.settings import Costs, Settings
from mergeline.core.evidence import (
    CurvePoint,
    EvaluateContent,
    FairnessBy,
    FairnessContent,
    GroupThreshold,
    ThresholdPoint,
)
from mergeline.core.task import GAPS

_SLACK = 1e-9


class Statement(NamedTuple):
    """One thing that evidence states, beside what the commit's settings say."""

    what: str
    stated: Any
    expected: Any


def of_thresholds(settings: Settings, stated: EvaluateContent) -> Iterator[Statement]:
    """Hold thresholds and their costs against the settings, the rows and the confusion."""
    given = settings.evaluate.costs or Costs()
    costs = given.model_dump(exclude={"unit"}) if settings.evaluate.costs else {}
    yield Statement("evaluate.costs", stated.costs, costs)
    yield Statement("evaluate.cost_unit", stated.cost_unit, given.unit)
    yield Statement("evaluate.thresholds rise", _rise(stated.thresholds), True)
    curves = [item.curve for item in stated.classes]
    yield Statement("evaluate.classes by curves that rise", all(map(_rise, curves)), True)
    if stated.threshold is None or stated.confusion is None:
        yield Statement("evaluate.thresholds without one that decides", len(stated.thresholds), 0)
        yield Statement("evaluate.cheapest without a threshold", stated.cheapest, None)
        return
    wrong = [point.threshold for point in stated.thresholds if not _adds_up(point, stated)]
    yield Statement("evaluate.thresholds that do not add up", wrong, [])
    here = [_counts(point) for point in stated.thresholds if point.threshold == stated.threshold]
    found = [stated.confusion.model_dump()] if stated.thresholds else []
    yield Statement("evaluate.thresholds at the one that decides", here, found)
    spent = {point.threshold: point.cost for point in stated.thresholds if point.cost is not None}
    least = min(spent.values(), default=None)
    cost = None if stated.cheapest is None else spent.get(stated.cheapest)
    yield Statement("evaluate.cheapest", (stated.cheapest is None, cost), (not spent, least))


def of_group_thresholds(stated: FairnessContent) -> Iterator[Statement]:
    """Hold the thresholds of groups against the groups that are judged, and what is measured."""
    for item in stated.by:
        yield Statement("fairness.thresholds rise", _rise(item.thresholds), True)
        strange = [at.threshold for at in item.thresholds if not _is_of(at, item, stated)]
        yield Statement(f"fairness.thresholds by {item.by} of what is not there", strange, [])
        here = [at for at in item.thresholds if at.threshold == stated.threshold]
        there = min(1, len(item.thresholds))
        yield Statement(f"fairness.thresholds by {item.by} that decide", len(here), there)
        wrong = [name for at in here for name in _unlike_groups(at, item)]
        yield Statement(f"fairness.thresholds by {item.by} at the one that decides", wrong, [])


def _rise(points: Sequence[CurvePoint | GroupThreshold]) -> bool:
    values = [point.threshold for point in points]
    return all(low < high for low, high in pairwise(values))


def _counts(point: ThresholdPoint) -> dict[str, int]:
    return {
        name: getattr(point, name)
        for name in ("true_positive", "false_positive", "true_negative", "false_negative")
    }


def _adds_up(point: ThresholdPoint, stated: EvaluateContent) -> bool:
    counts = _counts(point)
    caught, wrong = point.true_positive, point.false_positive
    positives, said = caught + point.false_negative, caught + wrong
    if (sum(counts.values()), positives) != (stated.n, stated.positives):
        return False
    shares: list[tuple[float | None, float | None]] = [
        (point.recall, caught / max(positives, 1)),
        (point.false_positive_rate, wrong / max(stated.n - positives, 1)),
        (point.precision, caught / said if said else None),
        (point.selection_rate, said / max(stated.n, 1)),
        (point.cost, _cost(counts, stated)),
    ]
    return all(map(same, *zip(*shares, strict=True)))


def _cost(counts: dict[str, int], stated: EvaluateContent) -> float | None:
    if not stated.costs:
        return None
    spent = sum(stated.costs.get(name, 0.0) * rows for name, rows in counts.items())
    return spent / max(stated.n, 1)


def same(one: Any, other: Any) -> bool:
    """Whether two values are one but for rounding, or both missing."""
    if one is None or other is None:
        return one is other
    return bool(abs(one - other) <= _SLACK * max(1.0, abs(other)))


def _is_of(at: GroupThreshold, item: FairnessBy, stated: FairnessContent) -> bool:
    judged = {group.name for group in item.groups if group.judged}
    rates = all(found.keys() <= {*stated.metrics} for found in at.rates.values())
    return at.rates.keys() <= judged and rates and at.gaps.keys() <= {*GAPS[stated.task]}


def _unlike_groups(at: GroupThreshold, item: FairnessBy) -> list[str]:
    """Return what is another rate or gap at the threshold that decides than by group."""
    told = {
        f"{name} of {group}": rate
        for group, found in at.rates.items()
        for name, rate in found.items()
    }
    measured = {
        f"{name} of {group.name}": found.value
        for group in item.groups
        if group.judged
        for name, found in group.metrics.items()
    }
    told |= at.gaps
    measured |= {name: gap.difference.value for name, gap in item.gaps.items()}
    return [
        name for name in sorted({*told, *measured}) if not same(told.get(name), measured.get(name))
    ]
