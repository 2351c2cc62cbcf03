"""The page's section on explanations: single rows, proxies, the baseline's ranks."""

import pytest

from mergeline.core.evidence import ExplainedRow, Proxy
from mergeline.core.plan import Plan
from mergeline.report.page import render_page

from . import plans, plans_large
from .shown import page_data, page_tables


def _explained(plan: Plan, **update: object) -> Plan:
    explain = plan.evidence.explain
    assert explain is not None
    content = explain.content.model_copy(update=update)
    evidence = plan.evidence.model_copy(
        update={"explain": explain.model_copy(update={"content": content})}
    )
    return plan.model_copy(update={"evidence": evidence})


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("better", "score 0.900, is positive: true"),
        ("three-classes", "probability of its class 0.900, class true"),
        ("regression", "predicted 0.900, actual true"),
    ],
)
def test_single_rows_are_shown_where_the_evidence_has_them(task: str, said: str) -> None:
    row = ExplainedRow(
        row="",
        score=0.9,
        actual="true",
        contributions=(("income", 1.25),),
        values={"income": "4711 Euro"},
    )
    hint = "Single rows are shown only where report.rows is true."
    plan = plans.ALL[task]()
    with_rows = render_page(_explained(plan, largest_errors=(row,)))
    assert "4711 Euro" in with_rows
    assert said in with_rows
    assert hint not in with_rows
    assert hint in render_page(_explained(plan, largest_errors=()))


def test_proxies_are_told_as_in_the_comment() -> None:
    plan = plans_large.pushed()
    told = (
        Proxy(column="postcode", of="sex", score=0.412),
        Proxy(column="gone", of="age", group="60 or more", score=0.35),
    )
    html = render_page(_explained(plan, proxies=told))
    ours, of_the_card = (each for each in page_tables(html) if "Tells" in each.header)
    assert ours.rows == of_the_card.rows
    first, second = ours.rows
    assert first[:3] == ("postcode", "sex", "0.412")
    assert first[3].endswith(" %")
    assert second == ("gone", "age (60 or more best)", "0.350", "")
    found = page_data(html)["explanations.json"]["proxies"]
    assert [each["column"] for each in found] == ["postcode", "gone"]
    assert "Tells" not in render_page(_explained(plan, proxies=()))


def test_a_baseline_that_was_not_explained_is_none() -> None:
    plan = plans.better()
    before = plan.baseline_evidence.explain
    assert before is not None
    content = before.content.model_copy(update={"outcome": "not_explained"})
    evidence = plan.baseline_evidence.model_copy(
        update={"explain": before.model_copy(update={"content": content})}
    )
    headers = [
        each.header
        for some in (plan, plan.model_copy(update={"baseline_evidence": evidence}))
        for each in page_tables(render_page(some))
        if "Mean |SHAP|" in each.header
    ]
    assert [("Baseline's rank" in header) for header in headers] == [True, False]
