"""From evidence and policy to a verdict. Pure: the day is an argument."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from mergeline.core.base import Estimate
from mergeline.core.evidence import ChecksContent, EvidenceSet, FairnessBy
from mergeline.core.policy import (
    CheckGate,
    ExplainGate,
    FairnessGate,
    Gate,
    MetricGate,
    Policy,
    Waiver,
)
from mergeline.core.verdict import (
    Banner,
    Baseline,
    Comparison,
    GateResult,
    Judgement,
    Outcome,
    Paired,
    Verdict,
)


@dataclass(frozen=True)
class Case:
    """What there is to judge.

    Attributes:
        evidence: Of the candidate.
        baseline: Where the baseline came from.
        baseline_evidence: Of the baseline; empty when there is none.
        comparison: None when there is no baseline to compare with.
    """

    evidence: EvidenceSet
    baseline: Baseline
    baseline_evidence: EvidenceSet
    comparison: Comparison | None


def judge(policy: Policy, case: Case, *, today: date) -> Verdict:
    """Judge every gate of a policy; a policy without gates is ERRORED.

    Args:
        policy: The gates and waivers to judge by.
        case: Evidence and comparison.
        today: The day on which waivers are held against their expiry.
    """
    gates = tuple(
        _waived(_judge_gate(name, gate, case), policy.waivers, today)
        for name, gate in policy.gates.items()
    )
    outcome = max((gate.outcome for gate in gates), default=Outcome.ERRORED)
    return Verdict(outcome=outcome, gates=gates)


def judge_change(
    base: Policy | None, head: Policy, case: Case, *, inputs_changed: bool, today: date
) -> Judgement:
    """Judge a change by the base's policy and, where it changes the policy, by its own too.

    A loosening counts from the next change on, a tightening at once; a change of the
    policy alone promotes nothing, and what fails on the base already only warns.

    Args:
        base: The policy of the base; None when the base has none (a first pull request).
        head: The policy of the head.
        case: Evidence and comparison.
        inputs_changed: Whether I differs from the base's I.
        today: The day on which waivers are held against their expiry.
    """
    if base is None or base == head:
        verdict = judge(head, case, today=today)
        answer = "POLICY_FAILED" if verdict.outcome.blocks else "PROMOTE"
        return Judgement(
            outcome=verdict.outcome, verdict=verdict, proposed=None, answer=answer, banners=()
        )
    old, new = judge(base, case, today=today), judge(head, case, today=today)
    if not inputs_changed:
        old = _as_on_base(old)
        new = _as_on_base(new)
        return Judgement(
            outcome=max(old.outcome, new.outcome),
            verdict=old,
            proposed=new,
            answer="POLICY_ONLY",
            banners=(Banner(kind="policy-only", text=_POLICY_ONLY),),
        )
    if new.outcome.blocks:
        answer = "POLICY_FAILED"
    else:
        answer = "POLICY_WEAKENED" if old.outcome.blocks else "PROMOTE"
    return Judgement(
        outcome=max(old.outcome, new.outcome),
        verdict=old,
        proposed=new,
        answer=answer,
        banners=(Banner(kind="policy-changed", text=_policy_changed(base, head)),),
    )


_POLICY_ONLY = (
    "This pull request changes the policy and nothing that a model is made from. "
    "It promotes nothing; its gates count from the next pull request on."
)


def _policy_changed(base: Policy, head: Policy) -> str:
    names = sorted(
        name
        for name in base.gates.keys() | head.gates.keys()
        if base.gates.get(name) != head.gates.get(name)
    )
    parts = [f"the gates {', '.join(names)}"] if names else []
    parts += ["waivers"] if base.waivers != head.waivers else []
    parts += ["promotion rules"] if base.promotion != head.promotion else []
    return (
        f"This pull request changes the policy ({'; '.join(parts)}). It is judged by the policy "
        "of the base and by its own: a loosening counts from the next pull request on, "
        "a tightening at once."
    )


def _as_on_base(verdict: Verdict) -> Verdict:
    """The inputs are the base's, so what fails here fails there: warned, not failed."""
    gates = tuple(
        gate.model_copy(
            update={
                "outcome": Outcome.WARNED,
                "reason": f"{gate.reason} It is so on the base already.".strip(),
            }
        )
        if gate.outcome is Outcome.FAILED
        else gate
        for gate in verdict.gates
    )
    return Verdict(outcome=max((g.outcome for g in gates), default=Outcome.ERRORED), gates=gates)


def _waived(result: GateResult, waivers: tuple[Waiver, ...], today: date) -> GateResult:
    if result.outcome is not Outcome.FAILED:
        return result
    ours = [waiver for waiver in waivers if waiver.gate == result.name]
    valid = next((waiver for waiver in ours if today <= waiver.expires), None)
    if valid is not None:
        word = f"{valid.reason} ({valid.owner}, until {valid.expires.isoformat()})"
        return result.model_copy(update={"outcome": Outcome.WAIVED, "waiver": word})
    if ours:
        expired = max(waiver.expires for waiver in ours).isoformat()
        reason = f"{result.reason} Its waiver expired on {expired}.".strip()
        return result.model_copy(update={"reason": reason})
    return result


def _judge_gate(name: str, gate: Gate, case: Case) -> GateResult:
    match gate:
        case MetricGate():
            result = _metric(name, gate, case)
        case FairnessGate():
            result = _fairness(name, gate, case)
        case CheckGate():
            result = _check(name, gate, case)
        case ExplainGate():
            result = _explain(name, gate, case)
    if result.outcome is Outcome.FAILED and gate.level == "warn":
        return result.model_copy(update={"outcome": Outcome.WARNED})
    return result


def _errored(name: str, rule: str, reason: str) -> GateResult:
    return GateResult(name=name, rule=rule, outcome=Outcome.ERRORED, reason=reason)


# --- metrics and gaps ------------------------------------------------------------


def _rule(subject: str, gate: MetricGate | FairnessGate) -> str:
    if gate.at_least is not None:
        return f"{subject} at least {gate.at_least:g}"
    if gate.at_most is not None:
        return f"{subject} at most {gate.at_most:g}"
    return f"{subject} no worse than the baseline by {gate.no_worse_than_baseline_by:g}"


def _metric(name: str, gate: MetricGate, case: Case) -> GateResult:
    rule = _rule(gate.metric, gate)
    if gate.no_worse_than_baseline_by is not None:
        paired = case.comparison.metrics.get(gate.metric) if case.comparison else None
        return _against_baseline(name, rule, gate.no_worse_than_baseline_by, paired, case)
    if case.evidence.evaluate is None:
        return _errored(name, rule, "There is no evidence of the stage evaluate.")
    metrics = case.evidence.evaluate.content.metrics
    if gate.metric not in metrics:
        known = ", ".join(sorted(metrics)) or "none"
        return _errored(name, rule, f"{gate.metric} was not measured; measured: {known}.")
    return _against_limit(name, rule, gate, metrics[gate.metric])


def _fairness(name: str, gate: FairnessGate, case: Case) -> GateResult:
    rule = _rule(f"{gate.fairness} by {gate.by}", gate)
    if case.evidence.fairness is None:
        return _errored(name, rule, "There is no evidence of the stage fairness.")
    found = next((item for item in case.evidence.fairness.content.by if item.by == gate.by), None)
    if found is None or gate.fairness not in found.gaps:
        known = ", ".join(item.by for item in case.evidence.fairness.content.by) or "none"
        return _errored(name, rule, f"{gate.by} was not measured; measured by: {known}.")
    difference = found.gaps[gate.fairness].difference
    if difference.value is None:
        return _errored(name, rule, difference.reason or found.reason)
    if gate.no_worse_than_baseline_by is not None:
        by = case.comparison.fairness.get(gate.by, {}) if case.comparison else {}
        paired = by.get(gate.fairness)
        return _against_baseline(name, rule, gate.no_worse_than_baseline_by, paired, case)
    result = _against_limit(name, rule, gate, difference)
    if result.outcome is Outcome.FAILED:
        return result.model_copy(update={"reason": _which_groups(found, gate.fairness)})
    return result


def _which_groups(found: FairnessBy, name: str) -> str:
    gap = found.gaps[name]
    if gap.rate is None or gap.lowest is None or gap.highest is None:
        return ""
    rates = {group.name: group.metrics[gap.rate].value for group in found.groups}
    low, high = rates[gap.lowest], rates[gap.highest]
    if low is None or high is None:
        return ""
    return f"{gap.rate} is {low:.3f} for {gap.lowest} and {high:.3f} for {gap.highest}."


def _against_limit(
    name: str, rule: str, gate: MetricGate | FairnessGate, measured: Estimate
) -> GateResult:
    limit = gate.at_least if gate.at_least is not None else gate.at_most
    if measured.value is None or limit is None:
        return _errored(name, rule, measured.reason or "It has no value.")
    passed = measured.value >= limit if gate.at_least is not None else measured.value <= limit
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        measured=measured,
        limit=limit,
    )


def _against_baseline(
    name: str, rule: str, allowed: float, paired: Paired | None, case: Case
) -> GateResult:
    """PASSED when the whole interval is above -allowed, FAILED when all of it is below."""
    missing = _missing_baseline(case.baseline)
    if missing is not None:
        outcome, reason = missing
        return GateResult(name=name, rule=rule, outcome=outcome, reason=reason)
    if paired is None or paired.delta.value is None:
        reason = paired.delta.reason if paired else ""
        reason = reason or (case.comparison.reason if case.comparison else "")
        if case.comparison is not None and case.comparison.reason:
            return GateResult(name=name, rule=rule, outcome=Outcome.WARNED, reason=reason)
        return _errored(name, rule, reason or "It was not compared with the baseline.")
    delta = paired.delta
    if delta.low is None or delta.high is None:
        return _errored(name, rule, delta.reason or "The difference has no interval.")
    worst, best = (delta.low, delta.high) if paired.higher_is_better else (-delta.high, -delta.low)
    if worst > -allowed:
        outcome, reason = Outcome.PASSED, ""
    elif best < -allowed:
        outcome, reason = Outcome.FAILED, "The whole interval is worse than allowed."
    else:
        outcome, reason = Outcome.WARNED, "Cannot tell: the interval covers the limit."
    return GateResult(
        name=name,
        rule=rule,
        outcome=outcome,
        measured=delta,
        limit=-allowed if paired.higher_is_better else allowed,
        reason=reason,
        rows_to_decide=rows_to_decide(worst, best, -allowed, delta.n)
        if outcome is Outcome.WARNED
        else None,
    )


def rows_to_decide(low: float, high: float, limit: float, n: int) -> int | None:
    """About how many rows would move an interval off a limit, were the estimate true.

    An interval's half width falls with the square root of n, so it clears the limit
    when n grows by (half width / distance)^2. None where the estimate is on the limit.

    Args:
        low: Lower end of the interval.
        high: Upper end of the interval.
        limit: The value to be told apart from the estimate.
        n: The rows that the interval was measured on.
    """
    distance = abs((low + high) / 2 - limit)
    half = (high - low) / 2
    if distance <= half * 1e-3:
        return None
    return max(n, round(n * (half / distance) ** 2))


def _missing_baseline(baseline: Baseline) -> tuple[Outcome, str] | None:
    match baseline.status:
        case "none":
            return Outcome.SKIPPED, baseline.reason or "There is no baseline yet."
        case "not_available":
            return Outcome.WARNED, f"The baseline is not available: {baseline.reason}"
        case "unreadable":
            return Outcome.ERRORED, f"The base cannot be read: {baseline.reason}"
        case "available":
            return None


# --- checks and explanations -----------------------------------------------------


def _failed_conditions(content: ChecksContent) -> dict[tuple[str, str], str]:
    return {
        (check.name, condition.name): check.title
        for check in content.checks
        for condition in check.conditions
        if condition.outcome == "failed"
    }


def _check(name: str, gate: CheckGate, case: Case) -> GateResult:
    stage = f"check_{gate.check}"
    rule = f"{gate.check} checks pass" + (", new failures only" if gate.new_only else "")
    evidence = getattr(case.evidence, stage)
    if evidence is None:
        return _errored(name, rule, f"There is no evidence of the stage {stage}.")
    content: ChecksContent = evidence.content
    silent = [check for check in content.checks if check.outcome == "did_not_run"]
    if silent or not content.checks:
        first = f"{silent[0].title}: {silent[0].reason}" if silent else "none is recorded"
        return _errored(name, rule, f"{len(silent)} checks did not run; {first}")
    failed = _failed_conditions(content)
    outcome, reason = _judge_failures(gate, failed, stage, case)
    if outcome is Outcome.PASSED and any(check.outcome == "warned" for check in content.checks):
        titles = [check.title for check in content.checks if check.outcome == "warned"]
        outcome, reason = Outcome.WARNED, f"Warned: {', '.join(titles)}."
    return GateResult(name=name, rule=rule, outcome=outcome, reason=reason)


def _judge_failures(
    gate: CheckGate, failed: Mapping[tuple[str, str], str], stage: str, case: Case
) -> tuple[Outcome, str]:
    if not failed:
        return Outcome.PASSED, ""
    if not gate.new_only:
        return Outcome.FAILED, f"Failed: {_titles(failed)}."
    missing = _missing_baseline(case.baseline)
    before = getattr(case.baseline_evidence, stage)
    if missing is not None and missing[0] is Outcome.ERRORED:
        return missing
    if missing is not None or before is None:
        why = missing[1] if missing else f"The baseline has no evidence of the stage {stage}."
        return Outcome.WARNED, f"Failed: {_titles(failed)}; not known whether new. {why}"
    old = _failed_conditions(before.content)
    new = {key: title for key, title in failed.items() if key not in old}
    if new:
        return Outcome.FAILED, f"Failed now and not at the baseline: {_titles(new)}."
    return Outcome.WARNED, f"Failed as at the baseline: {_titles(failed)}."


def _titles(failed: Mapping[tuple[str, str], str]) -> str:
    return ", ".join(dict.fromkeys(failed.values()))


def _explain(name: str, gate: ExplainGate, case: Case) -> GateResult:
    rule = f"{gate.explain} ranks {gate.at_most_rank} or lower in importance"
    if case.evidence.explain is None:
        return _errored(name, rule, "There is no evidence of the stage explain.")
    content = case.evidence.explain.content
    if content.outcome == "not_explained":
        return _errored(name, rule, f"Not explained: {content.reason}")
    ranked = [feature.column for feature in content.features]
    if gate.explain not in ranked:
        return GateResult(
            name=name,
            rule=rule,
            outcome=Outcome.PASSED,
            reason=f"The model does not read {gate.explain}.",
        )
    rank = ranked.index(gate.explain) + 1
    passed = rank >= gate.at_most_rank
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        measured=Estimate(value=rank, n=content.rows),
        limit=gate.at_most_rank,
        reason="" if passed else f"{gate.explain} ranks {rank} of {len(ranked)}.",
    )
