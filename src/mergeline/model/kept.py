"""What of a fitted pipeline is kept: what scores, and not what only its training needed.

A search keeps its scorers, and how many seconds each try took: no two of its files would be
the same. Boosting with a scorer of its own keeps a method of itself, of which skops finds no
end. None of that takes part in a score. And an estimator that a search has found is explained
by its own structure once it stands alone. Boosted trees of LightGBM and XGBoost get a stand-in
that can be saved.
"""

from collections.abc import Mapping
from copy import copy, deepcopy
from typing import Any

from mergeline.model.boosted import library_of, stand_in
from mergeline.model.walk import walk

# Classes of scikit-learn's by name. What wraps an estimator, and where it keeps that one:
_WRAPPERS: Mapping[str, str] = {
    "BaseSearchCV": "best_estimator_",
    "BaseThresholdClassifier": "estimator_",
    "SelfTrainingClassifier": "estimator_",
}
# And what is left of training.
_LEFT: Mapping[str, frozenset[str]] = {
    "BaseSearchCV": frozenset({"cv_results_", "refit_time_", "scorer_", "_checked_cv_orig"}),
    "BaseHistGradientBoosting": frozenset({"_scorer", "_raw_predict"}),
}


def scoring_part(pipeline: Any) -> Any:
    """Return what scores exactly as a fitted pipeline does; the pipeline stays as it is.

    Raises:
        ModelError: Boosted trees of another library do what their stand-in would not do.
    """
    found = _without_wrappers(pipeline)
    last = getattr(found, "_final_estimator", None)
    if library_of(last) is not None:
        # Only where it stands alone: another estimator may ask it for more than scores.
        made = copy(found)
        made.steps = [*found.steps[:-1], (found.steps[-1][0], stand_in(last))]
        return made
    if not any(map(_left, walk(found))):
        return found
    made = deepcopy(found)
    for item in list(walk(made)):
        for name in _left(item):
            del item.__dict__[name]
    return made


def _without_wrappers(pipeline: Any) -> Any:
    """Put the estimator that scores in the place of the last step that wraps it."""
    from sklearn.pipeline import Pipeline

    if type(pipeline) is not Pipeline:
        return pipeline
    name, last = pipeline.steps[-1]
    found = last
    while (attribute := _of_its_kind(found, _WRAPPERS)) and hasattr(found, attribute):
        found = getattr(found, attribute)
    if found is last:
        return pipeline
    made = copy(pipeline)
    made.steps = [*pipeline.steps[:-1], (name, found)]
    return made


def _left(item: Any) -> frozenset[str]:
    left: frozenset[str] = _of_its_kind(item, _LEFT) or frozenset()
    return left & getattr(item, "__dict__", {}).keys()


def _of_its_kind(item: Any, table: Mapping[str, Any]) -> Any:
    """Look an object up by its classes; a subclass of a project's own may do as it likes."""
    kind = type(item)
    if not kind.__module__.startswith("sklearn."):
        return None
    return next((table[each.__name__] for each in kind.__mro__ if each.__name__ in table), None)
