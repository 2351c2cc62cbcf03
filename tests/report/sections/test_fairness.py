"""Fairness of the three tasks by 2 and by 12 groups, held against golden files."""

import numpy as np
import pytest

from mergeline.core.evidence import FairnessBy, FairnessContent, Remedy
from mergeline.core.plan import Plan
from mergeline.core.task import SHOWN_RATES
from mergeline.model.predictions import Predictions
from mergeline.report.markdown import marker
from mergeline.report.page import render_page
from mergeline.report.sections.fairness import fairness, why_unfair
from mergeline.stages.by_group import Asked, measure_groups
from mergeline.stats.causes import find_cause
from mergeline.stats.gaps import judged_groups, measure_gaps

from .. import plans
from ..nasty import NASTY
from ..reading import problems, tables

MARKED = f"{marker('credit-default')}\n\n"
CLASSES = ("Dropout", "Enrolled", "Graduate")
MIN_GROUP = 50


def held(task: str, groups: int, n: int = 2400) -> tuple[Predictions, np.ndarray]:
    """Rows whose outcome and errors differ by group; the last group is too small to be judged."""
    random = np.random.default_rng(7)
    place = random.integers(0, groups, n)
    place[: 20 * (groups > 2)] = groups
    names = np.array(["female", "male"] if groups == 2 else [f"region {k:02}" for k in range(13)])
    shift = place / groups
    if task == "regression":
        actual = 9_000 + 6_000 * shift + 900 * random.standard_normal(n)
        said = actual + 400 * shift + 700 * random.standard_normal(n)
        return Predictions("regression", actual, said), names[place]
    if task == "binary":
        actual = random.random(n) < 0.2 + 0.3 * shift
        score = np.clip(0.3 * actual + 0.1 * shift + random.random(n) * 0.6, 0, 1)
        return Predictions("binary", actual, score, 0.5), names[place]
    actual = (random.random(n) < 0.4 + 0.2 * shift).astype(int) + (random.random(n) < 0.4)
    score = random.random((n, 3))
    score[np.arange(n), actual] += 0.6 - 0.3 * shift
    return Predictions("multiclass", actual, score, None, CLASSES), names[place]


def remedy(task: str, gap: str) -> Remedy:
    rate = task == "binary"
    return Remedy(
        gap=gap,
        method="reduction",
        setting="trained under a constraint (demographic parity) on 2,000 of 9,600 rows",
        gap_before=0.214 if rate else 1_204.5,
        gap_after=0.05 if rate else 1_190.1,
        accuracy_before=0.81 if rate else None,
        accuracy_after=0.792 if rate else None,
        error_before=None if rate else 3_210.4,
        error_after=None if rate else 3_544.2,
        n=2_380,
    )


def measured(task: str, groups: int) -> FairnessContent:
    rows, labels = held(task, groups)
    judged = judged_groups(labels, MIN_GROUP)
    given = (rows.actual, rows.predicted, labels)
    kind = {"task": task, "classes": rows.classes, "min_group": MIN_GROUP}
    gaps = measure_gaps(*given, **kind, replicates=200, seed=0)
    by = "sex" if groups == 2 else "region"
    found = FairnessBy(
        by=by,
        columns=(by,),
        groups=measure_groups(
            rows, labels, Asked(SHOWN_RATES[task], frozenset(judged), None, 200, 0)
        ),
        gaps=gaps,
        cause=find_cause(gaps, *given, **kind),
        remedies=() if task == "multiclass" else (remedy(task, next(reversed(gaps))),),
        left_out="Nothing was tried." if task == "multiclass" else "",
    )
    return FairnessContent(
        task=task,
        n=len(rows),
        threshold=rows.threshold,
        min_group=MIN_GROUP,
        metrics=SHOWN_RATES[task],
        by=(found,),
        bootstrap=200,
        seed=0,
    )


def said(content: FairnessContent) -> str:
    plan: Plan = plans.plan(plans.evidence(fairness=content), before=None)
    return str(fairness(plan)) + "\n"


CASES = [(task, n) for task in ("binary", "multiclass", "regression") for n in (2, 12)]


@pytest.mark.parametrize(("task", "groups"), CASES)
def test_golden(task, groups, golden):
    found = said(measured(task, groups))
    golden(f"fairness/{task}-{groups}.md", found)
    assert problems(MARKED + found) == []


@pytest.mark.parametrize(("task", "groups"), CASES)
def test_every_group_has_a_row_and_how_many_were_compared_is_said_once(task, groups):
    found = said(measured(task, groups))
    assert found.count(f"Compared: {groups} groups by `{'sex' if groups == 2 else 'region'}`.") == 1
    table = next(each for each in tables(MARKED + found) if each.header[0] == "Group")
    assert len(table.rows) == groups + (groups > 2)
    assert ("Positives" in table.header) == (task == "binary")


@pytest.mark.parametrize("name", NASTY)
def test_hostile_names_stay_text(name):
    for task in ("multiclass", "regression"):
        nasty = plans.poisoned(measured(task, 2), name)
        assert problems(MARKED + said(nasty.model_copy(update={"task": task}))) == []


UNTRIED = "No reduction was tried by sex: only for the column of the largest gap."


def untried(plan: Plan) -> Plan:
    """The plan where nothing was tried that would close its gap by sex."""
    content = plan.evidence.fairness.content
    by = tuple(each.model_copy(update={"remedies": (), "left_out": UNTRIED}) for each in content.by)
    found = plan.evidence.fairness.model_copy(
        update={"content": content.model_copy(update={"by": by})}
    )
    return plan.model_copy(
        update={"evidence": plan.evidence.model_copy(update={"fairness": found})}
    )


@pytest.mark.parametrize(
    ("plan", "stuck"),
    [(plans.unfair(), True), (plans.with_waiver(), False)],
    ids=["FAILED", "waived"],
)
def test_why_nothing_was_tried_is_said_above_where_a_gate_stands_in_the_way(plan, stuck):
    plan = untried(plan)
    assert "**Why, by `sex`**" in why_unfair(plan)
    assert (UNTRIED in why_unfair(plan)) == stuck
    assert UNTRIED in fairness(plan).body


def test_a_number_has_no_base_rates():
    content = measured("regression", 2)
    page = render_page(plans.plan(plans.evidence(fairness=content), before=None))
    assert "Mostly from the outcomes. mean_prediction is" in page
    assert "Mostly from the base rates" not in page
