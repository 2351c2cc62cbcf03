"""What training under a constraint of fairness makes: a few predictors, and their weights.

fairlearn's reductions end with a distribution over predictors, from which a prediction would
be drawn by lot (Agarwal et al., A Reductions Approach to Fair Classification, ICML 2018). Here
nothing is left to chance: the score of a row is the mean of their probabilities. The mean of
their decisions, the other way to do without a lot, has as many values as there are subsets of a
few predictors, so it ranks and tells probabilities badly, and closes the gap no further: see
`bench/README.md`. The search lets its predictors decide at 0.5, so it is there that a gap is
closed. For another threshold t the errors cost t and 1 - t while they are trained, which moves
that decision to 0.5 (Elkan, The Foundations of Cost-Sensitive Learning, IJCAI 2001), and what
they say is taken back to what it is without the costs.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class _Mixture(BaseEstimator):  # type: ignore[misc]
    """Fitted predictors of one matrix of columns."""

    def __init__(self, predictors: Sequence[Any] = (), weights: Sequence[float] = ()) -> None:
        """Take what was fitted elsewhere.

        Args:
            predictors: Each with a method `predict`.
            weights: Of each, adding up to 1.
        """
        self.predictors = predictors
        self.weights = weights

    def fit(self, columns: "Array", labels: "Array") -> Self:  # noqa: ARG002 -- scikit-learn's
        """Return itself: it is made of what is fitted."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say that nothing needs to be fitted any more."""
        return True

    def _mean(self, columns: "Array") -> "Array":
        import numpy as np

        mean = np.zeros(len(columns))
        for predictor, weight in zip(self.predictors, self.weights, strict=True):
            mean += weight * np.asarray(self._said(predictor, columns), dtype=np.float64)
        return mean

    def _said(self, predictor: Any, columns: "Array") -> "Array":
        said: Array = predictor.predict(columns)
        return said


class ClassifierMixture(ClassifierMixin, _Mixture):  # type: ignore[misc]
    """A classifier of 0 and 1: the weighted mean of the predictors' probabilities of 1."""

    def __init__(
        self,
        predictors: Sequence[Any] = (),
        weights: Sequence[float] = (),
        threshold: float = 0.5,
    ) -> None:
        """Take what was fitted elsewhere.

        Args:
            predictors: Each with a method `predict`.
            weights: Of each, adding up to 1.
            threshold: What 0.5 of the predictors stands for: they were trained with errors
                that cost this (a false positive) and the rest to 1 (a false negative).
        """
        super().__init__(predictors, weights)
        self.threshold = threshold

    @property
    def classes_(self) -> "Array":
        """The classes in the order of the probabilities."""
        import numpy as np

        return np.array([0, 1])

    def predict_proba(self, columns: "Array") -> "Array":
        """Return the weighted mean of the predictors' probabilities, shape (n, 2).

        A predictor without probabilities counts with its decisions.
        """
        import numpy as np

        positive = np.clip(self._mean(columns), 0.0, 1.0)
        return np.stack([1 - positive, positive], axis=-1)

    def predict(self, columns: "Array") -> "Array":
        """Return 1 where its mean probability is more than half, shape (n,)."""
        decided: Array = (self._mean(columns) > 0.5).astype("int64")  # noqa: PLR2004 -- half
        return decided

    def _said(self, predictor: Any, columns: "Array") -> "Array":
        """Return the probabilities of 1, as without costs; who saw one class says only that."""
        if not hasattr(predictor, "predict_proba"):
            return super()._said(predictor, columns)
        found: Array = predictor.predict_proba(columns)
        classes = list(predictor.classes_)
        said = found[:, classes.index(1)] if 1 in classes else 0 * found[:, 0]
        if self.threshold == 0.5:  # noqa: PLR2004 -- nothing to take back
            return said
        positive = said * self.threshold
        whole: Array = positive + (1 - said) * (1 - self.threshold)
        return positive / whole


class RegressorMixture(RegressorMixin, _Mixture):  # type: ignore[misc]
    """A regressor: the weighted mean of the predictors' values."""

    def predict(self, columns: "Array") -> "Array":
        """Return the weighted mean of the predicted values, shape (n,)."""
        return self._mean(columns)
