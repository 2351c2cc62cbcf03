"""Metrics of a binary classifier, each over many weightings of the same rows at once.

Rows are sorted by score once, so that a replicate of a ranking metric costs one pass. The
definitions are scikit-learn's, and the tests hold them against scikit-learn's own numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mergeline.stats.ratios import divide
from mergeline.stats.weighting import RowsWeighed

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]


class Rows:
    """Labels and scores of n rows, sorted by falling score.

    Args:
        positive: Whether a row has the positive class, shape (n,).
        score: Probability of the positive class, shape (n,).
        predicted: Whether a row is predicted positive, shape (n,), or the threshold that its
            score has to reach.
    """

    def __init__(self, positive: "Bools", score: "Floats", predicted: "Bools | float") -> None:
        import numpy as np

        self.order = np.argsort(-score, kind="stable")
        self.score = score[self.order]
        self.positive = positive[self.order].astype(np.float64)
        hits = score >= predicted if isinstance(predicted, float) else predicted
        self.predicted = np.asarray(hits)[self.order].astype(np.float64)

    def __len__(self) -> int:
        return len(self.score)

    def weigh(self, weights: "Floats") -> "Weighting":
        """Return the rows under weightings, shape (b, n), in the order that rows were given."""
        return Weighting(self, weights[:, self.order])

    def undefined(self, metric: str) -> str:
        """Say why a metric has no value on these rows."""
        if METRICS[metric].needs_both:
            side = "positive" if self.positive.all() else "negative"
            return f"{metric} needs both classes; all {len(self)} rows are {side}."
        return f"{metric} divides by zero on these {len(self)} rows."

    def share(self, metric: str) -> "tuple[Bools, Bools] | None":
        """Return which rows recall and accuracy count as right, and of which, shape (n,)."""
        import numpy as np

        if metric not in ("recall", "accuracy"):
            return None
        given = np.argsort(self.order)
        positive, predicted = self.positive[given] > 0, self.predicted[given] > 0
        return positive == predicted, positive if metric == "recall" else np.full(len(self), True)

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


class Weighting(RowsWeighed[Rows]):
    """Weights of the sorted rows, shape (b, n), and the sums that metrics share."""

    def _compute(self, metric: str) -> "Floats":
        return METRICS[metric].compute(self)

    @cached_property
    def positives(self) -> "Floats":
        """Weight of the positive rows, shape (b,)."""
        return self.weights @ self.rows.positive

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

    @cached_property
    def reached(self) -> "tuple[Floats, Floats]":
        """Positive and negative weight at each distinct score or above; shapes (b, scores)."""
        import numpy as np

        positive, negative = self.by_score
        return np.cumsum(positive, axis=1), np.cumsum(negative, axis=1)


def _roc_auc(w: Weighting) -> "Floats":
    """The probability that a positive row scores above a negative one, ties half."""
    positive, negative = w.by_score
    below = w.total[:, None] - w.positives[:, None] - w.reached[1]
    wins = (positive * (below + negative / 2)).sum(axis=1)
    return divide(wins, w.positives * (w.total - w.positives))


def _average_precision(w: Weighting) -> "Floats":
    """The mean precision at the positive rows; undefined, as the AUC is, without a negative."""
    import numpy as np

    positive, _ = w.by_score
    found, others = w.reached
    seen = found + others
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    both = np.where(w.total > w.positives, w.positives, 0.0)
    return divide((positive * precision).sum(axis=1), both)


def _recall(w: Weighting) -> "Floats":
    return divide(w.true_positives, w.positives)


def _specificity(w: Weighting) -> "Floats":
    false_positives = w.predicted_positives - w.true_positives
    negatives = w.total - w.positives
    return divide(negatives - false_positives, negatives)


def _accuracy(w: Weighting) -> "Floats":
    right = w.total - w.positives - w.predicted_positives + 2 * w.true_positives
    return divide(right, w.total)


@dataclass(frozen=True)
class Metric:
    """A metric by its scikit-learn name.

    Attributes:
        compute: From weightings to values, shape (b,); NaN where undefined.
        needs_both: Undefined when the rows have only one class.
    """

    compute: Callable[[Weighting], "Floats"]
    needs_both: bool = False


METRICS: Mapping[str, Metric] = {
    "roc_auc": Metric(_roc_auc, needs_both=True),
    "average_precision": Metric(_average_precision, needs_both=True),
    "brier_score": Metric(lambda w: divide(w.weights @ w.rows.squared_error, w.total)),
    "log_loss": Metric(lambda w: divide(w.weights @ w.rows.log_loss, w.total)),
    "accuracy": Metric(_accuracy),
    "balanced_accuracy": Metric(lambda w: (_recall(w) + _specificity(w)) / 2, needs_both=True),
    "precision": Metric(lambda w: divide(w.true_positives, w.predicted_positives)),
    "recall": Metric(_recall),
    "f1": Metric(lambda w: divide(2 * w.true_positives, w.positives + w.predicted_positives)),
}
