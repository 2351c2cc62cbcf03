"""Libraries beside scikit-learn that a model may need in order to score, by extra."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

# The packages, any one of which brings the library.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "lightgbm": ("lightgbm",),
    "xgboost": ("xgboost-cpu", "xgboost"),
    "onnx": ("onnxruntime",),
}


def extras_of(pipeline: Any) -> set[str]:
    """Return which extras a fitted pipeline needs."""
    from mergeline.model.boosted import Boosted, library_of
    from mergeline.model.onnx import Onnx
    from mergeline.model.walk import walk

    found: set[str | None] = set()
    for part in walk(pipeline):
        if isinstance(part, Boosted):
            found.add(str(part.library))
        elif isinstance(part, Onnx):
            found.add("onnx")
        else:
            found.add(library_of(part))
    return {each for each in found if each is not None}


def installed(extra: str) -> dict[str, str]:
    """Return the package that brings an extra's library here, with its version."""
    for name in PACKAGES.get(extra, ()):
        try:
            return {name: version(name)}
        except PackageNotFoundError:
            continue
    return {}
