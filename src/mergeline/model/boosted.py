"""Boosted trees of LightGBM and XGBoost, kept as the text that their libraries write.

Their estimators hold memory of a library in C++, which only the library can save. A stand-in
holds its text instead, as one string of the model file; it is read strictly before the
library gets it, and scores and explains through the library as the estimator did.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier

from mergeline.errors import ModelError, first_line
from mergeline.model.boosted_text import Trees, read_text

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]

Library = Literal["lightgbm", "xgboost"]
# By library, the modules of its estimators; subclasses of others may score as they like.
_MODULES: Mapping[str, Library] = {"lightgbm.sklearn": "lightgbm", "xgboost.sklearn": "xgboost"}
_KINDS = {
    *("LGBMClassifier", "LGBMRegressor", "XGBClassifier", "XGBRegressor"),
    *("XGBRFClassifier", "XGBRFRegressor"),
}


class Boosted(BaseEstimator):  # type: ignore[misc]
    """What both kinds of stand-ins share.

    Attributes:
        library: That wrote the text.
        text: Of the trees.
        n_features_in_: Columns of the estimator's input.
    """

    library: Library
    text: str
    n_features_in_: int

    def __init__(self, library: Library = "lightgbm") -> None:
        self.library = library

    def __getstate__(self) -> dict[str, Any]:
        names = ("library", "text", "n_features_in_", "classes_")
        return {name: self.__dict__[name] for name in names if name in self.__dict__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def fit(self, rows: Any, outcomes: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's
        """Return itself: it was trained elsewhere."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return self.fitted

    @property
    def fitted(self) -> bool:
        """Whether there are trees."""
        return "text" in self.__dict__

    @property
    def outputs(self) -> int:
        """Numbers that it gives a row: one, or one for each of several classes."""
        classes = len(getattr(self, "classes_", ()))
        return classes if classes > 2 else 1  # noqa: PLR2004

    @cached_property
    def trees(self) -> Trees:
        """What the text says of its trees.

        Raises:
            UnsafeModel: It is not as the library writes it.
        """
        return read_text(str(self.library), self.text, self.n_features_in_, self.outputs)

    @cached_property
    def _booster(self) -> Any:
        self.trees  # noqa: B018 -- read strictly before a library in C++ reads it
        try:
            if self.library == "lightgbm":
                import lightgbm

                return lightgbm.Booster(model_str=self.text)
            import xgboost
        except ImportError as error:
            raise ModelError(
                f"the model needs {self.library}, which is not installed here: {first_line(error)}",
                hint=f"install it: make install EXTRAS={self.library}",
            ) from error
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(self.text.encode()))
        return booster

    def load(self) -> None:
        """Hand the text to the library.

        Raises:
            UnsafeModel: It is not as the library writes it.
            ModelError: The library is not installed.
        """
        self._booster  # noqa: B018 -- made once

    def _said(self, rows: Any) -> "np.ndarray[Any, Any]":
        import numpy as np

        values = np.asarray(rows, dtype=np.float64)
        if self.library == "lightgbm":
            found: np.ndarray[Any, Any] = self._booster.predict(values, num_threads=1)
        else:
            found = self._booster.inplace_predict(values)
        return found

    def contributions(self, rows: Any) -> "Floats":
        """Return exact TreeSHAP values of the sums of leaves, shape (n, columns, outputs)."""
        import numpy as np

        values = np.asarray(rows, dtype=np.float64)
        if self.library == "lightgbm":
            found = self._booster.predict(values, pred_contrib=True, num_threads=1)
        else:
            import xgboost

            found = self._booster.predict(xgboost.DMatrix(values, nthread=1), pred_contribs=True)
        by_output = np.asarray(found, dtype=np.float64).reshape(len(values), self.outputs, -1)
        return by_output[:, :, :-1].swapaxes(1, 2)  # the last of each is the constant


class BoostedClassifier(ClassifierMixin, Boosted):  # type: ignore[misc]
    """A classifier's stand-in.

    Attributes:
        classes_: 0, 1, ...
    """

    classes_: Any

    def predict_proba(self, rows: Any) -> Any:
        """Return probabilities, shape (n, classes)."""
        import numpy as np

        said = self._said(rows)
        return said if said.ndim > 1 else np.vstack((1.0 - said, said)).transpose()

    def predict(self, rows: Any) -> Any:
        """Return the most probable class of each row, shape (n,)."""
        return self.classes_.take(self.predict_proba(rows).argmax(axis=1))


class BoostedRegressor(RegressorMixin, Boosted):  # type: ignore[misc]
    """A regressor's stand-in."""

    def predict(self, rows: Any) -> Any:
        """Return the predicted values, shape (n,)."""
        return self._said(rows)


def library_of(estimator: Any) -> Library | None:
    """Return the library of an estimator that a stand-in can replace, else None."""
    kind = type(estimator)
    return _MODULES.get(kind.__module__) if kind.__name__ in _KINDS else None


def stand_in(estimator: Any) -> Boosted:
    """Return the stand-in of an estimator of LightGBM's or XGBoost's.

    What was not fitted, as the pattern of which another estimator makes its parts, stays so.

    Raises:
        ModelError: It does something that the stand-in would not do.
    """
    import numpy as np

    library, classifies = library_of(estimator), is_classifier(estimator)
    made: Any = (BoostedClassifier if classifies else BoostedRegressor)(library or "lightgbm")
    if getattr(estimator, "_Booster", None) is None:
        return made  # type: ignore[no-any-return]
    made.n_features_in_ = int(estimator.n_features_in_)
    if classifies:
        made.classes_ = np.asarray(estimator.classes_)
    try:
        made.text = _TEXTS[str(library)](estimator)
        made.load()
    except ModelError as error:
        raise ModelError(
            f"{type(estimator).__name__} cannot be saved: {error.message}",
            hint="leave options that change what a tree is (linear_tree, custom objectives, "
            "boosters other than trees, enable_categorical, missing) out of model.params",
        ) from error
    return made  # type: ignore[no-any-return]


def _lightgbm_text(estimator: Any) -> str:
    """Return the trees alone: not how the machine trained, nor where each tree begins."""
    end = "end of trees"
    text, _, _ = estimator.booster_.model_to_string().partition(end)
    lines = [line for line in text.split("\n") if not line.startswith("tree_sizes=")]
    return "\n".join(lines) + end + "\n"


def _xgboost_text(estimator: Any) -> str:
    booster = estimator.get_booster()
    missing = estimator.missing
    if missing == missing:  # noqa: PLR0124 -- anything but NaN
        raise ModelError(f"it takes {missing!r} for missing", hint="leave `missing` out")
    text: str = bytes(booster.save_raw("json")).decode()
    return text


_TEXTS = {"lightgbm": _lightgbm_text, "xgboost": _xgboost_text}
