"""How far the columns lie from the baseline's, and which rows came and went."""

from mergeline.core.plan import Plan
from mergeline.core.verdict import Drift, RowChanges
from mergeline.report.markdown import code, listing, table
from mergeline.report.numbers import bar, number, plural

_COLUMNS, _NAMED = 10, 5


def drifted(plan: Plan) -> str:
    """Return it as a part of the data's changes; empty where the tables were not compared."""
    found = plan.comparison
    if found is None:
        return ""
    parts = (_rows(found.rows, plan) if found.rows else "", _drift(found.drift))
    return "\n\n".join(filter(None, parts))


def _rows(rows: RowChanges, plan: Plan) -> str:
    if rows.added == rows.removed == 0:
        return ""
    prepare = plan.evidence.prepare
    key = prepare.content.split.key if prepare else None
    what = f"Different values of {code(key)}" if key else "Different rows"
    return f"{what}: {rows.added:,} added, {rows.removed:,} removed, {rows.common:,} as before."


def _drift(drift: dict[str, Drift]) -> str:
    if not drift or not any(item.distance for item in drift.values()):
        return ""
    changed = [name for name, item in drift.items() if item.changed_type]
    moved = {n: d for n, d in drift.items() if d.distance > d.noise and not d.changed_type}
    said = (
        f"{len(moved)} of {plural(len(drift), 'column')} moved further from the baseline's than "
        "chance alone explains"
    )
    others = f"; another type: {listing(changed, _NAMED)}" if changed else ""
    if not moved:
        return f"{said}{others}."
    worst = sorted(moved, key=lambda name: -moved[name].distance)
    rows = [
        (
            code(name),
            bar(moved[name].distance),
            number(moved[name].distance),
            number(moved[name].noise),
        )
        for name in worst[:_COLUMNS]
    ]
    header = ("Column", "", "Distance (0 to 1)", "By chance, at most")
    more = f"\n\n{plural(len(worst) - _COLUMNS, 'more column')}." if len(worst) > _COLUMNS else ""
    return f"{said}{others}.\n\n{table(header, rows, numeric=(2, 3))}{more}"
