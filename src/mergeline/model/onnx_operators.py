"""The operators that an ONNX model may use: each computes numbers or texts from its inputs.

Left out are those that draw at random, decode images, call functions, or go on for as long as
their input says. ONNX Runtime takes the arrays of trees and of linear models as they are: what
points outside of them is refused here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mergeline.core.strict_json import shortened
from mergeline.model.protobuf import Message

ML = "ai.onnx.ml"
_EACH = """
    Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr
    BitwiseXor Cast CastLike Ceil Celu Clip Cos Cosh Div Elu Equal Erf Exp Floor Gelu Greater
    GreaterOrEqual HardSigmoid HardSwish Hardmax Identity IsInf IsNaN LeakyRelu Less
    LessOrEqual Log LogSoftmax Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal Relu
    Round Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Sub Sum Swish Tan
    Tanh ThresholdedRelu Where Xor
"""
_OVER_MANY = """
    ArgMax ArgMin CumSum Det Einsum Gemm LpNormalization MatMul MatMulInteger ReduceL1
    ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare TopK Unique
"""
_LAYERS = """
    Attention AveragePool BatchNormalization Conv ConvInteger ConvTranspose Dropout GRU
    GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNormalization InstanceNormalization LRN
    LSTM LayerNormalization LpPool MaxPool MeanVarianceNormalization RMSNormalization RNN
    DequantizeLinear DynamicQuantizeLinear QLinearConv QLinearMatMul QuantizeLinear
"""
_PLACES = """
    Compress Concat ConcatFromSequence Constant ConstantOfShape DepthToSpace Expand EyeLike
    Flatten Gather GatherElements GatherND NonZero OneHot Pad Range Reshape ReverseSequence
    Scatter ScatterElements ScatterND SequenceAt SequenceConstruct SequenceInsert
    SequenceLength Shape Size Slice SpaceToDepth Split SplitToSequence Squeeze Tile Transpose
    Trilu Unsqueeze
"""
_TEXTS_AND_GRAPHS = """
    StringConcat StringNormalizer StringSplit TfIdfVectorizer If Scan
"""
_LEARNING = """
    ArrayFeatureExtractor Binarizer CategoryMapper FeatureVectorizer Imputer LabelEncoder
    LinearClassifier LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor
    Scaler TreeEnsembleClassifier TreeEnsembleRegressor ZipMap
"""
OPERATORS: Mapping[str, frozenset[str]] = {
    "": frozenset((_EACH + _OVER_MANY + _LAYERS + _PLACES + _TEXTS_AND_GRAPHS).split()),
    ML: frozenset(_LEARNING.split()),
}
# In which attributes an operator states its classes.
LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
_LABELLED = ("LinearClassifier", "SVMClassifier", "TreeEnsembleClassifier", "ZipMap")
_MODES = {f"BRANCH_{name}" for name in ("LEQ", "LT", "GTE", "GT", "EQ", "NEQ")} | {"LEAF"}

Attributes = Mapping[str, Message]


def require_operator(domain: str, operator: str, attributes: Attributes) -> None:
    """Refuse an operator that does more than compute, or whose arrays do not fit together.

    Raises:
        ValueError: It does, or they do not.
    """
    where = domain or "ai.onnx"
    if operator not in OPERATORS.get(domain, ()):
        raise ValueError(
            f"the operator {shortened(operator)} of {shortened(where)}, which is not on the list "
            "of those that only compute, and compute the same each time"
        )
    if attributes.get("training_mode", {}).get("i", 0) != 0:
        raise ValueError(f"{operator} as in training")
    if operator.startswith("TreeEnsemble"):
        _require_trees(operator, attributes)
    elif domain == ML and operator.startswith("Linear"):
        _require_linear(operator, attributes)


def labels_of(operator: str, attributes: Attributes) -> tuple[str | int, ...]:
    """Return the classes that an operator states; none where it states none.

    Raises:
        ValueError: One is no text.
    """
    if operator not in _LABELLED:
        return ()
    for name in LABELS:
        texts, numbers = _texts(attributes, name), _whole(attributes, name)
        if texts or numbers:
            return texts or tuple(numbers)
    return ()


def trees_of(attributes: Attributes) -> int:
    """Return how many trees an operator holds."""
    return len(set(_whole(attributes, "nodes_treeids")))


def _whole(attributes: Attributes, name: str) -> Sequence[int]:
    found: Sequence[int] = attributes.get(name, {}).get("ints", ())
    return found


def _texts(attributes: Attributes, name: str) -> tuple[str, ...]:
    strings = attributes.get(name, {}).get("strings", ())
    try:
        return tuple(str(each, "utf-8") for each in strings)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} with what is no text") from error


def _count(attributes: Attributes, name: str) -> int:
    """Return how many numbers an attribute has, as a list or as a tensor of one dimension."""
    alone: int = attributes.get(name, {}).get("floats", 0)
    tensor = attributes.get(f"{name}_as_tensor", {}).get("t")
    if tensor is None:
        return alone
    dims = tensor.get("dims", ())
    if alone or len(dims) != 1:
        raise ValueError(f"{name} in two ways, or of more dimensions than one")
    return int(dims[0])


def _one(attributes: Attributes, name: str, default: int) -> int:
    value: Any = attributes.get(name, {}).get("i", default)
    return int(value)


def _require_linear(operator: str, attributes: Attributes) -> None:
    count, constants = _count(attributes, "coefficients"), _count(attributes, "intercepts")
    rows = constants if operator == "LinearClassifier" else _one(attributes, "targets", 1)
    if rows < 1 or count < rows or count % rows or constants not in {0, rows}:
        raise ValueError(f"{operator} with {count} coefficients and {constants} intercepts")


# --- trees ------------------------------------------------------------------------------------


def _require_trees(operator: str, attributes: Attributes) -> None:
    ids = [*zip(_whole(attributes, "nodes_treeids"), _whole(attributes, "nodes_nodeids"))]  # noqa: B905 -- held to one length below
    modes = _texts(attributes, "nodes_modes")
    lists = {
        name: _whole(attributes, f"nodes_{name}")
        for name in ("treeids", "nodeids", "featureids", "truenodeids", "falsenodeids")
    }
    lengths = {len(modes), _count(attributes, "nodes_values"), *map(len, lists.values())}
    if lengths != {len(ids)} or not ids:
        raise ValueError("trees whose nodes are not told in lists of one length")
    more = len(_whole(attributes, "nodes_missing_value_tracks_true"))
    if more not in {0, len(ids)} or _count(attributes, "nodes_hitrates") not in {0, len(ids)}:
        raise ValueError("trees whose nodes are not told in lists of one length")
    places = {each: place for place, each in enumerate(ids)}
    if len(places) != len(ids):
        raise ValueError("trees with two nodes of one number")
    if strange := set(modes) - _MODES:
        raise ValueError(f"trees with nodes of the kind {shortened(min(strange))}")
    if min(lists["featureids"]) < 0:
        raise ValueError("trees that read a column before the first")
    _require_no_ring(ids, modes, places, lists)
    _require_leaves(operator, attributes, places, modes)


def _require_no_ring(
    ids: Sequence[tuple[int, int]],
    modes: Sequence[str],
    places: Mapping[tuple[int, int], int],
    lists: Mapping[str, Sequence[int]],
) -> None:
    """See that each tree's first node leads to each of its others in one way."""
    children: dict[int, tuple[int, int]] = {}
    for place, (tree, _) in enumerate(ids):
        if modes[place] == "LEAF":
            continue
        pair = [(tree, lists[name][place]) for name in ("truenodeids", "falsenodeids")]
        if any(child not in places for child in pair):
            raise ValueError("trees with a child outside of the tree")
        children[place] = (places[pair[0]], places[pair[1]])
    below = Counter(child for pair in children.values() for child in pair)
    roots = [place for place in range(len(ids)) if place not in below]
    if len(roots) != len({tree for tree, _ in ids}) or max(below.values(), default=1) > 1:
        raise ValueError("children that are no tree's")
    reached, waiting = 0, roots
    while waiting:
        reached += 1
        waiting.extend(children.get(waiting.pop(), ()))
    if reached != len(ids):
        raise ValueError("children that are no tree's")


def _require_leaves(
    operator: str,
    attributes: Attributes,
    places: Mapping[tuple[int, int], int],
    modes: Sequence[str],
) -> None:
    """See that what the leaves add is told of leaves, and for outputs that there are."""
    classifies = operator == "TreeEnsembleClassifier"
    part = "class" if classifies else "target"
    trees, nodes, outputs = (
        _whole(attributes, f"{part}_{name}") for name in ("treeids", "nodeids", "ids")
    )
    weights = _count(attributes, f"{part}_weights")
    if not len(trees) == len(nodes) == len(outputs) == weights or not weights:
        raise ValueError("leaves that are not told in lists of one length")
    for pair in zip(trees, nodes, strict=True):
        if pair not in places or modes[places[pair]] != "LEAF":
            raise ValueError("leaves that are no leaves of its trees")
    labels = len(labels_of(operator, attributes))
    most = labels if classifies else _one(attributes, "n_targets", 1)
    if min(outputs) < 0 or max(outputs) >= most:
        raise ValueError(f"leaves for another output than one of {most}")
    if _count(attributes, "base_values") not in {0, 1, most}:
        raise ValueError(f"base values that are not those of {most} outputs")
