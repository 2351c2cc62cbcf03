"""The check run: which lines are remarked on, and what no string of others does there."""

import pytest

from mergeline.core.policy import MetricGate, Policy
from mergeline.core.remarks import Places
from mergeline.report.check_run import render_check_run
from mergeline.report.markdown import inert

from . import plans
from .nasty import NASTY
from .reading import parse, problems

LINES = {name: number for number, name in enumerate(plans.GATES, start=40)}
PLACES = Places(settings="params.yaml", gates=LINES)


def test_each_gate_that_did_not_pass_is_remarked_on_at_its_line():
    text = render_check_run(plans.unfair(), PLACES)
    assert [(one.path, one.line, one.level, one.title) for one in text.remarks] == [
        ("params.yaml", LINES["equal-odds"], "failure", "equal-odds: FAILED"),
        ("params.yaml", LINES["no-new-gap"], "warning", "no-new-gap: warned"),
    ]
    assert text.remarks[0].message.splitlines() == [
        "Rule: equalized_odds_difference by sex at most 0.1.",
        "Measured: 0.143 (0.102 to 0.184); limit 0.1.",
        next(g for g in plans.unfair().judgement.verdict.gates if g.name == "equal-odds").reason,
    ]
    assert text.conclusion == "failure"
    assert text.title.startswith("Not good enough: equal-odds failed; it catches 3.1 ")


@pytest.mark.parametrize(
    ("plan", "conclusion"),
    [
        (plans.better, "success"),
        (plans.cannot_tell, "neutral"),
        (plans.errored, "failure"),
        (plans.weakened, "failure"),
        (plans.policy_only, "neutral"),
        (lambda: plans.plan(plans.evidence(), base=None, dirty=("a",)), "failure"),
    ],
)
def test_the_conclusion(plan, conclusion):
    assert render_check_run(plan(), PLACES).conclusion == conclusion


def test_what_only_the_rules_of_the_pull_request_refuse():
    tighter = {**plans.GATES, "auc-floor": MetricGate(metric="roc_auc", at_least=0.99)}
    plan = plans.unfair(head=Policy(gates=tighter))
    titles = [one.title for one in render_check_run(plan, PLACES).remarks]
    assert titles == [
        "equal-odds: FAILED",
        "no-new-gap: warned",
        "auc-floor: FAILED, by the rules of this pull request",
    ]


def test_a_contract_that_changed_and_gates_without_a_line():
    places = Places(settings="params.yaml", gates={}, contract="data/c.yaml", contract_line=7)
    remarks = render_check_run(plans.unfair(), places).remarks
    assert {one.line for one in remarks if one.path == "params.yaml"} == {1}
    (contract,) = [one for one in remarks if one.path == "data/c.yaml"]
    assert (contract.line, contract.level) == (7, "warning")


def test_the_summary_says_what_the_comment_says():
    text = render_check_run(plans.better(), PLACES)
    assert "Gates: 7 passed." in text.summary
    assert "**PROMOTE**: Exactly this model becomes the next release" in text.summary


# --- strings of others -----------------------------------------------------------


@pytest.mark.parametrize("nasty", NASTY)
def test_no_string_of_a_plan_acts(nasty):
    for name in ("errored-check", "failed-fairness", "lowered-gate"):
        plan = plans.poisoned(plans.ALL[name](), nasty)
        text = render_check_run(plan, PLACES)
        assert problems(f"<!-- mergeline: x -->\n\n{text.summary}") == [], name
        for line in (text.title, *lines(text)):
            assert acting(line) == [], name


def lines(text):
    """Every line of plain text that the remarks hold."""
    return [line for one in text.remarks for line in (one.title, *one.message.split("\n"))]


def acting(line):
    """What a line of plain text would do where somebody takes it for Markdown."""
    kinds = {
        part.type
        for token in parse(line)
        for part in (token, *(token.children or ()))
        if not part.type.startswith(("paragraph", "strong", "em", "s_", "softbreak"))
    }
    said = [f"hidden {ord(each):04X}" for each in line if not each.isprintable()]
    said = [one for one in said if one != "hidden 2060"]
    at = line.replace("@\u2060", "")
    return [
        *(kinds - {"text", "inline", "code_inline"}),
        *said,
        *(["mention"] if "@" in at else []),
    ]


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize("limit", [20, 140, 2000])
def test_inert_text_is_inert_and_bounded(nasty, limit):
    for value in (nasty, nasty * 300, f"before {nasty}"):
        line = inert(value, limit)
        assert acting(line) == []
        assert len(line) <= limit
        assert "://" not in line
        assert "<!--" not in line


@pytest.mark.parametrize("said", ["auc-floor: FAILED", "roc_auc at least 0.75, 1.5 (a to b)"])
def test_inert_text_of_our_own_is_as_it_was(said):
    assert inert(said) == said


def test_a_megabyte_of_gates_is_bounded():
    gates = {
        f"gate-{number} {'@x' * 40}": MetricGate(metric="roc_auc", at_least=0.99)
        for number in range(10_000)
    }
    plan = plans.plan(plans.evidence(), base=None, head=Policy(gates=gates))
    text = render_check_run(plan, Places(settings="params.yaml", gates={}))
    assert len(text.remarks) <= 10_000
    assert max(len(one.title) for one in text.remarks) <= 255
    assert max(len(one.message.encode()) for one in text.remarks) <= 65_536
    assert len(text.summary) <= 60_000
    assert len(text.title) <= 255
