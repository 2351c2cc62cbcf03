"""What groups, and the gaps between them, would be at other thresholds; of two classes only."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from math import isnan
from typing import TYPE_CHECKING, Any

from mergeline.core.evidence import GroupThreshold
from mergeline.core.evidence.fairness import MOST_GROUPS_OF_THRESHOLDS
from mergeline.core.task import GAPS
from mergeline.model.predictions import Predictions
from mergeline.stages.by_group import rate_counts
from mergeline.stats.gaps import gap_values
from mergeline.stats.sums import Measures
from mergeline.stats.thresholds import selected, spread_thresholds

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_POINTS = 21
_FEWEST_GROUPS = 2


def group_thresholds(
    held: Predictions, labels: "Array", judged: AbstractSet[str], metrics: Sequence[str]
) -> tuple[GroupThreshold, ...]:
    """Return rates and gaps at about 21 thresholds and at the one that decides.

    Empty where a gap would say nothing, or too many groups are judged.

    Args:
        held: The held-out rows, of two classes.
        labels: The group of each row, shape (n,).
        judged: The groups that are judged.
        metrics: Names of rates.
    """
    import numpy as np

    names = sorted(judged)
    if not _FEWEST_GROUPS <= len(names) <= MOST_GROUPS_OF_THRESHOLDS:
        return ()
    inside = np.isin(labels, np.array(names, dtype=str))
    score, actual = held.score[inside], held.actual[inside]
    groups = np.searchsorted(np.array(names, dtype=str), labels[inside])
    thresholds = spread_thresholds(score, most=_POINTS, groups=groups, deciding=held.threshold)
    # By group, outcome and threshold: rows that are not, and that are, predicted positive.
    counts = np.empty((len(names), 2, len(thresholds), 2), dtype=np.int64)
    for group, outcome in np.ndindex(len(names), 2):
        rows = score[(groups == group) & (actual == bool(outcome))]
        said = selected(rows, thresholds)
        counts[group, outcome] = np.stack([len(rows) - said, said], axis=1)
    gaps = _gaps(counts)
    return tuple(
        GroupThreshold(
            threshold=threshold,
            rates={
                name: _rates(counts[group, :, place], metrics) for group, name in enumerate(names)
            },
            gaps={gap: _known(float(values[place])) for gap, values in gaps.items()},
        )
        for place, threshold in enumerate(thresholds)
    )


def _rates(counts: "Array", metrics: Sequence[str]) -> dict[str, float | None]:
    found = rate_counts(counts, 1)
    rates = {metric: found[metric][:2] for metric in metrics}
    return {metric: hits / n if n else None for metric, (hits, n) in rates.items()}


def _gaps(counts: "Array") -> "dict[str, Array]":
    """Return each gap by threshold, from counts of shape (groups, 2, thresholds, 2)."""
    import numpy as np

    cells = np.moveaxis(counts, 2, 0)
    measures = Measures("binary")
    n, true = cells.sum(axis=(2, 3)), cells[:, :, 1].sum(axis=2)
    said, both = cells[..., 1].sum(axis=2), cells[:, :, 1, 1]
    right = both + cells[:, :, 0, 0]
    sums = np.stack([n, right, true, said, both], axis=-1).astype(np.float64)
    return gap_values(measures.values(sums), measures, GAPS["binary"])


def _known(value: float) -> float | None:
    return None if isnan(value) else value
