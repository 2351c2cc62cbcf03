"""Of a model card: the rows that it was trained and judged on, and the groups among them."""

from mergeline.core.evidence import PrepareContent
from mergeline.core.plan import Plan
from mergeline.report.markdown import code, listing, table
from mergeline.report.numbers import percent, plural
from mergeline.report.sections.changes import changed

_COLUMNS, _GROUPS, _BY, _CLASSES = 60, 20, 12, 20
_NONE = "There is no evidence of the stage prepare."


# --- factors -------------------------------------------------------------------------


def factors(plan: Plan) -> str:
    """Return by what groups and conditions the model was looked at."""
    gaps, evaluate = plan.evidence.fairness, plan.evidence.evaluate
    by = gaps.content.by if gaps is not None else ()
    rows = [
        (
            " and ".join(code(name) for name in each.columns),
            "sensitive" if len(each.columns) == 1 else "sensitive, together",
            listing([group.name for group in each.groups], _GROUPS),
        )
        for each in by[:_BY]
    ]
    sliced: dict[str, list[str]] = {}
    for one in evaluate.content.slices if evaluate is not None else ():
        sliced.setdefault(one.column, []).append(one.value)
    rows += [
        (code(column), "slice", listing(values, _GROUPS))
        for column, values in list(sliced.items())[:_BY]
    ]
    if not rows:
        return (
            "It was looked at as a whole only: the settings name no sensitive column "
            "(`data.sensitive`) and no slice (`evaluate.slices`)."
        )
    more = max(len(by) - _BY, 0) + max(len(sliced) - _BY, 0)
    rest = f"\n\n{plural(more, 'more factor')} in the evidence." if more else ""
    return table(("Factor", "As", "Groups"), rows, numeric=()) + rest


# --- held-out rows -------------------------------------------------------------------

_SPLIT = {
    "id": "by {by}: a row never changes side as the data grows",
    "group": "by {by}: rows of the same one stay on one side",
    "time": "by time, {by}: the latest rows are held out",
    "row": "by the rows' own values",
}


def evaluation_data(plan: Plan) -> str:
    """Return which rows were held out, and how."""
    prepare, evaluate = plan.evidence.prepare, plan.evidence.evaluate
    if prepare is None:
        return _NONE
    data = prepare.content
    how = _SPLIT[data.split.method].format(by=code(data.split.by or ""))
    parts = [
        f"{plural(data.split.test_rows, 'row')} of {code(data.source, 160)}, held out {how}. "
        "The model was not trained on them."
    ]
    if evaluate is not None and evaluate.content.positives is not None:
        share = percent(evaluate.content.positives, evaluate.content.n)
        parts.append(f"{evaluate.content.positives:,} of them are positive ({share}).")
    parts.append(f"Digest of the held-out rows' keys: {code(data.held_out_sha256, 72)}.")
    return " ".join(parts)


# --- training rows -------------------------------------------------------------------


def training_data(plan: Plan) -> str:
    """Return what the model was trained on, its columns, and how that changed."""
    prepare = plan.evidence.prepare
    if prepare is None:
        return _NONE
    data = prepare.content
    contract = f" Held against {code(data.contract, 160)}." if data.contract else ""
    lead = (
        f"{plural(data.split.train_rows, 'row')} of the {data.rows:,} of {code(data.source, 160)}, "
        f"digest {code(data.sha256, 72)}.{contract}{_balance(data)}"
    )
    parts = (lead, _columns(plan, data), changed(plan).body)
    return "\n\n".join(part for part in parts if part)


def _balance(data: PrepareContent) -> str:
    if not data.balance:
        return ""
    shares = [
        f"{code(name)} {percent(count, data.rows)}"
        for name, count in list(data.balance.items())[:_CLASSES]
    ]
    more = f" and {len(data.balance) - _CLASSES:,} more" if len(data.balance) > _CLASSES else ""
    return f" Classes of {code(data.target)}: {', '.join(shares)}{more}."


def _columns(plan: Plan, data: PrepareContent) -> str:
    """Return what the model reads, and what the table has besides."""
    train = plan.evidence.train
    if train is None:
        return ""
    profiles = {column.name: column for column in data.columns}
    features = train.content.features
    rows = [
        (
            code(feature.name),
            feature.kind,
            percent(profiles[feature.name].missing, data.rows) if feature.name in profiles else "",
        )
        for feature in features[:_COLUMNS]
    ]
    read = {feature.name for feature in features} | {data.target}
    rest = [name for name in profiles if name not in read]
    parts = [f"The model reads {plural(len(features), 'column')}:"]
    parts += [table(("Column", "Kind", "Missing"), rows, numeric=(2,))] if rows else []
    if len(features) > len(rows):
        parts.append(f"{plural(len(features) - len(rows), 'more column')} in the evidence.")
    if rest:
        parts.append(f"In the table and not read: {listing(rest, _COLUMNS)}.")
    return "\n\n".join(parts)
