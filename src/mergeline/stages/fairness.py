"""fairness: rates by group on the held-out rows, gaps, where they come from and what they cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.evidence import FairnessBy, FairnessContent, Gap, Group, GroupThreshold, Remedy
from mergeline.core.task import RATES
from mergeline.errors import ContractError
from mergeline.model.predictions import Predictions, from_table
from mergeline.model.table import label_texts, require_columns
from mergeline.stages.base import Clock, Result, read_prepared
from mergeline.stages.by_group import Asked, measure_groups
from mergeline.stages.group_thresholds import group_thresholds
from mergeline.stages.plots import plot_csv
from mergeline.stages.reduction import aimed_gap, find_reduction, why_no_reduction
from mergeline.stages.remedies import Held, find_remedies
from mergeline.stats.causes import find_cause
from mergeline.stats.gaps import judged_groups, measure_gaps
from mergeline.stats.groups import column_sets, sensitive_groups
from mergeline.stats.units import unit_numbers

if TYPE_CHECKING:
    import pandas as pd

GROUPS = "groups.csv"
# The rates that the gaps are differences of: shown whatever the settings name.
_NEEDED = {
    "binary": ("selection_rate", "true_positive_rate", "false_positive_rate"),
    "multiclass": ("accuracy", "selection_rate", "true_positive_rate", "false_positive_rate"),
    "regression": RATES["regression"],
}


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Measure rates and gaps by every sensitive column and intersection.

    Raises:
        ContractError: A table or a sensitive column is missing, or the tables do not
            belong together.
    """
    with clock.part("read"):
        frame = read_prepared(root, layout.TEST_TABLE)
        held = _held_out(root, frame, settings)
    columns = settings.data.sensitive
    require_columns(frame, dict.fromkeys(columns, "data.sensitive"), layout.TEST_TABLE)
    found = []
    names = sensitive_groups(frame, columns, settings.fairness.bins)
    for chosen, (by, labels) in zip(column_sets(columns), names, strict=True):
        found.append(_measured(held, chosen, by, labels, frame, settings, clock))
    with clock.part("reduction"):
        found = _with_reduction(found, dict(names), held, frame, root, settings)
    content = FairnessContent(
        task=settings.data.task,
        n=len(frame),
        threshold=settings.threshold,
        min_group=settings.fairness.min_group,
        metrics=_metrics(settings),
        by=tuple(found),
        bootstrap=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )
    return Result(content, files={f"{layout.PLOTS}/{GROUPS}": _plot(content)})


def _plot(content: FairnessContent) -> bytes:
    """Return what was measured of each judged group of a column, without single classes."""
    groups = [
        (item.by, group)
        for item in content.by
        for group in item.groups
        if len(item.columns) == 1 and group.judged
    ]
    names = [name for name in content.metrics if any(name in group.metrics for _, group in groups)]
    rows = (
        [f"{by}: {group.name}", group.n, *(group.metrics[name].value for name in names)]
        for by, group in groups
    )
    return plot_csv(("group", "n", *names), rows)


def _held_out(root: Path, frame: "pd.DataFrame", settings: Settings) -> Predictions:
    predictions = read_prepared(root, layout.PREDICTIONS)
    if not frame[layout.KEY].equals(predictions["key"].rename(layout.KEY)):
        raise ContractError(
            f"{layout.PREDICTIONS} ({len(predictions)} rows) is not of the rows of "
            f"{layout.TEST_TABLE} ({len(frame)} rows)",
            hint="run the stages in order: mergeline check",
        )
    classes: list[str] = []
    if settings.data.task == "multiclass":
        target = read_prepared(root, layout.TRAIN_TABLE)[settings.data.target]
        classes = sorted(set(label_texts(target).tolist()))
    return from_table(predictions, settings.data.task, settings.threshold, classes)


def _metrics(settings: Settings) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*settings.rate_names, *_NEEDED[settings.data.task])))


def _measured(
    held: Predictions,
    chosen: tuple[str, ...],
    by: str,
    labels: Any,
    frame: "pd.DataFrame",
    settings: Settings,
    clock: Clock,
) -> FairnessBy:
    min_group, units = settings.fairness.min_group, unit_numbers(frame[layout.KEY])
    replicates, seed = settings.evaluate.bootstrap, settings.model.seed
    judged = frozenset(judged_groups(labels, min_group))
    with clock.part("groups"):
        asked = Asked(_metrics(settings), judged, units, replicates, seed)
        groups = measure_groups(held, labels, asked)
    rows = (held.actual, held.predicted, labels)
    kind: Any = {"task": held.task, "classes": held.classes, "min_group": min_group}
    with clock.part("bootstrap"):
        gaps = measure_gaps(*rows, **kind, units=units, replicates=replicates, seed=seed)
        cause = find_cause(gaps, *rows, **kind)
    remedies: tuple[Remedy, ...] = ()
    thresholds: tuple[GroupThreshold, ...] = ()
    if len(chosen) == 1 and held.threshold is not None:
        with clock.part("thresholds"):
            thresholds = group_thresholds(held, labels, judged, _metrics(settings))
        with clock.part("remedies"):
            some = Held(tuple(frame[layout.KEY]), held.actual, held.score, held.threshold)
            remedies = find_remedies(some, labels, gaps, min_group)
    return FairnessBy(
        by=by,
        columns=chosen,
        groups=groups,
        gaps=gaps,
        remedies=remedies,
        cause=cause,
        thresholds=thresholds,
        reason=_reason(gaps, groups),
    )


def _reason(gaps: dict[str, Gap], groups: tuple[Group, ...]) -> str:
    """Say why nothing could be judged; empty when something could."""
    if sum(group.judged for group in groups) > 1:
        return ""
    return next(iter(gaps.values())).difference.reason


def _with_reduction(
    found: list[FairnessBy],
    labels: dict[str, Any],
    held: Predictions,
    frame: "pd.DataFrame",
    root: Path,
    settings: Settings,
) -> list[FairnessBy]:
    """Add what a reduction would cost to the column with the largest gap, and say where not.

    A reduction trains the model several times: one such search is what a stage affords.
    """
    reasons = {each.by: why_no_reduction(each, settings) for each in found}
    gaps = {
        each.by: each.gaps[name].difference.value or 0.0
        for each in found
        if len(each.columns) == 1 and not reasons[each.by] and (name := aimed_gap(each, held.task))
    }
    worst = max(gaps, key=lambda by: gaps[by], default=None)
    added = []
    for each in found:
        if each.by not in gaps:
            added.append(each.model_copy(update={"left_out": reasons[each.by]}))
        elif each.by != worst:
            why = f"No reduction was tried by {each.by}: only for the column of the largest gap."
            added.append(each.model_copy(update={"left_out": why}))
        else:
            remedy, why = find_reduction(root, settings, each, labels[each.by], held, frame)
            remedies = (*each.remedies, remedy) if remedy else each.remedies
            added.append(each.model_copy(update={"remedies": remedies, "left_out": why}))
    return added
