"""The trees of a scikit-learn estimator as plain arrays, for SHAP's tree explainer.

SHAP reads most of these estimators itself, but not splits on sets of categories: it takes
the nodes of HistGradientBoosting for numeric ones, and gives wrong values without a word.
It also walks a forest of two classes twice, where one is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

_FORESTS = ("RandomForest", "ExtraTrees")
_SINGLE = ("DecisionTree", "ExtraTree")
# Their values are not those of the leaves, but powers of their sum.
_LOG_LINK = ("poisson", "gamma")


@dataclass(frozen=True)
class CategorySplits:
    """The nodes that send a set of categories to the left.

    Attributes:
        tree: The number of the tree of each, shape (splits,).
        node: Its number there.
        column: The column that it reads, as the trees number them.
        left: Whether a category, by its code, goes to the left, shape (splits, 256).
    """

    tree: "Array"
    node: "Array"
    column: "Array"
    left: "Array"


@dataclass(frozen=True)
class Trees:
    """The trees of a fitted estimator; their sum, plus constants, is its output.

    The output is one number a row for two classes (of the positive one) and for regression,
    and a number for each of several classes.

    Attributes:
        trees: Of each tree its nodes, by the names that SHAP gives to their arrays; `values`
            has the shape (nodes, outputs).
        output: What the sums are: log-odds, probabilities, or the predicted value. The
            softmax of the log-odds of several classes are their probabilities.
        splits: Nodes that split on categories: `trees` hold no threshold for them. None
            where no node does.
        columns: For each column that the trees read, the estimator's column that it is.
        read: From the estimator's input, shape (n, columns), to what the trees compare.
    """

    trees: "Sequence[dict[str, Array]]"
    output: Literal["log_odds", "probability", "value"]
    splits: CategorySplits | None
    columns: Sequence[int]
    read: Any

    @property
    def nodes(self) -> int:
        """The nodes of all trees."""
        return sum(len(tree["features"]) for tree in self.trees)

    @property
    def leaves(self) -> int:
        """The leaves of all trees."""
        return sum(int((tree["children_left"] < 0).sum()) for tree in self.trees)


def read_trees(estimator: Any, positive: int | None = None) -> Trees | None:
    """Return the trees of an estimator; None when it has none that this can read.

    Args:
        estimator: A fitted classifier or regressor.
        positive: Of two classes, the place of the positive one in its `classes_`; None for
            several classes and for regression.
    """
    from sklearn import ensemble, tree
    from sklearn.base import is_classifier

    role = "Classifier" if is_classifier(estimator) else "Regressor"
    kind = type(estimator)
    if kind is getattr(ensemble, f"HistGradientBoosting{role}"):
        return _histogram(estimator, positive)
    if kind is getattr(ensemble, f"GradientBoosting{role}"):
        return _boosting(estimator, positive)
    if kind in [getattr(ensemble, name + role) for name in _FORESTS]:
        return _forest([member.tree_ for member in estimator.estimators_], estimator, positive)
    if kind in [getattr(tree, name + role) for name in _SINGLE]:
        return _forest([estimator.tree_], estimator, positive)
    return None


def _output(estimator: Any) -> Literal["log_odds", "value"]:
    return "log_odds" if hasattr(estimator, "classes_") else "value"


def _placed(value: "Array", place: int, outputs: int) -> "Array":
    """Return the nodes' values of a tree that is of one output only, shape (nodes, outputs)."""
    import numpy as np

    placed = np.zeros((len(value), outputs))
    placed[:, place] = value
    return placed


# --- scikit-learn's trees --------------------------------------------------------


def _forest(members: Sequence[Any], estimator: Any, positive: int | None) -> Trees | None:
    if estimator.n_outputs_ != 1:
        return None
    classifies = hasattr(estimator, "classes_")
    trees = []
    for member in members:
        value = member.value[:, 0, :]
        if classifies:
            value = value / value.sum(axis=1, keepdims=True)
        if positive is not None:
            value = value[:, [positive]]
        trees.append(_nodes(member, value / len(members)))
    columns = range(estimator.n_features_in_)
    output: Any = "probability" if classifies else "value"
    return Trees(trees, output, None, columns, _single_precision)


def _boosting(estimator: Any, positive: int | None) -> Trees | None:
    """Other losses have another link; another first guess than a constant is no tree."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    first = estimator.init_
    constant = first == "zero" or isinstance(first, DummyClassifier | DummyRegressor)
    if estimator.loss == "exponential" or not constant:
        return None
    step = estimator.learning_rate * (-1 if positive == 0 else 1)
    rounds = estimator.estimators_
    trees = [
        _nodes(member.tree_, _placed(step * member.tree_.value[:, 0, 0], place, rounds.shape[1]))
        for members in rounds
        for place, member in enumerate(members)
    ]
    columns = range(estimator.n_features_in_)
    return Trees(trees, _output(estimator), None, columns, _single_precision)


def _nodes(tree: Any, value: "Array") -> "dict[str, Array]":
    import numpy as np

    left, right = tree.children_left, tree.children_right
    return {
        "children_left": left,
        "children_right": right,
        "children_default": np.where(tree.missing_go_to_left, left, right),
        "features": tree.feature,
        "thresholds": tree.threshold,
        "values": value,
        "node_sample_weight": tree.weighted_n_node_samples,
    }


def _single_precision(rows: "Array") -> "Array":
    """Return the rows as these trees compare them: rounded to single precision."""
    import numpy as np

    return rows.astype(np.float32).astype(np.float64)


# --- HistGradientBoosting --------------------------------------------------------


def _histogram(estimator: Any, positive: int | None) -> Trees | None:
    import numpy as np

    if estimator.loss in _LOG_LINK:
        return None
    sign = -1.0 if positive == 0 else 1.0
    outputs = estimator.n_trees_per_iteration_
    predictors = [predictor for stage in estimator._predictors for predictor in stage]
    trees = [
        _histogram_nodes(predictor.nodes, sign, number % outputs, outputs)
        for number, predictor in enumerate(predictors)
    ]
    # It moves the columns of categories to the front.
    category = estimator.is_categorical_
    category = np.zeros(estimator.n_features_in_, bool) if category is None else category
    columns = [*np.flatnonzero(category).tolist(), *np.flatnonzero(~category).tolist()]

    def read(rows: "Array") -> "Array":
        return np.asarray(estimator._preprocess_X(rows, reset=False), dtype=np.float64)

    return Trees(trees, _output(estimator), _category_splits(predictors), columns, read)


def _histogram_nodes(nodes: "Array", sign: float, place: int, outputs: int) -> "dict[str, Array]":
    import numpy as np

    leaf = nodes["is_leaf"].astype(bool)
    left = np.where(leaf, -1, nodes["left"].astype(np.int64))
    right = np.where(leaf, -1, nodes["right"].astype(np.int64))
    return {
        "children_left": left,
        "children_right": right,
        "children_default": np.where(nodes["missing_go_to_left"], left, right),
        "features": np.where(leaf, -2, nodes["feature_idx"]),
        "thresholds": nodes["num_threshold"].astype(np.float64),
        "values": _placed(sign * nodes["value"].astype(np.float64), place, outputs),
        "node_sample_weight": nodes["count"].astype(np.float64),
    }


def _category_splits(predictors: Sequence[Any]) -> CategorySplits | None:
    import numpy as np

    number, node, column, left = [], [], [], []
    for place, predictor in enumerate(predictors):
        nodes = predictor.nodes
        chosen = np.flatnonzero(nodes["is_categorical"].astype(bool) & (nodes["is_leaf"] == 0))
        number.append(np.full(len(chosen), place))
        node.append(chosen)
        column.append(nodes["feature_idx"][chosen])
        left.append(_bits(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][chosen]]))
    if not sum(map(len, node)):
        return None
    return CategorySplits(*(np.concatenate(parts) for parts in (number, node, column, left)))


def _bits(words: "Array") -> "Array":
    """Return sets of 256 codes, each kept as eight words of 32 bits, as booleans."""
    import numpy as np

    bits = (words[:, :, None] >> np.arange(32, dtype=np.uint32)) & 1
    return bits.astype(bool).reshape(len(words), 256)
