"""Which columns move the predictions: of all rows, by class, by group, of single rows."""

from collections.abc import Iterator, Sequence

from mergeline.core.evidence import (
    ExplainContent,
    ExplainedRow,
    Importance,
)
from mergeline.core.plan import Plan
from mergeline.report.charts import Chart
from mergeline.report.numbers import number, percent, plural, points, signed
from mergeline.report.page.blocks import (
    Block,
    Cell,
    Figures,
    Fold,
    Heading,
    Note,
    Section,
    Table,
    Words,
    missing,
    name,
)
from mergeline.report.sections.sensitive import PROXIES, Ranked, ranked, ranked_before

_COLUMNS, _PROXIES, _CLASSES, _GROUPS, _TOP, _ROWS = 100, 100, 100, 60, 5, 20
_OUTPUT = {
    "log_odds": "log-odds",
    "probability": "probability",
    "value": "the predicted value's own units",
}
_SCORE = {"binary": "score", "multiclass": "probability of its class", "regression": "predicted"}
_ACTUAL = {"binary": "is positive:", "multiclass": "class", "regression": "actual"}


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
            *_proxies(content),
            *_by_class(content),
            *_by_group(content),
            *_rows(content),
        ),
        data=content.as_json(),
    )


def _columns(plan: Plan, content: ExplainContent) -> Table:
    old = ranked_before(plan)
    directed = not content.classes  # each class has a direction of its own
    rows = [
        (
            str(rank),
            name(each.column),
            number(each.mean_abs),
            percent(each.share, 1),
            *([_direction(each)] if directed else []),
            *(_was(each, rank, old) if old else ()),
        )
        for rank, each in enumerate(content.features[:_COLUMNS], start=1)
    ]
    header = (
        *("Rank", "Column", "Mean |SHAP|", "Share"),
        *(("Direction",) if directed else ()),
        *(("Baseline's rank", "Share then", "Change") if old else ()),
    )
    more = len(content.features) - _COLUMNS
    meant = "; direction is the rank correlation of value and SHAP value" if directed else ""
    return Table(
        caption=f"Columns by how much they move the predictions{meant}",
        header=header,
        rows=rows,
        numeric=frozenset(range(len(header))) - {1},
        search="columns-explained",
        more=f"{more:,} more columns in the evidence." if more > 0 else "",
    )


def _direction(item: Importance) -> str:
    return "" if item.direction is None else signed(item.direction)


def _was(item: Importance, rank: int, old: Ranked) -> tuple[str, str, str]:
    if item.column not in old:
        return "not read", "", ""
    place, was = old[item.column]
    moved = "" if place == rank else " ↑" if rank < place else " ↓"
    return f"{place}{moved}", percent(was.share, 1), points(item.share, was.share)


def _proxies(content: ExplainContent) -> Iterator[Block]:
    """Return which columns that the model reads tell a sensitive one, where one does."""
    if not content.proxies:
        return
    found = ranked(content)
    more = len(content.proxies) - _PROXIES
    yield Heading("Proxies of sensitive columns")
    yield Table(
        caption=PROXIES,
        header=("Column", "Tells", "Score (0 to 1)", "Share of the explanation"),
        rows=[
            (
                name(each.column),
                each.of if each.group is None else f"{each.of} ({each.group} best)",
                number(each.score),
                percent(found[each.column][1].share, 1) if each.column in found else "",
            )
            for each in content.proxies[:_PROXIES]
        ],
        numeric=frozenset({2, 3}),
        more=f"{plural(more, 'more pair')} in the evidence." if more > 0 else "",
    )


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
    """Return single rows, which are in the evidence where the settings let them out."""
    found = content.largest_errors
    if not found:
        yield Words("Single rows are shown only where report.rows is true.", quiet=True)
        return
    more = len(found) - _ROWS
    yield Fold(
        f"Single rows: {plural(len(found), 'large error')}",
        (
            *(_row(each, place, content) for place, each in enumerate(found[:_ROWS], start=1)),
            *([Words(f"{more:,} more in the evidence.", quiet=True)] if more > 0 else []),
        ),
    )


def _row(row: ExplainedRow, place: int, content: ExplainContent) -> Table:
    cells: list[tuple[str | Cell, ...]] = [
        (name(column), row.values.get(column, ""), signed(value))
        for column, value in row.contributions
    ]
    return Table(
        caption=f"Row {place} ({row.row or 'unnamed'}): {_SCORE[content.task]} "
        f"{number(row.score)}, {_ACTUAL[content.task]} {row.actual or 'not told'}",
        header=("Column", "Value", "SHAP value"),
        rows=cells,
        numeric=frozenset({2}),
    )
