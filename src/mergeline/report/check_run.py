"""The check run: a remark at the line of each gate that did not pass. Data in, text out."""

from collections.abc import Iterator

from mergeline.core.plan import Plan
from mergeline.core.remarks import CheckText, Conclusion, Places, Remark
from mergeline.core.verdict import GateResult, Outcome
from mergeline.report.forecast import foretold
from mergeline.report.markdown import NAME, inert, text
from mergeline.report.numbers import exact
from mergeline.report.sections.gates import gate_counts
from mergeline.report.words import WORD, headline, if_merged, measured, otherwise, worst_first

_TITLE, _LINE = 255, 2000  # characters, at most
_SAID = (Outcome.ERRORED, Outcome.FAILED, Outcome.WARNED)
_BROUGHT = ", by the rules of this pull request"


def render_check_run(plan: Plan, places: Places) -> CheckText:
    """Return what the check run of a plan says.

    Args:
        plan: Judged by the trusted job.
        places: Where the head's files say what.
    """
    verdict = headline(plan)
    answer, *said = foretold(plan) or (plan.judgement.answer, *if_merged(plan))
    summary = (
        text(verdict.sentence),
        f"Gates: {gate_counts(plan.judgement)}.",
        f"If merged now: **{text(answer, NAME)}**: {' '.join(text(each) for each in said)}",
        "The whole report is the comment on the pull request; the status to require is "
        "`mergeline`.",
    )
    return CheckText(
        conclusion=_conclusion(plan, verdict.outcome),
        title=inert(verdict.within(_TITLE), _TITLE),
        summary="\n\n".join(summary),
        remarks=tuple(dict.fromkeys((*_of_gates(plan, places), *_of_contract(places)))),
    )


def _conclusion(plan: Plan, outcome: Outcome) -> Conclusion:
    if outcome.blocks or plan.judgement.answer == "NOT_PROMOTABLE":
        return "failure"
    return "neutral" if outcome is Outcome.WARNED else "success"


def _of_gates(plan: Plan, places: Places) -> Iterator[Remark]:
    judged = plan.judgement
    for gates, whose in ((judged.verdict.gates, ""), (otherwise(judged), _BROUGHT)):
        for gate in worst_first(gates):
            if gate.outcome in _SAID:
                yield _remark(gate, whose, places)


def _remark(gate: GateResult, whose: str, places: Places) -> Remark:
    return Remark(
        path=places.settings,
        line=places.gates.get(gate.name, 1),
        level="failure" if gate.outcome.blocks else "warning",
        title=inert(f"{gate.name}: {WORD[gate.outcome]}{whose}", _TITLE),
        message="\n".join(inert(line, _LINE) for line in _lines(gate)),
    )


def _lines(gate: GateResult) -> Iterator[str]:
    yield f"Rule: {gate.rule}."
    found = measured(gate)
    if found:
        limit = "" if gate.limit is None else f"; limit {exact(gate.limit)}"
        yield f"Measured: {found}{limit}."
    if gate.reason:
        yield gate.reason
    if gate.rows_to_decide is not None:
        yield f"About {gate.rows_to_decide:,} common rows would decide."


def _of_contract(places: Places) -> Iterator[Remark]:
    if places.contract is not None:
        yield Remark(
            path=places.contract,
            line=places.contract_line,
            level="warning",
            title="The contract is another one than the base's",
            message="It decides which data may be trained on: a gate may pass or fail because of "
            "that, and not because of the model.",
        )
