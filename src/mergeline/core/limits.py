"""Gates on a number: a metric, or a gap between groups, against a limit or the baseline."""

from mergeline.core.base import Estimate
from mergeline.core.case import Case, errored, missing_baseline, no_evidence, rule_of
from mergeline.core.evidence import EvaluateContent, FairnessBy
from mergeline.core.policy import FairnessGate, MetricGate
from mergeline.core.verdict import GateResult, Outcome, Paired

_NO_VALUE = "It has no value."

# A waiver would not help, it covers FAILED only; and a gate that this very change takes
# out still counts for it.
_NOT_COMPARABLE = (
    "To make this change, first merge a pull request that changes only the policy and takes "
    "this gate out; put it back afterwards. A waiver does not cover this."
)


def judge_metric(name: str, gate: MetricGate, case: Case) -> GateResult:
    """Judge a metric of the held-out rows."""
    rule = rule_of(gate.metric, gate)
    if case.evidence.evaluate is None:
        return errored(name, rule, no_evidence("evaluate"))
    metrics = case.evidence.evaluate.content.metrics
    if gate.metric not in metrics:
        known = ", ".join(sorted(metrics)) or "none"
        return errored(name, rule, f"{gate.metric} was not measured; measured: {known}.")
    measured = metrics[gate.metric]
    if measured.value is None:
        return errored(name, rule, measured.reason or _NO_VALUE, measured)
    if gate.no_worse_than_baseline_by is not None:
        paired = case.comparison.metrics.get(gate.metric) if case.comparison else None
        return _against_baseline(name, rule, gate.no_worse_than_baseline_by, paired, case)
    return _against_limit(name, rule, gate, measured)


def judge_fairness(name: str, gate: FairnessGate, case: Case) -> GateResult:
    """Judge a gap between groups."""
    rule = rule_of(f"{gate.fairness} by {gate.by}", gate)
    if case.evidence.fairness is None:
        return errored(name, rule, no_evidence("fairness"))
    content = case.evidence.fairness.content
    found = next((item for item in content.by if item.by == gate.by), None)
    if found is None:
        known = ", ".join(item.by for item in content.by) or "nothing"
        return errored(name, rule, f"It was not measured by {gate.by}; measured by: {known}.")
    if gate.fairness not in found.gaps:
        return errored(name, rule, found.reason or f"{gate.fairness} was not measured.")
    difference = found.gaps[gate.fairness].difference
    if difference.value is None:
        reason = difference.reason or found.reason or _NO_VALUE
        return errored(name, rule, reason, difference)
    if gate.no_worse_than_baseline_by is not None:
        gaps = case.comparison.fairness.get(gate.by, {}) if case.comparison else {}
        paired = gaps.get(gate.fairness)
        result = _against_baseline(name, rule, gate.no_worse_than_baseline_by, paired, case)
    else:
        result = _against_limit(name, rule, gate, difference)
        if result.outcome is Outcome.FAILED:
            return result.model_copy(update={"reason": _which_groups(found, gate.fairness)})
    result = _unless_all_alike(result, gate.fairness, case)
    if result.outcome is not Outcome.PASSED:
        return result
    # A gap can have a value and leave classes out: what passes is the rest.
    return result.model_copy(update={"reason": f"{result.reason} {difference.reason}".strip()})


# Gaps of how often the model is right: they say something of a constant model too.
_OF_ERRORS = ("accuracy_difference", "mean_error_difference", "mean_absolute_error_difference")


def _unless_all_alike(result: GateResult, gap: str, case: Case) -> GateResult:
    """A model that says the same of everybody has no gap, and is not fair for that."""
    if result.outcome is not Outcome.PASSED or case.evidence.evaluate is None or gap in _OF_ERRORS:
        return result
    alike = _all_alike(case.evidence.evaluate.content)
    if not alike:
        return result
    reason = f"{alike}, so a gap says nothing."
    return result.model_copy(update={"outcome": Outcome.WARNED, "reason": reason})


def _all_alike(content: EvaluateContent) -> str:
    """Say that the model says the same of everybody; empty where it does not."""
    found, matrix = content.confusion, content.matrix
    if found is not None and content.threshold is not None:
        at = f"is predicted positive at the threshold {content.threshold:g}"
        if found.true_positive + found.false_positive == 0:
            return f"Nobody {at}"
        return f"Everybody {at}" if found.true_negative + found.false_negative == 0 else ""
    if matrix and sum(any(column) for column in zip(*matrix, strict=True)) == 1:
        return "Everybody is predicted to be of one class"
    bins = content.residuals.bins if content.residuals is not None else ()
    same = bool(bins) and bins[0].low == bins[-1].high
    return "The same number is predicted for everybody" if same else ""


def _which_groups(found: FairnessBy, name: str) -> str:
    gap = found.gaps[name]
    if gap.rate is None or gap.lowest is None or gap.highest is None:
        return ""
    groups = {group.name: group for group in found.groups}
    ends = [groups[end] for end in (gap.lowest, gap.highest) if end in groups]
    rates = [end.metrics if gap.of is None else end.classes.get(gap.of, {}) for end in ends]
    values = [rate.value for each in rates if (rate := each.get(gap.rate)) is not None]
    what = gap.rate if gap.of is None else f"{gap.rate} of {gap.of}"
    low, high = values if len(values) == 2 else (None, None)  # noqa: PLR2004 -- both ends
    if low is None or high is None:
        return f"{what} is lowest for {gap.lowest} and highest for {gap.highest}."
    return f"{what} is {_said(low)} for {gap.lowest} and {_said(high)} for {gap.highest}."


_THOUSAND = 1000


def _said(value: float) -> str:
    """Rates have three decimals; a mean may be a large number."""
    return f"{value:,.0f}" if abs(value) >= _THOUSAND else f"{value:.3f}"


def _against_limit(
    name: str, rule: str, gate: MetricGate | FairnessGate, measured: Estimate
) -> GateResult:
    """The point estimate decides; an estimate on the limit passes."""
    limit = gate.at_least if gate.at_least is not None else gate.at_most
    if measured.value is None or limit is None:
        return errored(name, rule, measured.reason or _NO_VALUE, measured)
    passed = measured.value >= limit if gate.at_least is not None else measured.value <= limit
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        measured=measured,
        limit=limit,
    )


# --- against the baseline --------------------------------------------------------


def _against_baseline(
    name: str, rule: str, allowed: float, paired: Paired | None, case: Case
) -> GateResult:
    """PASSED when the whole interval is no worse than allowed, FAILED when all of it is."""
    unknown = missing_baseline(case.baseline) or _not_compared(paired, case)
    if unknown is not None or paired is None:
        outcome, reason = unknown or (Outcome.ERRORED, "It was not compared with the baseline.")
        return GateResult(name=name, rule=rule, outcome=outcome, reason=reason)
    delta = paired.delta
    limit = -allowed if paired.higher_is_better else allowed
    if delta.low is None or delta.high is None:
        reason = f"Cannot tell: {delta.reason or 'the difference has no interval.'}"
        return GateResult(
            name=name, rule=rule, outcome=Outcome.WARNED, measured=delta, limit=limit, reason=reason
        )
    worst, best = (delta.low, delta.high) if paired.higher_is_better else (-delta.high, -delta.low)
    rows = None
    if worst >= -allowed:
        outcome, reason = Outcome.PASSED, ""
    elif best < -allowed:
        outcome, reason = Outcome.FAILED, "The whole interval is worse than allowed."
    else:
        outcome, reason = Outcome.WARNED, "Cannot tell: the interval covers the limit."
        rows = rows_to_decide(worst, best, -allowed, delta.n)
    return GateResult(
        name=name,
        rule=rule,
        outcome=outcome,
        measured=delta,
        limit=limit,
        reason=reason,
        rows_to_decide=rows,
    )


def _not_compared(paired: Paired | None, case: Case) -> tuple[Outcome, str] | None:
    """Return why two models that both exist have no difference; None when they have one.

    Too few common rows is "cannot tell". Rows that cannot be matched or scored, and a value
    that the candidate alone lacks on them, are its own doing: we do not know.
    """
    if case.comparison is not None and case.comparison.status == "impossible":
        return Outcome.ERRORED, f"{case.comparison.reason} {_NOT_COMPARABLE}"
    if paired is None:
        reason = case.comparison.reason if case.comparison else ""
        return (Outcome.WARNED, reason) if reason else None
    if paired.delta.value is not None:
        return None
    reason = paired.delta.reason or "There is no difference on the common rows."
    if paired.candidate is None and paired.baseline is not None:
        return Outcome.ERRORED, f"The candidate has no value on the common rows: {reason}"
    return Outcome.WARNED, f"Cannot tell: {reason}"


def rows_to_decide(low: float, high: float, limit: float, n: int) -> int | None:
    """About how many rows would move an interval off a limit, were the estimate true.

    An interval's half width falls with the square root of n, so it clears the limit
    when n grows by (half width / distance)^2. None where the middle is on the limit.

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
