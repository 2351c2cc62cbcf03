"""What differs from the baseline, in plain sentences. A renderer escapes the names in them."""

from collections.abc import Iterable

from mergeline.core.evidence import ColumnProfile, Feature, PrepareContent, TrainContent
from mergeline.core.plan import Plan
from mergeline.core.verdict import Paired
from mergeline.report.markdown import plain
from mergeline.report.numbers import estimate, joined, plural

_NAMED, _NAME = 3, 40  # names in a sentence, characters of a name; at most
_Named = ColumnProfile | Feature
COMPARED = {"better": "better", "worse": "worse", "cannot_tell": "cannot tell"}


def primary_pair(plan: Plan) -> Paired | None:
    """Return the paired comparison of the primary metric, where there is one."""
    if plan.evidence.evaluate is None or plan.comparison is None:
        return None
    paired = plan.comparison.metrics.get(plan.evidence.evaluate.content.primary)
    return paired if paired is not None and paired.delta.value is not None else None


def same_model(plan: Plan) -> bool:
    """Whether the model is the baseline's, byte for byte."""
    now, before = plan.evidence.train, plan.baseline_evidence.train
    if now is None or before is None:
        return False
    return now.content.model_sha256 == before.content.model_sha256


def is_same(plan: Plan, paired: Paired) -> bool:
    """Whether a pair compares a model with itself: then "cannot tell" would mislead."""
    return same_model(plan) and paired.delta.value == 0


def compared(plan: Plan) -> tuple[str, str]:
    """Say how the model compares with the baseline's: in a few words, and on what."""
    if plan.evidence.evaluate is None:
        return "Not measured.", "There is no evidence of the stage evaluate."
    content = plan.evidence.evaluate.content
    paired = primary_pair(plan)
    if paired is None:
        alone = content.metrics.get(content.primary)
        value = "was not measured" if alone is None else f"is {estimate(alone)}"
        said = f"{content.primary} {value} on {content.n:,} held-out rows."
        return said, _no_pair(plan)
    how = "" if plan.comparison is None else f" (paired bootstrap by {plan.comparison.unit})"
    rows = f"{paired.delta.n:,} held-out rows that neither model was trained on{how}"
    if is_same(plan, paired):
        return "The same model as the baseline's, byte for byte.", f"Scored on {rows}."
    if paired.outcome != "cannot_tell":
        return f"{paired.outcome.capitalize()} than the baseline.", f"Measured on {rows}."
    enough = paired.rows_to_decide
    decide = "" if enough is None else f" About {enough:,} common rows would decide."
    said = "Cannot tell whether it is better or worse than the baseline."
    return said, f"Measured on {rows}.{decide}"


def _no_pair(plan: Plan) -> str:
    baseline = plan.baseline
    match baseline.status:
        case "none":
            return f"There is no baseline to compare with. {baseline.reason}".strip()
        case "not_available":
            return f"The baseline is not available. {baseline.reason}".strip()
        case "unreadable":
            return f"The base cannot be read. {baseline.reason}".strip()
        case "available":
            return f"It was not compared with the baseline. {_why_not(plan)}".strip()


def _why_not(plan: Plan) -> str:
    if plan.comparison is None or plan.evidence.evaluate is None:
        return ""
    paired = plan.comparison.metrics.get(plan.evidence.evaluate.content.primary)
    return plan.comparison.reason or (paired.delta.reason if paired is not None else "")


# --- what changed ----------------------------------------------------------------


def changes(plan: Plan) -> tuple[str, ...]:
    """Say what differs from the baseline in data and model, a few words each."""
    return (*_data_changes(plan), *_model_changes(plan))


def _data_changes(plan: Plan) -> list[str]:
    now, before = plan.evidence.prepare, plan.baseline_evidence.prepare
    if now is None or before is None:
        return []
    rewritten = writing_changed(now.content, before.content)
    if now.content.sha256 == before.content.sha256:
        return ["the data is the same file", *rewritten]
    rows = f"{before.content.rows:,} rows before, {now.content.rows:,} now"
    said = [f"the data is another file ({rows})", *_rows_moved(plan)]
    return [*said, *_columns_moved(now.content, before.content), *_drifted(plan), *rewritten]


def _rows_moved(plan: Plan) -> list[str]:
    moved = plan.comparison.rows if plan.comparison is not None else None
    if moved is None or moved.added == moved.removed == 0:
        return []
    return [f"{plural(moved.added, 'row')} added and {moved.removed:,} removed"]


def _columns_moved(now: PrepareContent, before: PrepareContent) -> list[str]:
    found = (
        ("added", only_in(now.columns, before.columns)),
        ("removed", only_in(before.columns, now.columns)),
    )
    return [f"{_listed(names)} {did}" for did, names in found if names]


def only_in(here: Iterable[_Named], there: Iterable[_Named]) -> list[str]:
    """Return the names of columns that only the first of two tables has, in its order."""
    known = {each.name for each in there}
    return [each.name for each in here if each.name not in known]


def _listed(names: list[str]) -> str:
    more = [f"{len(names) - _NAMED:,} more"] if len(names) > _NAMED else []
    word = "column" if len(names) == 1 else "columns"
    return f"{word} {joined([*(plain(name, _NAME) for name in names[:_NAMED]), *more])}"


def _drifted(plan: Plan) -> list[str]:
    drift = plan.comparison.drift if plan.comparison is not None else {}
    moved = [name for name, item in drift.items() if item.distance > item.noise]
    if not moved:
        return []
    most = max(moved, key=lambda name: drift[name].distance)
    if len(moved) == 1:
        return [f"{plain(most, _NAME)} drifted"]
    return [f"{len(moved)} columns drifted, most {plain(most, _NAME)}"]


def writing_changed(now: PrepareContent, before: PrepareContent) -> list[str]:
    """Say how a text file is written otherwise than the baseline's, a few words each."""
    if now.writing is None or before.writing is None:
        return []
    old, new = before.writing.as_json(), now.writing.as_json()
    return [
        f"{name} {sign(old[name])} → {sign(new[name])}" for name in new if old[name] != new[name]
    ]


def sign(value: str | None) -> str:
    """Return a part of how a text is written, so that a reader sees it."""
    return {None: "none", "\t": "tab", " ": "space"}.get(value, str(value).removesuffix("-sig"))


def _model_changes(plan: Plan) -> list[str]:
    now, before = plan.evidence.train, plan.baseline_evidence.train
    if now is None or before is None:
        return []
    if same_model(plan):
        return ["the model is the same, byte for byte"]
    changed = settings_changed(now.content, before.content)
    said = [f"{name} {old} → {new}" for name, old, new in changed]
    return said or ["the model has the same settings and other bytes"]


def settings_changed(now: TrainContent, before: TrainContent) -> list[tuple[str, str, str]]:
    """Return name, before and now of each setting of the training that differs."""
    old, new = _settings(before), _settings(now)
    return [
        (key[1], old.get(key, "not set"), new.get(key, "not set"))
        for key in dict.fromkeys((*new, *old))
        if old.get(key) != new.get(key)
    ]


def _settings(content: TrainContent) -> dict[tuple[str, str], str]:
    ours: dict[str, object] = {
        "estimator": content.estimator,
        "class_weight": content.class_weight,
        "seed": content.seed,
        "columns read": len(content.features),
    }
    if content.file:
        ours["file"] = content.file
    return {
        **{("ours", name): str(value) for name, value in ours.items()},
        **{("params", name): str(value) for name, value in content.params.items()},
    }
