"""The verdict in the terminal: what a developer wants to know before looking at the comment."""

from typing import TYPE_CHECKING

from mergeline.core import layout
from mergeline.core.plan import Plan
from mergeline.core.verdict import GateResult, Judgement, Outcome
from mergeline.report.against import compared, primary_pair
from mergeline.report.markdown import NAME, plain
from mergeline.report.numbers import estimate, number
from mergeline.report.sections.reuse import reused
from mergeline.report.words import (
    WORD,
    headline,
    if_merged,
    is_review,
    measured,
    otherwise,
    worst_first,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

# What a check leaves to be read.
_WRITTEN = (layout.COMMENT, layout.PAGE, layout.CARD, layout.VERDICT)
# The word says it; the colour only helps to find it.
_STYLE = {
    Outcome.PASSED: "green",
    Outcome.SKIPPED: "dim",
    Outcome.WAIVED: "magenta",
    Outcome.WARNED: "yellow",
    Outcome.FAILED: "bold red",
    Outcome.ERRORED: "bold red",
}
_FILES, _WIDEST_NAME = 5, 24


def print_plan(plan: Plan, console: "Console", *, files: bool = True) -> None:
    """Print verdict, gates, comparison, what a merge would do, and where the files are.

    Args:
        plan: What was found out.
        console: Where to.
        files: Whether there are any: a check writes some.
    """
    from rich.text import Text

    verdict = headline(plan)
    console.print()
    console.print(Text(plain(verdict.sentence), style=_style(verdict.outcome)))
    console.print(Text(_identity(plan)))
    for banner in plan.judgement.banners:
        console.print()
        console.print(Text(f"NOTE  {plain(banner.text)}", style="yellow"))
    for part in _verdicts(plan.judgement):
        console.print()
        console.print(part)
    for title, said in (
        ("Primary metric", " ".join(filter(None, (_primary(plan), reused(plan))))),
        *_if_merged(plan),
        *_dirty(plan),
        *(("Notice", notice) for notice in plan.notices),
        *([("Files", ", ".join(_WRITTEN))] if files else []),
    ):
        console.print()
        console.print(_paragraph(title, said))


def _style(outcome: Outcome) -> str:
    style = _STYLE[outcome]
    return style if style.startswith("bold") else f"bold {style}"


def _identity(plan: Plan) -> str:
    candidate = plan.candidate
    base = "no base" if candidate.base is None else f"base {plain(candidate.base[:12])}"
    name, commit = plain(plan.project, NAME), plain(candidate.commit[:12])
    return f"{name} at {commit}, {base}; candidate {plain(candidate.key[:12])}"


def _verdicts(judgement: Judgement) -> "list[Table | Text]":
    base, head = judgement.verdict, judgement.proposed
    if head is None:
        return [_gate_table("Gates", base.gates)]
    there = {gate.name for gate in head.gates}
    gone = [gate.name for gate in base.gates if gate.name not in there]
    parts = [
        _gate_table("Gates by the rules in force (base)", base.gates),
        _gate_table(
            "Gates that come out differently by the rules of this pull request",
            otherwise(judgement),
        ),
    ]
    return parts + ([_paragraph("Gates removed", ", ".join(gone))] if gone else [])


def _gate_table(title: str, gates: tuple[GateResult, ...]) -> "Table | Text":
    from rich.table import Table
    from rich.text import Text

    if not gates:
        return _paragraph(title, "none.")
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        show_header=False,
        padding=(0, 2, 0, 0),
    )
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Gate", overflow="fold", max_width=_WIDEST_NAME)
    table.add_column("Rule, measured, and why", overflow="fold")
    for gate in worst_first(gates):
        outcome = Text(WORD[gate.outcome], style=_STYLE[gate.outcome])
        table.add_row(outcome, Text(plain(gate.name, NAME)), _said(gate))
    return table


def _said(gate: GateResult) -> "Text":
    from rich.text import Text

    found = measured(gate)
    said = Text.assemble(plain(gate.rule), *((": ", (found, "bold")) if found else ()))
    lines = [plain(gate.reason)] if gate.reason else []
    if gate.rows_to_decide is not None:
        lines.append(f"About {gate.rows_to_decide:,} common rows would decide.")
    lines += [f"Waived: {plain(gate.waiver)}."] if gate.waiver else []
    return said.append("".join(f"\n{line}" for line in lines))


def _primary(plan: Plan) -> str:
    said, how = compared(plan)
    paired = primary_pair(plan)
    if plan.evidence.evaluate is None or paired is None:
        return f"{said} {how}"
    name, delta = plan.evidence.evaluate.content.primary, estimate(paired.delta, sign=True)
    values = ""
    if paired.candidate is not None and paired.baseline is not None:
        now = number(paired.candidate, limit=paired.baseline)
        values = f" {now} against {number(paired.baseline, limit=paired.candidate)},"
    return f"{said} {name}{values} a change of {delta}. {how}"


def _if_merged(plan: Plan) -> list[tuple[str, str]]:
    if not is_review(plan):
        return []
    return [("If merged now", " ".join((f"{plan.judgement.answer}.", *if_merged(plan))))]


def _dirty(plan: Plan) -> list[tuple[str, str]]:
    files = plan.candidate.dirty
    if not files:
        return []
    more = f" and {len(files) - _FILES} more" if len(files) > _FILES else ""
    return [("Not as in the commit", ", ".join(files[:_FILES]) + more)]


def _paragraph(title: str, said: str) -> "Text":
    from rich.text import Text

    return Text.assemble((f"{title}: ", "bold"), plain(said, 600))
