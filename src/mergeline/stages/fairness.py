"""fairness: rates by group on the held-out rows, gaps between groups, and what would close them."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.base import Estimate
from mergeline.core.evidence import FEWEST_TOLD, FairnessBy, FairnessContent, Gap, Group, Remedy
from mergeline.errors import ContractError
from mergeline.model.table import require_columns
from mergeline.stages.base import Clock, Result, read_prepared
from mergeline.stages.remedies import Held, find_remedies
from mergeline.stats.bootstrap import wilson
from mergeline.stats.gaps import judged_groups, measure_gaps
from mergeline.stats.groups import column_sets, sensitive_groups
from mergeline.stats.units import unit_numbers

if TYPE_CHECKING:
    import pandas as pd

# The rates that the gaps are differences of: shown whatever the settings name.
_NEEDED = ("selection_rate", "true_positive_rate", "false_positive_rate")
# What each rate is a share of: the rows of a group where this holds.
_SHARE_OF = {
    "selection_rate": "row",
    "accuracy": "row",
    "true_positive_rate": "positive row",
    "false_negative_rate": "positive row",
    "false_positive_rate": "negative row",
    "true_negative_rate": "negative row",
    "precision": "row predicted positive",
}


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Measure rates and gaps by every sensitive column and intersection.

    Raises:
        ContractError: A table or a sensitive column is missing, or the tables do not
            belong together.
    """
    with clock.part("read"):
        frame = read_prepared(root, layout.TEST_TABLE)
        held = _held_out(frame, read_prepared(root, layout.PREDICTIONS), settings)
    columns = settings.data.sensitive
    require_columns(frame, dict.fromkeys(columns, "data.sensitive"), layout.TEST_TABLE)
    found = []
    names = sensitive_groups(frame, columns, settings.fairness.bins)
    for chosen, (by, labels) in zip(column_sets(columns), names, strict=True):
        with clock.part("groups"):
            groups = _groups(held, labels, settings)
        with clock.part("bootstrap"):
            gaps = _gaps(held, labels, frame, settings)
        remedies: tuple[Remedy, ...] = ()
        if len(chosen) == 1:
            with clock.part("remedies"):
                remedies = find_remedies(held, labels, gaps, settings.fairness.min_group)
        found.append(
            FairnessBy(
                by=by,
                columns=chosen,
                groups=groups,
                gaps=gaps,
                remedies=remedies,
                reason=_reason(gaps, groups),
            )
        )
    content = FairnessContent(
        n=len(frame),
        threshold=settings.evaluate.threshold,
        min_group=settings.fairness.min_group,
        metrics=_metrics(settings),
        by=tuple(found),
        bootstrap=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )
    return Result(content)


def _held_out(frame: "pd.DataFrame", predictions: "pd.DataFrame", settings: Settings) -> Held:
    if not frame[layout.KEY].equals(predictions["key"].rename(layout.KEY)):
        raise ContractError(
            f"{layout.PREDICTIONS} ({len(predictions)} rows) is not of the rows of "
            f"{layout.TEST_TABLE} ({len(frame)} rows)",
            hint="run the stages in order: mergeline check",
        )
    return Held(
        keys=tuple(predictions["key"]),
        positive=predictions["positive"].to_numpy(),
        score=predictions["score"].to_numpy(),
        threshold=settings.evaluate.threshold,
    )


def _metrics(settings: Settings) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*settings.rate_names, *_NEEDED)))


def _gaps(held: Held, labels: Any, frame: "pd.DataFrame", settings: Settings) -> dict[str, Gap]:
    return measure_gaps(
        held.positive,
        held.predicted,
        labels,
        min_group=settings.fairness.min_group,
        units=unit_numbers(frame[layout.KEY]),
        replicates=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )


def _reason(gaps: dict[str, Gap], groups: tuple[Group, ...]) -> str:
    """Say why nothing could be judged; empty when something could."""
    if sum(group.judged for group in groups) > 1:
        return ""
    return next(iter(gaps.values())).difference.reason


_FEW = f"Fewer than {FEWEST_TOLD} rows would tell of single ones."


# --- rates by group --------------------------------------------------------------


def _groups(held: Held, labels: Any, settings: Settings) -> tuple[Group, ...]:
    """Return fairlearn's rates of every group, sorted by name, with Wilson intervals.

    The intervals take rows for independent of each other; those of the gaps do not.
    """
    import numpy as np

    names, codes = np.unique(labels, return_inverse=True)
    rates = _by_group(held, codes, _metrics(settings))
    judged = judged_groups(labels, settings.fairness.min_group)
    groups = []
    for number, name in enumerate(names):
        inside = codes == number
        whole = {
            "row": int(inside.sum()),
            "positive row": int((inside & held.positive).sum()),
            "negative row": int((inside & ~held.positive).sum()),
            "row predicted positive": int((inside & held.predicted).sum()),
        }
        told = str(name) in judged or whole["row"] >= FEWEST_TOLD
        metrics = {
            metric: _rate(str(name), metric, float(rates.loc[number, metric]), whole)
            if told
            else Estimate(value=None, n=whole["row"], reason=_FEW)
            for metric in _metrics(settings)
        }
        groups.append(
            Group(
                name=str(name),
                n=whole["row"],
                positives=whole["positive row"] if told else None,
                judged=str(name) in judged,
                metrics=metrics,
            )
        )
    return tuple(groups)


def _by_group(held: Held, codes: Any, names: tuple[str, ...]) -> "pd.DataFrame":
    """Return fairlearn's metrics by the number of the group.

    It gets one row a combination of group, actual and predicted, weighted by how many rows
    of the table there are: the same rates, without a copy of the table a metric and group.
    """
    import numpy as np
    from fairlearn import metrics as fairlearn
    from sklearn.metrics import accuracy_score, precision_score

    known = {"accuracy": accuracy_score, "precision": precision_score}
    cells, counts = np.unique(codes * 4 + held.positive * 2 + held.predicted, return_counts=True)
    with warnings.catch_warnings():
        # A rate of no rows: _rate says so, and gives no value.
        warnings.simplefilter("ignore")
        frame = fairlearn.MetricFrame(
            metrics={name: known.get(name) or getattr(fairlearn, name) for name in names},
            y_true=cells // 2 % 2,
            y_pred=cells % 2,
            sensitive_features=cells // 4,
            sample_params={name: {"sample_weight": counts} for name in names},
        )
        return frame.by_group


def _rate(group: str, metric: str, value: float, whole: dict[str, int]) -> Estimate:
    n = whole[_SHARE_OF[metric]]
    if n == 0:
        reason = f"{group} has no {_SHARE_OF[metric]}, so no {metric}."
        return Estimate(value=None, n=0, reason=reason)
    low, high = wilson(value * n, n)
    return Estimate(value=value, low=low, high=high, n=n)
