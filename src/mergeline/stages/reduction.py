"""What training under a constraint would cost: tried on some of the training rows.

The budget is one of rows and rounds, which no clock decides, so that equal inputs give equal
numbers. The model that comes out is held against the same estimator trained without the
constraint on the same rows: what is told apart is the price of the constraint, not that of
fewer rows. Both are measured on all held-out rows of judged groups, as `fairness.mitigation`
would be: by its scores at the threshold.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Mitigation, Settings
from mergeline.core import layout
from mergeline.core.digest import sha256
from mergeline.core.evidence import FairnessBy, Remedy
from mergeline.core.labels import label_text
from mergeline.core.task import GAPS, Task
from mergeline.model.cast import cast_features
from mergeline.model.pipeline import build_pipeline
from mergeline.model.predictions import Predictions
from mergeline.model.table import feature_columns, label_texts, outcomes
from mergeline.stages.base import read_prepared
from mergeline.stages.mitigation import fit_mitigated, pool_groups, takes_weights
from mergeline.stages.remedies import CONSTRAINTS, known_pairs
from mergeline.stats.causes import SMALLEST_GAP, worst_gap
from mergeline.stats.gaps import gap_values, judged_groups
from mergeline.stats.groups import sensitive_groups
from mergeline.stats.sums import Measures, group_rows

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_MOST_ROWS = 1_000
_ROUNDS = 6
_BOUND = 0.02
_NEAR_0 = 1e-3
# Of more, weighted boosted trees of scikit-learn sort the rows for each bound of each bin, in
# every round: three quarters of the whole search.
_MOST_VALUES = 255
# A group of which there are fewer rows among those that are trained on is pooled.
_FEWEST_OF_GROUP = 30
# Each group is a constraint more.
_MOST_GROUPS = 12

_LOSS_GAP = "mean_absolute_error_difference"


def why_no_reduction(found: FairnessBy, settings: Settings) -> str:
    """Say why no reduction is tried; empty where one is."""
    name = worst_gap(found.gaps)
    if len(found.columns) > 1 or name is None:
        return ""
    if settings.data.task == "multiclass":
        return (
            "Nothing was tried that would close a gap: fairlearn's postprocessing and reductions "
            "are for two classes and for numbers."
        )
    judged = sum(group.judged for group in found.groups)
    if judged > _MOST_GROUPS:
        return f"No reduction was tried: {judged} groups, {_MOST_GROUPS} at most."
    if settings.model.onnx:
        return "No reduction was tried: the model was trained elsewhere."
    if settings.fairness.mitigation is not None:
        return "No reduction was tried: the model is trained under one already."
    return ""


def find_reduction(
    root: Path,
    settings: Settings,
    found: FairnessBy,
    labels: "Array",
    held: Predictions,
    frame: "pd.DataFrame",
) -> tuple[Remedy | None, str]:
    """Return what a reduction makes of the largest gap, or why there is none.

    Args:
        root: Holds the training table, which is read where there is a gap worth it.
        settings: Estimator, threshold and groups.
        found: The gaps by one column.
        labels: The group of each held-out row, shape (n,).
        held: The held-out rows.
        frame: The columns of the held-out rows.
    """
    gap = _aim(found, held)
    if gap is None:
        return None, ""
    column = found.columns[0]
    train = read_prepared(root, layout.TRAIN_TABLE)
    sample = _sample(train)
    mitigation = Mitigation(constraint="demographic_parity", by=column, rounds=_ROUNDS)
    try:
        trained = _trained(gap, column, sample, mitigation, settings)
        if trained is None:
            return None, "No reduction was tried: the estimator takes no weights of rows."
        plain, fair, bound = trained
        features = feature_columns(sample, settings.data)
        rows = cast_features(frame, features)
        before, after = (_said(pipeline, rows, held) for pipeline in (plain, fair))
    except Exception as error:  # noqa: BLE001 -- an estimator raises whatever it likes
        # Its words could hold a value of a single row.
        return None, f"No reduction could be trained on {len(sample):,} rows: {_kind(error)}."
    sides = [_judge(side, labels, settings.fairness.min_group) for side in (before, after)]
    (gaps_before, cost_before, n), (gaps_after, cost_after, _) = sides
    number = held.task == "regression"
    names, both = [name for name in gaps_before if name != gap], (gaps_before, gaps_after)
    remedy = Remedy(
        gap=gap,
        method="reduction",
        setting=f"trained under a constraint (ExponentiatedGradient, {bound}) on {len(sample):,} "
        f"of {len(train):,} training rows, {_ROUNDS} rounds",
        gap_before=gaps_before[gap],
        gap_after=gaps_after[gap],
        accuracy_before=None if number else cost_before,
        accuracy_after=None if number else cost_after,
        error_before=cost_before if number else None,
        error_after=cost_after if number else None,
        others=known_pairs(names, *([found[name] for name in names] for found in both)),
        n=n,
    )
    return remedy, ""


def _kind(error: BaseException) -> str:
    return type(error.__cause__ or error).__name__


def aimed_gap(found: FairnessBy, task: Task) -> str | None:
    """Return the gap that a reduction closes; None where none has a value."""
    if task != "regression":
        return worst_gap(found.gaps)
    return None if found.gaps[_LOSS_GAP].difference.value is None else _LOSS_GAP


def _aim(found: FairnessBy, held: Predictions) -> str | None:
    """Return the gap to close; None where there is none worth it."""
    name = aimed_gap(found, held.task)
    value = found.gaps[name].difference.value if name else None
    smallest = SMALLEST_GAP * (float(held.actual.std()) if held.task == "regression" else 1.0)
    return name if value is not None and value > smallest else None


def _sample(train: "pd.DataFrame") -> "pd.DataFrame":
    """Return some of the training rows, drawn by a hash of their keys."""
    import numpy as np

    hashes = np.array([sha256(f"reduction {key}".encode()) for key in train[layout.KEY]])
    return train.iloc[np.sort(np.argsort(hashes, kind="stable")[:_MOST_ROWS])]


def _coarse(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Return rows whose numbers have few different values: each the nearest kept one below."""
    import numpy as np

    def few(column: "pd.Series[Any]") -> "pd.Series[Any]":
        values = np.unique(column.dropna())
        if column.dtype == object or len(values) <= _MOST_VALUES:
            return column
        kept = values[np.linspace(0, len(values) - 1, _MOST_VALUES).astype(int)]
        return column.where(column.isna(), kept[np.searchsorted(kept, column, side="right") - 1])

    return rows.apply(few)


def _trained(
    gap: str, column: str, sample: "pd.DataFrame", base: Mitigation, settings: Settings
) -> tuple[Any, Any, str] | None:
    """Return a pipeline trained without and one trained with the constraint, and its words.

    None where the estimator takes no weights of rows.
    """
    import numpy as np

    data, model = settings.data, settings.model
    features = feature_columns(sample, data)
    classes: tuple[str, ...] = ()
    if data.task == "binary":
        positive = label_text(data.positive)
        texts = sorted(set(label_texts(sample[data.target]).tolist()) - {positive})
        classes = (*texts, positive)
    actual = outcomes(sample, data, classes)
    actual = actual.astype("int64" if data.task == "binary" else "float64")
    rows = _coarse(cast_features(sample, features))
    ((_, groups),) = sensitive_groups(sample, [column], settings.fairness.bins)
    plain = build_pipeline(model, features, classes, data.task)
    if not takes_weights(plain):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain.fit(rows, actual)
    if data.task == "regression":
        error = np.abs(plain.predict(rows) - actual).mean() / (actual.max() - actual.min())
        bound = float(f"{max(error, 1e-6):.3g}")
        update: dict[str, Any] = {"constraint": "bounded_group_loss", "bound": bound}
        words = f"no group's mean absolute error beyond {bound:g} of the outcome's range"
    else:
        # At 0 or 1 all rows are decided alike, and no gap comes here.
        update = {
            "constraint": CONSTRAINTS[gap],
            "bound": _BOUND,
            "threshold": min(max(settings.evaluate.threshold, _NEAR_0), 1 - _NEAR_0),
        }
        words = f"{CONSTRAINTS[gap].replace('_', ' ')} up to {_BOUND:g}"
    fair = fit_mitigated(
        build_pipeline(model, features, classes, data.task),
        rows,
        actual,
        pool_groups(groups, _FEWEST_OF_GROUP),
        base.model_copy(update=update),
        model=model,
        min_group=_FEWEST_OF_GROUP,
    )
    return plain, fair, words


def _said(pipeline: Any, rows: "pd.DataFrame", held: Predictions) -> Predictions:
    number = held.task == "regression"
    score = pipeline.predict(rows) if number else pipeline.predict_proba(rows)[:, 1]
    return Predictions(held.task, held.actual, score, held.threshold)


def _judge(
    said: Predictions, labels: "Array", min_group: int
) -> tuple[dict[str, float], float, int]:
    """Return the gaps, the accuracy or mean absolute error, and the rows."""
    import numpy as np

    names = judged_groups(labels, min_group)
    known = np.isin(labels, np.array(names, dtype=str))
    measures = Measures(said.task)
    actual, predicted = said.actual[known], said.predicted[known]
    (sums,) = group_rows(measures, names, labels[known], actual, [predicted]).whole()
    values = gap_values(measures.values(sums), measures, GAPS[said.task])
    found = {name: float(value) for name, value in values.items()}
    place = 3 if said.task == "regression" else 1
    return found, float(sums[:, place].sum() / sums[:, 0].sum()), int(known.sum())
