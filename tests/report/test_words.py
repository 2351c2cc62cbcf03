import pytest

from mergeline.core.evidence import EvidenceSet
from mergeline.core.policy import Policy, Promotion
from mergeline.core.verdict import Baseline, Outcome
from mergeline.report.against import changes, compared
from mergeline.report.words import headline, if_merged

from . import plans

# What a reader has to take away in ten seconds, by golden.
SENTENCES = {
    "first": (Outcome.WARNED, "good enough to release, with a warning (data-checks); there is no"),
    "better": (Outcome.PASSED, "good enough to release: all 7 gates passed; it is better than"),
    "worse": (Outcome.PASSED, "good enough to release: all 7 gates passed; it is worse than"),
    "cannot-tell": (Outcome.WARNED, "with 2 warnings (auc-baseline and data-checks); better or"),
    "not-comparable": (Outcome.ERRORED, "could not be judged (auc-baseline and no-new-gap)."),
    "failed-fairness": (Outcome.FAILED, "is not good enough: 1 of 7 gates failed (equal-odds)."),
    "errored-check": (Outcome.ERRORED, "Not known whether this model is good enough: 3 of 7 gates"),
    "waived": (Outcome.WARNED, "with a warning (no-new-gap) and by a waiver of equal-odds;"),
    "lowered-gate": (Outcome.FAILED, "not good enough by the rules in force: it passes only by"),
    "policy-only": (Outcome.WARNED, "No new model: this pull request changes only the rules"),
    "hostile": (Outcome.FAILED, "is not good enough: 1 of 7 gates failed (equal-odds)."),
    "regression": (Outcome.FAILED, "is not good enough: 1 of 5 gates failed (error-ceiling)."),
    "three-classes": (Outcome.PASSED, "release: all 5 gates passed; it is better than"),
}


@pytest.mark.parametrize("name", plans.ALL)
def test_headline(name):
    outcome, words = SENTENCES[name]
    found = headline(plans.ALL[name]())
    assert found.outcome is outcome
    assert words in found.sentence


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
    assert "good enough to release only by a waiver of equal-odds; it is" in headline(plan).sentence


def test_a_tightened_gate_counts_at_once():
    plan = plans.unfair(base=plans.lowered(), head=plans.POLICY)
    assert plan.judgement.answer == "POLICY_FAILED"
    assert "1 of 7 gates of the rules that it brings failed (equal-odds)" in headline(plan).sentence


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
        "max_iter 100 → 200",
    )
    assert changes(plans.policy_only()) == (
        "the data is the same file",
        "the model is the same, byte for byte",
    )
