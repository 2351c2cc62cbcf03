"""Small ONNX files, written with the `onnx` package: linear, trees, a network; hostile ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from mergeline.core.evidence import Feature
from mergeline.core.task import Task

KINDS = ("linear", "linear by name", "trees", "network")
ML = "ai.onnx.ml"


def tensor(name: str, kind: str, *shape: int | None) -> Any:
    kinds = {"float": 1, "int64": 7, "text": 8, "double": 11}
    return helper.make_tensor_value_info(name, kinds[kind], shape)


def model(
    nodes: Sequence[Any], inputs: Any, outputs: Any, weights: Any = None, **props: str
) -> Any:
    """Return a model of nodes; weights are arrays by name."""
    inside = [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()]
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), inside)
    sets = [helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)]
    made = helper.make_model(
        graph, opset_imports=sets, ir_version=8, producer_name="hand", producer_version="2"
    )
    helper.set_model_props(made, props)
    return made


def weights_of(rows: int, columns: int, scale: float = 0.5) -> Any:
    drawn = np.random.default_rng(rows * 31 + columns).normal(size=(rows, columns))
    return (scale * drawn).astype(np.float32)


def made(kind: str, features: Sequence[Feature], task: Task, **props: str) -> Any:
    """Return a model of a kind for a task."""
    outputs = {"binary": 2, "multiclass": 3, "regression": 1}[task]
    if kind == "linear by name":
        return by_name(features, outputs, **props)
    width = len(features)
    inputs = [tensor("x", "float", None, width)]
    if kind == "trees":
        return model([trees(outputs)], inputs, _tree_outputs(outputs), **props)
    hidden = 8 if kind == "network" else 0
    # Scaled: the columns have tens and thousands. NaN is missing.
    weights: dict[str, Any] = {
        "zero": np.float32(0),
        "scale": np.full(width, 1e-3, np.float32),
        "_w": weights_of(hidden or width, outputs),
        "_b": weights_of(1, outputs)[0],
    }
    nodes = [
        helper.make_node("IsNaN", ["x"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "x"], ["filled"]),
        helper.make_node("Mul", ["filled", "scale"], ["scaled"]),
    ]
    if hidden:
        weights |= {"v": weights_of(width, hidden), "c": weights_of(1, hidden)[0]}
        nodes += [
            helper.make_node("Gemm", ["scaled", "v", "c"], ["before"]),
            helper.make_node("Relu", ["before"], ["hidden"]),
        ]
    last = "hidden" if hidden else "scaled"
    return model([*nodes, *end(last, outputs)], inputs, [_score(outputs)], weights, **props)


def end(last: str, outputs: int) -> list[Any]:
    """Return the nodes from the last layer to the score."""
    if outputs == 1:
        return [helper.make_node("Gemm", [last, "_w", "_b"], ["value"])]
    return [
        helper.make_node("Gemm", [last, "_w", "_b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]


def _score(outputs: int) -> Any:
    name = "value" if outputs == 1 else "probabilities"
    return tensor(name, "float", None, outputs)


def by_name(features: Sequence[Feature], outputs: int, **props: str) -> Any:
    """Return a linear model with an input for each column; a text counts by its length class."""
    nodes, inputs = [], []
    for number, feature in enumerate(features):
        text = feature.kind == "category"
        inputs.append(tensor(feature.name, "text" if text else "float", None, 1))
        if text:
            nodes.append(
                helper.make_node(
                    "LabelEncoder",
                    [feature.name],
                    [f"n{number}"],
                    domain=ML,
                    keys_strings=["basic", "north", ""],
                    values_floats=[1.0, 2.0, 3.0],
                    default_float=0.5,
                )
            )
        else:
            nodes += [
                helper.make_node("IsNaN", [feature.name], [f"m{number}"]),
                helper.make_node("Where", [f"m{number}", "zero", feature.name], [f"f{number}"]),
                helper.make_node("Mul", [f"f{number}", "scale"], [f"n{number}"]),
            ]
    names = [f"n{number}" for number in range(len(features))]
    nodes.append(helper.make_node("Concat", names, ["all"], axis=1))
    weights = {
        "zero": np.float32(0),
        "scale": np.float32(1e-3),
        "_w": weights_of(len(features), outputs),
        "_b": weights_of(1, outputs)[0],
    }
    return model([*nodes, *end("all", outputs)], inputs, [_score(outputs)], weights, **props)


def _tree_outputs(outputs: int) -> list[Any]:
    if outputs == 1:
        return [tensor("value", "float", None, 1)]
    return [tensor("label", "int64", None), tensor("probabilities", "float", None, outputs)]


def trees(outputs: int, **changed: Any) -> Any:
    """Return two trees over the first two columns, each with a leaf on either side."""
    tree = {
        "nodes_treeids": [0, 0, 0, 1, 1, 1],
        "nodes_nodeids": [0, 1, 2, 0, 1, 2],
        "nodes_featureids": [0, 0, 0, 1, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"] * 2,
        "nodes_values": [45.0, 0.0, 0.0, 3000.0, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0] * 2,
        "nodes_falsenodeids": [2, 0, 0] * 2,
        "nodes_missing_value_tracks_true": [1, 0, 0] * 2,
    }
    # Of two classes the leaves tell of one: it is the positive one's, as converters write it.
    ids = [0] if outputs == 2 else [*range(outputs)]
    leaves = [(tree_id, node) for tree_id in (0, 1) for node in (1, 2) for _ in ids]
    part = "target" if outputs == 1 else "class"
    shares = {1: [1.0, 4.0, 2.0, 3.0], 2: [0.1, 0.4, 0.3, 0.25],
              3: [0.3, 0.1, 0.1, 0.1, 0.1, 0.3, 0.1, 0.2, 0.2, 0.2, 0.2, 0.1]}[outputs]  # fmt: skip
    tree |= {
        f"{part}_treeids": [each for each, _ in leaves],
        f"{part}_nodeids": [node for _, node in leaves],
        f"{part}_ids": ids * 4,
        f"{part}_weights": shares,
    }
    if outputs == 1:
        tree |= {"n_targets": 1, "post_transform": "NONE"}
        ends = ["value"]
    else:
        tree |= {"classlabels_int64s": [*range(outputs)], "post_transform": "NONE"}
        ends = ["label", "probabilities"]
    name = "TreeEnsembleRegressor" if outputs == 1 else "TreeEnsembleClassifier"
    return helper.make_node(name, ["x"], ends, domain=ML, **{**tree, **changed})


def written(made_model: Any) -> bytes:
    data: bytes = made_model.SerializeToString(deterministic=True)
    return data


def checked(made_model: Any) -> Any:
    """See that it is an ONNX model by ONNX's own word."""
    onnx.checker.check_model(made_model)
    return made_model
