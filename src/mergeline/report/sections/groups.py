"""Tables of groups: their rates, of several classes a table each, or the means of a number."""

from collections.abc import Mapping

from mergeline.core.base import Estimate
from mergeline.core.evidence import FairnessBy, Group
from mergeline.report.markdown import code, listing, table, text
from mergeline.report.numbers import bar, change, estimate, plural

_GROUPS, _CLASSES = 30, 6


def group_tables(found: FairnessBy, before: FairnessBy | None) -> str:
    """Return what was measured of each group, with the change since the baseline.

    Args:
        found: The groups of one column.
        before: The same in the baseline's evidence; None where it has none.
    """
    old = {group.name: group for group in before.groups} if before is not None else {}
    shown = _shown(found)
    parts = [_whole(shown, old)]
    classes = _classes(found)
    if len(found.columns) > 1:  # a table a class for each intersection would fill the comment
        classes = [name for name in classes if name in {gap.of for gap in found.gaps.values()}]
    judged = tuple(group for group in shown if group.judged)
    for of in classes[:_CLASSES] if judged else ():
        rates = {group.name: group.classes.get(of, {}) for group in judged}
        past = {name: group.classes.get(of, {}) for name, group in old.items()}
        parts.append(
            f"The class {code(of)} against the others:\n\n{_of_class(judged, rates, past)}"
        )
    if len(classes) > _CLASSES:
        rest = listing(classes[_CLASSES:], _CLASSES)
        parts.append(f"Also measured, in the evidence: {rest}.")
    more = len(found.groups) - len(shown)
    if more:
        parts.append(f"{plural(more, 'more group')} in the evidence.")
    return "\n\n".join(parts)


def _shown(found: FairnessBy) -> tuple[Group, ...]:
    """All groups; where there are too many, the ends of the gaps and then the largest."""
    if len(found.groups) <= _GROUPS:
        return found.groups
    ends = {name for gap in found.gaps.values() for name in (gap.lowest, gap.highest)}
    ranked = sorted(found.groups, key=lambda group: (group.name not in ends, -group.n))
    return tuple(ranked[:_GROUPS])


def _classes(found: FairnessBy) -> list[str]:
    """Return the classes: those first that a gap is of."""
    known = list(dict.fromkeys(name for group in found.groups for name in group.classes))
    ends = {gap.of for gap in found.gaps.values()}
    return sorted(known, key=lambda name: name not in ends)


def _whole(shown: tuple[Group, ...], old: Mapping[str, Group]) -> str:
    names = list(dict.fromkeys(name for group in shown for name in group.metrics))
    counted = any(group.positives is not None for group in shown)
    past = {name: group.metrics for name, group in old.items()}
    cells = _table_cells(names, {group.name: group.metrics for group in shown}, past)
    rows = [
        (
            _group_name(group),
            f"{group.n:,}",
            *([_positives(group)] if counted else []),
            *cells[group.name],
        )
        for group in shown
    ]
    header = ("Group", "n", *(["Positives"] if counted else []), *(code(name) for name in names))
    return table(header, rows, numeric=(1, 2) if counted else (1,))


def _of_class(
    shown: tuple[Group, ...],
    rates: Mapping[str, Mapping[str, Estimate]],
    past: Mapping[str, Mapping[str, Estimate]],
) -> str:
    names = list(dict.fromkeys(name for group in rates.values() for name in group))
    cells = _table_cells(names, rates, past)
    rows = [(_group_name(group), *cells[group.name]) for group in shown]
    return table(("Group", *(code(name) for name in names)), rows, numeric=())


def _table_cells(
    names: list[str],
    rates: Mapping[str, Mapping[str, Estimate]],
    past: Mapping[str, Mapping[str, Estimate]],
) -> dict[str, list[str]]:
    """Return the cells of each group; bars are shares of 1, or of the largest of larger values."""
    scale = {}
    for name in names:
        values = [found.value for group in rates.values() if (found := group.get(name))]
        scale[name] = max((abs(value) for value in values if value is not None), default=1.0)
    whole = 1.0 if max(scale.values(), default=1.0) <= 1 else 0.0
    return {
        group: [
            _cell(measured.get(name), past.get(group, {}).get(name), whole or scale[name] or 1.0)
            for name in names
        ]
        for group, measured in rates.items()
    }


def _group_name(group: Group) -> str:
    return code(group.name) if group.judged else f"{code(group.name)} (shown, not judged)"


def _positives(group: Group) -> str:
    return "" if group.positives is None else f"{group.positives:,}"


def _cell(measured: Estimate | None, before: Estimate | None, whole: float) -> str:
    if measured is None:
        return ""
    if measured.value is None:
        reason = f": {text(measured.reason, 120)}" if measured.reason else ""
        return f"{estimate(measured)}{reason}"
    moved = change(measured.value, before.value if before is not None else None)
    end = f" {moved}" if moved else ""
    return f"{estimate(measured)}<br>{bar(abs(measured.value) / whole)}{end}"
