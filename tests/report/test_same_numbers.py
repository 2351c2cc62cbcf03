"""The same numbers everywhere: comment, page, note, JSON, card, terminal, MLflow and DVC."""

import csv
import json
import re
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from cli.conftest import Checked, Project, first, once, second
from mergeline.adapters.mlflow_values import metrics_of
from mergeline.core.base import Estimate
from mergeline.core.plan import Plan
from mergeline.report.card import render_card
from mergeline.report.comment import render_comment
from mergeline.report.note import render_note
from mergeline.report.page import render_page
from mergeline.report.terminal import print_plan

from . import plans
from .reading import Table, tables
from .shown import page_data, page_tables, shows, shows_estimate

__all__ = ["first", "once", "second"]

HAND_MADE = ("better", "failed-fairness", "cannot-tell", "three-classes", "regression")


# --- what was measured -----------------------------------------------------------


def measured(plan: Plan) -> dict[str, Estimate]:
    assert plan.evidence.evaluate is not None
    return dict(plan.evidence.evaluate.content.metrics)


def changes(plan: Plan) -> dict[str, Estimate]:
    assert plan.comparison is not None
    return {name: pair.delta for name, pair in plan.comparison.metrics.items()}


def gaps(plan: Plan) -> list[tuple[str, str, Estimate]]:
    assert plan.evidence.fairness is not None
    by = plan.evidence.fairness.content.by
    return [(each.by, name, gap.difference) for each in by for name, gap in each.gaps.items()]


def gates(plan: Plan) -> dict[str, Estimate]:
    found = plan.judgement.verdict.gates
    return {gate.name: gate.measured for gate in found if gate.measured is not None}


# --- where they stand ------------------------------------------------------------


def row_of(found: Sequence[Table], column: str, key: str, **with_columns: str) -> Mapping[str, str]:
    """Return the one row whose cell in a column is this, of the tables that have the others."""
    wanted = {column, *with_columns.values()}
    rows = [
        dict(zip(table.header, row, strict=True))
        for table in found
        if wanted <= set(table.header)
        for row in table.rows
        if row[table.header.index(column)] == key
    ]
    assert rows, f"{key} is in no table with {sorted(wanted)}"
    return rows[0]


def assert_metrics(plan: Plan, found: Sequence[Table], change: str) -> None:
    """Every metric, its interval, and its change against the baseline."""
    for name, estimate in measured(plan).items():
        row = row_of(found, "Metric", name, value="This model", change=change)
        assert shows_estimate(row["This model"], estimate), (name, row)
        delta = changes(plan).get(name)
        if delta is not None and delta.value is not None:
            assert shows_estimate(row[change], delta), (name, row)


def assert_gaps(plan: Plan, found: Sequence[Table], difference: str) -> None:
    """Every gap, in the order of the groupings: a gap has the same name in each."""
    shown = [
        (row[0], row[table.header.index(difference)])
        for table in found
        if {"Gap", difference, "Ratio"} <= set(table.header)
        for row in table.rows
    ]
    there = gaps(plan)
    assert [name for name, _ in shown] == [name for _, name, _ in there]
    for (name, text), (_, _, estimate) in zip(shown, there, strict=True):
        assert shows_estimate(text, estimate), (name, text)


def assert_gates(plan: Plan, found: Sequence[Table]) -> None:
    said = "Measured (95 % interval)"
    for name, estimate in gates(plan).items():
        row = row_of(found, "Gate", name, value=said)
        assert shows_estimate(row[said], estimate), (name, row)


def text_of(card: str) -> str:
    return card.split("\n---\n", 1)[1]


def front_of(card: str) -> Any:
    return yaml.safe_load(card.split("\n---\n", 1)[0].removeprefix("---\n"))


def assert_comment(plan: Plan, comment: str) -> None:
    found = tables(comment)
    assert_metrics(plan, found, "Change on common rows")
    assert_gaps(plan, found, "Difference (95 % interval)")
    assert_gates(plan, found)


def assert_card(plan: Plan, card: str) -> None:
    found = tables(text_of(card))
    assert_metrics(plan, found, "Change on common rows")
    assert_gaps(plan, found, "Difference (95 % interval)")
    assert_gates(plan, found)
    (model,) = front_of(card)["model-index"]
    (result,) = model["results"]
    there = {each["name"]: each for each in result["metrics"]}
    every = {
        **measured(plan),
        **{f"{name} by {by}": estimate for by, name, estimate in gaps(plan)},
    }
    assert there.keys() == {name for name, each in every.items() if each.value is not None}
    for name, item in there.items():
        ends = item["args"].get("confidence_interval", [None, None])
        assert [item["value"], *ends] == [every[name].value, every[name].low, every[name].high]


def assert_page(plan: Plan, page: str) -> None:
    # The card is a part of the page: what stands before it is the page's own.
    before, card, _ = page.partition('id="card"')
    assert card
    own = page_tables(before)
    assert_metrics(plan, own, "Change")
    assert_gaps(plan, own, "Difference")
    assert_gates(plan, own)
    data = page_data(page)
    assert plan.evidence.fairness is not None
    assert data["fairness.json"] == plan.evidence.fairness.content.as_json()
    assert data["verdict.json"] == plan.judgement.as_json()


def assert_note(plan: Plan, note: str) -> None:
    assert_gates(plan, tables(note))


def assert_terminal(plan: Plan, said: str) -> None:
    table = said.partition("\nGates")[2]
    flat = " ".join(table.split())
    for name, estimate in gates(plan).items():
        (row,) = re.findall(rf"\b{re.escape(name)} (?:(?! {re.escape(name)} ).)*?: (\S.*)", flat)
        assert shows_estimate(row, estimate), (name, row[:60])


def assert_tracked(plan: Plan, found: Mapping[str, float]) -> None:
    every = {
        **measured(plan),
        **{f"change_{name}": estimate for name, estimate in changes(plan).items()},
        **{f"gap_{by.replace(' & ', '_and_')}_{name}": each for by, name, each in gaps(plan)},
    }
    for name, estimate in every.items():
        ends = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}
        for end, value in ends.items():
            assert found.get(f"{name}{end}") == value, f"{name}{end}"


def printed(plan: Plan) -> str:
    console = Console(file=StringIO(), width=200)
    with console.capture() as shown:
        print_plan(plan, console)
    return shown.get()


# --- plans made by hand ----------------------------------------------------------


@pytest.mark.parametrize("name", HAND_MADE)
def test_of_a_plan_of_every_task(name: str) -> None:
    plan = plans.ALL[name]()
    assert_comment(plan, render_comment(plan))
    assert_card(plan, render_card(plan))
    assert_page(plan, render_page(plan))
    assert_note(plan, render_note(plan))
    assert_terminal(plan, printed(plan))
    assert_tracked(plan, metrics_of(plan))
    assert Plan.model_validate_json(plan.model_dump_json()).evidence == plan.evidence


def test_it_can_fail() -> None:
    plan = plans.better()
    comment = render_comment(plan)
    assert "0.801 (0.787" in comment
    with pytest.raises(AssertionError):
        assert_comment(plan, comment.replace("0.801 (0.787", "0.802 (0.787"))
    assert shows("1,234.5 (0.1 to 2e-3)", 1234.46, 0.14, 0.0021)
    assert not shows("0.801", 0.8016)


# --- a real check ----------------------------------------------------------------


def test_of_a_real_check(second: Checked, tmp_path: Path) -> None:
    """One check, tracked in MLflow; what each place holds is read from that place."""
    store = f"sqlite:///{tmp_path}/mlflow.db"
    project = second.project.copy(tmp_path / "project")
    done = project.run(
        sys.executable, "-m", "mergeline", "check", env={"MLFLOW_TRACKING_URI": store}
    )
    assert done.code == 0, done.err
    shown = project.run(sys.executable, "-m", "mergeline", "report", "--format", "json")
    plan = Plan.model_validate_json(shown.out)
    assert project.json("verdict") == json.loads(plan.model_dump_json(exclude={"evidence"}))

    assert_comment(plan, project.read("reports/comment.md"))
    assert_card(plan, project.read("reports/card.md"))
    assert_page(plan, project.read("reports/report.html"))
    assert_terminal(plan, done.out)
    _assert_mlflow(plan, store, done.err.split()[-1])
    _assert_dvc(plan, project)


def _assert_mlflow(plan: Plan, store: str, run: str) -> None:
    from mlflow.tracking import MlflowClient

    found = MlflowClient(tracking_uri=store).get_run(run).data
    assert_tracked(plan, found.metrics)
    assert_note(plan, found.tags["mlflow.note.content"])
    for gate in plan.judgement.verdict.gates:
        assert found.tags[f"mergeline.gate.{gate.name}"] == gate.outcome.name


def _assert_dvc(plan: Plan, project: Project) -> None:
    # Only the file's name is DVC's own; the numbers are those of `dvc metrics show`.
    (there,) = json.loads(project.dvc("metrics", "show", "--json"))[""]["data"].values()
    assert there["data"] == {name: each.value for name, each in measured(plan).items()}

    evaluate, fairness, explain = (
        plan.evidence.evaluate, plan.evidence.fairness, plan.evidence.explain,
    )  # fmt: skip
    assert evaluate is not None
    assert fairness is not None
    assert explain is not None
    bins = evaluate.content.calibration
    assert _plotted(project, "calibration", "score", "observed") == _near(
        [(each.score, each.observed) for each in bins]
    )
    points = evaluate.content.thresholds
    assert _plotted(project, "thresholds", "threshold", "recall", "selection_rate") == _near(
        [(each.threshold, each.recall, each.selection_rate) for each in points]
    )
    columns = explain.content.features
    assert _plotted(project, "importance", "share") == _near([(each.share,) for each in columns])
    groups = [each for by in fairness.content.by for each in by.groups]
    assert _plotted(project, "groups", "n", "selection_rate") == _near(
        [(each.n, each.metrics["selection_rate"].value) for each in groups]
    )


def _plotted(project: Project, name: str, *columns: str) -> list[Any]:
    rows = csv.DictReader(StringIO(project.read(f"reports/plots/{name}.csv")))
    return [tuple(float(row[column]) for column in columns) for row in rows]


def _near(rows: Sequence[tuple[float | None, ...]]) -> list[Any]:
    return [pytest.approx(row, abs=5.1e-7) for row in rows]
