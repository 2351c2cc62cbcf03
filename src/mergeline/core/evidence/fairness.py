"""fairness: bias by group on the held-out rows, and what would close it."""

from typing import Literal

from pydantic import FiniteFloat

from mergeline.core.base import Estimate, Stated
from mergeline.core.evidence.envelope import Count
from mergeline.core.task import Task


class Group(Stated):
    """One group of one sensitive column, or of an intersection.

    Attributes:
        positives: None, and no rates either, for a group that is not judged and has fewer
            than `FEWEST_TOLD` rows.
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
        method: `threshold` (one other threshold for everybody) or `threshold_optimizer`
            (fairlearn's postprocessing, thresholds by group).
        setting: Human-readable: the threshold, or the thresholds by group.
        gap_before: The gap on the same rows as it is.
        gap_after: The gap on these rows with the remedy.
        accuracy_before: Accuracy on these rows as it is.
        accuracy_after: Accuracy on these rows with the remedy.
        n: The rows it was measured on.
    """

    gap: str
    method: Literal["threshold", "threshold_optimizer"]
    setting: str
    gap_before: FiniteFloat
    gap_after: FiniteFloat
    accuracy_before: FiniteFloat
    accuracy_after: FiniteFloat
    n: Count


class FairnessBy(Stated):
    """Fairness by one sensitive column, or by an intersection of several.

    Attributes:
        by: The column; an intersection's columns joined by ` & `.
        gaps: By name: `demographic_parity_difference`, `equalized_odds_difference`,
            `equal_opportunity_difference`.
        cause: Where the worst gap comes from; None where nothing could be judged.
        reason: Why nothing could be judged, else empty.
    """

    by: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    gaps: dict[str, Gap]
    remedies: tuple[Remedy, ...] = ()
    cause: Cause | None = None
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
