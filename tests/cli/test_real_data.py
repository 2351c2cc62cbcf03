"""The UCI Adult data, checked on two commits; `MERGELINE_TEST_DATA` names its folder."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Checked, Maker, Project, begin
from mergeline.core.evidence import STAGES
from mergeline.project.template import PINS

FOLDER = os.environ.get("MERGELINE_TEST_DATA")
pytestmark = pytest.mark.skipif(
    not FOLDER, reason="MERGELINE_TEST_DATA is not set: it names the folder of adult.csv"
)

SETTINGS = """\
project: adult-income

data:
  source: data/adult.csv
  missing: ["?"]
  target: income
  positive: ">50K"
  noun: high earner
  sensitive: [sex]
  exclude: [fnlwgt]

split: {test: 0.2}

model:
  estimator: sklearn.ensemble.HistGradientBoostingClassifier
  params: {max_iter: 100}

evaluate: {metrics: [roc_auc, average_precision, brier_score], bootstrap: 500}

fairness: {}

explain: {rows: 500}

checks: {sample: 5000}

gates:
  auc-floor: {metric: roc_auc, at_least: 0.92}
  auc-baseline: {metric: roc_auc, no_worse_than_baseline_by: 0.01}
  equal-odds: {fairness: equalized_odds_difference, by: sex, at_most: 0.05}
  data-checks: {check: data, new_only: true}
  model-checks: {check: model, new_only: true}

report: {}
"""


@pytest.fixture(scope="module")
def first(once: Maker) -> Checked:
    def how(project: Project) -> Any:
        project.write("params.yaml", SETTINGS)
        project.write(PINS, "mergeline==0.1.0\n")
        (project.root / "data").mkdir()
        shutil.copy(Path(str(FOLDER)) / "adult.csv", project.root / "data/adult.csv")
        begin(project)
        return project.check()

    return once("adult-first", how)


@pytest.fixture(scope="module")
def second(once: Maker, first: Checked) -> Checked:
    def how(project: Project) -> Any:
        shutil.copytree(first.project.root, project.root, symlinks=True, dirs_exist_ok=True)
        project.commit("The lock")
        project.git("switch", "--quiet", "--create", "slower")
        project.edit("{max_iter: 100}", "{max_iter: 150, learning_rate: 0.05}")
        project.commit("More and smaller steps")
        return project.check()

    return once("adult-second", how)


def rates(project: Project) -> dict[str, dict[str, float]]:
    """Return the rates by sex, by metric."""
    (by,) = [item for item in project.json("fairness")["content"]["by"] if item["by"] == "sex"]
    return {
        group["name"]: {name: item["value"] for name, item in group["metrics"].items()}
        for group in by["groups"]
    }


def test_the_table_is_read_as_it_is(first: Checked) -> None:
    content = first.project.json("prepare")["content"]
    missing = {column["name"]: column["missing"] for column in content["columns"]}
    assert content["rows"] == 48_842
    assert content["duplicate_rows"] == 52
    assert sum(missing.values()) == 6_465
    assert {name for name, count in missing.items() if count} == {
        "workclass",
        "occupation",
        "native-country",
    }
    features = [item["name"] for item in first.project.json("train")["content"]["features"]]
    assert len(features) == 13
    assert "fnlwgt" not in features


@pytest.mark.parametrize("which", ["first", "second"])
def test_the_model_is_as_good_as_it_is_known_to_be(
    which: str, request: pytest.FixtureRequest
) -> None:
    checked: Checked = request.getfixturevalue(which)
    auc = checked.project.json("evaluate")["content"]["metrics"]["roc_auc"]["value"]
    assert 0.92 <= auc <= 0.94
    found = rates(checked.project)
    assert found["Male"]["selection_rate"] == pytest.approx(0.27, abs=0.02)
    assert found["Female"]["selection_rate"] == pytest.approx(0.08, abs=0.02)


@pytest.mark.parametrize("which", ["first", "second"])
def test_the_gap_fails_and_the_comment_names_both_groups(
    which: str, request: pytest.FixtureRequest
) -> None:
    checked: Checked = request.getfixturevalue(which)
    assert checked.done.code == 10, checked.done.err
    gates = checked.project.gates()
    assert {name for name, gate in gates.items() if gate["outcome"] == "FAILED"} == {"equal-odds"}
    assert checked.project.json("verdict")["judgement"]["answer"] == "POLICY_FAILED"
    found = rates(checked.project)
    gap = max(
        abs(found["Male"][name] - found["Female"][name])
        for name in ("true_positive_rate", "false_positive_rate")
    )
    assert gates["equal-odds"]["measured"]["value"] == pytest.approx(gap, abs=1e-9)
    assert gap > 0.05
    comment = checked.project.read("reports/comment.md")
    assert re.search(r"\| `equal-odds` \|.*Female.*Male|\| `equal-odds` \|.*Male.*Female", comment)
    assert f"{gap:.3f}" in comment


def test_the_second_check_restores_and_compares(second: Checked) -> None:
    verdict = second.project.json("verdict")
    assert sorted(verdict["baseline"]["restored"]) == sorted(STAGES)
    assert verdict["baseline"]["ran"] == []
    comparison = verdict["comparison"]
    assert comparison["unit"] == "row"
    assert comparison["n"] == second.project.json("prepare")["content"]["split"]["test_rows"]
    delta = comparison["metrics"]["roc_auc"]["delta"]
    assert delta["low"] <= delta["value"] <= delta["high"]
    assert second.project.gates()["auc-baseline"]["outcome"] == "PASSED"
