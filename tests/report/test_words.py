import pytest

from mergeline.core.base import Estimate
from mergeline.core.evidence import EvidenceSet
from mergeline.core.policy import Policy, Promotion
from mergeline.core.verdict import Baseline, Comparison, Outcome
from mergeline.report.against import changes, compared
from mergeline.report.words import headline, if_merged

from . import plans

# What a reader has to take away in ten seconds, by golden.
SENTENCES = {
    "first": (Outcome.WARNED, "Good enough as a first model: there is no baseline yet; 1 warning"),
    "better": (Outcome.PASSED, "Better: catches 3.1 (1.2 to 5.0) more of 100 defaulters at the"),
    "worse": (Outcome.PASSED, "Worse, but within the limits: catches 0.7 (0.1 to 1.3) fewer of"),
    "cannot-tell": (Outcome.WARNED, "Cannot tell better from worse: catches 3.1 fewer to 1.5 more"),
    "not-comparable": (Outcome.ERRORED, "auc-baseline and no-new-gap could not be judged."),
    "failed-fairness": (Outcome.FAILED, "Not good enough: equal-odds failed; it catches 3.1"),
    "errored-check": (Outcome.ERRORED, "Not known whether it is good enough: data-checks, model-"),
    "waived": (Outcome.WARNED, "a waiver stands in for equal-odds; 1 warning: no-new-gap."),
    "lowered-gate": (Outcome.FAILED, "Not good enough by the rules in force: equal-odds failed; "),
    "policy-only": (Outcome.WARNED, "No new model: this pull request changes only the rules"),
    "hostile": (Outcome.FAILED, "Not good enough: equal-odds failed; it catches 3.1"),
    "regression": (Outcome.FAILED, "predictions of charges are off by 271 (81 to 462) less on"),
    "three-classes": (Outcome.PASSED, "Better: gets 2.5 (0.8 to 4.2) more of 100 rows right; no"),
}


@pytest.mark.parametrize("name", plans.ALL)
def test_headline(name):
    outcome, words = SENTENCES[name]
    found = headline(plans.ALL[name]())
    assert found.outcome is outcome
    assert words in found.sentence
    assert len(found.sentence) <= 235


def test_a_policy_without_gates():
    plan = plans.plan(plans.evidence(), base=None, head=Policy())
    assert headline(plan).outcome is Outcome.ERRORED
    assert "its policy has no gates" in headline(plan).sentence
    assert "A policy without gates lets nothing pass." in if_merged(plan)


def test_only_a_waiver_stands_between():
    gates = {"equal-odds": plans.GATES["equal-odds"], "auc-floor": plans.GATES["auc-floor"]}
    policy = Policy(gates=gates, waivers=plans.waived().waivers)
    plan = plans.unfair(base=policy, head=policy)
    assert headline(plan).outcome is Outcome.WAIVED
    assert headline(plan).sentence.endswith("a waiver stands in for equal-odds.")


def test_a_tightened_gate_counts_at_once():
    plan = plans.unfair(base=plans.lowered(), head=plans.POLICY)
    assert plan.judgement.answer == "POLICY_FAILED"
    assert (
        "Not good enough by the rules that it brings: equal-odds failed" in headline(plan).sentence
    )


def test_files_that_are_not_committed():
    plan = plans.plan(plans.evidence(), base=None, dirty=("params.yaml", "data/new.csv"))
    assert headline(plan).sentence == "Only a trial: 2 files not as in the commit; no gate failed."
    assert headline(plan).outcome is Outcome.WARNED
    assert if_merged(plan)[0].startswith("Nothing can be promoted")


def test_no_approvals_is_said_aloud_whatever_the_answer():
    free = Policy(gates=plans.GATES, promotion=Promotion(approvals=0))
    for plan in (plans.unfair(base=free, head=free), plans.plan(plans.evidence(), head=free)):
        assert any(said.startswith("approvals: 0") for said in if_merged(plan))
    assert if_merged(plans.better())[-1] == "The policy asks for 1 approval of this commit."


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("not_available", "The baseline is not available. Its data is gone."),
        ("unreadable", "The base cannot be read. Its data is gone."),
        ("none", "There is no baseline to compare with. Its data is gone."),
        ("available", "It was not compared with the baseline."),
    ],
)
def test_why_there_is_no_comparison(status, words):
    baseline = Baseline(status=status, reason="Its data is gone.")
    plan = plans.plan(plans.evidence(), base=None, baseline=baseline)
    assert compared(plan) == ("roc_auc is 0.783 (0.769 to 0.798) on 4,000 held-out rows.", words)


def test_nothing_is_measured():
    plan = plans.plan(EvidenceSet(), base=None)
    assert compared(plan)[0] == "Not measured."
    assert changes(plan) == ()


def test_how_many_rows_would_decide():
    said, how = compared(plans.cannot_tell())
    assert said == "Cannot tell whether it is better or worse than the baseline."
    assert "3,988 held-out rows" in how
    assert how.endswith("About 24,700 common rows would decide.")


def test_what_changed():
    assert changes(plans.better()) == (
        "the data is another file (20,000 rows before, 22,000 now)",
        "column tenure added",
        "max_iter 100 → 200",
    )
    assert changes(plans.policy_only()) == (
        "the data is the same file",
        "the model is the same, byte for byte",
    )


# --- what the sentence falls back on -----------------------------------------------


def told(**changed):
    """The sentence of the better plan with another comparison."""
    plan = plans.better()
    compared = plan.comparison.model_copy(update=changed)
    return headline(plan.model_copy(update={"comparison": compared})).sentence


def practical(delta, low, high, outcome, kind="caught"):
    found = plans.better().comparison.practical
    paired = found.paired.model_copy(
        update={
            "delta": Estimate(value=delta, low=low, high=high, n=900),
            "outcome": outcome,
            "higher_is_better": kind != "off",
        }
    )
    return found.model_copy(update={"paired": paired, "kind": kind})


def test_an_older_plan_speaks_of_the_primary_metric():
    assert told(practical=None).startswith("Better: roc_auc moves by +0.018 (+0.009 to +0.027); ")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (practical(3.1, 1.2, 4.9, "better"), "Better: catches 3.1 (1.2 to 4.9) more of 100 def"),
        (practical(-3.1, -4.9, -1.2, "worse"), "catches 3.1 (1.2 to 4.9) fewer of 100 defaulters"),
        (practical(0.4, -1.2, 2.0, "cannot_tell"), "catches 1.2 fewer to 2.0 more of 100 defaul"),
        (practical(1.0, 0.0, 2.0, "cannot_tell"), "catches 0 to 2.0 more of 100 defaulters at"),
        (practical(0.04, 0.01, 0.07, "better"), "catches 0.04 (0.01 to 0.07) more of 100"),
        (practical(2.0, None, None, "cannot_tell"), "catches 2.0 more of 100 defaulters at the"),
        (practical(-0.02, -0.031, -0.009, "better", "off"), "off by 0.020 (0.009 to 0.031) less"),
        (practical(2.5, 0.8, 4.2, "better", "right"), "gets 2.5 (0.8 to 4.2) more of 100 rows r"),
    ],
)
def test_the_change_in_plain_terms(found, words):
    assert words in told(practical=found)


def test_where_the_two_disagree_both_are_said():
    said = told(practical=practical(0.4, -1.2, 2.0, "cannot_tell"))
    assert said.startswith("Cannot tell better from worse: catches 1.2 fewer to 2.0 more of ")
    assert "at the same share flagged (better by roc_auc); " in said


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("churner", "churners"),
        ("default in a year", "default in a year rows"),
        ("fraudulent case", "fraudulent cases"),
        ("injury", "injuries"),
        ("loss", "losses"),
        ("positive", "positive rows"),
        ("x2", "x2 rows"),
        ("Ausfälle", "Ausfälle rows"),
    ],
)
def test_nouns(noun, plural):
    plan = plans.better().model_copy(update={"noun": noun})
    assert f" of 100 {plural} at the same" in headline(plan).sentence


def test_too_few_rows_to_compare():
    plan = plans.better()
    few = Comparison(n=3, unit="row", status="too_few", reason="few")
    said = headline(plan.model_copy(update={"comparison": few})).sentence
    assert said.startswith("Good enough; too few common rows to compare it with the baseline; ")
    assert headline(plan.model_copy(update={"comparison": None})).sentence.startswith(
        "Good enough; not compared; "
    )


def test_the_same_model():
    found = plans.evidence(check_data=plans.checks())
    plan = plans.plan(found, before=found, compared=plans.comparison(0.7834, 0.0, gap=0.062))
    assert headline(plan).sentence == "The same model as the baseline's; all 7 gates passed."


@pytest.mark.parametrize(
    ("before", "after", "half", "words"),
    [
        (0.062, 0.112, 0.02, "the equalized odds gap by sex grows by 5.0 points"),
        (0.112, 0.062, 0.02, "the equalized odds gap by sex shrinks by 5.0 points"),
        (0.062, 0.064, 0.02, "no clear change in the equalized odds gap by sex"),
        (0.062, 0.062, 0.02, "the equalized odds gap by sex is unchanged"),
    ],
)
def test_the_judged_gap(before, after, half, words):
    pair = plans.paired(before, after, half, higher=False)
    assert f"; {words}; " in told(fairness={"sex": {plans.ODDS: pair}})


def test_a_gap_without_a_gate_is_told_where_it_alone_got_worse():
    judged = plans.paired(0.062, 0.064, 0.02, higher=False)
    worse = plans.paired(0.046, 0.111, 0.02, higher=False)
    parity = "demographic_parity_difference"
    said = told(fairness={"sex": {plans.ODDS: judged, parity: worse}})
    assert "; the demographic parity gap by sex grows by 6.5 points; " in said
    unclear = plans.paired(0.046, 0.060, 0.02, higher=False)
    said = told(fairness={"sex": {plans.ODDS: judged, parity: unclear}})
    assert "; no clear change in the equalized odds gap by sex; " in said


def test_a_gap_that_no_gate_judges_is_not_told():
    gates = {"auc-floor": plans.GATES["auc-floor"]}
    made = plans.better()
    plan = plans.plan(
        made.evidence,
        before=made.baseline_evidence,
        compared=made.comparison,
        base=Policy(gates=gates),
        head=Policy(gates=gates),
    )
    assert "gap" not in headline(plan).sentence


def test_a_short_place_gets_whole_clauses():
    found = headline(plans.weakened())
    assert len(found.sentence) > 140
    short = found.within(140)
    assert len(short) <= 140
    assert found.sentence.startswith(short[:-1])
    assert found.within(10) == f"{found.clauses[0]}."
