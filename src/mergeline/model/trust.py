"""Which types a model file may hold: our list, never the one that the file carries.

skops trusts scikit-learn's estimators, NumPy and plain Python by itself. The list adds
the parts that they are made of, each of them data without behaviour of its own, and
functions of scikit-learn's and SciPy's that compute numbers from arrays and do nothing
else. A function inside a `functools.partial` is named, and judged, by itself.
"""

from collections.abc import Sequence

from mergeline.errors import ModelError, first_line

TRUSTED_TYPES = (
    "numpy.dtype",  # imputers and encoders keep the type that they were fitted on
    # HistGradientBoosting; the first two hold its check of columns with categories
    "functools.partial",
    "sklearn.utils.validation.check_array",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",  # trees, forests, gradient boosting, AdaBoost
    # Neighbours, by algorithm and metric; not PyFuncDistance, which calls what it holds
    "sklearn.metrics._dist_metrics.BrayCurtisDistance64",
    "sklearn.metrics._dist_metrics.CanberraDistance64",
    "sklearn.metrics._dist_metrics.ChebyshevDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.HammingDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    # Gaussian processes, by kernel
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.DotProduct",
    "sklearn.gaussian_process.kernels.ExpSineSquared",
    "sklearn.gaussian_process.kernels.Exponentiation",
    "sklearn.gaussian_process.kernels.Matern",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.gaussian_process.kernels.RationalQuadratic",
    "sklearn.gaussian_process.kernels.Sum",
    "sklearn.gaussian_process.kernels.WhiteKernel",
    # TweedieRegressor, by power
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    # Networks, by solver
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    # CalibratedClassifierCV, by method
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    # Training under a constraint of fairness; only Mergeline's own code, with parts as above
    "mergeline.model.mixture.ClassifierMixture",
    "mergeline.model.mixture.RegressorMixture",
    "sklearn.utils._bunch.Bunch",  # stacking and voting: parts by name
    # Boosted trees of LightGBM and XGBoost, which are read strictly before they are used
    "mergeline.model.boosted.BoostedClassifier",
    "mergeline.model.boosted.BoostedRegressor",
    # ONNX files, which are read strictly too
    "mergeline.model.onnx.OnnxClassifier",
    "mergeline.model.onnx.OnnxRegressor",
    # How rows were folded
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.ShuffleSplit",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.model_selection._split.TimeSeriesSplit",
    # Transformers: which columns, which of them are best, splines, other columns' guesses
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.feature_selection._mutual_info.mutual_info_classif",
    "sklearn.feature_selection._mutual_info.mutual_info_regression",
    "sklearn.feature_selection._univariate_selection.chi2",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "sklearn.impute._iterative.IterativeImputer",
    "sklearn.impute._iterative._ImputerTriplet",
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
