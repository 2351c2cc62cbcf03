"""What a model predicts, and the names of what is measured for each kind of it.

The names are scikit-learn's and fairlearn's where they have one.
"""

from collections.abc import Mapping
from typing import Literal, get_args

Task = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)

METRICS: Mapping[Task, tuple[str, ...]] = {
    "binary": (
        "roc_auc",
        "average_precision",
        "brier_score",
        "log_loss",
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
    ),
    "multiclass": (
        "balanced_accuracy",
        "accuracy",
        "f1_macro",
        "precision_macro",
        "recall_macro",
        "roc_auc_ovr",
        "brier_score",
        "log_loss",
    ),
    "regression": (
        "mean_absolute_error",
        "root_mean_squared_error",
        "median_absolute_error",
        "r2",
        "mean_error",
    ),
}
"""What can be measured on the held-out rows."""

PRIMARY: Mapping[Task, str] = {
    "binary": "roc_auc",
    "multiclass": "balanced_accuracy",
    "regression": "mean_absolute_error",
}
"""What the report leads with unless the settings say so."""

MEASURED: Mapping[Task, tuple[str, ...]] = {
    "binary": ("roc_auc", "average_precision", "brier_score"),
    "multiclass": ("balanced_accuracy", "accuracy", "f1_macro", "log_loss"),
    "regression": ("mean_absolute_error", "root_mean_squared_error", "r2", "mean_error"),
}
"""What is measured unless the settings say so."""

UNBOUNDED = frozenset({"log_loss", *METRICS["regression"]})
"""The metrics that may lie outside of 0 to 1."""

RATES: Mapping[Task, tuple[str, ...]] = {
    "binary": (
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
        "true_negative_rate",
        "false_negative_rate",
        "accuracy",
        "precision",
    ),
    "multiclass": (
        "accuracy",
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
        "precision",
    ),
    "regression": ("mean_prediction", "mean_actual", "mean_error", "mean_absolute_error"),
}
"""What can be measured by group; for several classes all but the accuracy is by class too."""

SHOWN_RATES: Mapping[Task, tuple[str, ...]] = {
    "binary": ("selection_rate", "true_positive_rate", "false_positive_rate"),
    "multiclass": ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate"),
    "regression": ("mean_prediction", "mean_actual", "mean_error", "mean_absolute_error"),
}
"""What is shown by group unless the settings say so."""

GAPS: Mapping[Task, tuple[str, ...]] = {
    "binary": (
        "demographic_parity_difference",
        "equalized_odds_difference",
        "equal_opportunity_difference",
    ),
    "multiclass": (
        "demographic_parity_difference",
        "equalized_odds_difference",
        "equal_opportunity_difference",
        "accuracy_difference",
    ),
    "regression": (
        "mean_prediction_difference",
        "mean_error_difference",
        "mean_absolute_error_difference",
    ),
}
"""The differences between groups; for several classes the largest over the classes."""

LOWER_IS_BETTER = frozenset(
    {
        "brier_score",
        "log_loss",
        "mean_absolute_error",
        "root_mean_squared_error",
        "median_absolute_error",
    }
)
"""Metrics of which less is better; of `mean_error`, the nearer to 0 the better."""


def higher_is_better(metric: str) -> bool:
    """Return in which direction a metric is compared; a mean error by its absolute value."""
    return metric not in LOWER_IS_BETTER and metric != "mean_error"
