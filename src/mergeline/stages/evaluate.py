"""evaluate: score the held-out rows and measure the model on them."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.base import Estimate
from mergeline.core.digest import sha256
from mergeline.core.evidence import FEWEST_TOLD, UNTOLD, EvaluateContent, Slice
from mergeline.core.task import higher_is_better
from mergeline.errors import ModelError
from mergeline.model.canonical import directory_bytes
from mergeline.model.predictions import Predictions
from mergeline.model.probes import make_probes
from mergeline.model.score import Scorer, load_scorer
from mergeline.model.table import outcomes, require_columns, table_bytes
from mergeline.stages.base import Clock, Result, read_prepared
from mergeline.stages.by_class import (
    calibration,
    class_metrics,
    class_reports,
    confusion,
    matrix,
)
from mergeline.stages.curves import curves
from mergeline.stages.residuals import residuals
from mergeline.stages.slices import slice_labels
from mergeline.stages.thresholds import cheapest, threshold_points
from mergeline.stats.metrics import estimate_metrics, rows_of
from mergeline.stats.units import unit_numbers

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Floats = np.ndarray[Any, np.dtype[np.float64]]


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
        _require_task(settings, scorer)
    with clock.part("score"):
        score = scorer.score(frame)
    with clock.part("latency"):
        latency = _latency(scorer, frame)
    predictions = _predictions(settings, scorer, frame, score)
    with clock.part("bootstrap"):
        of_classes = class_metrics(predictions)
        found = _measure((*settings.metric_names, *of_classes), settings, predictions, frame)
        metrics = {str(name): found[name] for name in settings.metric_names}
    with clock.part("curves"):
        by_task = _of_task(settings, predictions, found)
    with clock.part("slices"):
        slices, in_no_slice = _slices(settings, frame, predictions)
    table = table_bytes(predictions.table(frame[layout.KEY]))
    # By key, so that the order of the rows decides nothing.
    ordered = frame.sort_values(layout.KEY, kind="stable")
    probes = make_probes(ordered, scorer, seed=settings.model.seed)
    probe_file = json.dumps(probes.as_json(), indent=1, ensure_ascii=False).encode() + b"\n"
    content = EvaluateContent(
        task=settings.data.task,
        n=len(frame),
        primary=settings.primary,
        threshold=settings.threshold,
        metrics=metrics,
        higher_is_better={name: higher_is_better(name) for name in metrics},
        **by_task,
        slices=slices,
        in_no_slice=in_no_slice,
        model_bytes=directory_bytes(root / layout.MODEL),
        predictions_sha256=sha256(table),
        probes_sha256=sha256(probe_file),
        probes=len(probes.rows),
        bootstrap=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )
    values = {name: metric.value for name, metric in metrics.items()}
    plots = curves(predictions, content)
    files = {
        layout.PREDICTIONS: table,
        layout.PROBES: probe_file,
        layout.METRICS: json.dumps(values, indent=1).encode() + b"\n",
        **{f"{layout.PLOTS}/{name}": text for name, text in plots.items()},
    }
    return Result(content, files=files, latency_ms=latency)


def _require_columns(frame: "pd.DataFrame", settings: Settings) -> None:
    wanted = {settings.data.target: "data.target"}
    wanted |= dict.fromkeys(settings.evaluate.slices, "evaluate.slices")
    require_columns(frame, wanted, settings.data.source)


def _predictions(
    settings: Settings, scorer: Scorer, frame: "pd.DataFrame", score: "Floats"
) -> Predictions:
    task = settings.data.task
    classes = scorer.classes if task == "multiclass" else ()
    actual = outcomes(frame, settings.data, classes)
    return Predictions(task, actual, score, settings.threshold, classes)


def _require_task(settings: Settings, scorer: Scorer) -> None:
    if scorer.task != settings.data.task:
        raise ModelError(
            f"{layout.MODEL} was trained for the task {scorer.task}, and data.task is "
            f"{settings.data.task}",
            hint="train it again: mergeline check",
        )


def _measure(
    names: Sequence[str], settings: Settings, predictions: Predictions, frame: "pd.DataFrame"
) -> dict[str, Estimate]:
    return estimate_metrics(
        names,
        rows_of(predictions),
        units=unit_numbers(frame[layout.KEY]),
        replicates=settings.evaluate.bootstrap,
        seed=settings.model.seed,
    )


def _of_task(
    settings: Settings, predictions: Predictions, measured: Mapping[str, Estimate]
) -> dict[str, Any]:
    """Return what the evidence says of this task only."""
    found: dict[str, Any] = {
        "positives": None,
        "confusion": None,
        "calibration": (),
        "classes": (),
        "matrix": (),
        "residuals": None,
    }
    actual, score = predictions.actual, predictions.score
    if predictions.task == "binary":
        found["positives"] = int(actual.sum())
        found["confusion"] = confusion(actual, predictions.predicted)
        found["calibration"] = calibration(actual, score)
        given = settings.evaluate.costs
        costs = given.model_dump(exclude={"unit"}) if given else {}
        found["thresholds"] = threshold_points(predictions, costs)
        found["cheapest"] = cheapest(found["thresholds"], settings.threshold)
        found |= {"costs": costs, "cost_unit": given.unit if given else ""}
    elif predictions.task == "regression":
        found["residuals"] = residuals(actual, score)
    else:
        found["matrix"] = matrix(predictions)
        found["classes"] = class_reports(predictions, measured)
    return found


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


def _slices(
    settings: Settings, frame: "pd.DataFrame", predictions: Predictions
) -> tuple[tuple[Slice, ...], dict[str, int]]:
    found, left_out = [], {}
    for column in settings.evaluate.slices:
        labels = slice_labels(frame[column])
        if rest := int(labels.isna().sum()):
            left_out[column] = rest
        for value in labels.cat.categories:
            inside = (labels == value).to_numpy()
            n = int(inside.sum())
            rows = predictions.take(inside)
            names = settings.metric_names
            metrics = _measure(names, settings, rows, frame[inside]) if n >= FEWEST_TOLD else {}
            untold = Estimate(value=None, n=n, reason=UNTOLD)
            told = {str(name): metrics.get(name, untold) for name in names}
            found.append(Slice(column=column, value=value, n=n, metrics=told))
    return tuple(found), left_out
