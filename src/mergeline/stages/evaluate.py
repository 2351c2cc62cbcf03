"""evaluate: score the held-out rows and measure the model on them."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.base import Estimate
from mergeline.core.digest import sha256
from mergeline.core.evidence import FEWEST_TOLD, CalibrationBin, Confusion, EvaluateContent, Slice
from mergeline.core.labels import category_text, plain
from mergeline.core.task import higher_is_better
from mergeline.model.canonical import directory_bytes
from mergeline.model.probes import make_probes
from mergeline.model.score import Scorer, load_scorer
from mergeline.model.table import is_positive, require_columns, table_bytes
from mergeline.stages.base import Clock, Result, read_prepared
from mergeline.stages.curves import curves
from mergeline.stats.binary import Rows
from mergeline.stats.metrics import estimate_metrics
from mergeline.stats.units import unit_numbers

if TYPE_CHECKING:
    import pandas as pd

_CALIBRATION_BINS = 10
_MOST_SLICES = 20
_SLICE_QUANTILES = 4
_FEW = f"Fewer than {FEWEST_TOLD} rows would tell of single ones."
_MISSING = "(missing)"


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Score and measure; return measurements, predictions, probes, metrics and curves.

    Raises:
        ContractError: A table is missing or does not fit settings or model.
        ModelError: The model cannot be loaded, or gives no numbers.
    """
    with clock.part("read"):
        frame = read_prepared(root, layout.TEST_TABLE)
        _require_columns(frame, settings)
        scorer = load_scorer(root / layout.MODEL, trusted=settings.model.trusted_types)
    with clock.part("score"):
        score = scorer.score(frame)
    with clock.part("latency"):
        latency = _latency(scorer, frame)
    positive = is_positive(frame[settings.data.target], settings.data.positive)
    threshold = settings.evaluate.threshold
    rows = Rows(positive, score, threshold)
    with clock.part("bootstrap"):
        metrics = _measure(settings, rows, frame)
    with clock.part("slices"):
        slices = _slices(settings, frame, positive, score)
    predictions = _predictions(frame, positive, score, threshold)
    # By key, so that the order of the rows decides nothing.
    ordered = frame.sort_values(layout.KEY, kind="stable")
    probes = make_probes(ordered, scorer, seed=settings.model.seed)
    probe_file = json.dumps(probes.as_json(), indent=1, ensure_ascii=False).encode() + b"\n"
    content = EvaluateContent(
        n=len(frame),
        positives=int(positive.sum()),
        primary=settings.primary,
        threshold=threshold,
        metrics=metrics,
        higher_is_better={name: higher_is_better(name) for name in metrics},
        confusion=_confusion(positive, score >= threshold),
        calibration=_calibration(positive, score),
        slices=slices,
        model_bytes=directory_bytes(root / layout.MODEL),
        predictions_sha256=sha256(predictions),
        probes_sha256=sha256(probe_file),
        probes=len(probes.rows),
        bootstrap=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )
    values = {name: metric.value for name, metric in metrics.items()}
    files = {
        layout.PREDICTIONS: predictions,
        layout.PROBES: probe_file,
        layout.METRICS: json.dumps(values, indent=1).encode() + b"\n",
        **{f"{layout.PLOTS}/{name}": text for name, text in curves(rows).items()},
    }
    return Result(content, files=files, latency_ms=latency)


def _require_columns(frame: "pd.DataFrame", settings: Settings) -> None:
    wanted = {settings.data.target: "data.target"}
    wanted |= dict.fromkeys(settings.evaluate.slices, "evaluate.slices")
    require_columns(frame, wanted, settings.data.source)


def _measure(settings: Settings, rows: Rows, frame: "pd.DataFrame") -> dict[str, Estimate]:
    return estimate_metrics(
        settings.metric_names,
        rows,
        units=unit_numbers(frame[layout.KEY]),
        replicates=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )


def _predictions(frame: "pd.DataFrame", positive: Any, score: Any, threshold: float) -> bytes:
    import pandas as pd

    table = pd.DataFrame(
        {
            "key": frame[layout.KEY],
            "positive": positive,
            "score": score,
            "predicted": score >= threshold,
        }
    )
    return table_bytes(table)


def _latency(scorer: Scorer, frame: "pd.DataFrame") -> dict[str, float]:
    """Median milliseconds a call, by rows a call; the first call warms up."""
    result = {}
    for size, repeats in ((1, 15), (min(1000, len(frame)), 5)):
        rows = frame.head(size)
        spent = []
        for _ in range(repeats + 1):
            start = time.perf_counter()
            scorer.score(rows)
            spent.append(time.perf_counter() - start)
        result[str(size)] = round(sorted(spent[1:])[repeats // 2] * 1000, 3)
    return result


def _confusion(positive: Any, predicted: Any) -> Confusion:
    return Confusion(
        true_positive=int((positive & predicted).sum()),
        false_positive=int((~positive & predicted).sum()),
        true_negative=int((~positive & ~predicted).sum()),
        false_negative=int((positive & ~predicted).sum()),
    )


def _calibration(positive: Any, score: Any) -> tuple[CalibrationBin, ...]:
    import numpy as np

    edges = np.linspace(0, 1, _CALIBRATION_BINS + 1)
    number = np.clip(np.digitize(score, edges[1:-1]), 0, _CALIBRATION_BINS - 1)
    bins = []
    for index in range(_CALIBRATION_BINS):
        inside = number == index
        if inside.any():
            bins.append(
                CalibrationBin(
                    low=float(edges[index]),
                    high=float(edges[index + 1]),
                    n=int(inside.sum()),
                    score=float(score[inside].mean()),
                    observed=float(positive[inside].mean()),
                )
            )
    return tuple(bins)


def _slices(
    settings: Settings, frame: "pd.DataFrame", positive: Any, score: Any
) -> tuple[Slice, ...]:
    found = []
    for column in settings.evaluate.slices:
        labels = slice_labels(frame[column])
        for value in labels.cat.categories:
            inside = (labels == value).to_numpy()
            n = int(inside.sum())
            rows = Rows(positive[inside], score[inside], settings.evaluate.threshold)
            metrics = _measure(settings, rows, frame[inside]) if n >= FEWEST_TOLD else {}
            untold = Estimate(value=None, n=n, reason=_FEW)
            told = {str(name): metrics.get(name, untold) for name in settings.metric_names}
            found.append(Slice(column=column, value=value, n=n, metrics=told))
    return tuple(found)


def slice_labels(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the slice of each row: a category, or a quarter of a column of numbers.

    The slices are the categories of the result, in the order of a reader; rows of
    categories beyond the 20 most frequent are in none.
    """
    from pandas.api import types

    numeric = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    found = _quarters(column) if numeric and column.nunique() > _MOST_SLICES else _common(column)
    if column.isna().any():
        if _MISSING not in found.cat.categories:
            found = found.cat.add_categories(_MISSING)
        found = found.mask(column.isna(), _MISSING)
    return found


def _quarters(column: "pd.Series[Any]") -> "pd.Series[Any]":
    import numpy as np
    import pandas as pd

    # Infinities belong to the outer quarters, whose ends are those of the finite values.
    column = column.clip(*column[np.isfinite(column)].agg(["min", "max"]))
    found = pd.qcut(column, _SLICE_QUANTILES, duplicates="drop").cat.remove_unused_categories()
    ends = column.groupby(found, observed=True).agg(["min", "max"])
    names = [f"{_text(low)} to {_text(high)}" for low, high in ends.itertuples(index=False)]
    return found.cat.rename_categories(names)


def _common(column: "pd.Series[Any]") -> "pd.Series[Any]":
    import pandas as pd

    values = sorted(column.value_counts().index[:_MOST_SLICES])
    known = column.where(column.isin(values))
    found = pd.Series(pd.Categorical(known, categories=values), index=column.index)
    return found.cat.rename_categories([_text(value) for value in values])


def _text(value: Any) -> str:
    return category_text(plain(value))
