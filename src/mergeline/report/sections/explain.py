"""Which columns move the predictions, and how that changed."""

from mergeline.core.evidence import ExplainContent, ExplainedRow, GroupImportance, Importance
from mergeline.core.plan import Plan
from mergeline.report.markdown import Section, code, listing, table, text
from mergeline.report.numbers import bar, number, percent, plural, signed

_COLUMNS, _TOP, _GROUPS, _ROWS = 20, 3, 20, 10
_NAME = "Explanations"
_OUTPUT = {"log_odds": "log odds", "probability": "probability"}


def explanations(plan: Plan) -> Section:
    """Return the importances, by group too, and the rows with the largest errors."""
    if plan.evidence.explain is None:
        return Section(_NAME, "not measured", "There is no evidence of the stage explain.")
    content = plan.evidence.explain.content
    if content.outcome == "not_explained":
        return Section(_NAME, "not explained", f"Not explained: {text(content.reason)}")
    how = (
        f"SHAP ({text(content.explainer, 40)}) on {content.rows:,} of {content.of:,} held-out "
        f"rows; the size is the mean of |SHAP| in {_OUTPUT[content.output]}. The direction is "
        "+1 where higher values raise the score and -1 where they lower it."
    )
    parts = (how, _importances(content, plan), _by_group(content), _errors(content))
    top = ", ".join(text(feature.column, 40) for feature in content.features[:_TOP])
    return Section(_NAME, f"led by {top}", "\n\n".join(part for part in parts if part))


def _importances(content: ExplainContent, plan: Plan) -> str:
    before = plan.baseline_evidence.explain
    old = _ranked(before.content) if before is not None else {}
    rows: list[tuple[str, ...]] = [
        (str(rank), code(item.column), *_importance(item), _before(item, old, rank))
        for rank, item in enumerate(content.features[:_COLUMNS], start=1)
    ]
    header: tuple[str, ...] = ("Rank", "Column", "Share", "", "Size", "Direction", "Baseline")
    if not old:
        header, rows = header[:-1], [row[:-1] for row in rows]
    more = len(content.features) - len(rows)
    end = f"\n\n{plural(more, 'more column')} in the evidence." if more else ""
    gone = [name for name in old if name not in _ranked(content)]
    lost = f"\n\nNo longer read: {listing(gone, _COLUMNS)}." if gone else ""
    return table(header, rows, numeric=(0, 2, 4, 5)) + end + lost


def _importance(item: Importance) -> tuple[str, ...]:
    direction = "" if item.direction is None else f"{item.direction:+.2f}"
    return percent(item.share, 1), bar(item.share), number(item.mean_abs), direction


def _ranked(content: ExplainContent) -> dict[str, tuple[int, Importance]]:
    return {item.column: (rank, item) for rank, item in enumerate(content.features, start=1)}


def _before(item: Importance, old: dict[str, tuple[int, Importance]], rank: int) -> str:
    if item.column not in old:
        return "new"
    earlier, importance = old[item.column]
    place = "same rank" if earlier == rank else f"rank {earlier}"
    return f"{place}, {percent(importance.share, 1)}"


def _by_group(content: ExplainContent) -> str:
    if not content.by_group:
        return ""
    rows = [_group_row(item) for item in content.by_group[:_GROUPS]]
    return "By group:\n\n" + table(("By", "Group", "n", "First columns"), rows, numeric=(2,))


def _group_row(item: GroupImportance) -> tuple[str, ...]:
    top = (f"{code(each.column)} {percent(each.share, 1)}" for each in item.top[:_TOP])
    return code(item.by), code(item.group), f"{item.n:,}", ", ".join(top)


def _errors(content: ExplainContent) -> str:
    if not content.largest_errors:
        return ""
    rows = [_error_row(row, place) for place, row in enumerate(content.largest_errors[:_ROWS], 1)]
    header = ("Row", "Score", "Is positive", "Moved by")
    return "Rows with the largest errors:\n\n" + table(header, rows, numeric=(1,))


def _error_row(row: ExplainedRow, place: int) -> tuple[str, ...]:
    moved = (_moved(column, value, row.values) for column, value in row.contributions[:_TOP])
    name = code(row.row[:12]) if row.row else str(place)
    return name, number(row.score), text(row.actual), ", ".join(moved)


def _moved(column: str, value: float, values: dict[str, str]) -> str:
    shown = f" = {code(values[column], 40)}" if column in values else ""
    return f"{code(column)}{shown} {signed(value)}"
