"""The baseline's model beside the candidate's, on held-out rows that neither was trained on."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.check.baseline import TRAIN_KEYS
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.evidence import EvidenceSet, PrepareContent
from mergeline.core.verdict import Comparison, Paired
from mergeline.errors import ContractError, ModelError
from mergeline.model.predictions import Predictions, from_table
from mergeline.model.score import load_scorer
from mergeline.stats.gap_changes import paired_gaps_of
from mergeline.stats.groups import sensitive_groups
from mergeline.stats.paired import paired
from mergeline.stats.practical import pair_in_practice
from mergeline.stats.units import FEWEST_UNITS, unit_numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Labels = np.ndarray[Any, np.dtype[np.str_]]
    Units = np.ndarray[Any, np.dtype[np.int64]]

# Below this a paired interval says nothing that a reviewer could use.
_FEWEST_ROWS = 100


@dataclass(frozen=True)
class BaselineModel:
    """What comparing needs of the baseline.

    Attributes:
        folder: Holds the model directory and the keys of its training rows.
        settings: Of the base: threshold and trusted types.
        evidence: Of the base.
    """

    folder: Path
    settings: Settings
    evidence: EvidenceSet


def compare(
    root: Path, settings: Settings, evidence: EvidenceSet, baseline: BaselineModel
) -> Comparison:
    """Score the baseline's model on the candidate's rows and compare the two in pairs.

    Args:
        root: The candidate's project, its stages up to date.
        settings: Of the candidate.
        evidence: Of the candidate.
        baseline: Model, settings and evidence of the base.
    """
    import pandas as pd

    if evidence.prepare is None or evidence.train is None or baseline.evidence.prepare is None:
        return _nothing("The evidence of one side is not complete.")
    unit = _unit(settings)
    reason = _not_matched(baseline.evidence.prepare.content, evidence.prepare.content)
    if reason:
        return _nothing(reason)
    keyed = pd.read_parquet(root / layout.PREDICTIONS)
    seen = pd.read_parquet(baseline.folder / TRAIN_KEYS)[layout.KEY]
    common = (~keyed["key"].isin(set(seen))).to_numpy()
    classes = evidence.train.content.classes if settings.data.task == "multiclass" else ()
    after = from_table(keyed[common], settings.data.task, settings.threshold, classes)
    table = pd.read_parquet(root / layout.TEST_TABLE)
    units = unit_numbers(table.loc[common, layout.KEY])
    reason = _too_few(after) or _too_few_units(units)
    if reason:
        return Comparison(n=len(after), unit=unit, status="too_few", reason=reason)
    try:
        before = _baseline_predictions(root, table[common], after, evidence, baseline)
    except (ContractError, ModelError) as error:
        return _nothing(f"The baseline's model cannot score these rows: {error.message}.")
    # Groups as the evidence has them: quartiles are those of all held-out rows.
    named = sensitive_groups(table, settings.data.sensitive, settings.fairness.bins)
    groups = {by: labels[common] for by, labels in named}
    return _compare_predictions(settings, before, after, groups, units)


def _nothing(reason: str) -> Comparison:
    return Comparison(n=0, unit="row", status="impossible", reason=reason)


def _unit(settings: Settings) -> Any:
    return "group" if settings.data.group else "id" if settings.data.id else "row"


def _too_few(rows: Predictions) -> str:
    """Say why rows are too few to compare two models on; empty when they are not."""
    n, alike = len(rows), bool((rows.actual == rows.actual[:1]).all())
    if n >= _FEWEST_ROWS and not alike:
        return ""
    hits = f", {int(rows.actual.sum())} of them positive," if rows.task == "binary" else ""
    if n < _FEWEST_ROWS or hits:
        return f"Cannot tell: only {n} held-out rows{hits} are new to both models."
    return f"Cannot tell: all {n} held-out rows that are new to both models are alike."


def _too_few_units(units: "Units | None") -> str:
    """Say why what rows share is too little to compare two models on; empty when it is not."""
    count = FEWEST_UNITS if units is None else int(units.max()) + 1
    if count >= FEWEST_UNITS:
        return ""
    return f"Cannot tell: only {count} different ids or groups of held-out rows are new to both."


def _not_matched(before: PrepareContent, after: PrepareContent) -> str:
    """Say why rows of the two sides cannot be told to be the same; empty when they can."""
    if before.task != after.task:
        return f"Base and head predict unlike things: {before.task}, and {after.task}."
    if (before.split.key, before.target, before.positive) != (
        after.split.key,
        after.target,
        after.positive,
    ):
        return (
            "Rows of base and head cannot be matched: data.id, data.group, data.target or "
            "data.positive changed."
        )
    if after.task == "multiclass" and before.balance.keys() != after.balance.keys():
        return "Base and head tell other classes apart: the target has gained or lost one."
    columns = [tuple(sorted(c.name for c in side.columns)) for side in (before, after)]
    if after.split.key is None and columns[0] != columns[1]:
        return (
            "Rows of base and head cannot be matched: columns changed, and without data.id a row "
            "is known by its values."
        )
    return ""


def _baseline_predictions(
    root: Path,
    table: "pd.DataFrame",
    after: Predictions,
    evidence: EvidenceSet,
    baseline: BaselineModel,
) -> Predictions:
    """Return what the baseline's model says of the same rows, at its own threshold."""
    before, now = baseline.evidence.train, evidence.train
    score = after.score
    if not (before and now and before.content.model_sha256 == now.content.model_sha256):
        # A project's own factory lies in the project, not in the environment.
        sys.path.insert(0, str(root))
        trusted = baseline.settings.model.trusted_types
        score = load_scorer(baseline.folder / layout.MODEL, trusted=trusted).score(table)
    return replace(after, score=score, threshold=baseline.settings.threshold)


def _compare_predictions(
    settings: Settings,
    before: Predictions,
    after: Predictions,
    groups: "Mapping[str, Labels]",
    units: "Units | None",
) -> Comparison:
    n = len(after)
    how: Any = {
        "units": units,
        "replicates": settings.evaluate.bootstrap,
        "seed": settings.model.seed,
    }
    metrics, practical = pair_in_practice(settings.metric_names, before, after, **how)
    fairness: dict[str, dict[str, Paired]] = {}
    for by, labels in groups.items():
        gaps = paired_gaps_of(before, after, labels, min_group=settings.fairness.min_group, **how)
        fairness[by] = {
            name: paired(gap.before, gap.after, gap.ends, n=n, higher_is_better=False)
            for name, gap in gaps.items()
        }
    return Comparison(
        n=n, unit=_unit(settings), metrics=metrics, fairness=fairness, practical=practical
    )
