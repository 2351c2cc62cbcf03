"""Rates by sex with intervals, as fairlearn's guide to assessment does."""

from pathlib import Path

import pandas as pd
from fairlearn.metrics import (
    MetricFrame,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)

THRESHOLD = 0.25

test = pd.read_csv("test.csv")
predicted = (pd.read_csv("predictions_test.csv")["1"] >= THRESHOLD).astype(int)
frame = MetricFrame(
    metrics={
        "selection_rate": selection_rate,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
    },
    y_true=test["default"],
    y_pred=predicted,
    sensitive_features=test["sex"],
    n_boot=100,
    ci_quantiles=[0.025, 0.5, 0.975],
    random_state=0,
)
gap = equalized_odds_difference(test["default"], predicted, sensitive_features=test["sex"])
Path("fairness.json").write_text(frame.by_group.to_json() + f"\n{gap}\n")
