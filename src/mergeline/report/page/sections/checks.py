"""Every check of deepchecks, with its conditions and why it did not run."""

from collections.abc import Iterator, Sequence

from mergeline.core.evidence import Check, ChecksContent, Evidence
from mergeline.core.plan import Plan
from mergeline.report.charts import Chart
from mergeline.report.numbers import plural
from mergeline.report.page.blocks import (
    Block,
    Cell,
    Heading,
    Section,
    Table,
    Tone,
    Words,
    missing,
    name,
)

_CHECKS = 300
_ORDER = ("did_not_run", "failed", "warned", "passed", "not_applicable")
_TONE: dict[str, Tone] = {
    "did_not_run": "unknown",
    "failed": "bad",
    "warned": "warn",
    "passed": "good",
    "not_applicable": "quiet",
}


def checks(plan: Plan, _charts: Sequence[Chart]) -> Section:
    """Return the checks of data and model, the worst first."""
    found = {"check_data": plan.evidence.check_data, "check_model": plan.evidence.check_model}
    blocks: list[Block] = []
    for stage, title in (("check_data", "Data checks"), ("check_model", "Model checks")):
        blocks.append(Heading(title))
        blocks += _stage(stage, found[stage])
    known = [each.content.checks for each in found.values() if each is not None]
    every = [check.outcome for checks_of in known for check in checks_of]
    counts = [f"{every.count(each)} {each.replace('_', ' ')}" for each in _ORDER if each in every]
    return Section(
        id="checks",
        title="Checks",
        lead=f"deepchecks: {', '.join(counts)}." if counts else "",
        blocks=blocks,
        data={stage: each.content.as_json() for stage, each in found.items() if each is not None},
    )


def _stage(stage: str, found: Evidence[ChecksContent] | None) -> Iterator[Block]:
    if found is None:
        yield missing(stage)
        return
    content = found.content
    sampled = (
        f" Checks that estimate something looked at {content.sampled:,} rows at most."
        if content.sampled
        else ""
    )
    yield Words(
        f"Suites: {', '.join(content.suites)} (deepchecks {content.deepchecks}).{sampled}",
        quiet=True,
    )
    ordered = sorted(content.checks, key=lambda check: _ORDER.index(check.outcome))
    rows = [row for check in ordered[:_CHECKS] for row in _rows(check)]
    more = len(ordered) - _CHECKS
    yield Table(
        caption=f"{plural(len(content.checks), 'check')}, the worst first",
        header=("Outcome", "Check", "Condition", "What was found"),
        rows=rows,
        search=f"{stage.removeprefix('check_')}-checks",
        more=f"{more:,} more checks, none worse." if more > 0 else "",
        cards=True,
    )


def _badge(outcome: str) -> Cell:
    return Cell(outcome.replace("_", " "), tone=_TONE[outcome])


def _rows(check: Check) -> Iterator[tuple[str | Cell, ...]]:
    title = name(check.title or check.name)
    if not check.conditions:
        yield _badge(check.outcome), title, "", check.reason
    for condition in check.conditions:
        details = " ".join(each for each in (condition.details, check.reason) if each)
        yield _badge(condition.outcome), title, condition.name, details
