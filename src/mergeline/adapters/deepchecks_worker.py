"""Runs deepchecks suites for Mergeline. A script for the Python of deepchecks' own environment.

It inherits a listening Unix socket and answers one JSON line for each that it is sent, until
nobody asks for a while or its parent is gone. It says what happened, check by check; what that
means is said in `mergeline.adapters.deepchecks_accounts`. Python 3.10 to 3.12, without Mergeline.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import random
import runpy
import shutil
import socket
import sys
import threading
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

SEED = 42
IDLE_SECONDS = 900
READ_SECONDS = 60

# A check whose own default is at most this many rows estimates something, and the settings
# bound it. The others count or compare values and would be wrong on a sample: a category
# that the sample misses is not a new one.
LARGEST_SAMPLE = 100_000

# Single checks whose cost asks for less than deepchecks' own bound. Weak segments: 10,000
# rows of 14 columns take 40 seconds a table, and 3,000 find the same segments. The others hold
# a dictionary of all texts, some 200 bytes each.
BOUNDS = {
    "WeakSegmentsPerformance": 3_000,
    "StringLengthOutOfBounds": 500_000,
    "StringMismatch": 500_000,
    "StringMismatchComparison": 200_000,
}

# Names that deepchecks gives to columns of its own; one of the user's would break the check.
TAKEN = ("count", "_dc_index", "belongs_to_test")


# --- the process -------------------------------------------------------------------


def main(folder: str, descriptor: int) -> None:
    """Serve requests on a listening socket until nobody asks for a while.

    Args:
        folder: Made for this process alone; removed when the parent is gone.
        descriptor: Of the socket.
    """
    faulthandler.enable()
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    sys.addaudithook(_refuse_network)
    warnings.simplefilter("ignore")
    listener = socket.socket(fileno=descriptor)
    runpy.run_path(str(Path(__file__).with_name("deepchecks_mends.py")))["mend"]()
    import deepchecks

    deepchecks.set_verbosity(logging.ERROR)
    listener.settimeout(IDLE_SECONDS)
    while True:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            return
        with connection:
            _serve(connection)


def _end_with_parent(folder: str) -> None:
    """End when standard input does: the parent closes it as a request, or by its own end."""
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Let nothing leave the machine from this process, telemetry or other."""
    if event == "socket.getaddrinfo" or (
        event == "socket.connect" and arguments[0].family != socket.AF_UNIX
    ):
        raise ConnectionRefusedError("this process has no network")


def _serve(connection: socket.socket) -> None:
    connection.settimeout(READ_SECONDS)
    try:
        with connection.makefile("rb") as lines:
            line = lines.readline()
        connection.sendall(json.dumps(_answer(line), allow_nan=False).encode() + b"\n")
    except OSError:
        logging.exception("the client went away")


def _answer(line: bytes) -> dict[str, Any]:
    try:
        return {"suites": run_request(json.loads(line)), "deepchecks": _version(), "error": None}
    except Exception as error:
        logging.exception("the request failed")
        return {"suites": [], "deepchecks": _version(), "error": describe_error(error)}


def _version() -> str:
    import deepchecks

    return str(deepchecks.__version__)


# --- the request -------------------------------------------------------------------


def run_request(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the suites of a request; `Request` on the other end says what it holds."""
    frames = {side: _read(request, side) for side in ("train", "test")}
    arguments = _predictions(frames, request)
    # A dataset is a copy: the table itself goes as soon as it has one.
    data = {side: _dataset(frames.pop(side), side, request) for side in ("train", "test")}
    return [run_suite(name, data, arguments, request) for name in request["suites"]]


def _read(request: dict[str, Any], side: str) -> Any:
    """Read a table. deepchecks wants row numbers that differ between the sides."""
    import pandas as pd

    frame = pd.read_parquet(request[side]).rename(columns=_safe)
    frame.index = pd.RangeIndex(len(frame)) + (0 if side == "train" else 2**40)
    return frame


def _safe(name: Any) -> Any:
    """Return a column's name, with a space behind it where deepchecks uses the name itself."""
    return f"{name} " if name in TAKEN else name


def _predictions(frames: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Take the scores out of the tables: what deepchecks is given instead of a model."""
    import numpy as np
    import pandas as pd

    if not request["scores"]:
        return {}
    arguments: dict[str, Any] = {}
    if request["task"] != "regression":
        arguments["model_classes"] = list(request["classes"]) or [0, 1]
    for side, frame in frames.items():
        scores = np.column_stack([frame.pop(name).to_numpy() for name in request["scores"]])
        if request["task"] == "regression":
            arguments[f"y_pred_{side}"] = scores[:, 0]
        elif request["task"] == "multiclass":
            names = np.array(request["classes"], dtype=object)
            arguments[f"y_pred_{side}"] = names[scores.argmax(axis=1)]
            arguments[f"y_proba_{side}"] = scores
        else:
            arguments[f"y_pred_{side}"] = (scores[:, 0] >= request["threshold"]).astype(int)
            arguments[f"y_proba_{side}"] = np.column_stack([1 - scores[:, 0], scores[:, 0]])
    if request["importance"]:
        shares = {_safe(name): share for name, share in request["importance"].items()}
        arguments["feature_importance"] = pd.Series(shares)
    return arguments


def _dataset(frame: Any, side: str, request: dict[str, Any]) -> Any:
    from deepchecks.tabular import Dataset

    return Dataset(
        frame,
        label=_safe(request["label"]),
        features=[_safe(name) for name in request["features"]],
        cat_features=[_safe(name) for name in request["categories"]],
        index_name=_safe(request["index"]),
        datetime_name=_safe(request["datetime"]),
        label_type=request["task"],
        dataset_name=side,
    )


# --- one suite ---------------------------------------------------------------------


def run_suite(
    name: str, data: dict[str, Any], predictions: dict[str, Any], request: dict[str, Any]
) -> dict[str, Any]:
    """Run one of deepchecks' own suites.

    Args:
        name: `data_integrity` (of the training table only), `train_test_validation` or
            `model_evaluation`.
        data: The two datasets by side.
        predictions: Arguments that stand for the model.
        request: The rest: `sample` bounds the rows, `leave_out` names checks not to run.
    """
    import numpy as np
    from deepchecks.tabular import suites

    start = time.perf_counter()
    random.seed(SEED)
    np.random.seed(SEED)
    suite = getattr(suites, name)(random_state=SEED)
    expected = [type(check).__name__ for check in suite.checks.values()]
    for place, check in list(suite.checks.items()):
        if type(check).__name__ in request["leave_out"]:
            suite.remove(place)
        _bound(check, request["sample"], counts=name != "model_evaluation")
    sides = ("train",) if name == "data_integrity" else ("train", "test")
    tables = {f"{side}_dataset": data[side] for side in sides}
    result = suite.run(**tables, **predictions, with_display=False)
    return {
        "name": name,
        "expected": expected,
        "rows": {side: len(data[side].data) for side in sides},
        "results": [describe(item) for item in result.results],
        "seconds": round(time.perf_counter() - start, 3),
    }


def _bound(check: Any, sample: int, *, counts: bool) -> None:
    """Bound the rows that a check looks at, and never its time: that would not repeat.

    Those that count look at the table itself: all rows drawn anew would be two copies of it.
    """
    if hasattr(check, "timeout"):
        check.timeout = 0
    limit = getattr(check, "n_samples", None)
    if limit is None:
        return
    bound = BOUNDS.get(type(check).__name__)
    if counts and limit > LARGEST_SAMPLE and bound is None:
        check.n_samples = None
        return
    limit = min(limit, sample) if limit <= LARGEST_SAMPLE else limit
    check.n_samples = min(limit, bound or limit)


# --- one result --------------------------------------------------------------------


def describe(result: Any) -> dict[str, Any]:
    """Return what a `CheckResult` or `CheckFailure` says, without a value of the data."""
    error = getattr(result, "exception", None)
    value = getattr(result, "value", None)
    check = type(result.check).__name__
    return {
        "check": check,
        "header": result.get_header(),
        "limit": getattr(result.check, "n_samples", None),
        "error": None if error is None else describe_error(error),
        "conditions": [
            {"name": item.name, "category": item.category.name, "details": str(item.details)}
            for item in getattr(result, "conditions_results", [])
        ],
        "holds_nan": holds_nan(value),
        "unmeasured": _unmeasured(value),
        "variants": _variants(value) if check == "StringMismatch" and error is None else None,
    }


def describe_error(error: BaseException) -> dict[str, str]:
    """Return an exception's class, text, and for a crash the place of it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = type(error).__module__.startswith("deepchecks.")
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames and not own else ""
    return {"kind": type(error).__name__, "text": str(error), "place": place}


def holds_nan(value: Any) -> bool:
    """Return whether a result holds NaN: deepchecks' conditions take it for a good number."""
    if isinstance(value, dict):
        return any(holds_nan(item) for item in value.values())
    if hasattr(value, "columns") and "Value" in value:
        return bool(value["Value"].isna().any())
    return isinstance(value, float) and str(value) == "nan"


def _unmeasured(value: Any) -> list[str]:
    """Return the columns without a drift score: deepchecks counts them as passed."""
    columns = value.items() if isinstance(value, dict) else ()
    return [
        str(name)
        for name, item in columns
        if isinstance(item, dict) and item.get("Drift score", 0) is None
    ]


def _variants(value: Any) -> dict[str, int]:
    """Return how many texts with variants each column has; deepchecks would show the texts."""
    return {str(name): len(variants) for name, variants in value["columns"].items()}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
