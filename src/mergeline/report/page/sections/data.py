"""The data: what it holds, what differs from the baseline's, what may tell the outcome."""

from collections.abc import Iterator, Sequence

from mergeline.core.evidence import ColumnProfile, Leak, PrepareContent
from mergeline.core.plan import Plan
from mergeline.report.against import only_in
from mergeline.report.charts import Chart
from mergeline.report.numbers import number, percent, plural, size
from mergeline.report.page.blocks import (
    Block,
    Cell,
    Facts,
    Figures,
    Fold,
    Heading,
    Section,
    Table,
    Words,
    missing,
    name,
)

_COLUMNS, _DRIFT, _LEAKS, _TOP, _CLASSES = 400, 60, 60, 5, 100


def data(plan: Plan, charts: Sequence[Chart]) -> Section:
    """Return profile, differences, drift and leaks."""
    if plan.evidence.prepare is None:
        return Section("data", "Data", (missing("prepare"),))
    now = plan.evidence.prepare.content
    before = plan.baseline_evidence.prepare
    old = before.content if before else None
    drawn = [chart for chart in charts if chart.name == "drift"]
    same = old is not None and old.sha256 == now.sha256
    return Section(
        id="data",
        title="Data",
        lead=f"{plural(now.rows, 'row')} of {plural(len(now.columns), 'column')}"
        f"{'; the same file as the baseline' if same else ''}.",
        blocks=(
            _facts(now),
            *_balance(now, old),
            *_differences(plan, now, old, same=same),
            *([Figures(drawn)] if drawn else []),
            *_drift(plan),
            *_leaks(now),
            Heading("Columns"),
            _profile(now, old),
        ),
        data={
            "prepare": now.as_json(),
            "drift": {k: v.as_json() for k, v in plan.comparison.drift.items()}
            if plan.comparison
            else {},
        },
    )


def _facts(now: PrepareContent) -> Facts:
    split = now.split
    how = f"by {split.method}" + (f" ({split.by})" if split.by else "")
    return Facts(
        (
            ("Source", name(now.source)),
            ("Size", f"{size(now.bytes)}, {now.format}"),
            ("Target", name(now.target)),
            ("Rows", f"{now.rows:,}"),
            ("Training rows", f"{split.train_rows:,}"),
            ("Held-out rows", f"{split.test_rows:,}, split {how}"),
            ("Rows that are there twice", f"{now.duplicate_rows:,}"),
            *(
                [("Rows with the id of another", f"{now.duplicate_ids:,}")]
                if now.duplicate_ids is not None
                else []
            ),
            ("Contract", name(now.contract) if now.contract else "none"),
        )
    )


def _balance(now: PrepareContent, old: PrepareContent | None) -> Iterator[Block]:
    if not now.balance:
        return
    rows = [
        (
            name(each),
            f"{count:,}",
            percent(count, now.rows),
            "" if old is None or each not in old.balance else percent(old.balance[each], old.rows),
        )
        for each, count in list(now.balance.items())[:_CLASSES]
    ]
    more = len(now.balance) - _CLASSES
    yield Table(
        caption=f"Rows by class of {now.target}",
        header=("Class", "Rows", "Share", "Baseline's share"),
        rows=rows,
        numeric=frozenset({1, 2, 3}),
        more=f"{more:,} more classes in the evidence." if more > 0 else "",
    )


def _differences(
    plan: Plan, now: PrepareContent, old: PrepareContent | None, *, same: bool
) -> Iterator[Block]:
    yield Heading("Differences from the baseline's data")
    if old is None:
        yield Words("There is no baseline's data to compare with.")
        return
    if same:
        yield Words("None: it is the same file, byte for byte.")
        return
    there = {each.name: each for each in old.columns}
    facts: list[tuple[str, str]] = [("Rows", f"{old.rows:,} before, {now.rows:,} now")]
    rows = plan.comparison.rows if plan.comparison else None
    if rows is not None:
        facts.append(
            ("By key", f"{rows.added:,} added, {rows.removed:,} removed, {rows.common:,} in both")
        )
    facts += [
        ("Columns added", _names(only_in(now.columns, old.columns))),
        ("Columns removed", _names(only_in(old.columns, now.columns))),
        (
            "Columns of another kind",
            _names(
                [
                    f"{each.name} ({there[each.name].kind} → {each.kind})"
                    for each in now.columns
                    if each.name in there and each.kind != there[each.name].kind
                ]
            ),
        ),
    ]
    yield Facts(facts)


def _names(found: Sequence[str]) -> str:
    most = 20
    more = f" and {len(found) - most:,} more" if len(found) > most else ""
    return f"{', '.join(found[:most])}{more}" if found else "none"


def _drift(plan: Plan) -> Iterator[Block]:
    if plan.comparison is None or not plan.comparison.drift:
        return
    drift = sorted(plan.comparison.drift.items(), key=lambda item: -item[1].distance)
    rows = [
        (
            name(column),
            number(each.distance),
            number(each.noise),
            "another kind of values"
            if each.changed_type
            else "beyond chance"
            if each.distance > each.noise
            else "within chance",
        )
        for column, each in drift[:_DRIFT]
    ]
    more = len(drift) - _DRIFT
    yield Fold(
        f"Drift of {plural(len(drift), 'column')}",
        (
            Table(
                caption="How far the values of a column lie from the baseline's: 0 the same, 1 "
                "nothing in common",
                header=("Column", "Distance", "Chance alone explains", ""),
                rows=rows,
                numeric=frozenset({1, 2}),
                more=f"{more:,} more columns, none further." if more > 0 else "",
            ),
        ),
    )


def _leaks(now: PrepareContent) -> Iterator[Block]:
    yield Heading("What may tell the outcome")
    if not now.leaks:
        yield Words("No column was noticed.")
        return
    more = len(now.leaks) - _LEAKS
    yield Table(
        caption="Columns that tell too much, or are known only afterwards",
        header=("Column", "Score alone", "Read by the model", "What was noticed"),
        rows=[_leak(each) for each in now.leaks[:_LEAKS]],
        numeric=frozenset({1}),
        more=f"{more:,} more in the evidence." if more > 0 else "",
        cards=True,
    )


def _leak(leak: Leak) -> tuple[str | Cell, ...]:
    return (
        name(leak.column),
        "" if leak.score is None else number(leak.score),
        "yes" if leak.feature else "no",
        leak.reason,
    )


def _profile(now: PrepareContent, old: PrepareContent | None) -> Table:
    there = {each.name: each for each in old.columns} if old else {}
    more = len(now.columns) - _COLUMNS
    return Table(
        caption="Every column of the table as read",
        header=("Column", "Kind", "Missing", "Baseline's", "Distinct", "Alone", "Values"),
        rows=[_column(each, now, there.get(each.name), old) for each in now.columns[:_COLUMNS]],
        numeric=frozenset({2, 3, 4, 5}),
        search="columns",
        more=f"{more:,} more columns in the evidence." if more > 0 else "",
    )


def _column(
    column: ColumnProfile,
    now: PrepareContent,
    was: ColumnProfile | None,
    old: PrepareContent | None,
) -> tuple[str | Cell, ...]:
    return (
        name(column.name),
        column.kind,
        percent(column.missing, now.rows),
        "" if was is None or old is None else percent(was.missing, old.rows),
        f"{column.distinct:,}",
        "" if column.alone is None else number(column.alone),
        _values(column, now.rows),
    )


def _values(column: ColumnProfile, rows: int) -> str:
    if column.top:
        return ", ".join(f"{value} {percent(n, rows)}" for value, n in column.top[:_TOP])
    return ", ".join(
        f"{what} {number(value) if isinstance(value, int | float) else value}"
        for what, value in column.summary.items()
        if value is not None
    )
