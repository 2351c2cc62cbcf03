"""The verdict in plain sentences. They hold names as they are: a renderer escapes them."""

from collections.abc import Iterable
from dataclasses import dataclass

from mergeline.core.plan import Plan
from mergeline.core.verdict import OPEN, GateResult, Judgement, Outcome, Verdict
from mergeline.report.against import is_same, primary_pair
from mergeline.report.numbers import estimate, joined, plural

_NAMED = 3  # names in a sentence, at most

# What stands in the way is in capitals, so that a skimming eye stops there.
WORD = {
    Outcome.PASSED: "passed",
    Outcome.SKIPPED: "skipped",
    Outcome.WAIVED: "waived",
    Outcome.WARNED: "warned",
    Outcome.FAILED: "FAILED",
    Outcome.ERRORED: "ERRORED",
}


@dataclass(frozen=True)
class Headline:
    """The verdict.

    Attributes:
        outcome: Decides icon and colour.
        sentence: One sentence, for somebody who knows the product and not the model.
    """

    outcome: Outcome
    sentence: str


def headline(plan: Plan) -> Headline:
    """Say what was decided, in one sentence."""
    judgement = plan.judgement
    match judgement.answer:
        case "PROMOTE":
            sentence = _good(judgement, plan)
        case "POLICY_FAILED":
            sentence = _bad(judgement)
        case "POLICY_WEAKENED":
            sentence = (
                "This model is not good enough by the rules in force: it passes only by those "
                "that this pull request brings."
            )
        case "POLICY_ONLY":
            sentence = _rules_only(judgement)
        case "NOT_PROMOTABLE":
            files = plural(len(plan.candidate.dirty), "file")
            sentence = f"Only a trial: {files} not as in the commit; {_tally(judgement)}."
    outcome = max(judgement.outcome, _LEAST.get(judgement.answer, Outcome.PASSED))
    return Headline(outcome=outcome, sentence=sentence)


_LEAST = {"POLICY_WEAKENED": Outcome.FAILED, "NOT_PROMOTABLE": Outcome.WARNED}


def deciding(judgement: Judgement) -> Verdict:
    """Return the verdict that decides: the worse of the two, the base's when equal."""
    if judgement.proposed is None or judgement.verdict.outcome >= judgement.proposed.outcome:
        return judgement.verdict
    return judgement.proposed


def blocking(verdict: Verdict) -> tuple[GateResult, ...]:
    """Return the gates that stand in the way, worst first."""
    return worst_first(gate for gate in verdict.gates if gate.outcome.blocks)


def worst_first(gates: Iterable[GateResult]) -> tuple[GateResult, ...]:
    """Return gates by severity; within one, in the policy's order."""
    return tuple(sorted(gates, key=lambda gate: -gate.outcome))


def is_change(gate: GateResult) -> bool:
    """Whether a gate measures a difference to the baseline; its rule says so."""
    return " no worse than the baseline by " in gate.rule


def measured(gate: GateResult) -> str:
    """Return what a gate measured, with as many digits as its limit asks for; else empty."""
    if gate.measured is None:
        return ""
    return estimate(gate.measured, limit=gate.limit, sign=is_change(gate))


def _names(gates: Iterable[GateResult]) -> str:
    names = [gate.name for gate in gates]
    more = [plural(len(names) - _NAMED, "other")] if len(names) > _NAMED else []
    return joined([*names[:_NAMED], *more])


def _with(verdict: Verdict, outcome: Outcome) -> list[GateResult]:
    return [gate for gate in verdict.gates if gate.outcome is outcome]


def _good(judgement: Judgement, plan: Plan) -> str:
    verdict = deciding(judgement)
    warned, waived = _with(verdict, Outcome.WARNED), _with(verdict, Outcome.WAIVED)
    skipped = len(_with(verdict, Outcome.SKIPPED))
    passed = len(verdict.gates) - skipped
    if warned:
        count = "a warning" if len(warned) == 1 else f"{len(warned)} warnings"
        how = f", with {count} ({_names(warned)})"
        how += f" and by a waiver of {_names(waived)}" if waived else ""
    elif waived:
        how = f" only by a waiver of {_names(waived)}"
    elif skipped:
        how = f": {plural(passed, 'gate')} passed, {skipped} had nothing to compare with"
    else:
        how = ": its one gate passed" if passed == 1 else f": all {passed} gates passed"
    return f"This model is good enough to release{how}{_and_how(plan)}."


def _and_how(plan: Plan) -> str:
    if plan.baseline.status == "none":
        return "; there is no baseline yet"
    paired = primary_pair(plan)
    if paired is None:
        return "; it was not compared with the baseline"
    if is_same(plan, paired):
        return "; it is the baseline's model"
    return {
        "better": "; it is better than the baseline",
        "worse": "; it is worse than the baseline",
        "cannot_tell": "; better or worse than the baseline cannot be told",
    }[paired.outcome]


def _bad(judgement: Judgement) -> str:
    verdict = deciding(judgement)
    if not verdict.gates:
        return "Not known whether this model is good enough: its policy has no gates."
    found = blocking(verdict)
    count = f"{len(found)} of {plural(len(verdict.gates), 'gate')}"
    if judgement.outcome is Outcome.ERRORED:
        unknown = _with(verdict, Outcome.ERRORED)
        failed = len(found) - len(unknown)
        count = f"{len(unknown)} of {plural(len(verdict.gates), 'gate')}"
        also = f", and {failed} failed" if failed else ""
        return (
            "Not known whether this model is good enough: "
            f"{count} could not be judged ({_names(unknown)}){also}."
        )
    whose = " of the rules that it brings" if verdict is judgement.proposed else ""
    return f"This model is not good enough: {count}{whose} failed ({_names(found)})."


def _rules_only(judgement: Judgement) -> str:
    sentence = "No new model: this pull request changes only the rules that a model has to meet"
    found = blocking(deciding(judgement))
    unknown = f"; not all of them could be judged ({_names(found)})" if found else ""
    return f"{sentence}{unknown}."


def _tally(judgement: Judgement) -> str:
    verdict = deciding(judgement)
    if not verdict.gates:
        return "there are no gates"
    found = blocking(verdict)
    if not found:
        return "no gate failed"
    return f"{len(found)} of {plural(len(verdict.gates), 'gate')} failed or not known"


# --- if merged now ---------------------------------------------------------------


def if_merged(plan: Plan) -> tuple[str, ...]:
    """Say what a merge would do as far as gates decide, and why; one sentence each."""
    answer = plan.judgement.answer
    matters = answer in OPEN or plan.approvals == 0
    return (*by_gates(plan), approvals(plan.approvals)) if matters else by_gates(plan)


def by_gates(plan: Plan) -> tuple[str, ...]:
    """Say what the gates alone make of a merge, and why; one sentence each."""
    judgement = plan.judgement
    match judgement.answer:
        case "PROMOTE":
            return (f"Exactly this model becomes the next release of {plan.project}.",)
        case "POLICY_FAILED":
            return ("Nothing is promoted; what is live stays live.", _why(deciding(judgement)))
        case "POLICY_WEAKENED":
            return (
                "Nothing is promoted; what is live stays live.",
                f"By the rules of the base: {_why(judgement.verdict)}",
                "Looser rules count from the next pull request on, never for the one "
                "that brings them.",
            )
        case "POLICY_ONLY":
            return (
                "Nothing is promoted; what is live stays live.",
                "What a model is made from is as on the base.",
                "The new rules count from the next pull request on.",
            )
        case "NOT_PROMOTABLE":
            return (
                "Nothing can be promoted: what was measured is not what is committed.",
                "Commit the files or restore them, then check again.",
            )


def _why(verdict: Verdict) -> str:
    if not verdict.gates:
        return "A policy without gates lets nothing pass."
    failed, unknown = _with(verdict, Outcome.FAILED), _with(verdict, Outcome.ERRORED)
    parts = [f"{_names(failed)} failed"] if failed else []
    parts += [f"{_names(unknown)} could not be judged"] if unknown else []
    return f"{' and '.join(parts)}."


def approvals(count: int) -> str:
    """Say how many approvals are asked for."""
    if count == 0:
        return "approvals: 0, so nobody's approval is asked for: whoever may merge decides alone."
    return f"The policy asks for {plural(count, 'approval')} of this commit."
