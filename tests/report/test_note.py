"""The verdict where runs are listed: short, and nothing in it acts."""

import pytest

from mergeline.report.markdown import marker
from mergeline.report.note import render_note

from . import plans
from .nasty import NASTY
from .reading import problems, tables, visible


def wrong(note):
    # The marker of a comment is what `problems` expects; a note has none.
    return problems(f"{marker('p')}\n\n{note}")


@pytest.mark.parametrize("name", plans.ALL)
def test_it_says_the_sentence_and_every_gate(name):
    plan = plans.ALL[name]()
    note = render_note(plan)
    assert wrong(note) == []
    assert len(note) <= 5000
    assert "report.html" in visible(note)
    if name != "hostile":
        gates = tables(note)[0].column("Gate")
        assert set(gates) >= {gate.name for gate in plan.judgement.verdict.gates}


@pytest.mark.parametrize("nasty", NASTY)
def test_no_string_of_a_plan_acts(nasty):
    assert wrong(render_note(plans.poisoned(plans.unfair(), nasty))) == []


def test_a_long_one_leaves_out_whole_parts():
    plan = plans.better()
    gates = tuple(
        gate.model_copy(update={"name": f"{n} {'x' * 60}", "reason": "why " * 50})
        for n, gate in enumerate(plan.judgement.verdict.gates * 6)
    )
    verdict = plan.judgement.verdict.model_copy(update={"gates": gates})
    judgement = plan.judgement.model_copy(update={"verdict": verdict})
    note = render_note(plan.model_copy(update={"judgement": judgement}))
    assert len(note) <= 5000
    assert "Gates: " in note
    assert wrong(note) == []
