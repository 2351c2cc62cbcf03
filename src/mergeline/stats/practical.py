"""The change from one model to the other in terms of what a model is used for.

Of two classes it is the recall of both at one share of rows predicted positive, that of the
baseline at its threshold: a model that catches more because it selects more is not better for
that. In every draw the baseline's share in that draw counts.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mergeline.core.task import Task
from mergeline.core.verdict import Paired, Practical
from mergeline.stats import binary
from mergeline.stats.metrics import Rows, Scored, rows_of
from mergeline.stats.paired import pair_metrics
from mergeline.stats.ratios import divide

if TYPE_CHECKING:
    import numpy as np

    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]

# Positive rows that only one model catches: from so many on, percentiles of draws hold the truth.
_ENOUGH_UNLIKE = 20
_RECALL_OF_AS_MANY = "recall_of_as_many"
# What it is called, the metric that is compared, and what one of its units comes to.
_MEASURES: Mapping[Task, tuple[Literal["caught", "right", "off"], str, float]] = {
    "binary": ("caught", _RECALL_OF_AS_MANY, 100.0),
    "multiclass": ("right", "accuracy", 100.0),
    "regression": ("off", "mean_absolute_error", 1.0),
}


def pair_in_practice(
    names: Sequence[str], before: Scored, after: Scored, **how: Any
) -> tuple[dict[str, Paired], Practical | None]:
    """Compare two models by metrics and in practice, all under the same draws.

    Args:
        names: Of the metrics of the task.
        before: What the baseline says of the rows, at its own threshold.
        after: What the candidate says of the same rows.
        how: `units`, `replicates` and `seed` as `pair_metrics` wants them.

    Returns:
        The metrics by name, and the change in practice; None where the baseline's model
        predicts all rows positive, or none.
    """
    kind, metric, scale = _MEASURES[before.task]
    sides = [_rows(side, before) for side in (before, after)]
    found = pair_metrics(list(dict.fromkeys((*names, metric))), sides[0], sides[1], **how)
    practical = Practical(
        kind=kind, paired=_scaled(found[metric], scale), selected=_selected(before)
    )
    metrics = {name: found[name] for name in names}
    return metrics, None if practical.selected in (0.0, 1.0) else practical


def _rows(side: Scored, baseline: Scored) -> Rows:
    if side.task != "binary":
        return rows_of(side)
    threshold = float(side.threshold or 0.0)
    return _AsMany(side.actual, side.score, threshold, baseline)


def _selected(baseline: Scored) -> float | None:
    if baseline.task != "binary":
        return None
    return float((baseline.score >= float(baseline.threshold or 0.0)).mean())


def _scaled(pair: Paired, scale: float) -> Paired:
    def times(value: float | None) -> float | None:
        return None if value is None else value * scale

    delta = pair.delta
    ends = {"value": times(delta.value), "low": times(delta.low), "high": times(delta.high)}
    return pair.model_copy(
        update={
            "baseline": times(pair.baseline),
            "candidate": times(pair.candidate),
            "delta": delta.model_copy(update=ends),
            "minimum_detectable": times(pair.minimum_detectable),
        }
    )


class _AsMany(binary.Rows):
    """Rows of one model beside what another one selects of them.

    Args:
        positive: Whether a row has the positive class, shape (n,).
        score: Probability of the positive class, shape (n,).
        threshold: Of this model.
        baseline: What the other one says of the same rows.
    """

    def __init__(
        self, positive: "Bools", score: "Floats", threshold: float, baseline: Scored
    ) -> None:
        import numpy as np

        super().__init__(positive, score, threshold)
        chosen = baseline.score >= float(baseline.threshold or 0.0)
        self.chosen = chosen[self.order].astype(np.float64)
        ours, theirs = (np.unique(each, return_inverse=True)[1] for each in (score, baseline.score))
        self.same_order = np.array_equal(ours, theirs)

    def weigh(self, weights: "Floats") -> binary.Weighting:
        """Return the rows under weightings, shape (b, n), in the order that rows were given."""
        return _WeighedAsMany(self, weights[:, self.order])

    def share(self, metric: str) -> "tuple[Bools, Bools] | None":
        """Return which rows a metric counts as right, and of which, shape (n,).

        None for the recall of as many where draws alone hold the truth often enough: counted as
        shares of fixed rows its intervals are a fifth too wide, since one row that is selected
        takes another one's place. None also of models that put all rows in one order, which
        select the same in every draw.
        """
        import numpy as np

        if metric != _RECALL_OF_AS_MANY:
            return super().share(metric)
        ends = np.append(self.tie_starts[1:], len(self))
        part = (self.chosen.sum() - self.tie_starts) / (ends - self.tie_starts)
        # Of equal scores at the cut each counts where more than half of them do.
        caught = np.repeat(part > 0.5, ends - self.tie_starts)  # noqa: PLR2004
        positive = self.positive > 0
        unlike = (positive & (caught != (self.chosen > 0))).sum()
        if self.same_order or unlike >= _ENOUGH_UNLIKE:
            return None
        given = np.argsort(self.order)
        return caught[given], positive[given]


class _WeighedAsMany(binary.Weighting):
    """Their weights, and the recall when as many are selected as the other one does."""

    rows: _AsMany

    def _compute(self, metric: str) -> "Floats":
        return self._recall() if metric == _RECALL_OF_AS_MANY else super()._compute(metric)

    def _recall(self) -> "Floats":
        """The rows of the highest scores are selected; of equal ones at the cut each in part."""
        import numpy as np

        wanted = self.weights @ self.rows.chosen
        if np.array_equal(self.rows.chosen, self.rows.predicted):
            return divide(self.weights @ (self.rows.chosen * self.rows.positive), self.positives)
        positive, negative = self.by_score
        found, others = self.reached
        seen = found + others
        # Where the cut falls, and how much of those rows is beyond it.
        places = [np.searchsorted(row, most) for row, most in zip(seen, wanted, strict=True)]
        cut = np.minimum(places, seen.shape[1] - 1)
        each = np.arange(len(cut))
        here = positive[each, cut]
        beyond = divide(seen[each, cut] - wanted, here + negative[each, cut], 0.0)
        return divide(found[each, cut] - beyond * here, self.positives)
