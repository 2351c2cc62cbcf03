"""Which columns move the predictions: of all rows, by class, by group, of single rows."""

from collections.abc import Iterator, Sequence

from mergeline.core.evidence import (
    ExplainContent,
    ExplainedRow,
    Importance,
)
from mergeline.core.plan import Plan
from mergeline.report.charts import Chart
from mergeline.report.numbers import change, number, percent, plural, signed
from mergeline.report.page.blocks import (
    Block,
    Cell,
    Figures,
    Fold,
    Note,
    Section,
    Table,
    Words,
    missing,
    name,
)

_COLUMNS, _CLASSES, _GROUPS, _TOP, _ROWS = 100, 100, 60, 5, 20
_OUTPUT = {
    "log_odds": "log-odds",
    "probability": "probability",
    "value": "the predicted value's own units",
}


def explanations(plan: Plan, charts: Sequence[Chart]) -> Section:
    """Return importances and how they changed."""
    title = "Explanations"
    if plan.evidence.explain is None:
        return Section("explanations", title, (missing("explain"),))
    content = plan.evidence.explain.content
    if content.outcome == "not_explained":
        said = Note(f"Not explained: {content.reason}", "unknown")
        return Section("explanations", title, (said,), data=content.as_json())
    drawn = [chart for chart in charts if chart.name == "importance"]
    return Section(
        id="explanations",
        title=title,
        lead=f"Mean |SHAP| of {content.rows:,} of {content.of:,} held-out rows, in "
        f"{_OUTPUT[content.output]} ({content.explainer} explainer, {content.background:,} rows of "
        "background).",
        blocks=(
            *([Figures(drawn)] if drawn else []),
            _columns(plan, content),
            *_by_class(content),
            *_by_group(content),
            *_rows(content),
        ),
        data=content.as_json(),
    )


def _columns(plan: Plan, content: ExplainContent) -> Table:
    before = plan.baseline_evidence.explain
    old = (
        {each.column: (rank, each) for rank, each in enumerate(before.content.features, 1)}
        if before
        else {}
    )
    rows = []
    for rank, each in enumerate(content.features[:_COLUMNS], start=1):
        was = old.get(each.column)
        rows.append(
            (
                str(rank),
                name(each.column),
                number(each.mean_abs),
                percent(each.share, 1),
                "" if each.direction is None else signed(each.direction),
                *_was(each, was, rank, known=bool(old)),
            )
        )
    more = len(content.features) - _COLUMNS
    return Table(
        caption="Columns by how much they move the predictions; direction is the rank correlation "
        "of value and SHAP value",
        header=(
            "Rank",
            "Column",
            "Mean |SHAP|",
            "Share",
            "Direction",
            "Baseline's rank",
            "Share then",
            "Change",
        ),
        rows=rows,
        numeric=frozenset({0, 2, 3, 4, 5, 6, 7}),
        search="columns-explained",
        more=f"{more:,} more columns in the evidence." if more > 0 else "",
    )


def _was(
    item: Importance, old: tuple[int, Importance] | None, rank: int, *, known: bool
) -> tuple[str, str, str]:
    if old is None:
        return ("not read" if known else "", "", "")
    place, was = old
    moved = "" if place == rank else " ↑" if rank < place else " ↓"
    return f"{place}{moved}", percent(was.share, 1), change(item.share, was.share)


def _top(items: Sequence[Importance]) -> str:
    return ", ".join(f"{each.column} {percent(each.share, 1)}" for each in items[:_TOP])


def _by_class(content: ExplainContent) -> Iterator[Block]:
    if content.classes:
        rows = [(name(each.name), _top(each.features)) for each in content.classes[:_CLASSES]]
        more = len(content.classes) - _CLASSES
        yield Fold(
            f"By class: {plural(len(content.classes), 'class', 'classes')}",
            (
                Table(
                    caption=f"The {_TOP} columns that move each class's score most",
                    header=("Class", "Columns and their shares"),
                    rows=rows,
                    more=f"{more:,} more classes in the evidence." if more > 0 else "",
                ),
            ),
        )


def _by_group(content: ExplainContent) -> Iterator[Block]:
    if content.by_group:
        rows = [
            (each.by, name(each.group), f"{each.n:,}", _top(each.top))
            for each in content.by_group[:_GROUPS]
        ]
        more = len(content.by_group) - _GROUPS
        yield Fold(
            f"By group: {plural(len(content.by_group), 'group')}",
            (
                Table(
                    caption="The columns that move predictions most within each group",
                    header=("By", "Group", "Rows", "Columns and their shares"),
                    rows=rows,
                    numeric=frozenset({2}),
                    more=f"{more:,} more groups in the evidence." if more > 0 else "",
                ),
            ),
        )


def _rows(content: ExplainContent) -> Iterator[Block]:
    """Return single rows where the settings let their values out, else what to set."""
    told = [each for each in content.largest_errors if each.values]
    if told:
        yield Fold(
            f"Single rows: {plural(len(told), 'large error')}",
            tuple(_row(each, place) for place, each in enumerate(told[:_ROWS], start=1)),
        )
    elif content.largest_errors:
        yield Words("Single rows are shown only where report.rows is true.", quiet=True)


def _row(row: ExplainedRow, place: int) -> Table:
    cells: list[tuple[str | Cell, ...]] = [
        (name(column), row.values.get(column, ""), signed(value))
        for column, value in row.contributions
    ]
    return Table(
        caption=f"Row {place} ({row.row or 'unnamed'}): predicted {number(row.score)}, actual "
        f"{row.actual or 'not told'}",
        header=("Column", "Value", "SHAP value"),
        rows=cells,
        numeric=frozenset({2}),
    )
