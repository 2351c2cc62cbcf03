"""What there is to judge, and what every kind of gate says in the same way."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from mergeline.core.base import Estimate
from mergeline.core.evidence import EvidenceSet
from mergeline.core.policy import Bounds, Limits
from mergeline.core.verdict import Baseline, Comparison, GateResult, Outcome


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


def errored(name: str, rule: str, reason: str, measured: Estimate | None = None) -> GateResult:
    """Return the result of a gate of which we do not know."""
    return GateResult(
        name=name, rule=rule, outcome=Outcome.ERRORED, measured=measured, reason=reason
    )


def rule_of(subject: str, gate: Bounds) -> str:
    """Say a gate's limit in words."""
    if gate.at_least is not None:
        return f"{subject} at least {gate.at_least:.12g}"
    if gate.at_most is not None:
        return f"{subject} at most {gate.at_most:.12g}"
    allowed = gate.no_worse_than_baseline_by if isinstance(gate, Limits) else None
    return f"{subject} no worse than the baseline by {allowed:.12g}"


def meant(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """End a sentence with what a name that is not there may stand for, where one is close."""
    close = get_close_matches(name, [*known], n=1)
    return f"; did you mean {close[0]}?" if close else f"{otherwise}."


def no_evidence(stage: str) -> str:
    """Say that a stage has not left its evidence."""
    return f"There is no evidence of the stage {stage}."


def missing_baseline(baseline: Baseline) -> tuple[Outcome, str] | None:
    """Return what a gate that needs the baseline comes to without one; None when there is one."""
    match baseline.status:
        case "none":
            return Outcome.SKIPPED, baseline.reason or "There is no baseline yet."
        case "not_available":
            return Outcome.WARNED, f"The baseline is not available: {baseline.reason}"
        case "unreadable":
            return Outcome.ERRORED, f"The base cannot be read: {baseline.reason}"
        case "available":
            return None
