"""evaluate for several classes and for numbers: scikit-learn's numbers, and nothing of few rows."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn

from mergeline.core import layout
from mergeline.core.evidence import EvaluateContent, Evidence
from mergeline.core.probes import Probes
from mergeline.core.task import METRICS as NAMES
from mergeline.errors import ContractError, ModelError
from mergeline.model.score import load_scorer
from mergeline.stages.base import run_stage
from mergeline.stages.residuals import residuals
from projects import OUTCOME, make_project, outcome_frame, run_stages


def evidence(root):
    return Evidence[EvaluateContent].model_validate_json(
        (root / "reports/evaluate.json").read_bytes()
    )


def refusal(root, error):
    with pytest.raises(error) as caught:
        run_stage("evaluate", root)
    assert caught.value.hint
    return caught.value.message


# --- several classes -------------------------------------------------------------------


def of_task(folder, task, frame=None, **changes):
    table = outcome_frame(task, 1200) if frame is None else frame
    evaluate = {"metrics": list(NAMES[task]), "slices": ["town"], **changes.pop("evaluate", {})}
    name = "Regressor" if task == "regression" else "Classifier"
    model = {
        "estimator": f"sklearn.ensemble.HistGradientBoosting{name}",
        "params": {"max_iter": 20},
    }
    settings = {"data": OUTCOME[task], "evaluate": evaluate, "model": model, **changes}
    root = make_project(folder, frame=table, **settings)
    return run_stages(root, "prepare", "train", "evaluate")


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return of_task(tmp_path_factory.mktemp("several"), "multiclass")


def told(root):
    """Return the held-out rows, and what the model says of them."""
    test = pd.read_parquet(root / layout.TEST_TABLE)
    return test, load_scorer(root / layout.MODEL).score(test)


def test_several_classes_have_the_metrics_of_the_task(several):
    content, (test, scores) = evidence(several).content, told(several)
    predicted = np.array(["basic", "plus", "pro"])[scores.argmax(axis=1)]
    assert (content.task, content.positives, content.threshold) == ("multiclass", None, None)
    assert (content.confusion, content.calibration, content.residuals) == (None, (), None)
    assert list(content.metrics) == list(NAMES["multiclass"])
    expected = sklearn.balanced_accuracy_score(test["outcome"], predicted)
    assert content.metrics["balanced_accuracy"].value == pytest.approx(expected)
    assert all(found.low < found.value < found.high for found in content.metrics.values())
    assert content.higher_is_better["f1_macro"]
    assert not content.higher_is_better["log_loss"]


def test_predictions_of_several_classes_name_them(several):
    test, scores = told(several)
    found = pd.read_parquet(several / layout.PREDICTIONS)
    assert list(found.columns) == ["key", "actual", "predicted", "score_0", "score_1", "score_2"]
    assert found["actual"].tolist() == test["outcome"].tolist()
    np.testing.assert_array_equal(found[["score_0", "score_1", "score_2"]], scores)
    names = np.array(["basic", "plus", "pro"])[scores.argmax(axis=1)]
    assert found["predicted"].tolist() == names.tolist()


def test_each_class_is_measured_against_the_others(several):
    content, (test, scores) = evidence(several).content, told(several)
    names = ["basic", "plus", "pro"]
    predicted = np.array(names)[scores.argmax(axis=1)]
    assert [found.name for found in content.classes] == names
    theirs = sklearn.precision_recall_fscore_support(test["outcome"], predicted, labels=names)
    for place, found in enumerate(content.classes):
        hits = (test["outcome"] == names[place]).to_numpy()
        assert (found.n, found.predicted) == (hits.sum(), (predicted == names[place]).sum())
        values = [found.metrics[name].value for name in ("precision", "recall", "f1")]
        assert values == pytest.approx([row[place] for row in theirs[:3]])
        auc = sklearn.roc_auc_score(hits, scores[:, place])
        assert found.metrics["roc_auc"].value == pytest.approx(auc)
        assert found.metrics["roc_auc"].low < auc < found.metrics["roc_auc"].high
        assert all(item.n >= 10 for item in found.calibration)
        assert found.calibration
    expected = sklearn.confusion_matrix(test["outcome"], predicted, labels=names)
    assert content.matrix == tuple(map(tuple, expected))


def read_rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_class_has_curves_against_the_others(several):
    test, scores = told(several)
    rows = read_rows(several / layout.PLOTS / "roc.csv")
    assert list(rows[0]) == ["class", "false_positive_rate", "true_positive_rate"]
    for place, name in enumerate(["basic", "plus", "pro"]):
        points = [
            (float(row["false_positive_rate"]), float(row["true_positive_rate"]))
            for row in rows
            if row["class"] == name
        ]
        assert (points[0], points[-1]) == ((0, 0), (1, 1))
        auc = sklearn.roc_auc_score(test["outcome"] == name, scores[:, place])
        assert sklearn.auc(*zip(*points, strict=True)) == pytest.approx(auc, abs=2e-3)
    found = read_rows(several / layout.PLOTS / "precision_recall.csv")
    assert list(found[0]) == ["class", "recall", "precision"]


def test_probes_of_several_classes_have_all_probabilities(several):
    probes = Probes.model_validate_json((several / layout.PROBES).read_bytes())
    rows = pd.DataFrame(probes.rows, columns=list(probes.columns))
    np.testing.assert_allclose(load_scorer(several / layout.MODEL).score(rows), probes.scores)
    assert {len(row) for row in probes.scores} == {3}


def test_a_second_run_of_several_classes_is_the_same(several):
    paths = [path for path in (several / "reports").rglob("*") if path.is_file()]
    before = (
        evidence(several).digest(),
        [path.read_bytes() for path in paths if path.name != "evaluate.json"],
    )
    run_stage("evaluate", several)
    after = (
        evidence(several).digest(),
        [path.read_bytes() for path in paths if path.name != "evaluate.json"],
    )
    assert before == after


HOSTILE = 'it\'s "x"\n<script>, \U0001f98a'


def test_a_class_of_few_held_out_rows_is_counted_and_not_told(tmp_path):
    frame = outcome_frame("multiclass", 1200)
    frame.loc[frame.index[::100], "outcome"] = HOSTILE
    root = of_task(tmp_path, "multiclass", frame, evaluate={"metrics": ["accuracy"]})
    content = evidence(root).content
    (found,) = [item for item in content.classes if item.name == HOSTILE]
    assert 0 < found.n < 10
    for metric in found.metrics.values():
        assert (metric.value, metric.reason) == (
            None,
            "Fewer than 10 rows would tell of single ones.",
        )
    assert found.calibration == ()
    assert content.metrics["accuracy"].value is not None
    names = {row["class"] for row in read_rows(root / layout.PLOTS / "roc.csv")}
    assert names == {"basic", "plus", "pro"}
    assert HOSTILE in set(pd.read_parquet(root / layout.PREDICTIONS)["actual"])


def test_a_hostile_class_has_curves_under_a_name_of_one_line(tmp_path):
    frame = outcome_frame("multiclass", 1200)
    frame.loc[frame.index[::10], "outcome"] = HOSTILE
    root = of_task(tmp_path, "multiclass", frame, evaluate={"metrics": ["accuracy"]})
    for file in ("roc.csv", "precision_recall.csv"):
        names = {row["class"] for row in read_rows(root / layout.PLOTS / file)}
        assert names == {"basic", "plus", "pro", HOSTILE.replace("\n", "\\u000a")}


def test_a_class_without_a_held_out_row_leaves_averages_without_a_value(tmp_path):
    root = make_project(tmp_path, frame=outcome_frame("multiclass"), data=OUTCOME["multiclass"])
    run_stages(root, "prepare", "train")
    test = pd.read_parquet(root / layout.TEST_TABLE)
    test[test["outcome"] != "basic"].to_parquet(root / layout.TEST_TABLE)
    content = evidence(run_stages(root, "evaluate")).content
    assert content.metrics["balanced_accuracy"].value is None
    assert "none of" in content.metrics["balanced_accuracy"].reason
    assert content.metrics["accuracy"].value is not None
    assert json.loads((root / layout.METRICS).read_text())["balanced_accuracy"] is None
    assert content.classes[0].n == content.matrix[0][0] == 0


def test_a_class_that_the_model_does_not_know_is_refused(several, tmp_path):
    root = make_project(tmp_path, frame=outcome_frame("multiclass"), data=OUTCOME["multiclass"])
    run_stages(root, "prepare", "train", "evaluate")
    test = pd.read_parquet(root / layout.TEST_TABLE)
    test.loc[test.index[:2], "outcome"] = "new"
    test.to_parquet(root / layout.TEST_TABLE)
    assert 'does not know: "new" (2 rows)' in refusal(root, ContractError)


# --- numbers ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    return of_task(tmp_path_factory.mktemp("numbers"), "regression")


def test_a_regression_has_the_metrics_of_the_task(numbers):
    content, (test, scores) = evidence(numbers).content, told(numbers)
    assert (content.task, content.positives, content.threshold) == ("regression", None, None)
    assert (content.confusion, content.classes, content.matrix) == (None, (), ())
    values = {name: found.value for name, found in content.metrics.items()}
    assert values == pytest.approx(
        {
            "mean_absolute_error": sklearn.mean_absolute_error(test["outcome"], scores),
            "root_mean_squared_error": sklearn.root_mean_squared_error(test["outcome"], scores),
            "median_absolute_error": sklearn.median_absolute_error(test["outcome"], scores),
            "r2": sklearn.r2_score(test["outcome"], scores),
            "mean_error": (scores - test["outcome"]).mean(),
        }
    )
    assert content.higher_is_better == {name: name == "r2" for name in values}
    found = pd.read_parquet(numbers / layout.PREDICTIONS)
    assert list(found.columns) == ["key", "actual", "score"]
    np.testing.assert_array_equal(found["score"], scores)
    np.testing.assert_array_equal(found["actual"], test["outcome"])
    assert {part.value for part in content.slices} >= {"Oslo", "NA"}
    assert all(part.metrics["mean_error"].value is not None for part in content.slices)


def test_residuals_are_means_by_tenths_and_quantiles(numbers):
    content, (test, scores) = evidence(numbers).content, told(numbers)
    found, error = content.residuals, scores - test["outcome"]
    assert sum(part.n for part in found.bins) == content.n
    assert [part.n for part in found.bins] == pytest.approx([content.n / 10] * 10, abs=2)
    for part in found.bins:
        inside = (scores >= part.low) & (scores <= part.high)
        assert part.n == inside.sum()
        assert part.predicted == pytest.approx(scores[inside].mean())
        assert part.actual == pytest.approx(test["outcome"][inside].mean())
    quantiles = {str(p): np.percentile(error, p) for p in (5, 25, 50, 75, 95)}
    assert found.quantiles == pytest.approx(quantiles)


def test_the_plots_of_a_regression_are_its_residuals(numbers):
    found = evidence(numbers).content.residuals
    rows = read_rows(numbers / layout.PLOTS / "predicted_actual.csv")
    assert [float(row["predicted"]) for row in rows] == pytest.approx(
        [part.predicted for part in found.bins], abs=1e-6
    )
    assert [int(row["n"]) for row in rows] == [part.n for part in found.bins]
    rows = read_rows(numbers / layout.PLOTS / "error_quantiles.csv")
    assert [row["percent"] for row in rows] == ["5", "25", "50", "75", "95"]


@pytest.mark.parametrize(
    ("scores", "sizes"),
    [
        (np.arange(100.0), [10] * 10),
        (np.arange(45.0), [14, 13, 18]),
        (np.repeat([1.0, 2.0, 3.0], [50, 4, 30]), [50, 34]),
        (np.repeat([1.0, 2.0], [50, 4]), [54]),
        (np.zeros(30), [30]),
        (np.arange(9.0), []),
    ],
)
def test_no_bin_tells_of_few_rows(scores, sizes):
    found = residuals(scores + 1, scores)
    assert [part.n for part in found.bins] == sizes
    assert all(part.actual == pytest.approx(part.predicted + 1) for part in found.bins)


@pytest.mark.parametrize(
    ("n", "told"), [(9, ""), (19, ""), (20, "50"), (40, "25 50 75"), (200, "5 25 50 75 95")]
)
def test_no_quantile_tells_of_few_rows(n, told):
    found = residuals(np.zeros(n), np.arange(n, dtype=float))
    assert " ".join(found.quantiles) == told


def test_a_model_of_another_task_is_refused(numbers, tmp_path):
    root = make_project(
        tmp_path,
        frame=outcome_frame("regression"),
        data=OUTCOME["regression"],
        model={"estimator": "sklearn.linear_model.Ridge"},
    )
    run_stages(root, "prepare", "train", "evaluate")
    make_project(root, frame=outcome_frame("multiclass"), data=OUTCOME["multiclass"])
    message = refusal(root, ModelError)
    assert "was trained for the task regression, and data.task is multiclass" in message
