"""Columns that may tell the outcome, or are known only afterwards, and what each tells alone."""

from mergeline.core.evidence import ColumnProfile, Leak, PrepareContent
from mergeline.core.plan import Plan
from mergeline.report.markdown import Section, code, table, text
from mergeline.report.numbers import number, plural

_NAME = "Leaks"
_LEAKS, _STRONGEST, _TOLD = 20, 5, 3
_SCORE = (
    "A score is how well a column alone tells the outcome of the held-out rows, learned on the "
    "training rows: 0 by chance, 1 without error ({measure})."
)
_MEASURE = {
    "binary": "2 AUC - 1",
    "multiclass": "2 AUC - 1 of the class it tells best",
    "regression": "R²",
}


def told_outcome(plan: Plan) -> str:
    """Return the columns that the model reads and that look like leaks; else empty."""
    prepare = plan.evidence.prepare
    found = [leak for leak in prepare.content.leaks if leak.feature] if prepare else []
    if not found:
        return ""
    lines = [f"- {code(leak.column)}: {text(leak.reason)}" for leak in found[:_TOLD]]
    more = len(found) - _TOLD
    lines += [f"- {plural(more, 'more column')}, see below"] if more > 0 else []
    said = "**The model may read the outcome**, in columns that tell a lot or come afterwards:"
    return "\n".join((said, "", *lines))


def leaks(plan: Plan) -> Section | None:
    """Return what looks like a leak and the strongest columns, or None where none was scored."""
    if plan.evidence.prepare is None:
        return None
    content = plan.evidence.prepare.content
    before = plan.baseline_evidence.prepare
    strongest = _strongest(content)
    if not content.leaks and not strongest:
        return None
    old = {column.name: column.alone for column in before.content.columns} if before else {}
    rows = [_leak(leak, old) for leak in content.leaks[:_LEAKS]]
    rows += [_column(column, old) for column in strongest]
    header = ("Column", "Score alone", "At the baseline", "Read", "What was noticed")
    more = len(content.leaks) - _LEAKS
    parts = (
        table(header, rows, numeric=(1, 2)),
        f"{plural(more, 'more column')} in the evidence." if more > 0 else "",
        _SCORE.format(measure=_MEASURE[content.task]),
    )
    return Section(_NAME, _summary(content, strongest), "\n\n".join(filter(None, parts)))


def _strongest(content: PrepareContent) -> list[ColumnProfile]:
    """Return the columns that tell most, of those that are no leaks."""
    named = {leak.column for leak in content.leaks}
    scored = [c for c in content.columns if c.alone is not None and c.name not in named]
    return sorted(scored, key=lambda column: -(column.alone or 0.0))[:_STRONGEST]


def _summary(content: PrepareContent, strongest: list[ColumnProfile]) -> str:
    if content.leaks:
        read = sum(leak.feature for leak in content.leaks)
        found = plural(len(content.leaks), "column")
        return f"{found} may tell the outcome, {read} of them read by the model"
    first = strongest[0]
    return f"none noticed; {text(first.name, 60)} tells most alone, {number(first.alone or 0.0)}"


def _leak(leak: Leak, old: dict[str, float | None]) -> tuple[str, ...]:
    read = "yes" if leak.feature else "no"
    return code(leak.column), *_scores(leak.column, leak.score, old), read, text(leak.reason)


def _column(column: ColumnProfile, old: dict[str, float | None]) -> tuple[str, ...]:
    return code(column.name), *_scores(column.name, column.alone, old), "", ""


def _scores(name: str, score: float | None, old: dict[str, float | None]) -> tuple[str, str]:
    before = old.get(name)
    return (
        "" if score is None else number(score),
        "" if before is None else number(before),
    )
