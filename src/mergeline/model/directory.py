"""The model directory: an MLflow model with a skops file, in canonical form.

The files are written here and not by MLflow, which would put in a random id, the time,
pip's version and Python's patch version, and takes seconds to import. The tests hold
them against what MLflow writes, and load them with it.
"""

import json
import platform
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mergeline.core.digest import sha256
from mergeline.core.evidence import Feature
from mergeline.core.strict_json import read_json
from mergeline.core.task import TASKS, Task
from mergeline.errors import ModelError, first_line
from mergeline.model.canonical import canonical_skops
from mergeline.model.extras import extras_of, installed
from mergeline.model.trust import require_trusted

SKOPS = "model.skops"
MLMODEL = "MLmodel"
REQUIREMENTS = "requirements.txt"
# All files of a model directory, and what the requirements of each pin.
FILES = frozenset({MLMODEL, SKOPS, REQUIREMENTS, "python_env.yaml", "conda.yaml"})
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "skops")
PINNED = frozenset({"mlflow", *_LIBRARIES})
_MOST_VALUES = 1_000_000
# Numbers are declared double: an integer column with a missing value would be refused.
_TYPES = {"number": "double", "boolean": "double", "category": "string"}
# What JSON leaves as it is and YAML does not allow, or takes for a line break.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Description:
    """What Mergeline writes beside the pipeline, into MLmodel's `metadata`.

    Attributes:
        task: What the model predicts.
        target: The target's column.
        positive: The positive class as text; binary only.
        classes: All classes, in the order of the model's probabilities; none for regression.
        features: The columns that the model reads, in its order.
        missing: Texts that mean "no value", besides the empty one.
    """

    task: Task
    target: str
    positive: str | None
    classes: tuple[str, ...]
    features: tuple[Feature, ...]
    missing: tuple[str, ...] = ()


def predict_function(task: Task) -> str:
    """Return what a model is asked for its scores."""
    return "predict" if task == "regression" else "predict_proba"


def libraries(pipeline: Any) -> dict[str, str]:
    """Return the versions of the libraries that a fitted pipeline needs in order to score."""
    found = {name: version(name) for name in _LIBRARIES}
    for extra in sorted(extras_of(pipeline)):
        found |= installed(extra)
    return found


def save_model(
    pipeline: Any, folder: Path, description: Description, *, trusted: Sequence[str] = ()
) -> None:
    """Write a fitted pipeline as a canonical MLflow model directory, whole or not at all.

    Args:
        pipeline: A fitted scikit-learn Pipeline; what only its training needed is left out.
        folder: Where to; replaced when it exists.
        description: Features and classes.
        trusted: Types of the project's own that the model may hold.

    Raises:
        ModelError: The pipeline holds a type that skops cannot save or nobody trusts.
        OSError: The disk is full or the folder cannot be written; `folder` is as it was.
    """
    files = model_files(pipeline, description, trusted)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".model-") as scratch:
        made = Path(scratch, "made")
        made.mkdir()
        for name, data in files.items():
            (made / name).write_bytes(data)
        _take_place(made, folder, Path(scratch, "old"))


def model_files(
    pipeline: Any, description: Description, trusted: Sequence[str] = ()
) -> dict[str, bytes]:
    """Return the files of the model directory of a fitted pipeline, by name.

    Raises:
        ModelError: As `save_model`.
    """
    from mergeline.model.kept import scoring_part

    part = scoring_part(pipeline)
    skops = canonical_skops(_dump(part))
    return _files(skops, require_trusted(skops, trusted), description, libraries(part))


def _take_place(made: Path, folder: Path, old: Path) -> None:
    if not folder.exists():
        made.rename(folder)
        return
    folder.rename(old)
    try:
        made.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _dump(pipeline: Any) -> bytes:
    import skops.io

    try:
        data: bytes = skops.io.dumps(pipeline)
    except Exception as error:  # skops raises whatever the parts of a model raise
        raise ModelError(
            f"the model cannot be saved: {type(error).__name__}: {first_line(error)}",
            hint="use an estimator that skops can save, or drop what it cannot",
        ) from error
    return data


def _files(
    skops: bytes, types: Sequence[str], description: Description, needed: Mapping[str, str]
) -> dict[str, bytes]:
    """Return the files of an MLflow model by name."""
    pins = {"mlflow": version("mlflow"), **needed}
    requirements = [f"{name}=={number}" for name, number in pins.items()]
    series = ".".join(platform.python_version_tuple()[:2])
    files = {SKOPS: skops, **environment_files(requirements, series)}
    model = {
        "flavors": _flavors(types, series, pins["scikit-learn"], description.task),
        "metadata": {"mergeline": _metadata(description)},
        "mlflow_version": pins["mlflow"],
        "model_size_bytes": sum(map(len, files.values())),
        "model_uuid": sha256(skops)[:32],
        "signature": _signature(description),
        "utc_time_created": "1970-01-01 00:00:00.000000",
    }
    return {**files, MLMODEL: _yaml(model)}


def environment_files(requirements: Sequence[str], series: str) -> dict[str, bytes]:
    """Return the files from which MLflow's tools make an environment for a model.

    Args:
        requirements: Pins, a line each.
        series: Of Python, such as `3.11`.
    """
    return {
        REQUIREMENTS: "\n".join(requirements).encode() + b"\n",
        "python_env.yaml": _yaml(
            {
                "python": series,
                "build_dependencies": ["pip", "setuptools", "wheel"],
                "dependencies": [f"-r {REQUIREMENTS}"],
            }
        ),
        "conda.yaml": _yaml(
            {
                "name": "mlflow-env",
                "channels": ["conda-forge"],
                "dependencies": [f"python={series}", "pip", {"pip": list(requirements)}],
            }
        ),
    }


def _yaml(value: Any) -> bytes:
    """Return JSON, which every version of YAML reads alike: `no` is no truth value in it."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode() + b"\n"


def _flavors(types: Sequence[str], series: str, sklearn: str, task: Task) -> dict[str, Any]:
    return {
        "python_function": {
            "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            "loader_module": "mlflow.sklearn",
            "model_path": SKOPS,
            "predict_fn": predict_function(task),
            "python_version": series,
        },
        "sklearn": {
            "code": None,
            "pickled_model": SKOPS,
            "serialization_format": "skops",
            "sklearn_version": sklearn,
            "skops_trusted_types": list(types),
        },
    }


def _signature(description: Description) -> dict[str, Any]:
    inputs = [
        {"type": _TYPES[feature.kind], "name": feature.name, "required": False}
        for feature in description.features
    ]
    shape = [-1] if description.task == "regression" else [-1, len(description.classes)]
    outputs = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": shape}}]
    return {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}


def _metadata(description: Description) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "task": description.task,
        "target": description.target,
        "positive": description.positive,
        "classes": list(description.classes),
        "features": [feature.as_json() for feature in description.features],
        "missing": list(description.missing),
    }


def read_description(folder: Path) -> Description:
    """Read the features and classes of a model directory, without loading the model.

    Raises:
        ModelError: The directory is not a model of Mergeline's.
    """
    try:
        return parse_description((folder / MLMODEL).read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder} is not a model directory of Mergeline's: {first_line(error)}",
            hint="train it again: mergeline check",
        ) from error


def parse_description(data: bytes) -> Description:
    """Read the features and classes that an `MLmodel` states.

    Raises:
        ValueError: It states none, or none of Mergeline's kind.
    """
    try:
        document = read_json(data, values=_MOST_VALUES, text=len(data))
        found = document["metadata"]["mergeline"]
        if found["task"] not in TASKS:
            raise ValueError(f"{MLMODEL} is of no task that is known: {found['task']!r:.100}")
        return Description(
            task=found["task"],
            target=found["target"],
            positive=found["positive"],
            classes=tuple(found["classes"]),
            features=tuple(Feature.model_validate(item) for item in found["features"]),
            missing=tuple(map(str, found["missing"])),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{MLMODEL} has no description: {type(error).__name__}: {error}"
        ) from error
