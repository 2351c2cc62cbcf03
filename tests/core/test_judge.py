import itertools
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from mergeline.core.case import Case
from mergeline.core.judge import BASE_POLICY, judge, judge_change
from mergeline.core.policy import (
    CheckGate,
    DataGate,
    ExplainGate,
    FairnessGate,
    Gate,
    LatencyGate,
    MetricGate,
    Policy,
    Promotion,
    SizeGate,
    SliceGate,
    Waiver,
)
from mergeline.core.verdict import Judgement, Outcome

from .cases import (
    AVAILABLE,
    FIRST,
    NOT_AVAILABLE,
    ODDS,
    TODAY,
    UNREADABLE,
    case,
    checks,
    evaluated,
    explained,
    fairness,
    policy,
    prepared,
    waiver,
)

DAY = timedelta(days=1)

# One gate for each outcome, on the evidence of `WHOLE` with a first pull request's baseline.
PASSES = MetricGate(metric="roc_auc", at_least=0.7)
FAILS = MetricGate(metric="roc_auc", at_least=0.9)
WARNS = MetricGate(metric="roc_auc", at_least=0.9, level="warn")
ERRORS = MetricGate(metric="f1", at_least=0.1)
SKIPS = MetricGate(metric="roc_auc", no_worse_than_baseline_by=0.01)

EVIDENCE = {
    "evaluate": evaluated(roc_auc=0.8),
    "fairness": fairness(0.3),
    "check_data": checks(a="failed"),
    "explain": explained(("income", 0.9)),
    "prepare": prepared("income"),
}
NO_BASE = case(FIRST, **EVIDENCE)
WHOLE = case(AVAILABLE, **EVIDENCE)
PASSED, SKIPPED, WAIVED, WARNED, FAILED, ERRORED = Outcome


def outcomes(verdict_gates: Mapping[str, Gate], found: Case = NO_BASE) -> dict[str, Outcome]:
    verdict = judge(policy(verdict_gates), found, today=TODAY)
    return {gate.name: gate.outcome for gate in verdict.gates}


# --- one policy ------------------------------------------------------------------


def test_severity_and_exit_codes() -> None:
    assert [outcome.name for outcome in sorted(Outcome)] == [
        "PASSED", "SKIPPED", "WAIVED", "WARNED", "FAILED", "ERRORED",
    ]  # fmt: skip
    assert [outcome.exit_code for outcome in Outcome] == [0, 0, 0, 0, 10, 11]
    assert [outcome for outcome in Outcome if outcome.blocks] == [FAILED, ERRORED]


BY_OUTCOME: dict[Outcome, Gate] = {
    PASSED: PASSES,
    SKIPPED: SKIPS,
    WARNED: WARNS,
    FAILED: FAILS,
    ERRORED: ERRORS,
}


def test_the_verdict_is_the_worst_of_its_gates() -> None:
    for size in range(1, 6):
        for chosen in itertools.permutations(BY_OUTCOME, size):
            gates = {outcome.name: BY_OUTCOME[outcome] for outcome in chosen}
            verdict = judge(policy(gates), NO_BASE, today=TODAY)
            assert [gate.outcome for gate in verdict.gates] == list(chosen)
            assert verdict.outcome is max(chosen)


def test_no_gates_is_errored() -> None:
    assert judge(policy(), NO_BASE, today=TODAY).outcome is ERRORED
    judged = judge_change(policy(), policy(), WHOLE, inputs_changed=True, today=TODAY)
    assert (judged.outcome, judged.answer) == (ERRORED, "POLICY_FAILED")


# The other kinds, and what they come to on the same evidence.
OTHERS: dict[str, Gate] = {
    "explain": ExplainGate(explain="income", at_most_rank=2),
    "one check": CheckGate(check="data", name="a"),
    "slice": SliceGate(slice="purpose", metric="roc_auc", at_least=0.7),
    "latency": LatencyGate(latency=1, at_most=20),
    "size": SizeGate(size="model", at_most=1),
    "rows": DataGate(data="rows", at_least=11),
    "drift": DataGate(data="drift", at_most=0.1),
}
JUDGED = {
    "explain": FAILED,
    "one check": FAILED,
    "slice": ERRORED,
    "latency": ERRORED,
    "size": PASSED,
    "rows": FAILED,
    "drift": SKIPPED,
}


def test_every_kind_of_gate_is_judged() -> None:
    assert outcomes(
        {
            "metric": PASSES,
            "fairness": FairnessGate(fairness=ODDS, by="sex", at_most=0.1),
            "check": CheckGate(check="data"),
            **OTHERS,
        }
    ) == {"metric": PASSED, "fairness": FAILED, "check": FAILED, **JUDGED}


def test_level_warn_softens_failed_and_nothing_else() -> None:
    for gate in (*BY_OUTCOME.values(), *OTHERS.values()):
        soft = gate.model_copy(update={"level": "warn"})
        (before,), (after,) = outcomes({"g": gate}).values(), outcomes({"g": soft}).values()
        assert after is (WARNED if before is FAILED else before)


# --- waivers ---------------------------------------------------------------------


def test_a_waiver_covers_failed_and_nothing_else() -> None:
    for outcome, gate in BY_OUTCOME.items():
        verdict = judge(policy({"g": gate}, waiver("g")), NO_BASE, today=TODAY)
        (result,) = verdict.gates
        assert result.outcome is (WAIVED if outcome is FAILED else outcome)
        assert bool(result.waiver) == (outcome is FAILED)


@pytest.mark.parametrize(
    ("expires", "outcome"), [(TODAY - DAY, FAILED), (TODAY, WAIVED), (TODAY + DAY, WAIVED)]
)
def test_a_waiver_counts_up_to_and_with_its_last_day(expires: date, outcome: Outcome) -> None:
    (result,) = judge(policy({"g": FAILS}, waiver("g", expires)), NO_BASE, today=TODAY).gates
    assert result.outcome is outcome
    if outcome is FAILED:
        assert result.reason == "Its waiver expired on 2026-11-19."
    else:
        assert result.waiver == f"known (risk, until {expires})"


def test_the_longest_of_several_waivers_counts_and_those_of_other_gates_do_not() -> None:
    several = policy({"g": FAILS}, waiver("g", TODAY - DAY), waiver("g"), waiver("h", TODAY + DAY))
    (result,) = judge(several, NO_BASE, today=TODAY).gates
    assert result.waiver == f"known (risk, until {TODAY})"
    (result,) = judge(policy({"g": FAILS}, waiver("h")), NO_BASE, today=TODAY).gates
    assert (result.outcome, result.reason) == (FAILED, "")


# --- a change --------------------------------------------------------------------


def changed(
    base: Policy | None, head: Policy, *, inputs: bool = True, found: Case = WHOLE
) -> Judgement:
    return judge_change(base, head, found, inputs_changed=inputs, today=TODAY)


def policies() -> list[Policy]:
    """Policies of one gate, of each outcome that there is with a baseline."""
    return [
        policy({"g": PASSES}),
        policy({"g": FAILS}, waiver("g")),
        policy({"g": WARNS}),
        policy({"g": FAILS}),
        policy({"g": ERRORS}),
        policy(),
    ]


@pytest.mark.parametrize("inputs", [True, False])
def test_an_unchanged_policy_is_judged_once(*, inputs: bool) -> None:
    for same in policies():
        judged = changed(same, same.model_copy(deep=True), inputs=inputs)
        assert judged.proposed is None
        assert judged.banners == ()
        assert judged.answer == ("POLICY_FAILED" if judged.outcome.blocks else "PROMOTE")
        assert judged.verdict == judge(same, WHOLE, today=TODAY)


def test_the_order_of_gates_is_no_change() -> None:
    one = policy({"a": PASSES, "b": WARNS})
    other = policy({"b": WARNS, "a": PASSES})
    assert changed(one, other).proposed is None


def test_both_policies_must_let_a_change_of_inputs_pass() -> None:
    for base, head in itertools.permutations(policies(), 2):
        judged = changed(base, head)
        old, new = (judge(one, WHOLE, today=TODAY) for one in (base, head))
        assert (judged.verdict, judged.proposed) == (old, new)
        assert judged.outcome is max(old.outcome, new.outcome)
        assert [banner.kind for banner in judged.banners] == ["policy-changed"]
        if new.outcome.blocks:
            assert judged.answer == "POLICY_FAILED"
        elif old.outcome.blocks:
            assert judged.answer == "POLICY_WEAKENED"
        else:
            assert judged.answer == "PROMOTE"


def test_a_change_of_the_policy_alone_promotes_nothing_and_warns_of_what_fails() -> None:
    soft = {FAILED: WARNED}
    for base, head in itertools.permutations(policies(), 2):
        judged = changed(base, head, inputs=False)
        old, new = (judge(one, WHOLE, today=TODAY) for one in (base, head))
        assert judged.answer == "POLICY_ONLY"
        assert judged.proposed is not None
        assert judged.verdict.outcome is soft.get(old.outcome, old.outcome)
        assert judged.proposed.outcome is soft.get(new.outcome, new.outcome)
        assert judged.outcome is max(judged.verdict.outcome, judged.proposed.outcome)
        assert [banner.kind for banner in judged.banners] == ["policy-only"]
        for gate in (*judged.verdict.gates, *judged.proposed.gates):
            assert gate.outcome is not FAILED


def test_what_fails_on_the_base_already_says_so() -> None:
    judged = changed(policy({"g": FAILS}), policy({"g": PASSES}), inputs=False)
    (gate,) = judged.verdict.gates
    assert (gate.outcome, gate.reason) == (WARNED, "It is so on the base already.")
    assert judged.outcome.exit_code == 0


def test_a_policy_alone_does_not_hide_what_is_not_known() -> None:
    judged = changed(policy({"g": ERRORS, "h": FAILS}), policy({"h": PASSES}), inputs=False)
    assert (judged.outcome, judged.answer) == (ERRORED, "POLICY_ONLY")
    assert [gate.outcome for gate in judged.verdict.gates] == [ERRORED, WARNED]


def of(*waivers: Waiver, **gates: Gate) -> Policy:
    return policy(gates, *waivers)


TIGHTER = MetricGate(metric="roc_auc", at_least=0.8)
# What the change does; base, head, answer, outcome, what the banner says of it.
CHANGES = {
    "loosens the gate that fails": (
        of(a=FAILS), of(a=PASSES), "POLICY_WEAKENED", FAILED, "changes the gate a.",
    ),
    "removes the gate that fails": (
        of(a=FAILS, b=PASSES), of(b=PASSES), "POLICY_WEAKENED", FAILED, "removes the gate a.",
    ),
    "removes every gate": (
        of(a=PASSES), of(), "POLICY_FAILED", ERRORED, "removes the gate a.",
    ),
    "turns the gate that fails into a warning": (
        of(a=FAILS), of(a=WARNS), "POLICY_WEAKENED", FAILED, "changes the gate a.",
    ),
    "waives the gate that fails": (
        of(a=FAILS), of(waiver("a"), a=FAILS), "POLICY_WEAKENED", FAILED, "changes waivers.",
    ),
    "loosens one and tightens another, which fails": (
        of(a=FAILS, b=PASSES), of(a=PASSES, b=FAILS),
        "POLICY_FAILED", FAILED, "changes the gates a, b.",
    ),
    "loosens one and tightens another, which passes": (
        of(a=FAILS, b=PASSES), of(a=PASSES, b=TIGHTER),
        "POLICY_WEAKENED", FAILED, "changes the gates a, b.",
    ),
    "adds a gate that fails": (
        of(a=PASSES), of(a=PASSES, b=FAILS), "POLICY_FAILED", FAILED, "adds the gate b.",
    ),
    "adds a gate that passes": (
        of(a=PASSES), of(a=PASSES, b=PASSES), "PROMOTE", PASSED, "adds the gate b.",
    ),
    "takes a waiver back": (
        of(waiver("a"), a=FAILS), of(a=FAILS), "POLICY_FAILED", FAILED, "changes waivers.",
    ),
    "prolongs a waiver that the base has": (
        of(waiver("a"), a=FAILS), of(waiver("a", TODAY + DAY), a=FAILS),
        "PROMOTE", WAIVED, "changes waivers.",
    ),
    "renames the gate that fails and lowers it": (
        of(a=FAILS), of(b=PASSES),
        "POLICY_WEAKENED", FAILED, "removes the gate a and adds the gate b.",
    ),
    "removes a gate that cannot be judged": (
        of(a=ERRORS, b=PASSES), of(b=PASSES), "POLICY_WEAKENED", ERRORED, "removes the gate a.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_changes_of_the_policy(change: str) -> None:
    base, head, answer, outcome, said = CHANGES[change]
    judged = changed(base, head)
    assert (judged.answer, judged.outcome) == (answer, outcome)
    (banner,) = judged.banners
    assert f"it {said}" in banner.text


def test_a_change_of_promotion_alone_is_a_change_of_the_policy() -> None:
    base = policy({"a": PASSES})
    head = base.model_copy(update={"promotion": Promotion(approvals=0)})
    judged = changed(base, head)
    assert judged.answer == "PROMOTE"
    assert judged.proposed is not None
    assert "it changes the rules of promotion." in judged.banners[0].text
    assert changed(base, head, inputs=False).answer == "POLICY_ONLY"


def test_a_looser_policy_never_helps_the_change_that_brings_it() -> None:
    for base, head in itertools.product(policies(), policies()):
        alone = judge(base, WHOLE, today=TODAY)
        judged = changed(base, head)
        assert judged.outcome >= alone.outcome
        if alone.outcome.blocks:
            assert judged.answer in ("POLICY_FAILED", "POLICY_WEAKENED")


# --- no base, a dirty tree -------------------------------------------------------


def test_a_first_pull_request_is_judged_by_its_own_policy() -> None:
    for head in policies():
        judged = changed(None, head, found=NO_BASE)
        assert judged.verdict == judge(head, NO_BASE, today=TODAY)
        assert judged.proposed is None
        assert judged.banners == ()


@pytest.mark.parametrize("baseline", [UNREADABLE, NOT_AVAILABLE, AVAILABLE])
def test_a_base_whose_policy_is_not_known_is_never_replaced_by_the_heads(baseline: object) -> None:
    found = Case(WHOLE.evidence, baseline, WHOLE.baseline_evidence, None)  # type: ignore[arg-type]
    for head in policies():
        for inputs in (True, False):
            judged = changed(None, head, found=found, inputs=inputs)
            assert (judged.outcome, judged.answer) == (ERRORED, "POLICY_FAILED")
            assert judged.verdict.gates[0].name == BASE_POLICY
            assert judged.verdict.gates[0].reason


def test_a_dirty_tree_is_judged_and_not_promotable() -> None:
    for base, head in itertools.product(policies(), policies()):
        for inputs in (True, False):
            clean = changed(base, head, inputs=inputs)
            dirty = judge_change(base, head, WHOLE, inputs_changed=inputs, today=TODAY, dirty=True)
            assert dirty == clean.model_copy(update={"answer": "NOT_PROMOTABLE"})


@pytest.mark.parametrize("name", OTHERS)
def test_a_waiver_of_any_kind_of_gate_covers_a_failure_alone(name: str) -> None:
    verdict = judge(policy(OTHERS, waiver(name)), NO_BASE, today=TODAY)
    result = next(gate for gate in verdict.gates if gate.name == name)
    assert result.outcome is (WAIVED if JUDGED[name] is FAILED else JUDGED[name])


def test_a_looser_gate_of_another_kind_counts_from_the_next_change_on() -> None:
    strict, loose = (policy({"rows": DataGate(data="rows", at_least=n)}) for n in (11, 9))
    judged = judge_change(strict, loose, WHOLE, inputs_changed=True, today=TODAY)
    assert judged.answer == "POLICY_WEAKENED"
    assert "changes the gate rows" in judged.banners[0].text
    judged = judge_change(loose, strict, WHOLE, inputs_changed=True, today=TODAY)
    assert judged.answer == "POLICY_FAILED"
