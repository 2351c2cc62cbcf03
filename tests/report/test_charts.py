"""Charts: every one valid, with a description and a table, and no name of the data as code."""

import json

import pytest
import vl_convert

from mergeline.core.plan import Plan
from mergeline.report.charts import charts, config, svg

from . import plans
from .filled import Filler
from .nasty import NASTY

FIELDS = {
    *("x", "y", "x2", "y2", "low", "high", "name", "series", "share", "text", "at", "n", "noise"),
    *("actual", "predicted", "q5", "q25", "q50", "q75", "q95"),
}


def _walk(value: object, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        return [found for key, each in value.items() for found in _walk(each, (*path, key))]
    if isinstance(value, list):
        return [found for each in value for found in _walk(each, (*path, "*"))]
    return [(path, value)]


@pytest.mark.parametrize("name", plans.ALL)
def test_every_chart_is_told_in_words_and_numbers(name: str) -> None:
    found = charts(plans.ALL[name]())
    assert found
    assert len({chart.name for chart in found}) == len(found)
    for chart in found:
        assert chart.title
        assert chart.description
        assert chart.rows
        assert {len(row) for row in chart.rows} == {len(chart.header)}


def test_each_task_has_its_own() -> None:
    names = {
        task: {chart.name for chart in charts(plans.ALL[task]())}
        for task in ("better", "regression", "three-classes")
    }
    assert {"roc", "precision-recall", "calibration", "thresholds"} <= names["better"]
    assert {"predicted-actual", "errors"} <= names["regression"]
    assert {"roc", "classes", "matrix"} <= names["three-classes"]


@pytest.mark.parametrize("task", ["better", "regression", "three-classes"])
def test_a_hostile_name_is_only_ever_a_value(task: str) -> None:
    for nasty in NASTY[::7]:
        plan = plans.poisoned(plans.ALL[task](), nasty)
        for chart in charts(plan):
            for path, value in _walk(chart.spec):
                if path and path[-1] in {"field", "type"}:
                    assert value in FIELDS | {
                        *("quantitative", "nominal", "ordinal", "line", "point", "rule", "text"),
                        *("bar", "tick", "rect", "fit-x"),
                    }
                assert path[-1] not in {"expr", "calculate", "filter", "url", "href", "labelExpr"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_titles_of_a_tooltip_are_ours(task: str) -> None:
    nasty = '\\": 7, "toString'
    plan = Filler([nasty], none=0.0).model(Plan)
    evaluate = plan.evidence.evaluate
    content = evaluate.content.model_copy(update={"task": task})
    shown = plan.evidence.model_copy(
        update={"evaluate": evaluate.model_copy(update={"content": content})}
    )
    found = {chart.name: chart for chart in charts(plan.model_copy(update={"evidence": shown}))}
    assert "slices-1" in found
    for chart in found.values():
        said = [value for path, value in _walk(chart.spec) if "tooltip" in path]
        assert [value for value in said if "toString" in str(value)] == []


@pytest.mark.parametrize("task", ["failed-fairness", "three-classes", "regression"])
def test_no_name_stands_in_an_expression_of_vega(task: str) -> None:
    """There `constructor` would be more than a text, and the chart blank."""
    for chart in charts(plans.poisoned(plans.ALL[task](), "constructor ")):
        drawn = vl_convert.vegalite_to_vega(json.dumps({**chart.spec, "config": config()}))
        said = [path for path, value in _walk(drawn) if "constructor" in str(value)]
        asked = [path for path in said if path[-1] in {"expr", "signal", "test", "calculate"}]
        assert asked == [], chart.name


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString"])
def test_a_metric_with_a_name_of_javascript_s_own_is_drawn(name: str) -> None:
    def drawn(called: str) -> list[int]:
        plan = plans.rewritten(
            plans.unfair(), lambda text: called if text in {"selection_rate", "roc_auc"} else text
        )
        found = {chart.name: chart for chart in charts(plan)}
        return [svg(found[each]).count("<path") for each in ("groups-1", "slices-1")]

    assert drawn(name) == drawn("selected")


def test_the_same_plan_gives_the_same_charts() -> None:
    once, again = (json.dumps([c.spec for c in charts(plans.better())]) for _ in range(2))
    assert once == again


def test_a_chart_becomes_a_picture() -> None:
    found = {chart.name: chart for chart in charts(plans.hostile())}
    drawn = svg(found["importance"])
    assert drawn.startswith("<svg")
    assert "<img" not in drawn


def test_nothing_measured_is_no_chart() -> None:
    plan = plans.first()
    empty = plan.model_copy(update={"evidence": plan.baseline_evidence})
    assert charts(empty) == ()


def test_a_matrix_is_drawn_by_shares_of_the_actual_class() -> None:
    plan = plans.three_classes()
    evaluate = plan.evidence.evaluate
    assert evaluate is not None
    content = evaluate.content.model_copy(update={"matrix": ((6, 2, 0), (0, 0, 0), (1, 0, 3))})
    shown = plan.evidence.model_copy(
        update={"evaluate": evaluate.model_copy(update={"content": content})}
    )
    found = {chart.name: chart for chart in charts(plan.model_copy(update={"evidence": shown}))}
    shares = [row[3] for row in found["matrix"].rows]
    assert shares == ["75.0 %", "25.0 %", "0.0 %", *["0.0 %"] * 3, "25.0 %", "0.0 %", "75.0 %"]


@pytest.mark.parametrize(("threshold", "side"), [(0.3, "left"), (0.9, "right")])
def test_a_threshold_s_name_stands_where_there_is_room(threshold: float, side: str) -> None:
    plan = plans.unfair()
    evidence = plan.evidence.fairness
    assert evidence is not None
    content = evidence.content.model_copy(update={"threshold": threshold})
    shown = plan.evidence.model_copy(
        update={"fairness": evidence.model_copy(update={"content": content})}
    )
    found = {chart.name: chart for chart in charts(plan.model_copy(update={"evidence": shown}))}
    aligned = [value for path, value in _walk(found["gaps-1"].spec) if path[-1] == "align"]
    assert aligned == [side]
