"""evaluate: scikit-learn's numbers on the held-out rows, probes, curves, and the same again."""

import hashlib
import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sklearn
from sklearn.calibration import calibration_curve

from mergeline.core import layout
from mergeline.core.evidence import EvaluateContent, Evidence
from mergeline.core.probes import Probes
from mergeline.errors import ContractError, ModelError
from mergeline.model.canonical import directory_bytes
from mergeline.model.cast import cast_features
from mergeline.model.predictions import Predictions
from mergeline.model.score import load_scorer
from mergeline.stages.base import run_stage
from mergeline.stages.by_class import calibration
from mergeline.stages.curves import curves
from mergeline.stages.slices import slice_labels
from mergeline.stats.binary import METRICS
from projects import make_frame, make_project, run_stages

SLICES = ["town", "age", "member", "sex"]
SETTINGS = {
    "evaluate": {
        "metrics": list(METRICS),
        "threshold": 0.4,
        "slices": SLICES,
        "bootstrap": 200,
    },
    "model": {"seed": 3},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = make_project(tmp_path_factory.mktemp("evaluated"), frame=make_frame(1200), **SETTINGS)
    return run_stages(root, "prepare", "train", "evaluate")


def evidence(root):
    return Evidence[EvaluateContent].model_validate_json(
        (root / "reports/evaluate.json").read_bytes()
    )


@pytest.fixture(scope="module")
def content(root):
    return evidence(root).content


@pytest.fixture(scope="module")
def rows(root):
    """Held-out rows, whether they are positive, and their scores."""
    test = pd.read_parquet(root / layout.TEST_TABLE)
    scores = load_scorer(root / layout.MODEL).score(test)
    return test, (test["left"] == "yes").to_numpy(), scores


# --- predictions and metrics ---------------------------------------------------------


def test_predictions_stand_in_the_order_of_the_test_table(root, rows):
    test, positive, scores = rows
    found = pd.read_parquet(root / layout.PREDICTIONS)
    assert list(found.columns) == ["key", "positive", "score", "predicted"]
    assert found["key"].tolist() == test[layout.KEY].tolist()
    np.testing.assert_array_equal(found["positive"], positive)
    np.testing.assert_array_equal(found["score"], scores)
    np.testing.assert_array_equal(found["predicted"], scores >= 0.4)
    assert [str(kind) for kind in found.dtypes] == ["str", "bool", "float64", "bool"]


def test_metrics_are_scikit_learns(root, content, rows):
    _, positive, scores = rows
    predicted = scores >= 0.4
    expected = {
        "roc_auc": sklearn.roc_auc_score(positive, scores),
        "average_precision": sklearn.average_precision_score(positive, scores),
        "brier_score": sklearn.brier_score_loss(positive, scores),
        "log_loss": sklearn.log_loss(positive, scores),
        "accuracy": sklearn.accuracy_score(positive, predicted),
        "balanced_accuracy": sklearn.balanced_accuracy_score(positive, predicted),
        "precision": sklearn.precision_score(positive, predicted),
        "recall": sklearn.recall_score(positive, predicted),
        "f1": sklearn.f1_score(positive, predicted),
    }
    assert {name: found.value for name, found in content.metrics.items()} == pytest.approx(expected)
    assert all(found.low < found.value < found.high for found in content.metrics.values())
    assert next(iter(content.metrics)) == content.primary == "roc_auc"
    flat = json.loads((root / layout.METRICS).read_text())
    assert flat == {name: found.value for name, found in content.metrics.items()}


def test_counts_settings_and_digests_are_told(root, content, rows):
    test, positive, _ = rows
    assert (content.n, content.positives) == (len(test), positive.sum())
    assert (content.threshold, content.bootstrap, content.seed) == (0.4, 200, 3)
    assert content.model_bytes == directory_bytes(root / layout.MODEL)
    for path, digest in (
        (layout.PREDICTIONS, content.predictions_sha256),
        (layout.PROBES, content.probes_sha256),
    ):
        assert hashlib.sha256((root / path).read_bytes()).hexdigest() == digest


def test_confusion_is_scikit_learns(content, rows):
    _, positive, scores = rows
    (tn, fp), (fn, tp) = sklearn.confusion_matrix(positive, scores >= 0.4)
    found = content.confusion
    assert (found.true_negative, found.false_positive) == (tn, fp)
    assert (found.false_negative, found.true_positive) == (fn, tp)


def test_calibration_is_scikit_learns(content, rows):
    _, positive, scores = rows
    observed, predicted = calibration_curve(positive, scores, n_bins=10)
    counts = [n for n in np.histogram(scores, np.linspace(0, 1, 11))[0] if n]
    theirs = {n: pair for n, *pair in zip(counts, observed, predicted, strict=True) if n >= 10}
    found = {item.n: [item.observed, item.score] for item in content.calibration}
    alike = found.keys() & theirs.keys()
    assert len(alike) >= 3
    for n in alike:
        assert found[n] == pytest.approx(theirs[n])
    assert sum(item.n for item in content.calibration) == content.n
    for item in content.calibration:
        assert item.low <= item.score <= item.high
        assert item.n >= 10


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({0.05: 9, 0.15: 3, 0.95: 30}, [(0.0, 0.2, 12), (0.9, 1.0, 30)]),
        ({0.05: 12, 0.55: 9}, [(0.0, 0.6, 21)]),
        ({0.05: 4, 0.95: 5}, []),
        ({0.05: 4, 0.95: 6}, [(0.0, 1.0, 10)]),
        ({0.25: 10, 0.75: 10}, [(0.2, 0.3, 10), (0.7, 0.8, 10)]),
    ],
)
def test_bins_of_few_rows_are_joined_with_their_neighbours(counts, told):
    score = np.repeat(list(counts), list(counts.values()))
    found = calibration(score > 0.5, score)
    assert [(round(one.low, 6), round(one.high, 6), one.n) for one in found] == told


def test_latency_is_outside_the_content(root, content):
    timing = evidence(root).timing
    assert timing.latency_ms.keys() == {"1", str(content.n)}
    assert all(value > 0 for value in timing.latency_ms.values())
    assert timing.seconds["total"] >= timing.seconds["score"] > 0
    assert "latency" not in content.model_dump_json()


def test_a_second_run_has_the_same_content_and_files(root):
    names = (layout.PREDICTIONS, layout.PROBES, layout.METRICS, f"{layout.PLOTS}/roc.csv")
    before = evidence(root).digest(), [(root / name).read_bytes() for name in names]
    run_stage("evaluate", root)
    assert before == (evidence(root).digest(), [(root / name).read_bytes() for name in names])


def test_rows_of_one_id_are_drawn_together(tmp_path):
    frame = make_frame(300)
    frame = frame.loc[np.repeat(frame.index, 5)].reset_index(drop=True)
    once = run_stages(make_project(tmp_path / "once"), "prepare", "train", "evaluate")
    root = make_project(tmp_path / "many", frame=frame)
    run_stages(root, "prepare", "train", "evaluate")
    by_id = evidence(root).content.metrics["roc_auc"]
    table = pd.read_parquet(root / layout.TEST_TABLE)
    table[layout.KEY] = [f"{number:016x}" for number in range(len(table))]
    table.to_parquet(root / layout.TEST_TABLE)
    run_stage("evaluate", root)
    by_row = evidence(root).content.metrics["roc_auc"]
    assert by_id.value == by_row.value
    assert by_id.high - by_id.low > 1.6 * (by_row.high - by_row.low)
    assert evidence(once).content.metrics["roc_auc"].low is not None


# --- probes --------------------------------------------------------------------------


def test_probes_score_the_same_through_json(root):
    probes = json.loads((root / layout.PROBES).read_text())
    scorer = load_scorer(root / layout.MODEL)
    assert probes["columns"] == [feature.name for feature in scorer.features]
    records = [dict(zip(probes["columns"], row, strict=True)) for row in probes["rows"]]
    frame = pd.DataFrame(json.loads(json.dumps(records)))
    np.testing.assert_allclose(
        scorer.score(frame), np.ravel(probes["scores"]), rtol=1e-9, atol=1e-9
    )
    for record, score in zip(records, np.ravel(probes["scores"]), strict=True):
        alone = scorer.score(pd.DataFrame([record]))
        np.testing.assert_allclose(alone, [score], rtol=1e-9, atol=1e-9)


def as_rows(frame):
    """Rows as hashable tuples, a missing value being None."""
    return [tuple(None if pd.isna(value) else value for value in row) for row in frame.to_numpy()]


def test_no_probe_is_a_row_of_the_data(root, content, rows):
    test, _, _ = rows
    probes = Probes.model_validate_json((root / layout.PROBES).read_bytes())
    assert len(probes.rows) == len(probes.scores) == content.probes == 20
    held_out = cast_features(test, load_scorer(root / layout.MODEL).features)
    assert not set(as_rows(held_out)) & set(probes.rows)
    for name, values in zip(probes.columns, zip(*probes.rows, strict=True), strict=True):
        known = held_out[name]
        assert all(
            pd.isna(known).any() if value is None else value in set(known) for value in values
        )
    assert any(value is None for row in probes.rows for value in row)


def test_an_infinity_is_no_value_of_a_probe(tmp_path):
    frame = make_frame(200)
    frame["income"] = np.where(frame.index % 2 == 0, np.inf, -np.inf)
    frame["age"] = frame["age"].where(frame.index % 3 > 0, np.inf)
    name = "sklearn.ensemble.HistGradientBoostingClassifier"
    model = {"estimator": name, "params": {"max_iter": 5}}
    root = make_project(tmp_path, frame=frame, model=model, split={"test": 0.1})
    run_stages(root, "prepare", "train", "evaluate")
    probes = Probes.model_validate_json((root / layout.PROBES).read_bytes())
    values = {name: {row[at] for row in probes.rows} for at, name in enumerate(probes.columns)}
    assert values["income"] == {None}
    assert len(values["age"]) > 3
    assert len(probes.scores) == evidence(root).content.probes == 20


# --- curves --------------------------------------------------------------------------


def read_curve(data):
    header, *lines = data.decode().splitlines()
    return header, np.array([[float(number) for number in line.split(",")] for line in lines])


def test_curves_are_scikit_learns(root, rows):
    _, positive, scores = rows
    header, roc = read_curve((root / layout.PLOTS / "roc.csv").read_bytes())
    assert header == "false_positive_rate,true_positive_rate"
    assert roc[0].tolist() == [0, 0]
    assert roc[-1].tolist() == [1, 1]
    assert sklearn.auc(*roc.T) == pytest.approx(sklearn.roc_auc_score(positive, scores), abs=2e-3)
    rates, hits, _ = sklearn.roc_curve(positive, scores, drop_intermediate=False)
    theirs = {(round(x, 6), round(y, 6)) for x, y in zip(rates, hits, strict=True)}
    assert {tuple(point) for point in roc.tolist()} <= theirs
    header, found = read_curve((root / layout.PLOTS / "precision_recall.csv").read_bytes())
    assert header == "recall,precision"
    precision, recall, _ = sklearn.precision_recall_curve(positive, scores)
    theirs = {(round(x, 6), round(y, 6)) for x, y in zip(recall, precision, strict=True)}
    assert {tuple(point) for point in found.tolist()} <= theirs


def bare(**found):
    """What evaluate says where nothing but the given was measured."""
    nothing = {"positives": 0, "primary": "roc_auc", "threshold": 0.5, "metrics": {}, "seed": 0}
    nothing |= {"higher_is_better": {}, "confusion": None, "calibration": (), "slices": ()}
    nothing |= {"model_bytes": 0, "predictions_sha256": "", "probes_sha256": "", "probes": 0}
    return EvaluateContent(**nothing, n=0, bootstrap=0, **found)


def test_curves_are_thin_and_ties_are_one_point():
    random = np.random.default_rng(0)
    positive, score = random.random(5000) < 0.3, random.random(5000)
    many = curves(Predictions("binary", positive, score, 0.5), bare())
    assert len(many["roc.csv"].splitlines()) == 202
    few = curves(Predictions("binary", positive, score.round(1), 0.5), bare())
    assert len(few["precision_recall.csv"].splitlines()) == 12


def test_curves_of_one_class_do_not_divide_by_zero():
    score = np.array([0.1, 0.9])
    for side in (True, False):
        rows = Predictions("binary", np.full(2, side), score, 0.5)
        found = curves(rows, bare())
        for name in ("roc.csv", "precision_recall.csv"):
            assert np.isfinite(read_curve(found[name])[1]).all()


# --- slices --------------------------------------------------------------------------


def test_slices_are_measured_on_their_rows(content, rows):
    test, positive, scores = rows
    assert [found.column for found in content.slices] == sorted(
        (found.column for found in content.slices), key=SLICES.index
    )
    towns = {found.value: found for found in content.slices if found.column == "town"}
    assert list(towns) == ["NA", "Oslo", "Ålesund", "(missing)"]
    assert sum(found.n for found in towns.values()) == len(test)
    inside = (test["town"] == "Oslo").to_numpy()
    assert towns["Oslo"].n == inside.sum()
    auc = sklearn.roc_auc_score(positive[inside], scores[inside])
    assert towns["Oslo"].metrics["roc_auc"].value == pytest.approx(auc)


def test_numbers_are_sliced_by_quarters_in_their_order(content, rows):
    age = rows[0]["age"]
    found = [found for found in content.slices if found.column == "age"]
    assert len(found) == 4
    ends = [tuple(map(int, part.value.split(" to "))) for part in found]
    assert (ends[0][0], ends[-1][1]) == (age.min(), age.max())
    assert ends == sorted(ends)
    for (low, high), part in zip(ends, found, strict=True):
        assert part.n == age.between(low, high).sum()


def test_slices_of_every_kind():
    def values(column):
        return list(slice_labels(pd.Series(column)).cat.categories)

    assert values([True, False, True]) == ["false", "true"]
    assert values(pd.Series([True, None], dtype=object)) == ["true", "(missing)"]
    assert values([10, 9, 2]) == ["2", "9", "10"]
    assert values([1.0, 2.5, None]) == ["1", "2.5", "(missing)"]
    assert values(["b", "(missing)", None]) == ["(missing)", "b"]
    assert values([None, None]) == ["(missing)"]
    assert values([0] * 60 + list(range(1, 41))) == ["0 to 15", "16 to 40"]
    assert values([0] * 99 + list(range(1, 31))) == ["0 to 30"]


def test_only_the_most_frequent_categories_are_slices():
    column = pd.Series([f"w{number:02d}" for number in range(30) for _ in range(31 - number)])
    found = slice_labels(column)
    assert list(found.cat.categories) == [f"w{number:02d}" for number in range(20)]
    assert found.isna().sum() == (column > "w19").sum()


def test_rows_of_rare_categories_are_counted(tmp_path):
    frame = make_frame(600).assign(kind=lambda frame: [f"k{n % 40}" for n in range(len(frame))])
    settings = {"data": {"exclude": ["kind"]}, "evaluate": {"slices": ["kind", "age"]}}
    root = run_stages(make_project(tmp_path, frame=frame, **settings), "prepare", "train")
    run_stage("evaluate", root)
    content = evidence(root).content
    inside = sum(found.n for found in content.slices if found.column == "kind")
    assert content.in_no_slice == {"kind": content.n - inside}
    assert inside < content.n


def test_a_slice_of_one_class_says_why_it_has_no_value(tmp_path):
    frame = make_frame(600).assign(kind=lambda frame: np.where(frame["left"] == "yes", "a", "b"))
    settings = {"data": {"exclude": ["kind"]}, "evaluate": {"slices": ["kind"]}}
    root = run_stages(make_project(tmp_path, frame=frame, **settings), "prepare", "train")
    run_stage("evaluate", root)
    found = {found.value: found.metrics for found in evidence(root).content.slices}
    assert found["a"]["roc_auc"].value is None
    assert found["a"]["roc_auc"].reason.endswith("rows are positive.")
    assert found["b"]["roc_auc"].reason.endswith("rows are negative.")
    assert found["b"]["brier_score"].value is not None


# --- refusals ------------------------------------------------------------------------


def refusal(root, error):
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    with pytest.raises(error) as caught:
        run_stage("evaluate", root)
    assert caught.value.hint
    assert before == {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return caught.value.message


@pytest.fixture
def trained(tmp_path):
    return run_stages(make_project(tmp_path), "prepare", "train", "evaluate")


def test_a_slice_that_is_no_column_is_refused_with_the_closest_one(trained):
    make_project(trained, evaluate={"slices": ["twon"]})
    message = refusal(trained, ContractError)
    assert "evaluate.slices names the column 'twon'" in message
    assert "did you mean 'town'?" in message


def test_a_missing_model_or_table_is_refused(trained):
    (trained / layout.MODEL / "MLmodel").unlink()
    assert "is not a model directory" in refusal(trained, ModelError)
    (trained / layout.TEST_TABLE).unlink()
    assert "test.parquet cannot be read" in refusal(trained, ContractError)


def test_a_table_without_the_models_columns_is_refused(trained):
    frame = pd.read_parquet(trained / layout.TEST_TABLE)
    frame.drop(columns="income").to_parquet(trained / layout.TEST_TABLE)
    assert "'income'" in refusal(trained, ContractError)


def test_scores_that_are_no_numbers_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    own = "model.zoo.NotANumber"
    model = {"estimator": own, "trusted_types": [own]}
    root = run_stages(make_project(tmp_path, model=model), "prepare", "train")
    assert "no number as score for" in refusal(root, ModelError)


def test_infinities_belong_to_the_outer_quarters() -> None:
    column = pd.Series([*range(40), np.inf, -np.inf], dtype="float64")
    assert slice_labels(column).value_counts().sum() == 42
