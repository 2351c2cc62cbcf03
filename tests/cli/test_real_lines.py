"""Real tables on the whole line, as `mergeline init` begins them; `MERGELINE_TEST_DATA` has them.

Main is checked, a pull request changes the model, is checked against it, commented, approved,
merged and promoted, and the model server answers a request with its release.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cli.author import asked
from cli.real_tables import FOLDER, Repository
from mergeline.core import layout
from mergeline.core.evidence import STAGES
from mergeline.core.task import Task
from mergeline.project.line import Ended, Line
from mergeline.project.process import finished

pytestmark = [
    pytest.mark.skipif(
        not FOLDER, reason="MERGELINE_TEST_DATA is not set: it names the folder of adult.csv"
    ),
    pytest.mark.slow,
]


@dataclass(frozen=True)
class Told:
    """What came of the pull request.

    Attributes:
        rows: Held-out rows, as the server is asked.
        answers: The server's, to these rows.
    """

    task: Task
    repository: Repository
    verdict: Any
    comment: str
    promoted: Ended
    release: Any
    rows: pd.DataFrame
    answers: dict[str, Any] = field(repr=False)


TABLES: dict[Task, tuple[str, str]] = {
    "binary": ("adult.csv", "income"),
    "multiclass": ("student_dropout.csv", "Target"),
    "regression": ("insurance.csv", "charges"),
}


@pytest.fixture(scope="module", autouse=True)
def _deepchecks(deepchecks: Mapping[str, str]) -> Iterator[None]:
    """All checks here ask one process, as those of one machine may."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in deepchecks.items():
            patch.setenv(name, value)
        yield


ADULT = pytest.param("binary", marks=pytest.mark.long)
STUDENTS = pytest.param("multiclass", marks=pytest.mark.long)
only_adult = pytest.mark.parametrize("told", [ADULT], indirect=True)


# The smallest table goes the whole way each time, the others with `make test-long`.
@pytest.fixture(scope="module", params=["regression", ADULT, STUDENTS])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp(request.param)
    repository = Repository(folder / "author", *TABLES[request.param])
    with Line(repository, folder) as line:  # type: ignore[arg-type]
        commit = repository.change()
        pull = line.open_pull("longer", "More and smaller steps")
        comment = line.comment(line.build(commit, "longer", code=0))
        verdict = line.verdict()
        line.approve(pull)
        line.merge(pull, "squash")
        promoted = line.promote()
        columns = [each["name"] for each in repository.evidence("train")["features"]]
        rows = pd.read_parquet(repository.folder / layout.TEST_TABLE)[columns].head(20)
        return Told(
            task=request.param,
            repository=repository,
            verdict=verdict,
            comment=comment,
            promoted=promoted,
            release=line.release(),
            rows=rows,
            answers=asked(line.port, rows),
        )


def test_the_task_is_guessed(told: Told) -> None:
    assert f"task       {told.task} (" in told.repository.said
    for stage in ("prepare", "train", "evaluate", "fairness", "explain"):
        assert told.repository.evidence(stage)["task"] == told.task
    assert told.repository.evidence("explain")["outcome"] == "explained"


def test_every_gate_comes_to_an_outcome(told: Told) -> None:
    judgement = told.verdict["judgement"]
    outcomes = {gate["name"]: gate["outcome"] for gate in judgement["verdict"]["gates"]}
    assert judgement["answer"] == "PROMOTE"
    assert set(outcomes.values()) <= {"PASSED", "WARNED"}, outcomes
    assert any(name.startswith("no-new-gap") for name in outcomes)


def test_the_two_models_are_compared_on_the_same_rows(told: Told) -> None:
    comparison, primary = (
        told.verdict["comparison"],
        told.repository.evidence("evaluate")["primary"],
    )
    baseline = told.verdict["baseline"]
    assert (sorted(baseline["restored"]), baseline["ran"]) == (sorted(STAGES), [])
    assert (comparison["status"], comparison["unit"]) == ("compared", "row")
    assert comparison["n"] == told.repository.evidence("prepare")["split"]["test_rows"]
    delta = comparison["metrics"][primary]["delta"]
    assert delta["low"] <= delta["value"] <= delta["high"]


def test_the_comment_says_it(told: Told) -> None:
    assert "If merged now" in told.comment
    assert "ood enough: " not in told.comment
    said = {
        "binary": "true and",
        "multiclass": "Each class against all others",
        "regression": "Errors are in the units of `charges`",
    }
    assert said[told.task] in told.comment
    assert len(told.comment) < 60_000


def test_what_was_reviewed_is_live(told: Told) -> None:
    assert (told.promoted.code, told.promoted.said["name"]) == (0, "LIVE")
    model = told.repository.evidence("train")["model_sha256"]
    assert told.release["actual"]["model"] == model
    assert told.release["state"] == "live"


def test_it_answers_what_evaluation_measured(told: Told) -> None:
    expected = pd.read_parquet(told.repository.folder / layout.PREDICTIONS).head(20)
    rows = told.answers["predictions"]
    assert len(rows) == 20
    if told.task == "regression":
        found, scores = [[row["value"]] for row in rows], expected[["score"]]
    elif told.task == "binary":
        found, scores = [[row["probability"]] for row in rows], expected[["score"]]
        assert [row["positive"] for row in rows] == expected["predicted"].tolist()
    else:
        found = [[*row["probabilities"].values()] for row in rows]
        scores = expected[[name for name in expected.columns if name.startswith("score_")]]
        assert [row["label"] for row in rows] == expected["predicted"].tolist()
        assert all(np.isclose(sum(each), 1.0) for each in found)
    np.testing.assert_allclose(found, scores.to_numpy(), rtol=1e-9, atol=1e-9)


# --- the UCI Adult data, of which much is known -------------------------------------------


@only_adult
def test_the_table_is_read_as_it_is(told: Told) -> None:
    content = told.repository.evidence("prepare")
    missing = {column["name"]: column["missing"] for column in content["columns"]}
    assert (content["rows"], content["duplicate_rows"]) == (48_842, 52)
    assert sum(missing.values()) == 6_465
    names = {"workclass", "occupation", "native-country"}
    assert {name for name, count in missing.items() if count} == names
    features = [item["name"] for item in told.repository.evidence("train")["features"]]
    assert len(features) == 13
    assert "fnlwgt" not in features


def rates(repository: Repository) -> dict[str, dict[str, float]]:
    """Return the rates by sex, by metric."""
    (by,) = [item for item in repository.evidence("fairness")["by"] if item["by"] == "sex"]
    return {
        group["name"]: {name: item["value"] for name, item in group["metrics"].items()}
        for group in by["groups"]
    }


@only_adult
def test_both_models_are_as_good_as_such_are_known_to_be(told: Told) -> None:
    auc = told.verdict["comparison"]["metrics"]["roc_auc"]
    for which in ("candidate", "baseline"):
        assert 0.92 <= auc[which] <= 0.94, which
    found = rates(told.repository)
    assert found["Male"]["selection_rate"] == pytest.approx(0.27, abs=0.02)
    assert found["Female"]["selection_rate"] == pytest.approx(0.08, abs=0.02)


@only_adult
def test_a_gate_on_the_known_gap_fails_and_the_comment_names_both_groups(
    told: Told, tmp_path: Path
) -> None:
    folder = shutil.copytree(told.repository.folder, tmp_path / "author", symlinks=True)
    repository = replace(told.repository, folder=folder)
    gate = "  equal-odds: {fairness: equalized_odds_difference, by: sex, at_most: 0.05}\n"
    settings = folder / layout.SETTINGS
    settings.write_text(settings.read_text().replace("gates:\n", f"gates:\n{gate}"))
    repository.commit("A gate")
    assert finished([sys.executable, "-m", "mergeline", "check"], folder).returncode == 10
    judgement = json.loads((folder / layout.VERDICT).read_bytes())["judgement"]
    assert judgement["answer"] == "POLICY_FAILED"
    gates = {gate["name"]: gate for gate in judgement["proposed"]["gates"]}
    assert {name for name, one in gates.items() if one["outcome"] == "FAILED"} == {"equal-odds"}
    found = rates(repository)
    gap = max(
        abs(found["Male"][name] - found["Female"][name])
        for name in ("true_positive_rate", "false_positive_rate")
    )
    assert gates["equal-odds"]["measured"]["value"] == pytest.approx(gap, abs=1e-9)
    assert gap > 0.05
    comment = (folder / layout.COMMENT).read_text()
    assert re.search(r"\| `equal-odds` \|.*Female.*Male|\| `equal-odds` \|.*Male.*Female", comment)
    assert f"{gap:.3f}" in comment
