"""Which types a model file may hold: our list, never the one that the file carries.

skops trusts scikit-learn's estimators, NumPy and plain Python by itself. The list adds
the compiled parts that they are made of, each of them data without behaviour, and the
checking function that HistGradientBoosting keeps for its categories.
"""

from collections.abc import Sequence

from mergeline.errors import ModelError
from mergeline.model.reading import first_line

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


def require_trusted(data: bytes, trusted: Sequence[str] = ()) -> tuple[str, ...]:
    """Refuse a model file with a type that nobody trusts; return those that we trust.

    Args:
        data: The bytes of a skops file; nothing of it is imported or built.
        trusted: Types that the project's settings allow.

    Returns:
        The types that skops does not trust by itself, sorted: all of them are on our list
        or in `trusted`.

    Raises:
        ModelError: A type that nobody trusts is there, or it is not a skops file.
    """
    import skops.io

    try:
        found = skops.io.get_untrusted_types(data=data)
    except Exception as error:  # a broken file breaks in many ways
        raise ModelError(
            "the model file is not a skops file that can be read: "
            f"{type(error).__name__}: {first_line(error)}",
            hint="train again: mergeline check",
        ) from error
    strange = [name for name in found if name not in TRUSTED_TYPES and name not in trusted]
    if strange:
        raise ModelError(
            f"the model holds types that Mergeline does not trust: {', '.join(strange)}",
            hint="if they are your own, list them in model.trusted_types in params.yaml",
        )
    return tuple(found)
