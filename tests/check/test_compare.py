"""Base and head of a small project, each prepared, trained and scored in this process."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mergeline.check.compare import BaselineModel, compare
from mergeline.check.remembered import code_digest, compare_once, comparison_key
from mergeline.check.run import read_evidence
from mergeline.core import layout
from mergeline.core.task import GAPS, METRICS, PRIMARY
from mergeline.core.verdict import Comparison
from projects import OUTCOME, make_frame, make_project, outcome_frame, run_stages, settings_of


@dataclass(frozen=True)
class Side:
    """A project whose stages have run."""

    root: Path

    def as_baseline(self) -> BaselineModel:
        return BaselineModel(self.root, settings_of(self.root), read_evidence(self.root))

    def against(self, base: "Side", by: Callable[..., Comparison] = compare) -> Comparison:
        evidence = read_evidence(self.root)
        return by(self.root, settings_of(self.root), evidence, base.as_baseline())


def made(folder: Path, rows: int = 800, frame: pd.DataFrame | None = None, **changes: Any) -> Side:
    table = make_frame(rows) if frame is None else frame
    root = make_project(folder, frame=table, **changes)
    run_stages(root, "prepare", "train", "evaluate")
    keys = pd.read_parquet(root / layout.TRAIN_TABLE, columns=[layout.KEY])
    keys.to_parquet(root / "train_keys.parquet")
    return Side(root)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Side:
    return made(tmp_path_factory.mktemp("base"))


def test_two_models_on_the_same_rows_are_compared(base: Side, tmp_path: Path) -> None:
    comparison = made(tmp_path, model={"params": {"C": 0.01}}).against(base)
    assert (comparison.status, comparison.reason, comparison.unit) == ("compared", "", "id")
    assert comparison.n > 100
    assert comparison.metrics["roc_auc"].delta.low is not None
    practical = comparison.practical
    assert practical is not None
    assert (practical.kind, practical.paired.delta.n) == ("caught", comparison.n)
    assert practical.paired.baseline == pytest.approx(100 * recall_of(base, comparison), abs=1e-9)


def recall_of(side: Side, comparison: Comparison) -> float:
    """Of the positive held-out rows of a project, the share that its model finds."""
    found = pd.read_parquet(side.root / layout.PREDICTIONS)
    assert len(found) == comparison.n
    return float(found["predicted"][found["positive"]].mean())


def test_too_few_common_rows_is_not_known_for_now(tmp_path: Path) -> None:
    small = made(tmp_path, rows=200)
    comparison = small.against(small)
    assert comparison.status == "too_few"
    assert comparison.reason.startswith(f"Cannot tell: only {comparison.n} held-out rows, ")


def test_many_rows_of_few_groups_are_too_few(tmp_path: Path) -> None:
    """Drawn whole, two or three of them would say whatever they happen to say, and be sure."""
    frame = make_frame(800)
    frame["shop"] = [f"shop {number % 12}" for number in range(len(frame))]
    side = made(tmp_path, frame=frame, data={"group": "shop"}, split={"test": 0.5})
    comparison = side.against(side)
    assert comparison.n >= 100
    assert (comparison.status, comparison.unit) == ("too_few", "group")
    assert "different ids or groups of held-out rows" in comparison.reason


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"id": None}}, "Rows of base and head cannot be matched"),
        ({"data": {"positive": "no"}}, "Rows of base and head cannot be matched"),
        ({"frame": make_frame().drop(columns="plan")}, "The baseline's model cannot score"),
    ],
)
def test_a_change_that_makes_it_impossible(
    base: Side, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    comparison = made(tmp_path, **changes).against(base)
    assert comparison.status == "impossible"
    assert comparison.reason.startswith(said)
    assert comparison.n == 0
    assert comparison.metrics == {}


# --- several classes, and numbers ------------------------------------------------


MODELS = {
    "multiclass": "sklearn.linear_model.LogisticRegression",
    "regression": "sklearn.linear_model.Ridge",
}


def of_task(
    folder: Path, task: str, weaker: bool = False, frame: pd.DataFrame | None = None
) -> Side:
    model = {"params": {"C": 0.001} if task == "multiclass" else {"alpha": 1e5}} if weaker else {}
    return made(
        folder,
        frame=outcome_frame(task) if frame is None else frame,
        data=OUTCOME[task],
        model={"estimator": MODELS[task], **model},
        evaluate={"metrics": list(METRICS[task])},
    )


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_models_of_other_tasks_are_compared_in_all_metrics(tmp_path: Path, task: str) -> None:
    weak, strong = of_task(tmp_path / "a", task, weaker=True), of_task(tmp_path / "b", task)
    comparison = strong.against(weak)
    assert (comparison.status, comparison.reason) == ("compared", "")
    assert list(comparison.metrics) == list(METRICS[task])
    name = PRIMARY[task]
    found, back = comparison.metrics[name], weak.against(strong).metrics[name]
    assert (found.outcome, back.outcome) == ("better", "worse")
    sides = (read_evidence(side.root).evaluate for side in (weak, strong))
    before, after = (side.content.metrics[name].value for side in sides if side)
    assert (found.baseline, found.candidate) == (before, after)
    assert comparison.practical is not None
    assert comparison.practical.kind == {"multiclass": "right", "regression": "off"}[task]
    assert comparison.practical.paired.outcome == "better"
    assert set(comparison.fairness["sex"]) == set(GAPS[task])
    assert all(gap.delta.low is not None for gap in comparison.fairness["sex"].values())


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_a_model_of_another_task_is_the_same_as_itself(tmp_path: Path, task: str) -> None:
    side = of_task(tmp_path, task)
    comparison = side.against(side)
    found = (*comparison.metrics.values(), *comparison.fairness["sex"].values())
    assert {pair.outcome for pair in found} == {"cannot_tell"}
    assert {pair.delta.value for pair in found} == {0.0}


def test_another_task_cannot_be_compared(tmp_path: Path) -> None:
    sides = [of_task(tmp_path / task, task) for task in ("multiclass", "regression")]
    comparison = sides[0].against(sides[1])
    assert comparison.status == "impossible"
    assert comparison.reason == "Base and head predict unlike things: regression, and multiclass."


def test_other_classes_cannot_be_compared(tmp_path: Path) -> None:
    frame = outcome_frame("multiclass")
    more = frame.assign(outcome=frame["outcome"].where(frame.index % 4 > 0, "none"))
    head, base = (
        of_task(tmp_path / "a", "multiclass", frame=more),
        of_task(tmp_path / "b", "multiclass"),
    )
    comparison = head.against(base)
    assert comparison.status == "impossible"
    assert "tell other classes apart" in comparison.reason


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_too_few_common_rows_of_another_task(tmp_path: Path, task: str) -> None:
    small = of_task(tmp_path, task, frame=outcome_frame(task, rows=200))
    comparison = small.against(small)
    assert comparison.status == "too_few"
    n = comparison.n
    assert comparison.reason == f"Cannot tell: only {n} held-out rows are new to both models."


# --- remembered ------------------------------------------------------------------


def remembered(root: Path) -> list[Path]:
    return sorted((root / layout.STATE / "comparisons").glob("*.json"))


def test_a_comparison_is_made_once(base: Side, tmp_path: Path) -> None:
    head = made(tmp_path, model={"params": {"C": 0.01}})
    comparison = head.against(base, compare_once)
    assert comparison == head.against(base)
    (file,) = remembered(head.root)
    file.write_text(comparison.model_copy(update={"n": 4321}).model_dump_json())
    assert head.against(base, compare_once).n == 4321


@pytest.mark.parametrize("text", ["", "{", '{"n": 1}', '{"n": 1, "unit": "row", "other": 2}'])
def test_what_is_remembered_in_another_form_is_made_again(
    base: Side, tmp_path: Path, text: str
) -> None:
    shutil.copytree(base.root, tmp_path / "head")
    head = Side(tmp_path / "head")
    comparison = head.against(base, compare_once)
    (file,) = remembered(head.root)
    file.write_text(text)
    assert head.against(base, compare_once) == comparison
    assert Comparison.model_validate_json(file.read_bytes()) == comparison


def test_the_key_has_the_code_and_the_baselines_model(base: Side) -> None:
    settings, evidence = settings_of(base.root), read_evidence(base.root)
    baseline = base.as_baseline()
    train = evidence.train
    other = train.model_copy(
        update={"content": train.content.model_copy(update={"model_sha256": "0" * 64})}
    )
    models = BaselineModel(
        baseline.folder, baseline.settings, evidence.model_copy(update={"train": other})
    )
    keys = [
        comparison_key(settings, evidence, side, code=code)
        for side, code in ((baseline, "a"), (baseline, "b"), (models, "a"), (baseline, "a"))
    ]
    assert len(set(keys)) == 3
    assert keys[0] == keys[-1]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("stats/gaps.py", True),
        ("model/score.py", True),
        ("check/compare.py", True),
        ("report/comment.py", False),
    ],
)
def test_the_codes_digest(tmp_path: Path, name: str, counts: bool) -> None:
    for each in ("stats/gaps.py", "model/score.py", "check/compare.py", "report/comment.py"):
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_text("x = 1\n")
    before = code_digest(tmp_path)
    (tmp_path / name).write_text("x = 2\n")
    assert (code_digest(tmp_path) != before) is counts
