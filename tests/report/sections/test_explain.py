"""Explanations of the three tasks, held against golden files; hostile names stay text."""

import pytest

from mergeline.core.evidence import (
    ClassImportance,
    ExplainContent,
    ExplainedRow,
    GroupImportance,
    Importance,
)
from mergeline.core.plan import Plan
from mergeline.report.markdown import marker
from mergeline.report.sections.explain import explanations

from .. import plans
from ..nasty import NASTY
from ..reading import problems

MARKED = f"{marker('credit-default')}\n\n"
COLUMNS = ("units_passed", "age", "course")


def importances(*shares: float, directed: bool = True) -> tuple[Importance, ...]:
    return tuple(
        Importance(
            column=column,
            mean_abs=round(1.7 * share, 4),
            share=share,
            direction=0.84 - place if directed and column != "course" else None,
        )
        for place, (column, share) in enumerate(zip(COLUMNS, shares, strict=True))
    )


def content(**of: object) -> ExplainContent:
    given = {
        "outcome": "explained",
        "reason": "",
        "explainer": "tree",
        "rows": 885,
        "of": 885,
        "background": 0,
        "by_group": (),
        "largest_errors": (),
    }
    return ExplainContent.model_validate(given | of)


def multiclass() -> ExplainContent:
    mean = importances(0.6, 0.3, 0.1, directed=False)
    row = ExplainedRow(
        row="", score=0.0021, actual="Dropout", contributions=(("units_passed", -2.31),)
    )
    return content(
        task="multiclass",
        output="log_odds",
        features=mean,
        classes=(
            ClassImportance(name="Dropout", features=importances(0.7, 0.2, 0.1)),
            ClassImportance(name="Enrolled", features=importances(0.4, 0.35, 0.25)),
            ClassImportance(name="Graduate | <b>", features=importances(0.6, 0.3, 0.1)),
        ),
        by_group=(GroupImportance(by="Gender", group="1", n=311, top=mean),),
        largest_errors=(row,),
    )


def regression(actual: str = "") -> ExplainContent:
    row = ExplainedRow(
        row="", score=9120.4, actual=actual, contributions=(("age", -4130.0), ("course", 12.5))
    )
    return content(
        task="regression",
        output="value",
        explainer="permutation",
        background=25,
        features=importances(0.6, 0.3, 0.1),
        largest_errors=(row,),
    )


def with_content(found: ExplainContent, baseline: ExplainContent | None = None) -> Plan:
    plan = plans.better()

    def sealed(evidence: object, one: ExplainContent | None) -> object:
        given = None if one is None else plan.evidence.explain.model_copy(update={"content": one})
        return evidence.model_copy(update={"explain": given})

    return plan.model_copy(
        update={
            "evidence": sealed(plan.evidence, found),
            "baseline_evidence": sealed(plan.baseline_evidence, baseline),
        }
    )


@pytest.mark.parametrize(
    ("name", "found", "baseline"),
    [
        ("multiclass", multiclass(), multiclass()),
        ("multiclass-first", multiclass(), None),
        ("regression", regression(), regression()),
        ("regression-rows", regression("51194.6"), None),
    ],
)
def test_golden(name, found, baseline, golden):
    section = str(explanations(with_content(found, baseline)))
    golden(f"sections/explain-{name}.md", section)
    assert problems(MARKED + section) == []


@pytest.mark.parametrize("nasty", NASTY)
def test_names_of_classes_do_nothing(nasty):
    found = multiclass()
    classes = tuple(one.model_copy(update={"name": nasty}) for one in found.classes)
    poisoned = found.model_copy(update={"classes": classes})
    assert problems(MARKED + str(explanations(with_content(poisoned)))) == []


def test_of_many_classes_the_first_are_shown_and_the_others_counted():
    classes = tuple(
        ClassImportance(name=f"c{place}", features=importances(0.6, 0.3, 0.1))
        for place in range(1500)
    )
    body = explanations(with_content(multiclass().model_copy(update={"classes": classes}))).body
    assert "`c19`" in body
    assert "`c20`" not in body
    assert "1,480 more of the 1,500 classes in the evidence." in body


def test_columns_that_move_nothing_lead_nothing():
    led = with_content(content(features=importances(1.0, 0.0, 0.0), output="log_odds"))
    assert explanations(led).summary == "led by units_passed"
    still = with_content(content(features=importances(0.0, 0.0, 0.0), output="log_odds"))
    assert explanations(still).summary == "no column moves a prediction"
