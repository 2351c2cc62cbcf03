"""fairness of several classes and of numbers: fairlearn's numbers, causes, and what it costs."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate

from mergeline.config.load import parse_settings
from mergeline.core import layout
from mergeline.core.evidence import FEWEST_TOLD
from mergeline.core.task import GAPS
from mergeline.model.predictions import Predictions
from mergeline.model.table import write_table
from mergeline.stages import reduction
from mergeline.stages.base import Clock
from mergeline.stages.fairness import run
from mergeline.stats.bootstrap import wilson

CLASSES = ("Dropout", "Enrolled", "Graduate")
SETTINGS = """
project: tests
data: {{source: x.csv, target: y, {data}, sensitive: [sex], exclude: [sex]}}
model: {{estimator: {estimator}}}
evaluate: {{bootstrap: 200}}
fairness: {{min_group: 50{mitigation}}}
"""
LINEAR = "sklearn.linear_model.LinearRegression"
LOGISTIC = "sklearn.linear_model.LogisticRegression"


def settings(task, estimator, mitigation=""):
    data = "positive: 1" if task == "binary" else f"task: {task}"
    text = SETTINGS.format(data=data, estimator=estimator, mitigation=mitigation)
    return parse_settings(text, origin="params.yaml")


def table(n=1500, seed=0, groups=("f", "m")):
    random = np.random.default_rng(seed)
    sex = random.integers(0, len(groups), n)
    x = random.standard_normal(n) + sex
    return pd.DataFrame(
        {
            "x": x,
            "z": random.standard_normal(n),
            "sex": pd.array(np.array(groups)[sex], dtype="str"),
            layout.KEY: [hashlib.sha256(f"{seed} {k}".encode()).hexdigest()[:16] for k in range(n)],
        }
    )


def measure(root, frame, said, task, estimator, train=None, mitigation=""):
    write_table(frame, root / layout.TEST_TABLE)
    write_table(frame if train is None else train, root / layout.TRAIN_TABLE)
    write_table(said.table(list(frame[layout.KEY])), root / layout.PREDICTIONS)
    return run(root, settings(task, estimator, mitigation), Clock()).content


def three(n=1500):
    frame = table(n)
    random = np.random.default_rng(1)
    actual = random.choice(3, n, p=(0.4, 0.2, 0.4))
    score = random.random((n, 3))
    score[np.arange(n), actual] += np.where(frame["sex"] == "f", 0.6, 0.3)
    frame["y"] = pd.array(np.array(CLASSES)[actual], dtype="str")
    return frame, Predictions("multiclass", actual, score, None, CLASSES)


def test_rates_by_class_are_those_of_metric_frame(tmp_path):
    frame, said = three()
    content = measure(tmp_path, frame, said, "multiclass", LOGISTIC)
    assert (content.task, content.threshold) == ("multiclass", None)
    (by,) = content.by
    assert tuple(by.gaps) == GAPS["multiclass"]
    rates = {
        "selection_rate": selection_rate,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
    }
    for place, name in enumerate(CLASSES):
        theirs = MetricFrame(
            metrics=rates,
            y_true=said.actual == place,
            y_pred=said.predicted == place,
            sensitive_features=frame["sex"],
        ).by_group
        for group in by.groups:
            assert group.positives is None
            for rate in rates:
                measured = group.classes[name][rate]
                assert measured.value == pytest.approx(theirs.loc[group.name, rate], abs=1e-15)
                assert (measured.low, measured.high) == pytest.approx(
                    wilson(measured.value * measured.n, measured.n)
                )
    for group in by.groups:
        inside = (frame["sex"] == group.name).to_numpy()
        right = (said.actual == said.predicted)[inside].mean()
        assert group.metrics["accuracy"].value == pytest.approx(right)
    assert by.remedies == ()
    assert by.left_out.startswith("Nothing was tried that would close a gap")
    assert by.cause is not None


def test_a_class_of_few_rows_in_a_group_tells_nothing_of_them(tmp_path):
    frame, said = three()
    rare = (frame["sex"] == "f").to_numpy() & (said.actual == 1)
    rare[np.flatnonzero(rare)[: FEWEST_TOLD - 1]] = False
    actual = np.where(rare, 0, said.actual)
    frame["y"] = pd.array(np.array(CLASSES)[actual], dtype="str")
    said = Predictions("multiclass", actual, said.score, None, CLASSES)
    (by,) = measure(tmp_path, frame, said, "multiclass", LOGISTIC).by
    women = by.groups[0].classes["Enrolled"]
    assert women["true_positive_rate"].value is None
    assert women["selection_rate"].value is not None
    gap = by.gaps["equal_opportunity_difference"]
    assert gap.of != "Enrolled"
    assert "Left out: 'Enrolled'" in gap.difference.reason


def charges(n=1500, seed=0):
    frame = table(n, seed)
    random = np.random.default_rng(seed + 2)
    woman = (frame["sex"] == "f").to_numpy()
    slope = np.where(woman, -1.0, 1.0)
    frame["y"] = 100 + 10 * slope * frame["x"] + random.standard_normal(n)
    keep = ~woman | (random.random(n) < 0.4)
    return frame[keep].reset_index(drop=True)


def guessed(frame):
    score = (100 + 8 * frame["x"]).to_numpy()
    return Predictions("regression", frame["y"].to_numpy(), score)


def test_means_are_those_of_metric_frame(tmp_path):
    frame = charges()
    said = guessed(frame)
    content = measure(tmp_path, frame, said, "regression", LINEAR)
    (by,) = content.by
    assert tuple(by.gaps) == GAPS["regression"]
    means = {
        "mean_prediction": lambda _, p: p.mean(),
        "mean_actual": lambda y, _: y.mean(),
        "mean_error": lambda y, p: (p - y).mean(),
        "mean_absolute_error": lambda y, p: np.abs(p - y).mean(),
    }
    theirs = MetricFrame(
        metrics=means, y_true=said.actual, y_pred=said.score, sensitive_features=frame["sex"]
    ).by_group
    for group in by.groups:
        assert tuple(group.metrics) == tuple(means)
        values = said.score[(frame["sex"] == group.name).to_numpy()]
        for name, measured in group.metrics.items():
            assert measured.value == pytest.approx(theirs.loc[group.name, name])
            assert measured.low < measured.value < measured.high
        half = 1.96 * values.std() / np.sqrt(len(values))
        ends = group.metrics["mean_prediction"]
        assert ends.high - ends.low == pytest.approx(2 * half, rel=0.25)


def test_what_bounding_the_loss_would_cost(tmp_path):
    frame, train = charges(), charges(seed=5)
    said = guessed(frame)
    (by,) = measure(tmp_path, frame, said, "regression", LINEAR, train).by
    (remedy,) = by.remedies
    assert (remedy.gap, remedy.method) == ("mean_absolute_error_difference", "reduction")
    assert remedy.accuracy_before is remedy.accuracy_after is None
    assert remedy.gap_after < remedy.gap_before
    assert remedy.error_after > 0
    assert remedy.n == len(frame)
    again = measure(tmp_path, frame, said, "regression", LINEAR, train)
    assert again.by[0].remedies == (remedy,)


# --- the reduction of two classes ------------------------------------------------


def loans(n=1500, seed=0):
    frame = table(n, seed)
    random = np.random.default_rng(seed + 3)
    frame["y"] = (frame["x"] + 2 * frame["z"] + random.standard_normal(n) > 0.8).astype(int)
    return frame


def scored(frame):
    score = 1 / (1 + np.exp(-2 * (frame["x"] + 2 * frame["z"] - 0.8)))
    return Predictions("binary", (frame["y"] == 1).to_numpy(), score.to_numpy(), 0.5)


def reductions_of(by):
    return [remedy for remedy in by.remedies if remedy.method == "reduction"]


def test_what_a_reduction_would_cost_is_measured_on_held_out_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(reduction, "_MOST_ROWS", 900)
    frame, train = loans(), loans(seed=9)
    (by,) = measure(tmp_path, frame, scored(frame), "binary", LOGISTIC, train).by
    (remedy,) = reductions_of(by)
    assert remedy.gap == "demographic_parity_difference"
    assert "on 900 of 1,500 training rows, 6 rounds" in remedy.setting
    assert remedy.n == len(frame)
    assert remedy.gap_after < 0.7 * remedy.gap_before
    assert 0.6 < remedy.accuracy_after <= remedy.accuracy_before
    assert by.cause.kind == "base_rate"


@pytest.mark.parametrize(
    ("estimator", "mitigation", "said"),
    [
        ("sklearn.neighbors.KNeighborsClassifier", "", "the estimator takes no weights of rows"),
        (
            LOGISTIC,
            ", mitigation: {constraint: demographic_parity, by: sex}",
            "the model is trained under one already",
        ),
    ],
)
def test_why_no_reduction_was_tried_is_said(tmp_path, estimator, mitigation, said):
    frame = loans()
    (by,) = measure(tmp_path, frame, scored(frame), "binary", estimator, mitigation=mitigation).by
    assert reductions_of(by) == []
    assert said in by.left_out


def test_what_an_estimator_raises_tells_no_value(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("could not convert 'Ada Lovelace'")

    monkeypatch.setattr(reduction, "_trained", broken)
    frame = loans()
    (by,) = measure(tmp_path, frame, scored(frame), "binary", LOGISTIC).by
    assert by.left_out == "No reduction could be trained on 1,000 rows: ValueError."


def test_of_numbers_a_reduction_is_for_the_column_whose_errors_differ_most(tmp_path):
    """By sex the outcomes differ, which none would close; by town the errors do."""
    random = np.random.default_rng(4)
    frame = table()
    town = random.integers(0, 2, len(frame))
    frame["town"] = pd.array(np.array(["a", "b"])[town], dtype="str")
    actual = 1000.0 * (frame["sex"] == "m").to_numpy() + frame["x"].to_numpy()
    score = actual + random.normal(size=len(frame)) * (1 + 60 * town)
    write_table(frame.assign(y=actual), tmp_path / layout.TEST_TABLE)
    write_table(frame.assign(y=actual), tmp_path / layout.TRAIN_TABLE)
    said = Predictions("regression", actual, score)
    write_table(said.table(list(frame[layout.KEY])), tmp_path / layout.PREDICTIONS)
    text = SETTINGS.format(data="task: regression", estimator=LINEAR, mitigation="")
    both = parse_settings(text.replace("[sex]", "[sex, town]"), origin="params.yaml")
    by = {each.by: each for each in run(tmp_path, both, Clock()).content.by}
    assert by["sex"].cause.gap == "mean_prediction_difference"
    assert by["sex"].left_out.startswith("No reduction was tried by sex: only for the column of")
    assert [remedy.method for remedy in by["town"].remedies] == ["reduction"]
