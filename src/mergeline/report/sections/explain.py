"""Which columns move the predictions, and how that changed."""

from mergeline.core.evidence import (
    ClassImportance,
    ExplainContent,
    ExplainedRow,
    GroupImportance,
    Importance,
)
from mergeline.core.plan import Plan
from mergeline.report.markdown import Section, code, listing, table, text
from mergeline.report.numbers import bar, change, number, percent, plural, signed
from mergeline.report.sections.sensitive import Ranked, proxy_table, ranked, ranked_before

_COLUMNS, _TOP, _GROUPS, _ROWS = 20, 3, 20, 10
_NAME = "Explanations"
_OUTPUT = {"log_odds": "log odds", "probability": "probability", "value": "the target's unit"}
_MOVED = {"binary": "score", "multiclass": "score of the class", "regression": "prediction"}
_ERRORS = {
    "binary": ("Score", "Is positive"),
    "multiclass": ("Probability of its class", "Class"),
    "regression": ("Prediction", "Actual"),
}


def explanations(plan: Plan) -> Section:
    """Return the importances, by group too, and the rows with the largest errors."""
    if plan.evidence.explain is None:
        return Section(_NAME, "not measured", "There is no evidence of the stage explain.")
    content = plan.evidence.explain.content
    if content.outcome == "not_explained":
        return Section(_NAME, "not explained", f"Not explained: {text(content.reason)}")
    how = (
        f"SHAP ({text(content.explainer, 40)}) on {content.rows:,} of {content.of:,} held-out "
        f"rows; the size is the mean of |SHAP| in {_OUTPUT[content.output]}"
        f"{' over rows and classes' if content.classes else ''}. The direction is +1 where higher "
        f"values raise the {_MOVED[content.task]} and -1 where they lower it."
    )
    parts = (
        how,
        _importances(content, plan),
        proxy_table(content),
        _by_class(content),
        _by_group(content),
        _errors(content),
    )
    first = [text(item.column, 40) for item in content.features[:_TOP] if item.mean_abs > 0]
    said = f"led by {', '.join(first)}" if first else "no column moves a prediction"
    return Section(_NAME, said, "\n\n".join(part for part in parts if part))


def _importances(content: ExplainContent, plan: Plan) -> str:
    now, old = ranked(content), ranked_before(plan)
    rows: list[tuple[str, ...]] = [
        (str(rank), _rank_before(item, old, rank), code(item.column), *_importance(item, old))
        for rank, item in enumerate(content.features[:_COLUMNS], start=1)
    ]
    header: tuple[str, ...] = ("Rank", "Before", "Column", "Share", "", "Size", "Change")
    header = (*header, "Direction")
    if content.classes:  # each has a direction of its own
        header, rows = _without(header, rows, header.index("Direction"))
    if not old:
        for name in ("Before", "Change"):
            header, rows = _without(header, rows, header.index(name))
    more = len(content.features) - len(rows)
    end = f"\n\n{plural(more, 'more column')} in the evidence." if more else ""
    gone = [name for name in old if name not in now]
    lost = f"\n\nNo longer read: {listing(gone, _COLUMNS)}." if gone else ""
    numeric = [header.index(name) for name in header if name in _NUMBERS]
    return table(header, rows, numeric=numeric) + end + lost


def _without(
    header: tuple[str, ...], rows: list[tuple[str, ...]], place: int
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Leave out a column of a table."""
    return (
        (*header[:place], *header[place + 1 :]),
        [(*row[:place], *row[place + 1 :]) for row in rows],
    )


_NUMBERS = ("Rank", "Share", "Size", "Change", "Direction")


def _importance(item: Importance, old: Ranked) -> tuple[str, ...]:
    direction = "" if item.direction is None else f"{item.direction:+.2f}"
    was = old[item.column][1].mean_abs if item.column in old else None
    size, changed = number(item.mean_abs), change(item.mean_abs, was)
    return percent(item.share, 1), bar(item.share), size, changed, direction


def _rank_before(item: Importance, old: Ranked, rank: int) -> str:
    if item.column not in old:
        return "new"
    earlier = old[item.column][0]
    if earlier == rank:
        return "same"
    return f"▲ from {earlier}" if earlier > rank else f"▼ from {earlier}"


def _by_class(content: ExplainContent) -> str:
    if not content.classes:
        return ""
    rows = [_class_row(item) for item in content.classes[:_GROUPS]]
    more = len(content.classes) - len(rows)
    end = f"\n\n{more:,} more of the {len(content.classes):,} classes in the evidence."
    head = ("Class", "First columns, with direction")
    return "By class:\n\n" + table(head, rows, numeric=()) + (end if more else "")


def _class_row(item: ClassImportance) -> tuple[str, ...]:
    columns = (
        f"{code(each.column)} {percent(each.share, 1)}"
        + ("" if each.direction is None else f" ({each.direction:+.2f})")
        for each in item.features[:_TOP]
    )
    return code(item.name), ", ".join(columns)


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
    header: tuple[str, ...] = ("Row", *_ERRORS[content.task], "Moved by")
    if not any(row.actual for row in content.largest_errors):
        header, rows = _without(header, rows, header.index(_ERRORS[content.task][1]))
    return "Rows with the largest errors:\n\n" + table(header, rows, numeric=(1,))


def _error_row(row: ExplainedRow, place: int) -> tuple[str, ...]:
    moved = (_moved(column, value, row.values) for column, value in row.contributions[:_TOP])
    name = code(row.row[:12]) if row.row else str(place)
    return name, number(row.score), text(row.actual), ", ".join(moved)


def _moved(column: str, value: float, values: dict[str, str]) -> str:
    shown = f" = {code(values[column], 40)}" if column in values else ""
    return f"{code(column)}{shown} {signed(value)}"
