"""Gates on what was found: deepchecks' conditions, and how much a column matters."""

from collections.abc import Iterable, Mapping

from mergeline.core.base import Estimate
from mergeline.core.case import Case, errored, meant, missing_baseline, no_evidence
from mergeline.core.evidence import Check, ChecksContent
from mergeline.core.policy import CheckGate, ExplainGate
from mergeline.core.verdict import GateResult, Outcome

# What failed, by check and condition, with the check's title.
Failed = Mapping[tuple[str, str], str]


def judge_check(name: str, gate: CheckGate, case: Case) -> GateResult:
    """Judge the data or the model checks; one that did not run is never a pass."""
    stage = f"check_{gate.check}"
    which = f"{gate.check} checks pass" if gate.name is None else f"check {gate.name} passes"
    rule = which + (", new failures only" if gate.new_only else "")
    evidence = getattr(case.evidence, stage)
    if evidence is None:
        return errored(name, rule, no_evidence(stage))
    content = _asked_for(evidence.content, gate)
    if gate.name is not None and not content.checks:
        return errored(name, rule, _no_such_check(gate.name, evidence.content))
    unknown = _unknown(content)
    if unknown:
        return errored(name, rule, unknown)
    outcome, reason = _judge_failures(gate, _failed(content), stage, case)
    warned = [check.title for check in content.checks if check.outcome == "warned"]
    if outcome is Outcome.PASSED and warned:
        outcome, reason = Outcome.WARNED, f"Warned: {_listed(warned)}."
    return GateResult(name=name, rule=rule, outcome=outcome, reason=reason)


def _asked_for(content: ChecksContent, gate: CheckGate) -> ChecksContent:
    """Return the checks that a gate is about: all, or those of one name in any suite."""
    if gate.name is None:
        return content
    found = (check for check in content.checks if gate.name in (check.name, _last(check.name)))
    return content.model_copy(update={"checks": tuple(found)})


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _no_such_check(name: str, content: ChecksContent) -> str:
    known = dict.fromkeys(check.name for check in content.checks)
    close = meant(name, [*known, *map(_last, known)])
    return f"No check {name} is recorded{close}"


def _unknown(content: ChecksContent) -> str:
    """Say what the checks leave unknown; empty when all that fit the data have run."""
    silent = [check for check in content.checks if _is_silent(check)]
    if silent:
        count = "1 check" if len(silent) == 1 else f"{len(silent)} checks"
        titles = _listed(check.title for check in silent)
        return f"{count} did not run: {titles}. {silent[0].reason}".strip()
    if all(check.outcome == "not_applicable" for check in content.checks):
        return "No check ran that fits this data." if content.checks else "No check is recorded."
    return ""


def _is_silent(check: Check) -> bool:
    return check.outcome == "did_not_run" or any(
        condition.outcome == "did_not_run" for condition in check.conditions
    )


def _failed(content: ChecksContent) -> Failed:
    conditions = {
        (check.name, condition.name): check.title
        for check in content.checks
        for condition in check.conditions
        if condition.outcome == "failed"
    }
    checks = {
        (check.name, ""): check.title
        for check in content.checks
        if check.outcome == "failed" and not any(c.outcome == "failed" for c in check.conditions)
    }
    return conditions | checks


def _judge_failures(gate: CheckGate, failed: Failed, stage: str, case: Case) -> tuple[Outcome, str]:
    titles = _listed(failed.values())
    if not failed:
        return Outcome.PASSED, ""
    if not gate.new_only:
        return Outcome.FAILED, f"Failed: {titles}."
    missing = missing_baseline(case.baseline)
    before = getattr(case.baseline_evidence, stage)
    if missing is not None and missing[0] is Outcome.ERRORED:
        return missing
    if missing is not None or before is None:
        why = missing[1] if missing else f"The baseline has no evidence of the stage {stage}."
        return Outcome.WARNED, f"Failed: {titles}; not known whether new. {why}"
    old = _failed(_asked_for(before.content, gate))
    new = [title for key, title in failed.items() if key not in old]
    if new:
        return Outcome.FAILED, f"Failed now and not at the baseline: {_listed(new)}."
    return Outcome.WARNED, f"Failed as at the baseline: {titles}."


def _listed(titles: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(titles))


def judge_explain(name: str, gate: ExplainGate, case: Case) -> GateResult:
    """Judge the rank of a column by importance; 1 is the most important."""
    rule = f"{gate.explain} ranks {gate.at_most_rank} or lower in importance"
    if case.evidence.explain is None:
        return errored(name, rule, no_evidence("explain"))
    content = case.evidence.explain.content
    if content.outcome == "not_explained":
        return errored(name, rule, f"Not explained: {content.reason}")
    weights = {feature.column: feature.mean_abs for feature in content.features}
    if gate.explain not in weights:
        return _not_a_feature(name, rule, gate.explain, case)
    rank = 1 + sum(weight > weights[gate.explain] for weight in weights.values())
    # One that moves nothing does not matter, however few columns matter more.
    idle = weights[gate.explain] == 0
    passed = idle or rank >= gate.at_most_rank
    said = f"{gate.explain} ranks {rank} of {len(weights)}."
    if idle:
        said = f"{gate.explain} moves none of the {content.rows:,} predictions that were explained."
    return GateResult(
        name=name,
        rule=rule,
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        measured=Estimate(value=rank, n=content.rows),
        limit=gate.at_most_rank,
        reason="" if passed and not idle else said,
    )


def _not_a_feature(name: str, rule: str, column: str, case: Case) -> GateResult:
    """A column that the data has and the model does not read passes; a misspelt one does not."""
    if case.evidence.prepare is None:
        return errored(name, rule, no_evidence("prepare"))
    if all(item.name != column for item in case.evidence.prepare.content.columns):
        return errored(name, rule, f"The data has no column {column}.")
    reason = f"The model does not read {column}."
    return GateResult(name=name, rule=rule, outcome=Outcome.PASSED, reason=reason)
