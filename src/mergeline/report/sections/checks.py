"""The checks of deepchecks, all accounted for; those that did not pass with their conditions."""

from mergeline.core.evidence import Check, ChecksContent, Condition
from mergeline.core.plan import Plan
from mergeline.report.markdown import Section, code, listing, table, text
from mergeline.report.numbers import plural

_CHECKS, _CONDITIONS = 20, 3
_OUTCOMES = ("passed", "warned", "failed", "not_applicable", "did_not_run")
_SHOWN = {  # worst first
    "did_not_run": "❓ **did not run**",
    "failed": "❌ **failed**",
    "warned": "⚠️ warned",
}
_NAME = "Checks"


def checks(plan: Plan) -> Section:
    """Return the counts of both stages and every check that did not pass."""
    found = {"Data": plan.evidence.check_data, "Model": plan.evidence.check_model}
    stage = {"Data": "check_data", "Model": "check_model"}
    bodies = [
        f"{name} checks: there is no evidence of the stage {stage[name]}."
        if evidence is None
        else _stage(name, evidence.content)
        for name, evidence in found.items()
    ]
    there = [evidence.content for evidence in found.values() if evidence is not None]
    together = [check for content in there for check in content.checks]
    missing = "" if len(there) == len(found) else "not all stages ran; "
    return Section(_NAME, missing + _counts(together), "\n\n".join(bodies))


def _counts(all_checks: list[Check]) -> str:
    found: list[str] = [check.outcome for check in all_checks]
    return ", ".join(f"{found.count(each)} {each.replace('_', ' ')}" for each in _OUTCOMES)


def _stage(name: str, content: ChecksContent) -> str:
    most = content.sampled
    rows = "all rows" if most is None else f"estimates look at {most:,} rows a table at most"
    said = (
        f"**{name} checks**: {_counts(list(content.checks))} "
        f"(deepchecks {text(content.deepchecks, 20)}, {rows})."
    )
    found = [check for outcome in _SHOWN for check in content.checks if check.outcome == outcome]
    parts = [said]
    if found:
        shown = [row for check in found[:_CHECKS] for row in _rows(check)]
        parts.append(table(("Check", "Outcome", "Condition", "Details"), shown, numeric=()))
    if len(found) > _CHECKS:
        parts.append(f"{plural(len(found) - _CHECKS, 'more check')} that did not pass.")
    idle = [check.title for check in content.checks if check.outcome == "not_applicable"]
    if idle:
        parts.append(f"Not applicable to this data: {listing(idle, _CHECKS)}.")
    return "\n\n".join(parts)


def _rows(check: Check) -> list[tuple[str, ...]]:
    open_conditions = [found for found in check.conditions if found.outcome != "passed"]
    if check.outcome == "did_not_run" or not open_conditions:
        return [(code(check.title), _SHOWN[check.outcome], "", text(check.reason))]
    return [_row(check, condition) for condition in open_conditions[:_CONDITIONS]]


def _row(check: Check, condition: Condition) -> tuple[str, ...]:
    return (
        code(check.title),
        _SHOWN[condition.outcome],
        text(condition.name, 160),
        text(condition.details, 200),
    )
