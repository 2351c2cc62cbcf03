"""How long a fitted pipeline takes to score a row, by a rule that no clock decides."""

from typing import Any

from mergeline.model.walk import walk

# Measured with scikit-learn's forests, boosting, neighbours, support vectors, networks and
# Gaussian processes on two busy cores of a small server, and rounded up.
_PER_TREE = 1e-6
_PER_NUMBER = 5e-9
_BOOSTED = ("BoostedClassifier", "BoostedRegressor")
_ONNX = ("OnnxClassifier", "OnnxRegressor")
# What training leaves behind, and scoring does not read.
_UNREAD = ("_optimizer",)


def seconds_a_row(pipeline: Any) -> float:
    """Return about how many seconds scoring one row takes, among many at once.

    A tree costs a fixed time, and so does every other number that the pipeline keeps:
    neighbours, support vectors, weights and covariances are all read for each row.

    Args:
        pipeline: Fitted; whatever it is made of is walked through.
    """
    import numpy as np
    from scipy.sparse import issparse

    trees = numbers = 0
    for item in walk(pipeline, _UNREAD):
        if type(item).__name__ in ("Tree", "TreePredictor"):
            trees += 1
        elif type(item).__name__ in _BOOSTED and item.fitted:
            trees += item.trees.trees
        elif type(item).__name__ in _ONNX:
            trees += item.file.trees
            numbers += item.file.numbers
        elif isinstance(item, np.ndarray) and item.dtype != object:
            numbers += item.size
        elif issparse(item):
            numbers += item.nnz
    return trees * _PER_TREE + numbers * _PER_NUMBER
