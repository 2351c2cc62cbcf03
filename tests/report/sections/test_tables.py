"""What a report says of leaks, drift and rows that were judged on before."""

from typing import Any

import pytest

from mergeline.core.evidence import Leak
from mergeline.core.plan import Plan, Reuse
from mergeline.core.verdict import Drift, RowChanges
from mergeline.report.comment import render_comment
from mergeline.report.sections.drift import drifted
from mergeline.report.sections.leaks import leaks, told_outcome
from mergeline.report.sections.reuse import reused

from .. import plans
from ..nasty import NASTY
from ..reading import problems, tables

ALONE = {"income": 0.41, "purpose": 0.12, "sex": 0.05, "postcode": 0.2, "tenure": 0.95}
LEAKS = (
    Leak(
        column="tenure",
        sign="alone",
        score=0.95,
        reason="Alone it tells the outcome with a score of 0.950.",
        feature=True,
    ),
    Leak(
        column="application_id",
        sign="id",
        score=0.31,
        reason="It names rows, so it was given or sorted by the outcome.",
        feature=False,
    ),
)
DRIFT = {
    "income": Drift(n=22_000, distance=0.31, noise=0.02),
    "purpose": Drift(n=22_000, distance=0.01, noise=0.02),
    "sex": Drift(n=22_000, distance=0.12, noise=0.02),
    "postcode": Drift(n=22_000, distance=1.0, noise=0.0, changed_type=True),
}


def scored(found: tuple[Leak, ...] = LEAKS, plan: Plan | None = None) -> Plan:
    """A plan whose columns were scored."""
    plan = plan or plans.better()
    old, new = plan.baseline_evidence, plan.evidence
    before = {"income": 0.4, "purpose": 0.11}
    return plan.model_copy(
        update={
            "evidence": _with(new, {"columns": _alone(new, ALONE), "leaks": found}),
            "baseline_evidence": _with(old, {"columns": _alone(old, before)}),
        }
    )


def _alone(evidence: Any, scores: dict[str, float]) -> tuple[Any, ...]:
    columns = evidence.prepare.content.columns
    return tuple(c.model_copy(update={"alone": scores.get(c.name)}) for c in columns)


def _with(evidence: Any, update: dict[str, Any]) -> Any:
    sealed = evidence.prepare
    content = sealed.content.model_copy(update=update)
    return evidence.model_copy(update={"prepare": sealed.model_copy(update={"content": content})})


def moved(drift: dict[str, Drift] = DRIFT, rows: RowChanges | None = None) -> Plan:
    plan = scored()
    update = {"drift": drift, "rows": rows}
    assert plan.comparison is not None
    return plan.model_copy(update={"comparison": plan.comparison.model_copy(update=update)})


def judged_on(count: int, *, included: bool = True, optimism: float | None = None) -> Plan:
    reuse = Reuse(pull_requests=count, included=included, optimism=optimism)
    return plans.better().model_copy(update={"reuse": reuse})


def test_golden(golden: Any) -> None:
    plan = moved(rows=RowChanges(added=2_100, removed=100, common=19_900))
    reuse = Reuse(pull_requests=12, included=True, optimism=0.0162)
    comment = render_comment(plan.model_copy(update={"reuse": reuse}))
    golden("comment/leaking.md", comment)
    assert problems(comment) == []


# --- leaks -------------------------------------------------------------------------


def test_leaks_come_first_and_then_the_strongest_columns() -> None:
    section = leaks(scored())
    assert section is not None
    assert section.summary == "2 columns may tell the outcome, 1 of them read by the model"
    (found,) = tables(section.body)
    assert [row[:4] for row in found.rows] == [
        ("tenure", "0.950", "", "yes"),
        ("application_id", "0.310", "", "no"),
        ("income", "0.410", "0.400", ""),
        ("postcode", "0.200", "", ""),
        ("purpose", "0.120", "0.110", ""),
        ("sex", "0.050", "", ""),
    ]


def test_without_leaks_the_strongest_column_is_named() -> None:
    section = leaks(scored(()))
    assert section is not None
    assert section.summary == "none noticed; tenure tells most alone, 0.950"
    assert told_outcome(scored(())) == ""


def test_without_scores_there_is_no_section() -> None:
    assert leaks(plans.better()) is None
    assert told_outcome(plans.better()) == ""


def test_only_what_the_model_reads_is_told_at_the_top() -> None:
    said = told_outcome(scored())
    assert "`tenure`: Alone it tells" in said
    assert "application_id" not in said
    many = tuple(LEAKS[0].model_copy(update={"column": f"c{n}"}) for n in range(5))
    assert told_outcome(scored(many)).endswith("- 2 more columns, see below")


# --- drift -------------------------------------------------------------------------


def test_columns_beyond_chance_are_listed_the_furthest_first() -> None:
    said = drifted(moved())
    assert said.startswith(
        "2 of 4 columns moved further from the baseline's than chance alone explains; "
        "another type: `postcode`."
    )
    (found,) = tables(said)
    assert found.rows == (
        ("income", "███▏", "0.310", "0.020"),
        ("sex", "█▎", "0.120", "0.020"),
    )


@pytest.mark.parametrize("drift", [{}, {"a": Drift(n=9, distance=0, noise=0.1)}])
def test_where_nothing_moved_nothing_is_said(drift: dict[str, Drift]) -> None:
    assert drifted(moved(drift)) == ""
    assert drifted(moved(drift, RowChanges(added=0, removed=0, common=9))) == ""
    assert drifted(plans.first()) == ""


def test_rows_that_came_and_went_are_counted_by_their_key() -> None:
    said = drifted(moved({}, RowChanges(added=1, removed=1_200, common=20_000)))
    assert said == (
        "Different values of `application_id`: 1 added, 1,200 removed, 20,000 as before."
    )


# --- rows that were judged on ------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (plans.better(), ""),
        (judged_on(1), "No other pull request was judged on these rows."),
        (judged_on(0, included=False), "No pull request was judged on these rows."),
        (
            judged_on(1, included=False),
            "These held-out rows were judged on in 1 pull request so far.",
        ),
        (
            judged_on(12, optimism=0.0162),
            "These held-out rows were judged on in 12 pull requests so far, this one included. "
            "By luck alone the best of so many may look better than it is, by up to about 0.016 "
            "in roc_auc; rows that come later would tell.",
        ),
    ],
)
def test_how_often_the_rows_were_judged_on(plan: Plan, said: str) -> None:
    assert reused(plan) == said


# --- hostile names -----------------------------------------------------------------


@pytest.mark.parametrize("nasty", NASTY)
def test_names_do_nothing(nasty: str) -> None:
    plan = scored((LEAKS[0].model_copy(update={"column": nasty, "reason": nasty}),))
    assert plan.comparison is not None
    drift = {nasty: DRIFT["income"], f"{nasty}!": DRIFT["postcode"]}
    comparison = plan.comparison.model_copy(update={"drift": drift})
    assert problems(render_comment(plan.model_copy(update={"comparison": comparison}))) == []
