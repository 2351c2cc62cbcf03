"""Metrics of a model on rows, with intervals: the same for every task.

A weighting is one bootstrap replicate: how often each row was drawn. What a metric is, each
task says in its own module: `stats.binary`, `stats.multiclass`, `stats.regression`.
"""

from collections.abc import Iterable, Sequence
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any, Protocol

from mergeline.core.base import Estimate
from mergeline.core.task import Task
from mergeline.stats import binary, multiclass, regression
from mergeline.stats.bootstrap import bca_interval, jackknife_counts, resample_counts, wilson
from mergeline.stats.studentised import DOUBTED, SKEWED, STUDENTISED, LogErrors
from mergeline.stats.units import FEW_ROWS, FEWEST_UNITS, too_few_units

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Bools = np.ndarray[Any, np.dtype[np.bool_]]
    Units = np.ndarray[Any, np.dtype[np.int64]]

# Weights of rows held at once; of few units that many rows share they are more than the counts.
_CHUNK = 250_000


class Weighting(Protocol):
    """Rows under b weightings."""

    def value(self, metric: str) -> "Floats":
        """Return a metric under each weighting, shape (b,); NaN where it is undefined."""


class Rows(Protocol):
    """Outcomes of n rows and what a model says of them."""

    def __len__(self) -> int: ...

    def weigh(self, weights: "Floats") -> Weighting:
        """Return the rows under weightings, shape (b, n), in the order that rows were given."""

    def undefined(self, metric: str) -> str:
        """Say why a metric has no value on these rows."""

    def share(self, metric: str) -> "tuple[Bools, Bools] | None":
        """Return of which rows a metric is a share, and which rows count for it, shape (n,).

        None for one that is no share of rows which the outcome alone decides.
        """


class Scored(Protocol):
    """Rows with their outcome and what a model says of them, as `model.Predictions` has them."""

    @property
    def task(self) -> Task:
        """What is predicted."""

    @property
    def actual(self) -> "np.ndarray[Any, Any]":
        """What is true, shape (n,)."""

    @property
    def score(self) -> "Floats":
        """What the model says, shape (n,) or (n, classes)."""

    @property
    def threshold(self) -> float | None:
        """From which score on a row is predicted positive; binary only."""

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the probabilities; multiclass only."""


def rows_of(predictions: Scored) -> Rows:
    """Return predictions as the metrics of their task want them."""
    if predictions.task == "multiclass":
        return multiclass.Rows(predictions.actual, predictions.score, predictions.classes)
    if predictions.task == "regression":
        return regression.Rows(predictions.actual, predictions.score)
    return binary.Rows(predictions.actual, predictions.score, float(predictions.threshold or 0.0))


def point_values(names: Sequence[str], rows: Rows) -> dict[str, float]:
    """Return each metric on the rows as they are; NaN where it is undefined, or infinite."""
    import numpy as np

    once = rows.weigh(np.ones((1, len(rows))))
    found = {name: float(once.value(name)[0]) for name in names}
    return {name: value if isfinite(value) else nan for name, value in found.items()}


def replicate_metrics(
    names: Sequence[str],
    samples: Sequence[Rows],
    *,
    units: "Units | None",
    replicates: int,
    seed: int,
) -> "list[dict[str, Floats]]":
    """Return each metric of each sample under the same draws, shape (replicates,).

    Args:
        names: Of the metrics of the task.
        samples: The same rows, in the same order, with the scores of different models.
        units: As in `estimate_metrics`.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    counts = resample_counts(_units_of(samples, units), replicates, seed)
    return _under(names, samples, units, counts)


def _units_of(samples: Sequence[Rows], units: "Units | None") -> int:
    return len(samples[0]) if units is None else int(units.max()) + 1


def _under(
    names: Sequence[str],
    samples: Sequence[Rows],
    units: "Units | None",
    weightings: "Iterable[Floats]",
) -> "list[dict[str, Floats]]":
    """Return each metric of each sample under weightings of the units, shape (b, units) each."""
    import numpy as np

    parts: list[dict[str, list[Floats]]] = [{name: [] for name in names} for _ in samples]
    size = max(1, _CHUNK // max(1, len(samples[0])))
    chunks = (
        counts[start : start + size]
        for counts in weightings
        for start in range(0, len(counts), size)
    )
    for counts in chunks:
        weights = counts if units is None else counts[:, units]
        for rows, part in zip(samples, parts, strict=True):
            weighting = rows.weigh(weights)
            for name in names:
                part[name].append(weighting.value(name))
    return [{name: np.concatenate(part[name]) for name in names} for part in parts]


def estimate_metrics(
    names: Sequence[str],
    rows: Rows,
    *,
    units: "Units | None" = None,
    replicates: int,
    seed: int,
) -> dict[str, Estimate]:
    """Return each metric with its bootstrap interval.

    Args:
        names: Of the metrics of the task.
        rows: The rows to measure on; at least one.
        units: For each row the number of its unit (0 to units-1), where ids or groups
            repeat; None draws rows.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    (found,) = estimate_each(names, [rows], units=units, replicates=replicates, seed=seed)
    return found


def estimate_each(
    names: Sequence[str],
    samples: Sequence[Rows],
    *,
    units: "Units | None" = None,
    replicates: int,
    seed: int,
) -> list[dict[str, Estimate]]:
    """Return what `estimate_metrics` does of each sample, all under the same draws.

    Args:
        names: Of the metrics of the task.
        samples: The same rows, in the same order; none at all cost nothing.
        units: As in `estimate_metrics`.
        replicates: Bootstrap samples.
        seed: Of the draws.
    """
    points = [point_values(names, rows) for rows in samples]
    defined = [name for name in names if any(not isnan(point[name]) for point in points)]
    nothing: list[dict[str, Floats]] = [{} for _ in samples]
    drawn = left_out = nothing
    logs: list[LogErrors | None] = [None for _ in samples]
    if defined:
        logs = [_log_errors(defined, rows, units) for rows in samples]
        counts = resample_counts(_units_of(samples, units), replicates, seed)
        for each in filter(None, logs):
            counts = each.watch(counts)
        drawn = _under(defined, samples, units, counts)
        parts = jackknife_counts(_units_of(samples, units), seed)
        left_out = _under(defined, samples, units, parts)
    few = too_few_units(units) or ("" if _units_of(samples, units) >= FEWEST_UNITS else FEW_ROWS)
    return [
        {
            name: Estimate(value=None, n=len(rows), reason=rows.undefined(name))
            if isnan(point[name])
            else Estimate(value=point[name], n=len(rows), reason=few)
            if few
            else _of_share(
                _estimate(name, point[name], values[name], others[name], len(rows), log),
                rows.share(name),
                units,
            )
            for name in names
        }
        for rows, point, values, others, log in zip(
            samples, points, drawn, left_out, logs, strict=True
        )
    ]


def _log_errors(names: Sequence[str], rows: Rows, units: "Units | None") -> LogErrors | None:
    """Return what tells how skewed errors are; None where no metric depends on that."""
    if not isinstance(rows, regression.Rows) or set(names).isdisjoint(DOUBTED):
        return None
    return LogErrors(rows, units)


def _estimate(
    name: str, value: float, drawn: "Floats", left_out: "Floats", n: int, log: LogErrors | None
) -> Estimate:
    ends = bca_interval(drawn, value, left_out)
    if ends is None:
        return Estimate(value=value, n=n, reason=FEW_ROWS)
    low, high = ends
    if log is not None and name in STUDENTISED:
        # Both, since each alone holds less often; on few rows the first one much less.
        others = log.interval(name, value) or ends
        low, high = min(low, others[0]), max(high, others[1])
    doubt = SKEWED if log is not None and log.skewed and name in DOUBTED else ""
    return Estimate(value=value, low=low, high=high, n=n, reason=doubt)


def _of_share(
    found: Estimate, share: "tuple[Bools, Bools] | None", units: "Units | None"
) -> Estimate:
    """Return an estimate with Wilson's interval where draws give none: a share of 0, or of all.

    Rows of one id or group are taken to be right or wrong together: each counts once.

    Args:
        found: The estimate.
        share: Which rows count for it, and of which; None of what is no share.
        units: As in `estimate_metrics`.
    """
    import numpy as np

    if found.low is not None or found.value is None or share is None:
        return found
    counted = share[1]
    n = int(counted.sum()) if units is None else len(np.unique(units[counted]))
    low, high = wilson(found.value * n, n)
    return found.model_copy(update={"low": low, "high": high, "reason": ""})
