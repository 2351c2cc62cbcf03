"""Metrics of a binary classifier, each over many weightings of the same rows at once.

A weighting is one bootstrap replicate: how often each row was drawn. Rows are sorted by
score once, so that a replicate of a ranking metric costs one pass. The definitions are
scikit-learn's, and the tests hold them against scikit-learn's own numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mergeline.core.base import Estimate
from mergeline.stats.bootstrap import interval, resample_counts

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Units = np.ndarray[Any, np.dtype[np.int64]]


class Rows:
    """Labels and scores of n rows, sorted by falling score.

    Args:
        positive: Whether a row has the positive class, shape (n,).
        score: Probability of the positive class, shape (n,).
        threshold: A row is predicted positive when its score reaches it.
    """

    def __init__(self, positive: "Bools", score: "Floats", threshold: float) -> None:
        import numpy as np

        self.order = np.argsort(-score, kind="stable")
        self.score = score[self.order]
        self.positive = positive[self.order].astype(np.float64)
        self.predicted = (self.score >= threshold).astype(np.float64)

    @cached_property
    def tie_starts(self) -> "np.ndarray[Any, Any]":
        """Where a new score begins: indices into the sorted rows."""
        import numpy as np

        return np.flatnonzero(np.concatenate([[True], np.diff(self.score) != 0]))

    @cached_property
    def squared_error(self) -> "Floats":
        """The squared difference of score and label."""
        return (self.score - self.positive) ** 2

    @cached_property
    def log_loss(self) -> "Floats":
        """The negative log-likelihood, scores clipped as scikit-learn clips them."""
        import numpy as np

        tiny = np.finfo(np.float64).eps
        score = np.clip(self.score, tiny, 1 - tiny)
        return -np.where(self.positive == 1, np.log(score), np.log1p(-score))


class Weighting:
    """Weights of the sorted rows, shape (b, n), and the sums that metrics share."""

    def __init__(self, rows: Rows, weights: "Floats") -> None:
        self.rows = rows
        self.weights = weights

    @cached_property
    def positives(self) -> "Floats":
        """Weight of the positive rows, shape (b,)."""
        return self.weights @ self.rows.positive

    @cached_property
    def total(self) -> "Floats":
        """Weight of all rows, shape (b,)."""
        total: Floats = self.weights.sum(axis=1)
        return total

    @cached_property
    def true_positives(self) -> "Floats":
        """Weight of positive rows predicted positive, shape (b,)."""
        return self.weights @ (self.rows.positive * self.rows.predicted)

    @cached_property
    def predicted_positives(self) -> "Floats":
        """Weight of rows predicted positive, shape (b,)."""
        return self.weights @ self.rows.predicted

    @cached_property
    def by_score(self) -> "tuple[Floats, Floats]":
        """Positive and negative weight at each distinct score, falling; shapes (b, scores)."""
        import numpy as np

        positive = self.weights * self.rows.positive
        negative = self.weights - positive
        starts = self.rows.tie_starts
        if len(starts) == self.weights.shape[1]:
            return positive, negative
        return (
            np.add.reduceat(positive, starts, axis=1),
            np.add.reduceat(negative, starts, axis=1),
        )


def _divide(above: "Floats", below: "Floats") -> "Floats":
    """Divide where the denominator is positive; NaN elsewhere."""
    import numpy as np

    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _roc_auc(w: Weighting) -> "Floats":
    """The probability that a positive row scores above a negative one, ties half."""
    import numpy as np

    positive, negative = w.by_score
    below = w.total[:, None] - w.positives[:, None] - np.cumsum(negative, axis=1)
    wins = (positive * (below + negative / 2)).sum(axis=1)
    return _divide(wins, w.positives * (w.total - w.positives))


def _average_precision(w: Weighting) -> "Floats":
    """The mean precision at the positive rows; undefined, as the AUC is, without a negative."""
    import numpy as np

    positive, negative = w.by_score
    found = np.cumsum(positive, axis=1)
    seen = found + np.cumsum(negative, axis=1)
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    both = np.where(w.total > w.positives, w.positives, 0.0)
    return _divide((positive * precision).sum(axis=1), both)


def _recall(w: Weighting) -> "Floats":
    return _divide(w.true_positives, w.positives)


def _specificity(w: Weighting) -> "Floats":
    false_positives = w.predicted_positives - w.true_positives
    negatives = w.total - w.positives
    return _divide(negatives - false_positives, negatives)


def _accuracy(w: Weighting) -> "Floats":
    right = w.total - w.positives - w.predicted_positives + 2 * w.true_positives
    return _divide(right, w.total)


@dataclass(frozen=True)
class Metric:
    """A metric by its scikit-learn name.

    Attributes:
        compute: From weightings to values, shape (b,); NaN where undefined.
        higher_is_better: Its direction.
        needs_both: Undefined when the rows have only one class.
    """

    compute: Callable[[Weighting], "Floats"]
    higher_is_better: bool = True
    needs_both: bool = False


METRICS: Mapping[str, Metric] = {
    "roc_auc": Metric(_roc_auc, needs_both=True),
    "average_precision": Metric(_average_precision, needs_both=True),
    "brier_score": Metric(
        lambda w: _divide(w.weights @ w.rows.squared_error, w.total), higher_is_better=False
    ),
    "log_loss": Metric(
        lambda w: _divide(w.weights @ w.rows.log_loss, w.total), higher_is_better=False
    ),
    "accuracy": Metric(_accuracy),
    "balanced_accuracy": Metric(lambda w: (_recall(w) + _specificity(w)) / 2, needs_both=True),
    "precision": Metric(lambda w: _divide(w.true_positives, w.predicted_positives)),
    "recall": Metric(_recall),
    "f1": Metric(lambda w: _divide(2 * w.true_positives, w.positives + w.predicted_positives)),
}


def point_values(names: Sequence[str], rows: Rows) -> dict[str, float]:
    """Return each metric on the rows as they are; NaN where it is undefined."""
    import numpy as np

    once = Weighting(rows, np.ones((1, len(rows.score))))
    return {name: float(METRICS[name].compute(once)[0]) for name in names}


def replicate_metrics(
    names: Sequence[str],
    samples: Sequence[Rows],
    *,
    units: "Units | None",
    replicates: int,
    seed: int,
) -> "list[dict[str, Floats]]":
    """Return each metric of each sample under the same draws, shape (replicates,).

    Args:
        names: Keys of `METRICS`.
        samples: The same rows, in the same order, with the scores of different models.
        units: As in `estimate_metrics`.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    import numpy as np

    n = len(samples[0].score)
    size = n if units is None else int(units.max()) + 1
    parts: list[dict[str, list[Floats]]] = [{name: [] for name in names} for _ in samples]
    for counts in resample_counts(size, replicates, seed):
        weights = counts if units is None else counts[:, units]
        for rows, part in zip(samples, parts, strict=True):
            weighting = Weighting(rows, weights[:, rows.order])
            for name in names:
                part[name].append(METRICS[name].compute(weighting))
    return [{name: np.concatenate(part[name]) for name in names} for part in parts]


def estimate_metrics(
    names: Sequence[str],
    rows: Rows,
    *,
    units: "Units | None" = None,
    replicates: int,
    seed: int,
) -> dict[str, Estimate]:
    """Return each metric with its bootstrap interval.

    Args:
        names: Keys of `METRICS`.
        rows: The rows to measure on; at least one.
        units: For each row the number of its unit (0 to units-1), where ids or groups
            repeat; None draws rows.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    n = len(rows.score)
    points = point_values(names, rows)
    defined = [name for name in names if points[name] == points[name]]
    drawn = (
        replicate_metrics(defined, [rows], units=units, replicates=replicates, seed=seed)[0]
        if defined
        else {}
    )
    return {
        name: estimate(points[name], drawn[name], n)
        if name in drawn
        else Estimate(value=None, n=n, reason=_undefined(name, rows))
        for name in names
    }


def _undefined(name: str, rows: Rows) -> str:
    if METRICS[name].needs_both:
        side = "positive" if rows.positive.all() else "negative"
        return f"{name} needs both classes; all {len(rows.score)} rows are {side}."
    return f"{name} divides by zero on these {len(rows.score)} rows."


def estimate(value: float, drawn: "Floats", n: int) -> Estimate:
    """Return a value with the interval of its replicates, shape (replicates,)."""
    ends = interval(drawn)
    if ends is None:
        return Estimate(value=value, n=n, reason="Too few rows for an interval.")
    return Estimate(value=value, low=ends[0], high=ends[1], n=n)
