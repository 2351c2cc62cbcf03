"""Gates on the slices of a column: each, the worst of which decides, or one of them."""

from math import inf
from statistics import NormalDist

from mergeline.core.base import Estimate
from mergeline.core.case import Case, errored, meant, no_evidence, rule_of
from mergeline.core.evidence import EvaluateContent, Slice
from mergeline.core.policy import SliceGate
from mergeline.core.task import UNBOUNDED
from mergeline.core.verdict import GateResult, Outcome

_CONFIDENCE = 0.95
_NAMED = 3


def judge_slice(name: str, gate: SliceGate, case: Case) -> GateResult:
    """Judge a metric by slice.

    One slice that the gate names is judged as a metric is: its point estimate decides. Of
    several, the worst was picked because it is the worst, and lies lower than it is. So a slice
    fails when the whole of its interval, widened for the number of slices, is beyond the limit;
    when the estimate alone is, nobody can tell. All slices of a model that just meets the
    limit pass or warn at least 95 times of 100 (see `widened`).
    """
    where = f" is {gate.value}" if gate.value is not None else ""
    rule = rule_of(f"{gate.metric} where {gate.slice}{where or ' has any value'}", gate)
    if case.evidence.evaluate is None:
        return errored(name, rule, no_evidence("evaluate"))
    content = case.evidence.evaluate.content
    found = [item for item in content.slices if item.column == gate.slice]
    if gate.value is not None:
        found = [item for item in found if item.value == gate.value]
    if not found:
        return errored(name, rule, _not_there(gate, content))
    judged = [item for item in found if _is_judged(item, gate)]
    if not judged:
        return errored(name, rule, _unjudged(found, gate))
    if gate.value is not None:
        return _one(name, rule, gate, judged[0])
    left_out = [item for item in found if not _is_judged(item, gate)]
    return _worst(name, rule, gate, judged, left_out)


def _not_there(gate: SliceGate, content: EvaluateContent) -> str:
    columns = dict.fromkeys(item.column for item in content.slices)
    if gate.slice not in columns:
        known = f"sliced by: {', '.join(columns) or 'nothing'}"
        return f"Nothing was measured by {gate.slice}; {known}{meant(gate.slice, columns)}"
    values = [item.value for item in content.slices if item.column == gate.slice]
    hint = meant(gate.value or "", values, f"; the slices are: {', '.join(values)}")
    return f"{gate.slice} has no slice {gate.value}{hint}"


def _is_judged(item: Slice, gate: SliceGate) -> bool:
    metric = item.metrics.get(gate.metric)
    return item.n >= gate.min_rows and metric is not None and metric.value is not None


def _unjudged(items: list[Slice], gate: SliceGate) -> str:
    if all(gate.metric not in item.metrics for item in items):
        return f"{gate.metric} was not measured by slice."
    few = [item for item in items if item.n < gate.min_rows]
    if len(few) == len(items):
        most = max(item.n for item in items)
        return f"No slice has {gate.min_rows} rows; the largest has {most}."
    reasons = (item.metrics[gate.metric].reason for item in items if item not in few)
    return f"No slice has a value: {next(reasons)}"


def _one(name: str, rule: str, gate: SliceGate, item: Slice) -> GateResult:
    measured = item.metrics[gate.metric]
    passed = _beyond(gate, measured.value) <= 0
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        measured=measured,
        limit=_limit(gate),
    )


def _worst(
    name: str, rule: str, gate: SliceGate, judged: list[Slice], left_out: list[Slice]
) -> GateResult:
    wide = {
        item.value: widened(item.metrics[gate.metric], len(judged), bounded=_is_bounded(gate))
        for item in judged
    }
    failed = [item for item in judged if _beyond(gate, _best(gate, wide[item.value])) > 0]
    doubtful = [item for item in judged if _beyond(gate, wide[item.value].value) > 0]
    worst = max(failed or judged, key=lambda item: _beyond(gate, wide[item.value].value))
    outcome = Outcome.FAILED if failed else Outcome.WARNED if doubtful else Outcome.PASSED
    said = [f"The worst of {len(judged)} slices is {worst.value}."]
    if len(judged) == 1:
        said = [f"The one slice is {worst.value}."]
    if len(failed) > 1:
        others = [item.value for item in failed if item is not worst]
        said.append(f"Beyond the limit too: {_listed(others)}.")
    if outcome is Outcome.WARNED and wide[worst.value].low is None:
        why = wide[worst.value].reason
        said.append(f"Cannot tell: {why or 'it has no interval.'}")
    elif outcome is Outcome.WARNED:
        said.append(
            "Cannot tell: its interval, widened because the worst of several was picked "
            "(Bonferroni), covers the limit."
        )
    if left_out:
        said.append(
            f"Not judged, fewer than {gate.min_rows} rows or no value: "
            f"{_listed([item.value for item in left_out])}."
        )
    return GateResult(
        name=name,
        rule=rule,
        outcome=outcome,
        measured=wide[worst.value],
        limit=_limit(gate),
        reason=" ".join(said),
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _limit(gate: SliceGate) -> float:
    """Return the one limit that a gate has."""
    limit = gate.at_least if gate.at_least is not None else gate.at_most
    return 0.0 if limit is None else limit


def _beyond(gate: SliceGate, value: float | None) -> float:
    """Return how far a value is on the wrong side of the limit; 0 and less is fine."""
    if value is None:
        return -inf
    distance = _limit(gate) - value
    return distance if gate.at_least is not None else -distance


def _best(gate: SliceGate, measured: Estimate) -> float | None:
    """Return the end of an interval that is nearer to passing; None without an interval."""
    return measured.high if gate.at_least is not None else measured.low


def _is_bounded(gate: SliceGate) -> bool:
    return gate.metric not in UNBOUNDED


def widened(measured: Estimate, comparisons: int, *, bounded: bool) -> Estimate:
    """Return an estimate whose 95 % interval holds for all of several at once.

    Bonferroni's correction (Dunn, JASA 56, 1961): each of k intervals at 1 - 0.05 / k. Each
    half of the interval grows by the ratio of the normal distribution's points, so a skewed
    one stays skewed; the normal approximation is in the tails only.

    Args:
        measured: With its 95 % interval; without one it comes back as it is.
        comparisons: How many there are, at least 1.
        bounded: Whether the number lies between 0 and 1.
    """
    if measured.value is None or measured.low is None or measured.high is None:
        return measured
    normal = NormalDist()
    alone = normal.inv_cdf(1 - (1 - _CONFIDENCE) / 2)
    factor = normal.inv_cdf(1 - (1 - _CONFIDENCE) / (2 * comparisons)) / alone
    low = measured.value - factor * (measured.value - measured.low)
    high = measured.value + factor * (measured.high - measured.value)
    if bounded:
        low, high = max(low, min(0.0, measured.low)), min(high, max(1.0, measured.high))
    return measured.model_copy(update={"low": low, "high": high})
