"""Gaps between groups: whether evidence says of them what it says of the groups."""

from collections.abc import Iterator, Sequence

from mergeline.bundle.thresholds import Statement
from mergeline.core.base import Estimate
from mergeline.core.evidence import FEWEST_TOLD, FairnessBy, FairnessContent, Group
from mergeline.core.task import Task
from mergeline.stats.gaps import GAP_RATES

_SLACK = 1e-9
_FEWEST_GROUPS = 2


def of_gaps(stated: FairnessContent) -> Iterator[Statement]:
    """Hold groups against the rows and the smallest size, and gaps against the judged groups."""
    for item in stated.by:
        judged = [group for group in item.groups if group.judged]
        names = {group.name for group in item.groups}
        yield Statement(f"fairness groups by {item.by} twice", len(item.groups), len(names))
        rows = sum(group.n for group in item.groups)
        yield Statement(f"fairness.n by the groups of {item.by}", stated.n, rows)
        large = {group.name for group in item.groups if group.n >= stated.min_group}
        unlike = sorted({group.name for group in judged} ^ large)
        yield Statement(f"fairness groups by {item.by} judged against their size", unlike, [])
        wrong = [name for name in item.gaps if not _is_of(name, item, judged, stated.task)]
        yield Statement(f"fairness gaps by {item.by} that no groups have", wrong, [])


def _is_of(name: str, item: FairnessBy, judged: Sequence[Group], task: Task) -> bool:
    """Whether a gap is the largest difference of two judged groups, as `stats.gaps` has it."""
    stated, kinds = item.gaps[name].difference.value, list(_kinds(name, judged, task))
    if task == "multiclass":  # of classes with a group of few rows there is none
        kinds = [kind for kind in kinds if all(rate.n >= FEWEST_TOLD for rate in kind)]
    values = [[rate.value for rate in kind if rate.value is not None] for kind in kinds]
    whole = all(len(found) == len(judged) for found in values)
    if len(judged) < _FEWEST_GROUPS or not values or not whole:
        return stated is None
    found = max(max(each) - min(each) for each in values)
    size = max(abs(value) for each in values for value in each)
    return stated is not None and abs(stated - found) <= _SLACK * max(1.0, size)


def _kinds(name: str, judged: Sequence[Group], task: Task) -> Iterator[list[Estimate]]:
    """Yield what a gap is a difference of, group by group; of several classes for each class."""
    for rate in GAP_RATES.get(name, ()):
        if task != "multiclass" or rate == "accuracy":
            yield [group.metrics[rate] for group in judged if rate in group.metrics]
            continue
        for of in judged[0].classes if judged else ():
            found = (group.classes.get(of, {}) for group in judged)
            yield [rates[rate] for rates in found if rate in rates]
