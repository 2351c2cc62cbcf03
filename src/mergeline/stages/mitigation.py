"""Training under a constraint of fairness: fairlearn's ExponentiatedGradient around an estimator.

The groups are needed in training only: the model that comes out reads the columns that it
would read without. Source: Agarwal, Beygelzimer, Dudik, Langford and Wallach, A Reductions
Approach to Fair Classification, ICML 2018; for regression Agarwal, Dudik and Wu, Fair
Regression: Quantitative Definitions and Reduction-Based Algorithms, ICML 2019.
"""

import warnings
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Mitigation, Model
from mergeline.errors import ModelError, first_line
from mergeline.model.estimator import model_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_OTHERS = "(groups of few rows)"
_MOMENTS = {
    "demographic_parity": "DemographicParity",
    "equalized_odds": "EqualizedOdds",
    "true_positive_rate_parity": "TruePositiveRateParity",
}
# Weights below this come from rounding in the linear program.
_TRACE = 1e-9
# When a search for a regression ends: fairlearn would take a gap in the units of the outcome.
_CONVERGED = 1e-3


def fit_mitigated(
    pipeline: Any,
    rows: "pd.DataFrame",
    labels: "Array",
    groups: "Array",
    mitigation: Mitigation,
    *,
    model: Model,
    min_group: int,
) -> Any:
    """Fit a pipeline under a constraint, in place of its estimator a mixture of several.

    Args:
        pipeline: Unfitted; its last step is the estimator.
        rows: Cast features, shape (n, features).
        labels: 0 and 1, or numbers, shape (n,).
        groups: The group of each row, shape (n,).
        mitigation: The constraint.
        model: Names the estimator in messages.
        min_group: Smaller groups are taken for one; should they be few rows even together,
            they count with the largest group.

    Returns:
        The pipeline, fitted.

    Raises:
        ModelError: The estimator takes no weights of rows, or cannot be trained.
    """
    import numpy as np

    *before, (name, estimator) = pipeline.steps
    if not takes_weights(pipeline):
        raise ModelError(
            f"{model_name(model)} takes no weights of rows (sample_weight), which training under "
            "fairness.mitigation needs",
            hint="choose an estimator that has them, e.g. "
            "sklearn.ensemble.HistGradientBoostingClassifier, or take fairness.mitigation out",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.random.seed(model.seed)  # what takes no random state draws from NumPy's
            columns: Any = rows
            for _, step in before:
                columns = step.fit_transform(columns, labels)
            pooled = pool_groups(groups, min_group)
            mixture = _reduce(estimator, columns, labels, pooled, mitigation)
    except Exception as error:  # an estimator raises whatever it likes
        raise ModelError(
            f"{model_name(model)} cannot be trained under fairness.mitigation on {len(rows)} rows "
            f"and {len(set(groups.tolist()))} groups: {type(error).__name__}: {first_line(error)}",
            hint="train without fairness.mitigation first; then try another constraint or bound",
        ) from error
    pipeline.steps = [*before, (name, mixture)]
    return pipeline


def takes_weights(pipeline: Any) -> bool:
    """Tell whether the estimator of a pipeline takes weights of rows, as a reduction needs."""
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(pipeline.steps[-1][1], "sample_weight"))


def in_words(mitigation: Mitigation) -> str:
    """Return what the model was trained under."""
    search = f"by {mitigation.by} (fairlearn's ExponentiatedGradient, {mitigation.rounds} rounds)"
    if mitigation.constraint == "bounded_group_loss":
        return (
            f"trained so that no group's mean absolute error is beyond {mitigation.bound:g} of the "
            f"outcome's range, {search}; a value is the weighted mean of several models' values"
        )
    return (
        f"trained for {mitigation.constraint.replace('_', ' ')} up to {mitigation.bound:g}, "
        f"at the threshold {mitigation.threshold:g}, {search}; a score is the weighted mean of "
        "several models' probabilities"
    )


def pool_groups(groups: "Array", min_group: int) -> "Array":
    """Return groups without small ones: a constraint on a few rows would be one on noise."""
    import numpy as np

    names, counts = np.unique(groups, return_counts=True)
    few = np.isin(groups, names[counts < min_group])
    into = _OTHERS if few.sum() >= min_group else str(names[counts.argmax()])
    return np.where(few, into, groups.astype(object)).astype(str)


def _reduce(
    estimator: Any, columns: Any, labels: "Array", groups: "Array", mitigation: Mitigation
) -> Any:
    from fairlearn import reductions

    from mergeline.model.mixture import ClassifierMixture, RegressorMixture

    regression, costs = mitigation.constraint == "bounded_group_loss", None
    if regression:
        constraint = _bounded_loss(float(labels.min()), float(labels.max()), mitigation.bound)
    else:
        moment = getattr(reductions, _MOMENTS[mitigation.constraint])
        constraint = moment(difference_bound=mitigation.bound)
        share = mitigation.threshold
        costs = reductions.ErrorRate(costs={"fp": share, "fn": 1 - share})
    search = reductions.ExponentiatedGradient(
        estimator,
        constraint,
        objective=costs,
        max_iter=mitigation.rounds,
        nu=_CONVERGED if regression else None,
    )
    search.fit(columns, labels, sensitive_features=groups)
    kept = [place for place, weight in search.weights_.items() if weight > _TRACE]
    total = float(sum(search.weights_[place] for place in kept))
    predictors = [search.predictors_[place] for place in kept]
    weights = [float(search.weights_[place]) / total for place in kept]
    if regression:
        return RegressorMixture(predictors, weights)
    return ClassifierMixture(predictors, weights, mitigation.threshold)


def _bounded_loss(low: float, high: float, bound: float) -> Any:
    """Return fairlearn's BoundedGroupLoss, of errors as shares of the outcome's range.

    The search takes steps by the size of the loss, and in the outcome's own units, dollars
    say, they overflow. And there is no Python loop over the rows in each round.
    """
    from fairlearn.reductions import AbsoluteLoss, BoundedGroupLoss, MeanLoss

    class Share(AbsoluteLoss):  # type: ignore[misc]
        def eval(self, y_true: Any, y_pred: Any) -> Any:
            return super().eval(y_true, y_pred) / ((high - low) or 1.0)

    class Mean(MeanLoss):  # type: ignore[misc]
        def signed_weights(self, lambda_vec: Any = None) -> Any:  # noqa: ARG002 -- of one group
            return self.tags["group_id"].map(lambda _: 1.0)

    class Bounded(BoundedGroupLoss):  # type: ignore[misc]
        def signed_weights(self, lambda_vec: Any = None) -> Any:
            if lambda_vec is None:
                return super().signed_weights(lambda_vec)
            return self.tags["group_id"].map(lambda_vec / self.prob_attr).astype(float)

        def default_objective(self) -> Any:
            return Mean(self.reduction_loss)

    return Bounded(Share(low, high), upper_bound=bound)
