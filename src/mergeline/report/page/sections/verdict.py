"""The verdict, what it rests on, and every gate."""

from collections.abc import Sequence

from mergeline.core.plan import Plan
from mergeline.core.verdict import GateResult, Verdict
from mergeline.report.against import COMPARED, changes, is_same
from mergeline.report.charts import Chart
from mergeline.report.numbers import estimate, exact, number, plural
from mergeline.report.page.blocks import (
    TONE,
    Block,
    Cell,
    Facts,
    Heading,
    Listing,
    Note,
    Section,
    Table,
    Words,
    badge,
    name,
)
from mergeline.report.sections.metrics import BY_DISTANCE, direction
from mergeline.report.sections.reuse import reused
from mergeline.report.since import gates_again
from mergeline.report.words import headline, is_change, is_review, measured, worst_first

_GATES, _BANNERS, _CHANGES, _FILES, _NOTICES = 400, 20, 40, 40, 40
_SHORT = 12


def verdict(plan: Plan, _charts: Sequence[Chart]) -> Section:
    """Return the section that decides."""
    said = headline(plan)
    tone = TONE[said.outcome]
    return Section(
        id="verdict",
        title="Verdict and gates",
        lead=said.sentence,
        tone=tone if tone != "quiet" else "good",
        blocks=tuple(_blocks(plan)),
        data=plan.judgement.as_json(),
    )


def _blocks(plan: Plan) -> list[Block]:
    candidate = plan.candidate
    facts = [
        ("Commit", name(candidate.commit[:_SHORT])),
        ("Base", name(candidate.base[:_SHORT]) if candidate.base else "none"),
        ("Candidate (promotion key)", name(candidate.key[:_SHORT])),
    ]
    facts += [("If merged now", name(plan.judgement.answer))] if is_review(plan) else []
    blocks: list[Block] = [
        *(Note(each.text) for each in plan.judgement.banners[:_BANNERS]),
        Facts(facts),
    ]
    if candidate.dirty:
        files = ", ".join(candidate.dirty[:_FILES])
        more = len(candidate.dirty) - _FILES
        rest = f" and {more:,} more" if more > 0 else ""
        blocks.append(Note(f"Not as in the commit: {files}{rest}."))
    blocks += _primary(plan)
    changed = changes(plan)
    if changed:
        others = (f"{len(changed) - _CHANGES:,} more",) if len(changed) > _CHANGES else ()
        blocks += [Heading("What changed"), Listing((*changed[:_CHANGES], *others))]
    blocks += [*_since(plan), Heading("Gates"), *_gates(plan)]
    return blocks


def _primary(plan: Plan) -> list[Block]:
    """Return the change in terms of what the model is for, and that of the primary metric."""
    evaluate, compared = plan.evidence.evaluate, plan.comparison
    if evaluate is None:
        return []
    metric = evaluate.content.primary
    paired = compared.metrics.get(metric) if compared else None
    if compared is None or paired is None:
        why = plan.baseline.reason or (compared.reason if compared else "")
        return [Words(f"Not compared with a baseline. {why}".strip())]
    rows = [
        (
            name(f"{metric}, distance from 0" if metric == BY_DISTANCE else metric),
            _value(paired.baseline),
            _value(paired.candidate),
            estimate(paired.delta, sign=True),
            Cell("the same" if is_same(plan, paired) else COMPARED[paired.outcome]),
        )
    ]
    return [
        Table(
            caption=f"The primary metric against the baseline, on {plural(compared.n, 'row')} that "
            f"neither model was trained on (paired bootstrap by {compared.unit}); "
            f"{direction(metric, higher=paired.higher_is_better)}",
            header=("Metric", "Baseline", "This model", "Change (95 % interval)", "Outcome"),
            rows=rows,
            numeric=frozenset({1, 2, 3}),
            cards=True,
        ),
        *([Words(said, quiet=True)] if (said := reused(plan)) else []),
    ]


def _value(value: float | None) -> str:
    return "not measured" if value is None else number(value)


def _since(plan: Plan) -> list[Block]:
    """Return what the last review of this pull request said, where there was one."""
    last = plan.previous
    if last is None:
        return []
    blocks: list[Block] = [
        Heading("Since the last push"),
        Facts(
            (
                ("Last reviewed", name(last.commit[:_SHORT])),
                ("When", last.time),
                ("Then", badge(last.outcome)),
                ("Model", "the same" if last.model == plan.candidate.model else "another one"),
                ("Inputs", "the same" if last.inputs == plan.candidate.inputs else "other ones"),
            )
        ),
    ]
    moved = [
        (name(gate.name), badge(then.outcome), badge(gate.outcome))
        for gate, then in gates_again(plan)
        if gate.outcome is not then.outcome
    ]
    if moved:
        header = ("Gate", "Then", "Now")
        blocks.append(Table("Gates that came out otherwise", header, moved[:_GATES]))
    return blocks


def _gates(plan: Plan) -> list[Block]:
    judged = plan.judgement
    if not judged.verdict.gates and not (judged.proposed and judged.proposed.gates):
        return [Note("The policy has no gates, so nothing can pass.", "unknown")]
    if judged.proposed is None:
        return [_table(judged.verdict, "Every gate, the worst first", "gates")]
    return [
        _table(judged.verdict, "By the rules in force (the base's)", "gates"),
        _table(judged.proposed, "By the rules that this pull request brings", "proposed gates"),
    ]


def _table(found: Verdict, caption: str, search: str) -> Table:
    gates = worst_first(found.gates)
    more = len(gates) - _GATES
    return Table(
        caption=caption,
        header=("Outcome", "Gate", "Rule", "Measured (95 % interval)", "Limit", "Why"),
        rows=[_row(gate) for gate in gates[:_GATES]],
        numeric=frozenset({3, 4}),
        search=search.replace(" ", "-"),
        more=f"{more:,} more gates, none worse than these." if more > 0 else "",
        cards=True,
    )


def _row(gate: GateResult) -> tuple[str | Cell, ...]:
    return (
        badge(gate.outcome),
        name(gate.name),
        gate.rule,
        measured(gate),
        "" if gate.limit is None else exact(gate.limit, sign=is_change(gate)),
        _why(gate),
    )


def _why(gate: GateResult) -> str:
    parts = [gate.reason]
    if gate.rows_to_decide is not None:
        parts.append(f"About {gate.rows_to_decide:,} common rows would decide.")
    if gate.waiver:
        parts.append(f"Waived: {gate.waiver}.")
    return " ".join(part for part in parts if part)
