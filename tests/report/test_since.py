import pytest

from mergeline.core.base import Estimate
from mergeline.core.plan import GateSeen, Push
from mergeline.core.verdict import Outcome
from mergeline.ledger.seen import GATES, gates_seen
from mergeline.report.comment import render_comment
from mergeline.report.page import render_page
from mergeline.report.since import since_push

from . import plans
from .reading import problems, visible
from .shown import page_tables

EARLIER = "abcdef0123456789abcdef0123456789abcdef01"


def pushed(plan, gates=None, **made):
    """The plan after an earlier push with these gates; all else as now, but what is given."""
    now = plan.candidate
    given = {"inputs": now.inputs, "model": now.model, "evidence": now.evidence, **made}
    before = Push(
        commit=EARLIER,
        time="2026-11-20T09:00:00Z",
        outcome=Outcome.FAILED,
        answer="POLICY_FAILED",
        gates=gates,
        **given,
    )
    return plan.model_copy(update={"previous": before})


def said(plan):
    return visible(since_push(plan))


def test_a_gate_that_came_out_otherwise():
    plan = plans.better()
    gates = gates_seen(plan.judgement)
    gates["equal-odds"] = GateSeen(outcome=Outcome.FAILED, value=0.207)
    found = said(pushed(plan, gates, model="e" * 64))
    assert found == (
        "Since the last push (abcdef012345): equal-odds FAILED → passed (0.207 → 0.064); "
        "the model is another one."
    )


def test_only_values_moved():
    plan = plans.better()
    gates = gates_seen(plan.judgement)
    gates["equal-odds"] = GateSeen(outcome=Outcome.PASSED, value=0.07)
    assert "equal-odds still passed (0.070 → 0.064)" in said(pushed(plan, gates))


def test_nothing_changed():
    plan = plans.better()
    found = said(pushed(plan, gates_seen(plan.judgement)))
    assert found.endswith("): nothing that is measured changed.")


def test_other_inputs_made_the_same_model():
    plan = plans.better()
    found = said(pushed(plan, gates_seen(plan.judgement), inputs="e" * 64))
    assert found.endswith("): what it is made from changed, the model did not.")


def test_gates_come_and_go():
    plan = plans.better()
    gates = gates_seen(plan.judgement)
    del gates["auc-floor"]
    gates["old one"] = GateSeen(outcome=Outcome.PASSED)
    assert said(pushed(plan, gates)).endswith("): 1 new gate; 1 gate gone.")


def test_a_review_from_before_gates_were_kept():
    assert said(pushed(plans.better())).endswith("): FAILED → passed.")


def test_many_gates_that_turned_are_counted():
    plan = plans.better()
    gates = {name: GateSeen(outcome=Outcome.FAILED) for name in gates_seen(plan.judgement)}
    found = said(pushed(plan, gates))
    assert found.count("FAILED → passed") == 4
    assert "; 3 more gates came out otherwise" in found


def test_the_first_push_has_nothing_before_it():
    assert since_push(plans.better()) == ""
    assert "Since the last push" not in render_comment(plans.better())


def test_a_hostile_gate_does_nothing_here():
    plan = plans.poisoned(plans.better(), "@octocat [x](//evil.example) | `")
    gates = {
        name: GateSeen(outcome=Outcome.ERRORED, value=each.value)
        for name, each in gates_seen(plan.judgement).items()
    }
    plan = pushed(plan, gates).model_copy(update={"command": ""})
    comment = render_comment(plan)
    assert "Since the last push" in comment
    assert problems(comment) == []


def test_a_value_beside_its_limit_keeps_its_digits():
    plan = plans.better()
    gate = next(g for g in plan.judgement.verdict.gates if g.name == "auc-floor")
    near = gate.model_copy(update={"measured": Estimate(value=0.7497, n=9)})
    verdict = plan.judgement.verdict.model_copy(update={"gates": (near,)})
    judgement = plan.judgement.model_copy(update={"verdict": verdict})
    plan = plan.model_copy(update={"judgement": judgement})
    gates = {"auc-floor": GateSeen(outcome=Outcome.PASSED, value=0.7612)}
    assert "(0.761 → 0.7497)" in said(pushed(plan, gates))


def gated(plan, *names):
    """The plan with its first gate under these names instead of its gates."""
    (gate, *_) = plan.judgement.verdict.gates
    gates = tuple(gate.model_copy(update={"name": name}) for name in names)
    verdict = plan.judgement.verdict.model_copy(update={"gates": gates})
    judgement = plan.judgement.model_copy(update={"verdict": verdict})
    return plan.model_copy(update={"judgement": judgement})


@pytest.mark.parametrize("name", ["gate " * 60, "auc\u200b-floor\u202e", "auc-floor"])
def test_page_and_comment_know_a_gate_again_whatever_its_name(name):
    plan = gated(plans.better(), name, f"{name}2")
    gates = gates_seen(plan.judgement)
    kept, _ = gates
    gates[kept] = GateSeen(outcome=Outcome.FAILED, value=0.1)
    plan = pushed(plan, gates)
    assert said(plan).count("FAILED → passed") == 1
    assert "gone" not in said(plan)
    (table,) = [
        each for each in page_tables(render_page(plan)) if each.header == ("Gate", "Then", "Now")
    ]
    assert [row[1:] for row in table.rows] == [("FAILED", "passed")]


def test_of_more_gates_than_are_kept_none_is_called_new():
    plan = gated(plans.better(), *(f"gate {place}" for place in range(GATES + 3)))
    assert said(pushed(plan, gates_seen(plan.judgement))).endswith(
        "): nothing that is measured changed."
    )


def test_a_gate_that_is_well_now_is_told_among_very_many_others():
    plan = gated(plans.better(), *(f"gate {place}" for place in range(GATES + 3)))
    gates = {f"gate {GATES + 1}": GateSeen(outcome=Outcome.FAILED, value=0.1)}
    assert f"gate {GATES + 1} FAILED → passed" in said(pushed(plan, gates))
