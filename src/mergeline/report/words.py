"""The verdict in plain sentences. They hold names as they are: a renderer escapes them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mergeline.core.plan import Plan
from mergeline.core.verdict import OPEN, GateResult, Judgement, Outcome, Verdict
from mergeline.report.against import same_model
from mergeline.report.markdown import plain
from mergeline.report.numbers import estimate, joined, plural
from mergeline.report.plainly import change_plainly, gap_plainly

_NAMED, _NAME = 3, 40  # names in a sentence, characters of a name; at most

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
        clauses: For somebody who knows the product and not the model, the most important first.
    """

    outcome: Outcome
    clauses: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """All of it as one sentence."""
        return f"{'; '.join(self.clauses)}."

    def within(self, limit: int) -> str:
        """Return as many clauses as a place of so many characters holds, the first in any case."""
        for count in range(len(self.clauses), 1, -1):
            said = f"{'; '.join(self.clauses[:count])}."
            if len(said) <= limit:
                return said
        return f"{self.clauses[0]}."


def headline(plan: Plan) -> Headline:
    """Say what was decided, and what the change means, in one sentence."""
    judgement = plan.judgement
    match judgement.answer:
        case "PROMOTE":
            clauses = _good(plan)
        case "POLICY_FAILED":
            clauses = (_bad(judgement), *_compared(plan))
        case "POLICY_WEAKENED":
            lead = "Not good enough by the rules in force: "
            lead += _blocked(judgement.verdict)
            only = "it passes only by the rules that it brings"
            clauses = (lead, only, *_compared(plan))
        case "POLICY_ONLY":
            clauses = _rules_only(judgement)
        case "NOT_PROMOTABLE":
            files = plural(len(plan.candidate.dirty), "file")
            clauses = (f"Only a trial: {files} not as in the commit", _tally(judgement))
            clauses += _compared(plan)
    outcome = max(judgement.outcome, _LEAST.get(judgement.answer, Outcome.PASSED))
    return Headline(outcome=outcome, clauses=tuple(filter(None, clauses)))


_LEAST = {"POLICY_WEAKENED": Outcome.FAILED, "NOT_PROMOTABLE": Outcome.WARNED}


def deciding(judgement: Judgement) -> Verdict:
    """Return the verdict that decides: the worse of the two, the base's when equal."""
    if judgement.proposed is None or judgement.verdict.outcome >= judgement.proposed.outcome:
        return judgement.verdict
    return judgement.proposed


def otherwise(judgement: Judgement) -> tuple[GateResult, ...]:
    """Return gates that come out differently by the rules that a pull request brings."""
    if judgement.proposed is None:
        return ()
    known = {gate.name: gate for gate in judgement.verdict.gates}
    return tuple(gate for gate in judgement.proposed.gates if known.get(gate.name) != gate)


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
    names = [plain(gate.name, _NAME) for gate in gates]
    more = [plural(len(names) - _NAMED, "other")] if len(names) > _NAMED else []
    return joined([*names[:_NAMED], *more])


def _with(verdict: Verdict, outcome: Outcome) -> list[GateResult]:
    return [gate for gate in verdict.gates if gate.outcome is outcome]


_LEAD = {
    "better": "Better",
    "worse": "Worse, but within the limits",
    "cannot_tell": "Cannot tell better from worse",
}


def _good(plan: Plan) -> tuple[str, ...]:
    """Say how a model that passes compares; what is unusual about its gates comes last."""
    changed = change_plainly(plan)
    if changed is not None:
        return f"{_LEAD[changed.how]}: {changed.said}", gap_plainly(plan), *_remarks(plan)
    if same_model(plan):
        return "The same model as the baseline's", *_remarks(plan)
    if plan.baseline.status == "none":
        return "Good enough as a first model: there is no baseline yet", *_remarks(plan)
    few = plan.comparison is not None and plan.comparison.status == "too_few"
    why = "too few common rows to compare it with the baseline" if few else "not compared"
    return f"Good enough; {why}", *_remarks(plan)


def _compared(plan: Plan) -> tuple[str, ...]:
    """Say how a model compares that does not pass, or is no candidate."""
    changed = change_plainly(plan)
    if changed is None:
        return ("it is the baseline's model",) if same_model(plan) else ()
    subject = "" if changed.said.startswith("predictions") else "it "
    told = "better or worse cannot be told: " if changed.how == "cannot_tell" else ""
    return f"{told}{subject}{changed.said}", gap_plainly(plan)


def _remarks(plan: Plan) -> Iterator[str]:
    verdict = deciding(plan.judgement)
    warned, waived = _with(verdict, Outcome.WARNED), _with(verdict, Outcome.WAIVED)
    skipped = len(_with(verdict, Outcome.SKIPPED))
    passed = len(verdict.gates) - skipped
    if waived:
        yield f"a waiver stands in for {_names(waived)}"
    if warned:
        yield f"{plural(len(warned), 'warning')}: {_names(warned)}"
    elif not waived:
        yield "its one gate passed" if passed == 1 else f"all {passed} gates passed"
    if skipped:
        yield f"{plural(skipped, 'gate')} had nothing to compare with"


def _bad(judgement: Judgement) -> str:
    verdict = deciding(judgement)
    if not verdict.gates:
        return "Not known whether it is good enough: its policy has no gates"
    known = judgement.outcome is not Outcome.ERRORED
    lead = "Not good enough" if known else "Not known whether it is good enough"
    whose = " by the rules that it brings" if verdict is judgement.proposed else ""
    return f"{lead}{whose}: {_blocked(verdict)}"


def _blocked(verdict: Verdict) -> str:
    """Say which gates stand in the way; what is not known first, as it counts for more."""
    failed, unknown = _with(verdict, Outcome.FAILED), _with(verdict, Outcome.ERRORED)
    parts = [f"{_names(unknown)} could not be judged"] if unknown else []
    parts += [f"{_names(failed)} failed"] if failed else []
    return " and ".join(parts)


def _rules_only(judgement: Judgement) -> tuple[str, ...]:
    found = blocking(deciding(judgement))
    return (
        "No new model: this pull request changes only the rules that a model has to meet",
        f"not all of them could be judged ({_names(found)})" if found else "",
    )


def _tally(judgement: Judgement) -> str:
    verdict = deciding(judgement)
    if not verdict.gates:
        return "there are no gates"
    found = blocking(verdict)
    if not found:
        return "no gate failed"
    return f"{len(found)} of {plural(len(verdict.gates), 'gate')} failed or not known"


# --- if merged now ---------------------------------------------------------------


def is_review(plan: Plan) -> bool:
    """Whether it is about something to be merged, not two commits that somebody compares."""
    return all(banner.kind != "diff" for banner in plan.judgement.banners)


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
    return f"{_blocked(verdict)}."


def approvals(count: int) -> str:
    """Say how many approvals are asked for."""
    if count == 0:
        return "approvals: 0, so nobody's approval is asked for: whoever may merge decides alone."
    return f"The policy asks for {plural(count, 'approval')} of this commit."
