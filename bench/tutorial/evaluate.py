"""Metrics of the held-out rows."""

import json
from pathlib import Path

import pandas as pd
from sklearn import metrics

THRESHOLD = 0.25

actual = pd.read_csv("test.csv")["default"]
score = pd.read_csv("predictions_test.csv")["1"]
predicted = score >= THRESHOLD
found = {
    "roc_auc": metrics.roc_auc_score(actual, score),
    "average_precision": metrics.average_precision_score(actual, score),
    "brier_score": metrics.brier_score_loss(actual, score),
    "recall": metrics.recall_score(actual, predicted),
    "precision": metrics.precision_score(actual, predicted),
}
Path("metrics.json").write_text(json.dumps(found))
