"""evaluate: score the held-out rows and measure the model on them."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.base import Estimate
from mergeline.core.digest import sha256
from mergeline.core.evidence import CalibrationBin, Confusion, EvaluateContent, Slice
from mergeline.files import write_whole
from mergeline.model.canonical import directory_bytes
from mergeline.model.cast import cast_features, category_text, plain
from mergeline.model.score import Scorer, load_scorer
from mergeline.model.table import is_positive, write_table
from mergeline.stages.base import Clock, Result, read_prepared
from mergeline.stages.curves import write_curves
from mergeline.stats.metrics import METRICS, Rows, estimate_metrics
from mergeline.stats.units import unit_numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_PROBES = 20
_CALIBRATION_BINS = 10
_MOST_SLICES = 20
_SLICE_QUANTILES = 4


def run(root: Path, settings: Settings, clock: Clock) -> Result:
    """Write predictions, probes, metrics and curves; return the measurements.

    Raises:
        ContractError: A table is missing or does not fit the model.
        ModelError: The model cannot be loaded, or gives no numbers.
    """
    with clock.part("read"):
        frame = read_prepared(root, layout.TEST_TABLE)
        scorer = load_scorer(root / layout.MODEL, trusted=settings.model.trusted_types)
    with clock.part("score"):
        score = scorer.score(frame)
    with clock.part("latency"):
        latency = _latency(scorer, frame)
    positive = is_positive(frame[settings.data.target], settings.data.positive)
    threshold = settings.evaluate.threshold
    _write_predictions(root, frame, positive, score, threshold)
    _write_probes(root, frame, scorer)
    rows = Rows(positive, score, threshold)
    with clock.part("bootstrap"):
        metrics = _measure(settings, rows, frame)
    with clock.part("slices"):
        slices = _slices(settings, frame, positive, score)
    write_curves(root / layout.PLOTS, rows)
    values = {name: metric.value for name, metric in metrics.items()}
    write_whole(root / layout.METRICS, json.dumps(values, indent=1).encode() + b"\n")
    content = EvaluateContent(
        n=len(frame),
        positives=int(positive.sum()),
        primary=settings.evaluate.primary,
        threshold=threshold,
        metrics=metrics,
        higher_is_better={name: METRICS[name].higher_is_better for name in metrics},
        confusion=_confusion(positive, score >= threshold),
        calibration=_calibration(positive, score),
        slices=slices,
        model_bytes=directory_bytes(root / layout.MODEL),
        predictions_sha256=sha256((root / layout.PREDICTIONS).read_bytes()),
        probes_sha256=sha256((root / layout.PROBES).read_bytes()),
        probes=min(_PROBES, len(frame)),
        bootstrap=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )
    return Result(content, latency_ms=latency)


def _measure(settings: Settings, rows: Rows, frame: "pd.DataFrame") -> dict[str, Estimate]:
    return estimate_metrics(
        settings.metric_names,
        rows,
        units=unit_numbers(frame[layout.KEY]),
        replicates=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )


def _write_predictions(
    root: Path, frame: "pd.DataFrame", positive: Any, score: Any, threshold: float
) -> None:
    import pandas as pd

    table = pd.DataFrame(
        {
            "key": frame[layout.KEY],
            "positive": positive,
            "score": score,
            "predicted": score >= threshold,
        }
    )
    write_table(table, root / layout.PREDICTIONS)


def _write_probes(root: Path, frame: "pd.DataFrame", scorer: Scorer) -> None:
    """Write the rows that a server must score as evaluation did, through JSON as it reads them."""
    import pandas as pd

    chosen = frame.sort_values(layout.KEY, kind="stable").head(_PROBES)
    rows = cast_features(chosen, scorer.features)
    columns = list(rows.columns)
    values = [[_json_value(value) for value in row] for row in rows.itertuples(index=False)]
    scores = scorer.score(pd.DataFrame(values, columns=columns))
    probes = {
        "schema_version": 1,
        "columns": columns,
        "rows": values,
        "scores": [float(score) for score in scores],
    }
    text = json.dumps(probes, indent=1, allow_nan=False, ensure_ascii=False)
    write_whole(root / layout.PROBES, text.encode() + b"\n")


def _json_value(value: Any) -> Any:
    value = plain(value)
    return None if isinstance(value, float) and value != value else value


def _latency(scorer: Scorer, frame: "pd.DataFrame") -> dict[str, float]:
    """Median milliseconds a call, by rows a call; the first call warms up."""
    result = {}
    for size, repeats in ((1, 15), (1000, 5)):
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
        for value in sorted(labels.value_counts().index[:_MOST_SLICES]):
            inside = (labels == value).to_numpy()
            rows = Rows(positive[inside], score[inside], settings.evaluate.threshold)
            metrics = _measure(settings, rows, frame[inside])
            found.append(Slice(column=column, value=value, n=int(inside.sum()), metrics=metrics))
    return tuple(found)


def slice_labels(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the slice of each row as text: a category, or a quarter of a column of numbers."""
    import pandas as pd
    from pandas.api import types

    numeric = types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype)
    if numeric and column.nunique() > _MOST_SLICES:
        quarters = pd.qcut(column, _SLICE_QUANTILES, duplicates="drop")
        names = quarters.cat.categories.map(lambda cut: f"{cut.left:g} to {cut.right:g}")
        return quarters.cat.rename_categories(names).astype(object).fillna("(missing)")
    return column.map(lambda value: category_text(plain(value)), na_action="ignore").fillna(
        "(missing)"
    )
