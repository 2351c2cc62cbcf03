"""LightGBM's text of its trees, read strictly and without LightGBM."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from mergeline.core.strict_json import shortened

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?(e[+-]?[0-9]{1,4})?|inf|nan)", re.I)

_HEAD = {
    *("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx"),
    *("objective", "feature_names", "feature_infos", "monotone_constraints", "average_output"),
}
_OBJECTIVES = {
    *("binary", "multiclass", "multiclassova", "cross_entropy", "regression", "regression_l1"),
    *("huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie"),
}


def read_lightgbm(text: str, features: int, outputs: int) -> tuple[int, int]:
    """Return the numbers of trees and of leaves.

    Raises:
        ValueError: The text is not as LightGBM writes it.
    """
    head, *blocks = text.split("\nTree=")
    first, *lines = head.split("\n")
    if first != "tree":
        raise ValueError(f"{shortened(first)} where `tree` is expected")
    _read_head(_keys(lines), features, outputs)
    if not blocks or len(blocks) % outputs:
        raise ValueError(f"{len(blocks)} trees for {outputs} outputs")
    last, end, rest = blocks[-1].partition("end of trees")
    if not end or rest.strip():
        raise ValueError(f"{shortened(rest)} after the trees")
    leaves = 0
    for place, block in enumerate([*blocks[:-1], last]):
        number, *lines = block.split("\n")
        if number != str(place):
            raise ValueError(f"the tree {shortened(number)}, expected {place}")
        leaves += _read_tree(_keys(lines), features)
    return len(blocks), leaves


def _keys(lines: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition("=")
        if name in found:
            raise ValueError(f"{shortened(name)} is given twice")
        if line:
            found[name] = value
    return found


def _read_head(head: Mapping[str, str], features: int, outputs: int) -> None:
    if strange := head.keys() - _HEAD:
        raise ValueError(f"the key {shortened(min(strange))}")
    for name, expected in (
        ("version", "v4"),
        ("num_class", str(outputs)),
        ("num_tree_per_iteration", str(outputs)),
        ("max_feature_idx", str(features - 1)),
    ):
        if head.get(name) != expected:
            raise ValueError(f"{name} is {shortened(head.get(name))}, expected {expected}")
    objective = (head.get("objective", "").split() or [""])[0]
    if objective not in _OBJECTIVES:
        raise ValueError(f"the objective {shortened(objective)}")
    for name in ("feature_names", "feature_infos"):
        if len(head.get(name, "").split(" ")) != features:
            raise ValueError(f"{name} are not of {features} columns")


def _read_tree(tree: Mapping[str, str], features: int) -> int:
    """Return the leaves of a tree."""
    leaves, kinds = _integers(tree, "num_leaves", 1)[0], _integers(tree, "num_cat", 1)[0]
    if leaves < 1 or kinds < 0 or tree.get("is_linear", "0") != "0":
        raise ValueError("a tree without leaves, or with linear ones")
    inner = leaves - 1
    _numbers(tree, "leaf_value", leaves)
    for name, count in (("leaf_weight", leaves), ("leaf_count", leaves)):
        if tree.get(name):
            _numbers(tree, name, count)
    for name in ("threshold", "split_gain", "internal_value", "internal_weight", "internal_count"):
        if inner or tree.get(name):
            _numbers(tree, name, inner)
    if inner == 0:
        return leaves
    _within(_integers(tree, "split_feature", inner), 0, features, "split_feature")
    decisions = _within(_integers(tree, "decision_type", inner), 0, 16, "decision_type")
    left = _integers(tree, "left_child", inner)
    right = _integers(tree, "right_child", inner)
    # Leaves are -1, -2, ...; every node but the first, and every leaf, is a child once.
    if sorted([*left, *right]) != [*range(-leaves, 0), *range(1, inner)]:
        raise ValueError("children that are no tree's")
    _require_whole(left, right)
    _read_categories(tree, decisions, kinds)
    return leaves


def _require_whole(left: Sequence[int], right: Sequence[int]) -> None:
    """Refuse a ring: every node is to be reached from the first one."""
    waiting, met = [0], 0
    while waiting:
        node = waiting.pop()
        met += 1
        waiting += [child for child in (left[node], right[node]) if child > 0]
    if met != len(left):
        raise ValueError("nodes that the first one does not lead to")


def _read_categories(tree: Mapping[str, str], decisions: Sequence[int], kinds: int) -> None:
    categorical = [place for place, kind in enumerate(decisions) if kind & 1]
    if kinds == 0:
        if categorical:
            raise ValueError("a split on categories where there are none")
        return
    ends = _integers(tree, "cat_boundaries", kinds + 1)
    if ends[0] != 0 or any(a >= b for a, b in pairwise(ends)):
        raise ValueError("cat_boundaries that do not rise from 0")
    _within(_integers(tree, "cat_threshold", ends[-1]), 0, 2**32, "cat_threshold")
    thresholds = tree["threshold"].split(" ")
    for place in categorical:
        if _INTEGER.fullmatch(thresholds[place]) is None or not (
            0 <= int(thresholds[place]) < kinds
        ):
            raise ValueError("a split on categories that are not there")


def _integers(tree: Mapping[str, str], name: str, count: int) -> list[int]:
    values = tree.get(name, "").split(" ")
    if len(values) != count or not all(map(_INTEGER.fullmatch, values)):
        raise ValueError(f"{name} is not {count} whole numbers")
    return [int(value) for value in values]


def _numbers(tree: Mapping[str, str], name: str, count: int) -> None:
    values = tree.get(name, "").split(" ") if count else []
    if len(values) != count or not all(map(_NUMBER.fullmatch, values)):
        raise ValueError(f"{name} is not {count} numbers")


def _within(values: list[int], low: int, high: int, name: str) -> list[int]:
    if any(not low <= value < high for value in values):
        raise ValueError(f"{name} lies outside of {low} to {high - 1}")
    return values
