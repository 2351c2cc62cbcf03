"""Whether a model directory can do no more than score, told from its bytes alone.

MLflow imports the module that an `MLmodel` names, puts its folder `code` on the path, and
trusts the types that the model itself lists. So what `MLmodel` says is held against what
Mergeline writes, and the types of the model file against our own list: what is not known to
be safe is not. No part of the model is built, and neither skops nor scikit-learn is imported.
"""

import re
import stat
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, cast

from mergeline.core.strict_json import read_json, shortened
from mergeline.core.task import TASKS, Task
from mergeline.errors import UnsafeModel
from mergeline.model.boosted_text import read_text
from mergeline.model.directory import (
    FILES,
    MLMODEL,
    PINNED,
    REQUIREMENTS,
    SKOPS,
    environment_files,
    parse_description,
    predict_function,
)
from mergeline.model.extras import PACKAGES
from mergeline.model.onnx_file import read_onnx
from mergeline.model.skops_types import StandIn, read_skops
from mergeline.model.trust import TRUSTED_TYPES

_MOST_VALUES = 1_000_000
_SERIES = re.compile(r"3\.[0-9]{1,3}")
_PIN = re.compile(r"([a-z0-9-]{1,60})==([0-9A-Za-z.+!_-]{1,60})")
_MOST_SHOWN = 5

_TOP_KEYS = {
    *("flavors", "metadata", "mlflow_version", "model_size_bytes", "model_uuid"),
    *("signature", "utc_time_created"),
}
# By flavor the keys that it must have, with their values; None for one that is looked at
# elsewhere or decides nothing.
_FLAVORS: Mapping[str, Mapping[str, Any]] = {
    "python_function": {
        "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        "loader_module": "mlflow.sklearn",
        "model_path": SKOPS,
        "predict_fn": None,
        "python_version": None,
    },
    "sklearn": {
        "code": None,
        "pickled_model": SKOPS,
        "serialization_format": "skops",
        "sklearn_version": None,
        "skops_trusted_types": None,
    },
}


def require_safe(files: Mapping[str, bytes], trusted: Sequence[str] = ()) -> None:
    """Refuse a model directory that is not a skops model as Mergeline writes it.

    Args:
        files: Every file of the directory, by path relative to it.
        trusted: Types beyond our own list that the policy trusts.

    Raises:
        UnsafeModel: It has a file, a loader, a format or a type that nobody trusts; the
            message names it.
    """
    try:
        _require_files(files)
        series, listed = _require_mlmodel(files[MLMODEL])
        held = read_skops(files[SKOPS])
        classes = len(parse_description(files[MLMODEL]).classes)
        needed = {_require_stand_in(each, classes) for each in held.stand_ins}
        _require_environment(files, series, needed)
    except ValueError as error:
        raise _unsafe(str(error)) from error
    # What MLmodel lists, MLflow trusts.
    if strange := sorted({*held.types, *listed} - {*TRUSTED_TYPES, *trusted}):
        raise UnsafeModel(
            f"the model holds types that Mergeline does not trust: {_listed(strange)}",
            hint="if they are the project's own, list them in model.trusted_types in params.yaml",
        )


def read_files(folder: Path) -> dict[str, bytes]:
    """Return the files of a model directory by name.

    Raises:
        UnsafeModel: It holds a link, a folder or a device.
        OSError: It cannot be read.
    """
    files = {}
    for path in sorted(folder.iterdir()):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise _unsafe(f"its directory holds {shortened(path.name)}, which is no regular file")
        files[path.name] = path.read_bytes()
    return files


def _require_files(files: Mapping[str, bytes]) -> None:
    if strange := files.keys() ^ FILES:
        name = min(strange)
        what = "holds" if name in files else "does not hold"
        raise ValueError(f"its directory {what} {shortened(name)}")


def _require_mlmodel(data: bytes) -> tuple[str, list[str]]:
    """Return the series of Python and the types that it states."""
    try:
        document = read_json(data, values=_MOST_VALUES, text=len(data))
    except ValueError as error:
        raise ValueError(f"{MLMODEL} is not JSON as Mergeline writes it: {error}") from error
    top = _keys(document, _TOP_KEYS, MLMODEL)
    flavors = _keys(top["flavors"], set(_FLAVORS), "flavors")
    for flavor, expected in _FLAVORS.items():
        found = _keys(flavors[flavor], set(expected), flavor)
        for key, value in expected.items():
            if value is not None and found[key] != value:
                raise ValueError(f"{flavor}.{key} is {shortened(found[key])}, expected {value}")
    function, asked = flavors["python_function"]["predict_fn"], predict_function(_task(top))
    if function != asked:
        raise ValueError(f"python_function.predict_fn is {shortened(function)}, expected {asked}")
    sklearn = flavors["sklearn"]
    if sklearn["code"] is not None:
        raise ValueError(f"sklearn.code is {shortened(sklearn['code'])}: code of its own")
    types = sklearn["skops_trusted_types"]
    if not isinstance(types, list) or not all(isinstance(name, str) for name in types):
        raise ValueError(f"sklearn.skops_trusted_types is {shortened(types)}, expected names")
    _keys(top["signature"], {"inputs", "outputs", "params"}, "signature")
    return _require_versions(top, flavors), types


def _task(top: Mapping[str, Any]) -> Task:
    described = _keys(top["metadata"], {"mergeline"}, "metadata")["mergeline"]
    task = described.get("task") if isinstance(described, dict) else None
    if task not in TASKS:
        raise ValueError(f"metadata.mergeline.task is {shortened(task)}, expected one of {TASKS}")
    return cast("Task", task)


def _require_versions(top: Mapping[str, Any], flavors: Mapping[str, Any]) -> str:
    series = flavors["python_function"]["python_version"]
    if not isinstance(series, str) or _SERIES.fullmatch(series) is None:
        raise ValueError(f"python_function.python_version is {shortened(series)}")
    for key, value in (
        ("sklearn.sklearn_version", flavors["sklearn"]["sklearn_version"]),
        ("mlflow_version", top["mlflow_version"]),
    ):
        if not isinstance(value, str) or _PIN.fullmatch(f"mlflow=={value}") is None:
            raise ValueError(f"{key} is {shortened(value)}, expected a version")
    return series


def _require_stand_in(each: StandIn, classes: int) -> str:
    """Read what another library would read, as strictly as before it does; name its extra."""
    state = each.state
    if each.kind.startswith("mergeline.model.onnx."):
        read_onnx(state.get("data", b""))
        return "onnx"
    library, columns = str(state.get("library")), state.get("n_features_in_", 0)
    if library not in PACKAGES or type(columns) is not int:
        raise ValueError(f"trees of {shortened(library)}, of {shortened(columns)} columns")
    if "text" in state:
        outputs = classes if classes > 2 else 1  # noqa: PLR2004 -- one is enough for two
        read_text(library, state["text"], columns, outputs)
    return library


def _require_environment(files: Mapping[str, bytes], series: str, needed: Set[str]) -> None:
    """MLflow's tools install what these files say: an address or an option would be code."""
    pins = files[REQUIREMENTS].decode("ascii", errors="replace").splitlines()
    allowed = PINNED.union(*(PACKAGES.get(extra, ()) for extra in needed))
    names = []
    for line in pins:
        pin = _PIN.fullmatch(line)
        if pin is None or pin[1] not in allowed or pin[1] in names:
            raise ValueError(f"{REQUIREMENTS} holds {shortened(line)}")
        names.append(pin[1])
    lacking = [[name] for name in sorted(PINNED)] + [[*PACKAGES[extra]] for extra in sorted(needed)]
    for packages in lacking:
        if len({*packages} & {*names}) != 1:
            raise ValueError(f"{REQUIREMENTS} does not pin {packages[0]} once")
    for name, expected in environment_files(pins, series).items():
        if files[name] != expected:
            raise ValueError(f"{name} is not made from {REQUIREMENTS}")


def _keys(value: Any, expected: set[str], where: str) -> dict[str, Any]:
    found = value if isinstance(value, dict) else {}
    if strange := found.keys() ^ expected:
        what = "has the key" if min(strange) in found else "lacks the key"
        raise ValueError(f"{where} {what} {shortened(min(strange))}")
    return found


def _unsafe(what: str) -> UnsafeModel:
    return UnsafeModel(
        f"the model is not one that Mergeline writes: {what}",
        hint="train it with `mergeline check`, which writes a skops file that can be read "
        "without running anything",
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(name[:100] for name in names[:_MOST_SHOWN]) + more
