"""What the model is made from, and what of that differs from the baseline."""

from mergeline.core.evidence import ColumnProfile, PrepareContent, TrainContent
from mergeline.core.plan import Plan
from mergeline.report.against import only_in, settings_changed, sign, writing_changed
from mergeline.report.markdown import Section, code, listing, table, text
from mergeline.report.numbers import change, number, percent, plural, points
from mergeline.report.sections.drift import drifted

_COLUMNS, _CLASSES, _SETTINGS = 40, 10, 30
_NAME = "Data and settings"
Row = tuple[str, ...]


def changed(plan: Plan) -> Section:
    """Return rows, columns, types, missing values, balance and settings, before and now."""
    now, before = plan.evidence.prepare, plan.baseline_evidence.prepare
    if now is None:
        missing = "There is no evidence of the stage prepare."
        return Section(_NAME, "not measured", f"{missing}\n\n{_training(plan)}")
    old = before.content if before is not None else None
    columns = _column_changes(now.content, old)
    same = old is not None and _table(now.content) == _table(old)
    counts = _counts(now.content, None if same else old)
    said = (_source(now.content, old), counts, _columns(columns), drifted(plan))
    body = "\n\n".join(part for part in (*said, _training(plan)) if part)
    return Section(_NAME, _summary(now.content, old, len(columns)), body)


def _table(content: PrepareContent) -> tuple[object, ...]:
    return content.sha256, content.writing, content.split


def _summary(now: PrepareContent, old: PrepareContent | None, columns: int) -> str:
    there = f"{now.rows:,} rows, {plural(len(now.columns), 'column')}"
    if old is None:
        return there
    if now.sha256 == old.sha256:
        return f"{there}, the same file as the baseline's"
    return f"{there}; {now.rows - old.rows:+,} rows, {plural(columns, 'column')} changed"


def _source(now: PrepareContent, old: PrepareContent | None) -> str:
    said = (
        f"{code(now.source)} (digest {code(now.sha256[:12])}{_written(now)}), "
        f"target {code(now.target)}, {_predicted(now)}; split by {_split(now)}."
    )
    if old is None:
        return said
    same = "the same file, byte for byte" if now.sha256 == old.sha256 else "another file"
    differs = (same, *map(text, writing_changed(now, old)))
    return f"{said} Against the baseline: {'; '.join(differs)}."


def _written(now: PrepareContent) -> str:
    """Return encoding and separator, and signs in numbers where they are unusual."""
    if now.writing is None:
        return ""
    written = now.writing
    said = [code(sign(written.encoding))]
    said += [] if written.separator is None else [f"separator {code(sign(written.separator))}"]
    said += [] if written.decimal in (None, ".") else [f"decimal {code(sign(written.decimal))}"]
    said += [] if written.thousands is None else [f"thousands {code(sign(written.thousands))}"]
    return "; " + ", ".join(said)


def _predicted(now: PrepareContent) -> str:
    match now.task:
        case "binary":
            return f"positive is {code(str(now.positive))}"
        case "multiclass":
            return f"{len(now.balance):,} classes"
        case "regression":
            return "a number"


def _split(now: PrepareContent) -> str:
    by = f" {code(now.split.by)}" if now.split.by is not None else ""
    return f"{now.split.method}{by}"


def _counts(now: PrepareContent, old: PrepareContent | None) -> str:
    rows: list[Row] = [
        _count("Rows", now.rows, old.rows if old else None),
        _count("Rows to train on", now.split.train_rows, old.split.train_rows if old else None),
        _count("Rows held out", now.split.test_rows, old.split.test_rows if old else None),
        _count("Duplicate rows", now.duplicate_rows, old.duplicate_rows if old else None),
        *_repeated_ids(now, old),
        *(_class(name, now, old) for name in _classes(now, old)),
        *_target(now, old),
    ]
    header: Row = ("", "Now", "Baseline", "Change")
    if old is None:
        header, rows = header[:2], [row[:2] for row in rows]
    return table(header, rows, numeric=(1, 2, 3))


def _count(name: str, now: int, before: int | None) -> Row:
    if before is None:
        return name, f"{now:,}", "", ""
    return name, f"{now:,}", f"{before:,}", f"{now - before:+,}" if now != before else "same"


def _repeated_ids(now: PrepareContent, old: PrepareContent | None) -> list[Row]:
    """Return how many rows have the id of an earlier one, where there are such rows."""
    counts = now.duplicate_ids or 0, (old.duplicate_ids or 0) if old else None
    return [_count("Rows with an earlier row's id", *counts)] if any(counts) else []


def _classes(now: PrepareContent, old: PrepareContent | None) -> list[str]:
    both = (*now.balance, *(old.balance if old is not None else ()))
    return list(dict.fromkeys(both))[:_CLASSES]


def _class(name: str, now: PrepareContent, old: PrepareContent | None) -> Row:
    share = _share(name, now)
    before = _share(name, old) if old is not None else None
    shown = "" if before is None else percent(before, 1)
    moved = "" if before is None else points(share, before)
    return f"Class {code(name)}", percent(share, 1), shown, moved


def _target(now: PrepareContent, old: PrepareContent | None) -> list[Row]:
    """Return where the values of a predicted number lie, as classes have their shares."""
    if now.task != "regression":
        return []
    new, before = _summary_of(now), _summary_of(old)
    return [
        (
            f"{label} of {code(now.target)}",
            number(new[name]),
            number(before[name]) if name in before else "",
            _same_or(change(new[name], before.get(name))),
        )
        for name, label in _OF_TARGET.items()
        if name in new
    ]


# The ends are left out: each is the value of a single row.
_OF_TARGET = {"mean": "Mean", "median": "Median", "std": "Standard deviation"}


def _same_or(changed: str) -> str:
    return "same" if changed == "no change" else changed


def _summary_of(content: PrepareContent | None) -> dict[str, float]:
    if content is None:
        return {}
    return {
        name: value
        for column in content.columns
        if column.name == content.target
        for name, value in column.summary.items()
        if isinstance(value, int | float)
    }


def _share(name: str, content: PrepareContent) -> float:
    total = sum(content.balance.values())
    return content.balance.get(name, 0) / total if total else 0.0


# --- columns ---------------------------------------------------------------------


def _column_changes(now: PrepareContent, old: PrepareContent | None) -> list[Row]:
    if old is None:
        return []
    new = {column.name: column for column in now.columns}
    before = {column.name: column for column in old.columns}
    return [
        (code(name), said)
        for name in dict.fromkeys((*new, *before))
        if (said := _difference(new.get(name), before.get(name), now.rows, old.rows))
    ]


def _difference(
    now: ColumnProfile | None, old: ColumnProfile | None, rows: int, old_rows: int
) -> str:
    if now is None:
        return "removed"
    missing = percent(now.missing, rows)
    if old is None:
        return f"added: {now.kind}, {missing} missing"
    said = [f"type {old.kind} → {now.kind}"] if now.kind != old.kind else []
    before = percent(old.missing, old_rows)
    said += [f"missing {before} → {missing}"] if missing != before else []
    return "; ".join(said)


def _columns(changes: list[Row]) -> str:
    if not changes:
        return ""
    more = len(changes) - _COLUMNS
    end = f"\n\n{plural(more, 'more column')} changed." if more > 0 else ""
    return table(("Column", "Change"), changes[:_COLUMNS], numeric=()) + end


# --- training --------------------------------------------------------------------


def _training(plan: Plan) -> str:
    now, before = plan.evidence.train, plan.baseline_evidence.train
    if now is None:
        return "There is no evidence of the stage train."
    file = f" ({code(now.content.file)})" if now.content.file else ""
    said = f"{code(now.content.estimator)}{file} on {plural(len(now.content.features), 'column')}."
    if before is None:
        return said
    found = settings_changed(now.content, before.content)
    if not found:
        return f"{said} The settings of the training are the baseline's."
    rows = [(code(name), code(old), code(new)) for name, old, new in found[:_SETTINGS]]
    read = _read(now.content, before.content)
    return f"{said}{read}\n\n" + table(("Setting", "Baseline", "Now"), rows, numeric=())


def _read(now: TrainContent, before: TrainContent) -> str:
    more, less = only_in(now.features, before.features), only_in(before.features, now.features)
    added = f" New: {listing(more, _CLASSES)}." if more else ""
    return added + (f" No longer read: {listing(less, _CLASSES)}." if less else "")
