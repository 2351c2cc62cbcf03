"""fairness: bias by group on the held-out rows, and what would close it."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from mergeline.core.base import Estimate, Stated
from mergeline.core.evidence.envelope import Count, Share
from mergeline.core.evidence.evaluate import MOST_POINTS
from mergeline.core.task import Task

MOST_GROUPS_OF_THRESHOLDS = 20
"""Of more judged groups no other thresholds are told: nobody could read it."""


class Group(Stated):
    """One group of one sensitive column, or of an intersection.

    Attributes:
        positives: Binary only. None, and no rates either, for a group that is not judged and
            has fewer than `FEWEST_TOLD` rows.
        judged: False when the group has fewer rows than `min_group`: shown, not judged.
        metrics: By metric name; rates at the threshold, with Wilson intervals, and means
            of a regression, with intervals of the bootstrap.
        classes: Rates of each class against the others, by class and metric; multiclass only.
    """

    name: str
    n: Count
    positives: Count | None
    judged: bool
    metrics: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]] = {}


class Gap(Stated):
    """A difference between groups.

    Attributes:
        difference: Largest minus smallest over the judged groups, bootstrap interval;
            value None when fewer than two groups are judged.
        ratio: Smallest over largest, None where it is not defined.
        lowest: The group with the smallest rate.
        highest: The group with the largest rate.
        rate: The metric in which the two differ most.
        of: The class whose rate that is; multiclass only.
    """

    difference: Estimate
    ratio: FiniteFloat | None
    lowest: str | None
    highest: str | None
    rate: str | None
    of: str | None = None


class Cause(Stated):
    """Where the worst gap by a column comes from.

    Attributes:
        gap: Which gap.
        kind: `base_rate`: the groups differ in how often the outcome is true, and the
            predictions follow; `errors`: the model errs more in one; `size`: one group is too
            small to tell; `none`: no gap to explain.
        reason: One sentence with the numbers.
    """

    gap: str
    kind: Literal["base_rate", "errors", "size", "none"]
    reason: str


class Remedy(Stated):
    """What would close a gap: measured on held-out rows that the remedy was not fitted on.

    Attributes:
        gap: Which gap it aims at.
        method: `threshold` (one other threshold for everybody), `threshold_optimizer`
            (fairlearn's postprocessing, thresholds by group) or `reduction` (another model,
            trained under a constraint on some of the training rows; it is held against the
            same estimator trained without on these rows).
        setting: Human-readable: the threshold, the thresholds by group, or the training.
        gap_before: The gap on the same rows as it is.
        gap_after: The gap on these rows with the remedy.
        accuracy_before: Accuracy on these rows as it is; None for regression.
        accuracy_after: Accuracy on these rows with the remedy.
        error_before: Mean absolute error on these rows as it is; regression only.
        error_after: Mean absolute error on these rows with the remedy.
        others: The other gaps by the same column, before and after; closing one can open another.
        n: The rows it was measured on.
    """

    gap: str
    method: Literal["threshold", "threshold_optimizer", "reduction"]
    setting: str
    gap_before: FiniteFloat
    gap_after: FiniteFloat
    accuracy_before: FiniteFloat | None
    accuracy_after: FiniteFloat | None
    error_before: FiniteFloat | None = None
    error_after: FiniteFloat | None = None
    others: dict[str, tuple[FiniteFloat, FiniteFloat]] = {}
    n: Count


class GroupThreshold(Stated):
    """What groups and the gaps between them would be at another threshold.

    Attributes:
        rates: By judged group and metric, those of `FairnessContent.metrics`; None where a rate
            is not defined.
        gaps: By name; None where a gap is not defined.
    """

    threshold: FiniteFloat
    rates: dict[str, dict[str, Share | None]]
    gaps: dict[str, Share | None]


class FairnessBy(Stated):
    """Fairness by one sensitive column, or by an intersection of several.

    Attributes:
        by: The column; an intersection's columns joined by ` & `.
        gaps: By name, those of `core.task.GAPS`. Each interval holds for all pairs of the judged
            groups at once.
        cause: Where the worst gap comes from; None where nothing could be judged.
        left_out: What was not tried to close the gap, and why; else empty.
        thresholds: By rising threshold, the one that decides among them; binary only, of single
            columns with 2 to 20 judged groups. The first would select everybody and the last
            nobody, where a probability can. Between two others lie no rows of a group or at least
            `FEWEST_TOLD`, and outside of them too; only beyond the one that decides may lie fewer,
            which its rates tell as well. So small groups make them few.
        reason: Why nothing could be judged, else empty.
    """

    by: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    gaps: dict[str, Gap]
    remedies: tuple[Remedy, ...] = ()
    left_out: str = ""
    cause: Cause | None = None
    thresholds: Annotated[tuple[GroupThreshold, ...], Field(max_length=MOST_POINTS)] = ()
    reason: str = ""


class FairnessContent(Stated):
    """Bias by group on the held-out rows, at the threshold where there is one."""

    task: Task = "binary"
    n: Count
    threshold: FiniteFloat | None
    min_group: Count
    metrics: tuple[str, ...]
    by: tuple[FairnessBy, ...]
    bootstrap: Count
    seed: int
