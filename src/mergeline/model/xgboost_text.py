"""XGBoost's JSON of its trees, read strictly and without XGBoost."""

from collections.abc import Mapping
from typing import Any

from mergeline.core.strict_json import read_json, shortened

_MOST_VALUES = 20_000_000
_OBJECTIVES = {
    *("binary:logistic", "multi:softprob", "reg:squarederror", "reg:squaredlogerror"),
    *("reg:logistic", "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror"),
    *("reg:gamma", "reg:tweedie", "count:poisson"),
}
_ARRAYS = {
    *("base_weights", "default_left", "left_children", "loss_changes", "parents"),
    *("right_children", "split_conditions", "split_indices", "split_type", "sum_hessian"),
}
_EMPTY = {"categories", "categories_nodes", "categories_segments", "categories_sizes"}
_NO_PARENT = 2**31 - 1


def read_xgboost(text: str, features: int, outputs: int) -> tuple[int, int]:
    """Return the numbers of trees and of leaves.

    Raises:
        ValueError: The text is not as XGBoost writes it.
    """
    document = read_json(text.encode(), values=_MOST_VALUES, text=len(text))
    learner = _part(document, "learner", {"learner", "version"})
    keys = {
        *("attributes", "feature_names", "feature_types", "gradient_booster"),
        *("learner_model_param", "objective"),
    }
    booster = _part(learner, "gradient_booster", keys)
    _read_learner(learner, features, outputs)
    if booster.get("name") != "gbtree":
        raise ValueError(f"the booster {shortened(booster.get('name'))}, expected gbtree")
    model = _part(booster, "model", {"name", "model"})
    model = _object(model)
    if model.keys() - {"cats"} != {"gbtree_model_param", "iteration_indptr", "tree_info", "trees"}:
        raise ValueError("a model with other keys")
    if any(_object(model.get("cats", {})).values()):
        raise ValueError("categories of its own")
    trees = model["trees"]
    if not isinstance(trees, list) or not trees:
        raise ValueError("no trees")
    _whole(model["tree_info"], len(trees), 0, outputs, "tree_info")
    ends = model["iteration_indptr"]
    rounds = len(ends) if isinstance(ends, list) else 0
    _whole(ends, rounds, 0, len(trees) + 1, "iteration_indptr")
    if not ends or ends[0] != 0 or ends[-1] != len(trees) or sorted(ends) != ends:
        raise ValueError("iteration_indptr does not rise from 0 to the number of trees")
    if _object(model["gbtree_model_param"]).get("num_trees") != str(len(trees)):
        raise ValueError("gbtree_model_param says another number of trees")
    return len(trees), sum(_read_tree(tree, features) for tree in trees)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _part(value: Any, name: str, keys: set[str]) -> Any:
    if not isinstance(value, dict) or value.keys() != keys:
        raise ValueError(f"other keys than {', '.join(sorted(keys))}")
    return value[name]


def _read_learner(learner: Mapping[str, Any], features: int, outputs: int) -> None:
    if learner["attributes"] or learner["feature_names"] or learner["feature_types"]:
        raise ValueError("attributes or names of columns")
    param, objective = _object(learner["learner_model_param"]), _object(learner["objective"])
    classes = outputs if outputs > 1 else 0
    for name, expected in (
        ("num_feature", str(features)),
        ("num_class", str(classes)),
        ("num_target", "1"),
    ):
        if param.get(name) != expected:
            raise ValueError(f"{name} is {shortened(param.get(name))}, expected {expected}")
    if objective.get("name") not in _OBJECTIVES:
        raise ValueError(f"the objective {shortened(objective.get('name'))}")


def _read_tree(tree: Any, features: int) -> int:
    """Return the leaves of a tree."""
    keys = {*_ARRAYS, *_EMPTY, "id", "tree_param"}
    param = _part(tree, "tree_param", keys)
    left = tree["left_children"]
    nodes = len(left) if isinstance(left, list) else 0
    expected = {
        "num_deleted": "0",
        "num_feature": str(features),
        "num_nodes": str(nodes),
        "size_leaf_vector": "1",
    }
    if not nodes or param != expected or type(tree["id"]) is not int:
        raise ValueError("a tree whose parameters are not its own")
    if any(tree[name] != [] for name in _EMPTY):
        raise ValueError("splits on categories")
    for name in ("base_weights", "loss_changes", "split_conditions", "sum_hessian"):
        values = tree[name]
        if not isinstance(values, list) or len(values) != nodes:
            raise ValueError(f"{name} is not of {nodes} nodes")
        if not all(type(value) in (int, float) for value in values):
            raise ValueError(f"{name} holds something else than numbers")
    _whole(left, nodes, -1, nodes, "left_children")
    right = _whole(tree["right_children"], nodes, -1, nodes, "right_children")
    _whole(tree["split_indices"], nodes, 0, features, "split_indices")
    _whole(tree["split_type"], nodes, 0, 1, "split_type")
    _whole(tree["default_left"], nodes, 0, 2, "default_left")
    _whole(tree["parents"], nodes, 0, _NO_PARENT + 1, "parents")
    inner = [node for node in range(nodes) if left[node] != -1]
    children = [child for node in inner for child in (left[node], right[node])]
    # A child is behind its parent, so that there is no ring.
    behind = all(min(left[node], right[node]) > node for node in inner)
    if sorted(children) != list(range(1, nodes)) or not behind:
        raise ValueError("children that are no tree's")
    if any(right[node] != -1 for node in set(range(nodes)) - set(inner)):
        raise ValueError("a leaf with a child")
    return nodes - len(inner)


def _whole(values: Any, count: int, low: int, high: int, name: str) -> list[int]:
    if not isinstance(values, list) or len(values) != count:
        raise ValueError(f"{name} is not {count} whole numbers")
    if any(type(value) is not int or not low <= value < high for value in values):
        raise ValueError(f"{name} lies outside of {low} to {high - 1}")
    return values
