"""Which types a model file may hold: our list, never the one that the file carries.

skops trusts scikit-learn's estimators, NumPy and plain Python by itself. The list adds
the compiled parts that they are made of, each of them data without behaviour, and the
checking function that HistGradientBoosting keeps for its categories.
"""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mergeline.errors import ModelError

TRUSTED_TYPES = (
    "functools.partial",
    "numpy.dtype",
    "sklearn._loss.link.HalfLogitLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss._loss.CyHalfBinomialLoss",
    "sklearn._loss._loss.CyHalfMultinomialLoss",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.linear_model._sgd_fast.Hinge",
    "sklearn.linear_model._sgd_fast.Log",
    "sklearn.linear_model._sgd_fast.ModifiedHuber",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)


def untrusted_types(path: Path, trusted: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the types in a skops file that neither skops, our list nor the caller trusts.

    Args:
        path: The skops file; nothing of it is imported or built.
        trusted: Types that the project's settings allow.
    """
    import skops.io

    allowed = {*TRUSTED_TYPES, *trusted}
    return tuple(t for t in skops.io.get_untrusted_types(file=path) if t not in allowed)


def require_trusted(path: Path, trusted: Sequence[str] = ()) -> None:
    """Refuse a model file with a type that nobody trusts.

    Raises:
        ModelError: Such a type is there, or the file is not a skops file.
    """
    try:
        found = untrusted_types(path, trusted)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, json.JSONDecodeError) as error:
        raise ModelError(
            f"{path.name} is not a skops file that can be read: {error}",
            hint="train again: mergeline check",
        ) from error
    if found:
        raise ModelError(
            f"the model holds types that Mergeline does not trust: {', '.join(found)}",
            hint="if they are your own, list them in model.trusted_types in params.yaml",
        )
