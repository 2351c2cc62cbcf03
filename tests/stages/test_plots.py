"""Files for `dvc plots`: the evidence's numbers, and names of the data as text."""

import csv
from io import StringIO

import pytest

from mergeline.core import layout
from mergeline.core.evidence import EvaluateContent, Evidence, ExplainContent, FairnessContent
from mergeline.stages import explain
from mergeline.stages.plots import plot_csv
from projects import make_frame, make_project, run_stages

COSTS = {"false_negative": 5, "false_positive": 1, "unit": "EUR"}


def read_rows(data):
    return list(csv.DictReader(StringIO(data.decode())))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    frame = make_frame(1200)
    frame["sex"] = frame["sex"].replace("female", "=f\u202e\n|")
    given = {"evaluate": {"costs": COSTS}, "data": {"sensitive": ["sex"]}}
    root = make_project(tmp_path_factory.mktemp("plots"), frame=frame, **given)
    return run_stages(root, "prepare", "train", "evaluate", "fairness")


def content(root, stage, kind):
    return Evidence[kind].model_validate_json((root / layout.evidence(stage)).read_bytes()).content


def test_a_text_of_the_data_stays_on_its_line():
    rows = read_rows(plot_csv(("class", "n"), [("a\nb\u202e,c", 3), ("d", 0.25)]))
    assert rows == [{"class": "a\\u000ab\\u202e,c", "n": "3"}, {"class": "d", "n": "0.250000"}]


def test_thresholds_and_calibration_are_the_evidences(root):
    found = content(root, "evaluate", EvaluateContent)
    rows = read_rows((root / layout.PLOTS / "thresholds.csv").read_bytes())
    assert [float(row["threshold"]) for row in rows] == [p.threshold for p in found.thresholds]
    assert [float(row["cost"]) for row in rows] == pytest.approx(
        [point.cost for point in found.thresholds], abs=1e-6
    )
    assert (found.cost_unit, found.costs["false_negative"]) == ("EUR", 5)
    assert found.cheapest in [point.threshold for point in found.thresholds]
    rows = read_rows((root / layout.PLOTS / "calibration.csv").read_bytes())
    assert [int(row["n"]) for row in rows] == [found.n for found in found.calibration]


def test_groups_are_the_evidences_and_their_names_are_text(root):
    (by,) = content(root, "fairness", FairnessContent).by
    data = (root / layout.PLOTS / "groups.csv").read_bytes()
    assert "\u202e".encode() not in data
    rows = {row["group"]: row for row in read_rows(data)}
    judged = [group for group in by.groups if group.judged]
    assert len(rows) == len(judged) > 1
    assert any("\\u202e" in name for name in rows)
    rates = [group.metrics["selection_rate"].value for group in judged]
    assert [float(row["selection_rate"]) for row in rows.values()] == pytest.approx(rates, abs=1e-6)


def test_thresholds_of_groups_are_in_the_evidence(root):
    (by,) = content(root, "fairness", FairnessContent).by
    assert len(by.thresholds) > 3
    (here,) = (point for point in by.thresholds if point.threshold == 0.5)
    for group in by.groups:
        for metric, rate in group.metrics.items():
            assert here.rates[group.name][metric] == rate.value
    for name, gap in by.gaps.items():
        assert here.gaps[name] == pytest.approx(gap.difference.value)


def test_importances_are_the_evidences(root):
    result = run_stages(root, "explain")
    found = content(result, "explain", ExplainContent)
    rows = read_rows((root / layout.PLOTS / explain.IMPORTANCE).read_bytes())
    assert [row["column"] for row in rows] == [item.column for item in found.features]
    assert [float(row["share"]) for row in rows] == [
        pytest.approx(item.share, abs=1e-6) for item in found.features
    ]
