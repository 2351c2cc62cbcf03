"""The model directory: an MLflow model with a skops file, in canonical form."""

import logging
import platform
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mergeline.core.digest import sha256
from mergeline.core.evidence import Feature
from mergeline.errors import ModelError
from mergeline.model.canonical import canonical_skops, directory_bytes
from mergeline.model.trust import TRUSTED_TYPES, require_trusted

SKOPS = "model.skops"
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy", "skops")


@dataclass(frozen=True)
class Description:
    """What Mergeline writes beside the pipeline, into MLmodel's `metadata`.

    Attributes:
        target: The target's column.
        positive: The positive class as text.
        classes: All classes, in the order of the pipeline's probabilities.
        features: The columns that the model reads, in its order.
    """

    target: str
    positive: str
    classes: tuple[str, ...]
    features: tuple[Feature, ...]


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that a model needs in order to score."""
    return {name: version(name) for name in _LIBRARIES}


def save_model(
    pipeline: Any, folder: Path, description: Description, *, trusted: Sequence[str] = ()
) -> None:
    """Write a fitted pipeline as a canonical MLflow model directory, whole or not at all.

    Args:
        pipeline: A fitted scikit-learn Pipeline.
        folder: Where to; replaced when it exists.
        description: Features and classes.
        trusted: Types of the project's own that the model may hold.

    Raises:
        ModelError: The pipeline holds a type that skops cannot save or nobody trusts.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".model-") as scratch:
        made = Path(scratch) / "model"
        _save(pipeline, made, description, trusted)
        _canonicalise(made)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)


def _save(
    pipeline: Any, folder: Path, description: Description, trusted: Sequence[str]
) -> None:
    import mlflow.sklearn
    from mlflow.exceptions import MlflowException

    # It warns that pip's version is unknown; the canonical form names none.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    try:
        mlflow.sklearn.save_model(
            pipeline,
            folder,
            serialization_format="skops",
            signature=_signature(description),
            pip_requirements=[f"{name}=={number}" for name, number in libraries().items()],
            pyfunc_predict_fn="predict_proba",
            skops_trusted_types=[*TRUSTED_TYPES, *trusted],
            metadata={"mergeline": _metadata(description)},
        )
    except MlflowException as error:
        if (folder / SKOPS).is_file():
            require_trusted(folder / SKOPS, trusted)
        raise ModelError(
            f"the model cannot be saved: {str(error).splitlines()[0]}",
            hint="use an estimator that skops can save, or drop what it cannot",
        ) from error


def _signature(description: Description) -> Any:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    # Numbers are declared double: an integer column with a missing value would be refused.
    types = {"number": "double", "boolean": "double", "category": "string"}
    inputs = [
        ColSpec(types[feature.kind], feature.name, required=False)
        for feature in description.features
    ]
    outputs = TensorSpec(np.dtype("float64"), (-1, len(description.classes)))
    return ModelSignature(inputs=Schema(inputs), outputs=Schema([outputs]))


def _metadata(description: Description) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "target": description.target,
        "positive": description.positive,
        "classes": list(description.classes),
        "features": [feature.as_json() for feature in description.features],
    }


def _canonicalise(folder: Path) -> None:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.width = 2**20
    skops = folder / SKOPS
    skops.write_bytes(canonical_skops(skops.read_bytes()))
    series = ".".join(platform.python_version_tuple()[:2])

    environment = folder / "python_env.yaml"
    described = yaml.load(environment)
    described["python"] = series
    described["build_dependencies"] = ["pip", "setuptools", "wheel"]
    yaml.dump(described, environment)

    conda = folder / "conda.yaml"
    described = yaml.load(conda)
    described["dependencies"] = [
        f"python={series}" if str(item).startswith("python=") else _without_version(item)
        for item in described["dependencies"]
    ]
    yaml.dump(described, conda)

    mlmodel = folder / "MLmodel"
    described = yaml.load(mlmodel)
    described["flavors"]["python_function"]["python_version"] = series
    described["model_uuid"] = sha256(skops.read_bytes())[:32]
    described["utc_time_created"] = "1970-01-01 00:00:00.000000"
    described["model_size_bytes"] = directory_bytes(folder) - mlmodel.stat().st_size
    yaml.dump(described, mlmodel)


def _without_version(item: Any) -> Any:
    """Drop pip's own version; the `pip:` list holds the model's requirements and stays."""
    return "pip" if isinstance(item, str) and item.startswith("pip") else item


def read_description(folder: Path) -> Description:
    """Read the features and classes of a model directory, without loading the model.

    Raises:
        ModelError: The directory is not a model of Mergeline's.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(folder / "MLmodel")["metadata"]["mergeline"]
        return Description(
            target=found["target"],
            positive=found["positive"],
            classes=tuple(found["classes"]),
            features=tuple(Feature.model_validate(item) for item in found["features"]),
        )
    except (OSError, YAMLError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{folder} is not a model directory of Mergeline's: {error}",
            hint="train it again: mergeline check",
        ) from error
