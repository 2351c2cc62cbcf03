"""What a model predicts, and the names of what is measured for each kind of it.

The names are scikit-learn's and fairlearn's where they have one. Settings take a name of any
task; that it fits theirs is a rule of its own.
"""

from collections.abc import Mapping
from typing import Literal, get_args

Task = Literal["binary", "multiclass", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)

_BinaryMetric = Literal[
    "roc_auc",
    "average_precision",
    "brier_score",
    "log_loss",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
]
_MulticlassMetric = Literal[
    "balanced_accuracy",
    "accuracy",
    "f1_macro",
    "precision_macro",
    "recall_macro",
    "roc_auc_ovr",
    "brier_score",
    "log_loss",
]
_RegressionMetric = Literal[
    "mean_absolute_error",
    "root_mean_squared_error",
    "median_absolute_error",
    "r2",
    "mean_error",
]
MetricName = Literal[_BinaryMetric, _MulticlassMetric, _RegressionMetric]
METRICS: Mapping[Task, tuple[str, ...]] = {
    "binary": get_args(_BinaryMetric),
    "multiclass": get_args(_MulticlassMetric),
    "regression": get_args(_RegressionMetric),
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

_BinaryRate = Literal[
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "true_negative_rate",
    "false_negative_rate",
    "accuracy",
    "precision",
]
_MulticlassRate = Literal[
    "accuracy", "selection_rate", "true_positive_rate", "false_positive_rate", "precision"
]
_RegressionRate = Literal["mean_prediction", "mean_actual", "mean_error", "mean_absolute_error"]
RateName = Literal[_BinaryRate, _MulticlassRate, _RegressionRate]
RATES: Mapping[Task, tuple[str, ...]] = {
    "binary": get_args(_BinaryRate),
    "multiclass": get_args(_MulticlassRate),
    "regression": get_args(_RegressionRate),
}
"""What can be measured by group; for several classes all but the accuracy is by class too."""

SHOWN_RATES: Mapping[Task, tuple[str, ...]] = {
    "binary": ("selection_rate", "true_positive_rate", "false_positive_rate"),
    "multiclass": ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate"),
    "regression": ("mean_prediction", "mean_actual", "mean_error", "mean_absolute_error"),
}
"""What is shown by group unless the settings say so."""

_BinaryGap = Literal[
    "demographic_parity_difference", "equalized_odds_difference", "equal_opportunity_difference"
]
_MulticlassGap = Literal[_BinaryGap, "accuracy_difference"]
_RegressionGap = Literal[
    "mean_prediction_difference", "mean_error_difference", "mean_absolute_error_difference"
]
GapName = Literal[_MulticlassGap, _RegressionGap]
GAPS: Mapping[Task, tuple[str, ...]] = {
    "binary": get_args(_BinaryGap),
    "multiclass": get_args(_MulticlassGap),
    "regression": get_args(_RegressionGap),
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
