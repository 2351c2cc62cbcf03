"""ONNX files that nobody vouches for: cut, twisted, nested, and with more than a model in them."""

import random

import numpy as np
import pytest

from mergeline.core.evidence import Feature
from mergeline.errors import UnsafeModel
from mergeline.model.directory import Description, model_files
from mergeline.model.onnx_file import read_onnx
from mergeline.model.onnx_messages import MESSAGES
from mergeline.model.onnx_operators import OPERATORS
from mergeline.model.onnx_pack import onnx_pipeline
from mergeline.model.protobuf import fields_of
from mergeline.model.safety import require_safe
from mergeline.model.skops_types import read_skops

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from . import onnx_files  # noqa: E402 -- needs onnx

helper = onnx.helper
FEATURES = tuple(Feature(name=name, kind="number") for name in "abc")


def made(kind="network", task="binary"):
    return onnx_files.made(kind, FEATURES, task)


def refused(model, said):
    data = model if isinstance(model, bytes) else onnx_files.written(model)
    with pytest.raises(UnsafeModel, match=said) as caught:
        read_onnx(data)
    assert caught.value.hint
    return caught.value


# --- the table of messages ----------------------------------------------------------------------


def test_the_messages_are_those_of_onnx():
    names = {
        "OperatorSet": "OperatorSetIdProto",
        "Entry": "StringStringEntryProto",
        "Value": "ValueInfoProto",
        "TensorType": "TypeProto.Tensor",
        "Sequence": "TypeProto.Sequence",
        "Map": "TypeProto.Map",
        "Shape": "TensorShapeProto",
        "Dimension": "TensorShapeProto.Dimension",
    }
    kinds = {1: "double", 2: "float", 9: "text", 12: "bytes"}
    for name, lines in MESSAGES.items():
        first, *more = names.get(name, f"{name}Proto").split(".")
        theirs = getattr(onnx, first)
        for part in more:
            theirs = getattr(theirs, part)
        ours = fields_of(lines)
        assert [*ours] == sorted(field.number for field in theirs.DESCRIPTOR.fields), name
        for field in theirs.DESCRIPTOR.fields:
            mine = ours[field.number]
            assert mine.name == field.name
            if mine.kind != "refused":
                assert mine.many == field.is_repeated
                if field.message_type is None:
                    assert mine.kind == kinds.get(field.type, "int")


def test_every_operator_of_the_list_is_one_of_onnx():
    known = {(each.domain, each.name) for each in onnx.defs.get_all_schemas_with_history()}
    listed = {(domain, name) for domain, names in OPERATORS.items() for name in names}
    assert listed <= known
    random_ones = {"RandomNormal", "RandomUniformLike", "Bernoulli", "Multinomial", "Loop"}
    assert random_ones.isdisjoint(OPERATORS[""])


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("kind", onnx_files.KINDS)
def test_what_onnx_writes_is_read(kind, task):
    model = onnx_files.checked(made(kind, task))
    found = read_onnx(onnx_files.written(model))
    assert [port.name for port in found.inputs] == [each.name for each in model.graph.input]
    assert [port.name for port in found.outputs] == [each.name for each in model.graph.output]
    assert found.summary == "ONNX opset 17, ai.onnx.ml 3, by hand 2"
    assert found.trees == (2 if kind == "trees" else 0)
    assert found.numbers > 4


# --- bytes --------------------------------------------------------------------------------------


def test_no_cut_file_is_read():
    data = onnx_files.written(made("trees"))
    for end in range(len(data)):
        try:
            read_onnx(data[:end])
        except UnsafeModel:
            continue
        # Whole fields may be missing at the end: what is left is a model still.
        assert onnx.load_from_string(data[:end]).HasField("graph")


@pytest.mark.parametrize("kind", ["trees", "linear by name"])
def test_a_byte_that_is_another_gives_a_model_or_a_refusal(kind):
    data = bytearray(onnx_files.written(made(kind)))
    dice = random.Random(5)  # noqa: S311 -- no secret
    for _ in range(3000):
        changed = bytearray(data)
        for _ in range(dice.choice((1, 1, 2, 8))):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        try:
            read_onnx(bytes(changed))
        except UnsafeModel:
            continue
        onnx.load_from_string(bytes(changed))  # what is read, Google's reader reads too


def field(number, data):
    length = len(data)
    size = b""
    while length >= 128:
        size += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no bytes"),
        (b"\x80\x04\x95 a pickle", "unknown field|a number"),
        (b"\x08" + b"\xff" * 10, "cut off or longer"),
        (b"\x08" + b"\xff" * 9 + b"\x7f", "cut off or longer"),
        (b"\x08\x88\x00", "cut off or longer"),
        (b"\x08", "cut off"),
        (b"\x08\x08\x08\x08", "the field ir_version of Model twice"),
        (field(7, b"") * 2, "the field graph of Model twice"),
        (b"\x3a\xff\xff\xff\xff\x0f", "where 0 are left"),
        (b"\x3b\x3c", "the field graph of Model as a number"),
        (b"\x00\x00", "the unknown field 0 of Model"),
        (field(15, b"x"), "the unknown field 15 of Model"),
        (field(2, b"\xff\xfe"), "no text"),
        (field(1, b"\x08"), "the field ir_version written as something else"),
        (field(7, field(5, b"\x22\x03abc")), "the field float_data, cut off"),
    ],
)
def test_bytes_that_can_be_read_in_two_ways_are_refused(data, said):
    refused(data, said)


def test_messages_and_graphs_within_each_other_end():
    inner = b""
    for _ in range(60):
        inner = field(1, field(5, field(6, inner)))
    refused(field(7, inner), "deeper than 40")
    model = made()
    graph = helper.make_graph([], "inner", [], [])
    for _ in range(5):
        node = helper.make_node("If", ["c"], ["d"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=graph))
    refused(model, "graphs within graphs, deeper than 3")


def test_a_file_of_very_many_numbers_ends(monkeypatch):
    monkeypatch.setattr("mergeline.model.protobuf._MOST_FIELDS", 1000)
    many = field(7, field(5, field(7, b"\x01" * 1100)))
    refused(many, "more than 1,000 fields and numbers")


# --- what a model may not hold ------------------------------------------------------------------


def test_tensors_of_another_file():
    model = made()
    tensor = model.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    assert "external_data" in refused(model, "in another file").message
    tensor.data_location = onnx.TensorProto.DEFAULT
    tensor.external_data.add(key="location", value="/etc/passwd")
    assert "as one file" in refused(model, "the field external_data of Tensor").hint


def with_node(*arguments, **attributes):
    model = made()
    model.graph.node.append(helper.make_node(*arguments, **attributes))
    return model


@pytest.mark.parametrize(
    ("arguments", "attributes", "said"),
    [
        (("RandomNormal", [], ["r"]), {"shape": [1]}, "operator 'RandomNormal' of 'ai.onnx'"),
        (("Bernoulli", ["x"], ["r"]), {}, "'Bernoulli'"),
        (("ImageDecoder", ["x"], ["r"]), {}, "'ImageDecoder'"),
        (("Loop", ["x"], ["r"]), {}, "'Loop'"),
        (("ReadFile", ["x"], ["r"]), {"domain": "ai.onnx.contrib"}, "'ReadFile' of 'ai.onnx.con"),
        (("Gemm", ["x"], ["r"]), {"domain": "com.microsoft"}, "'Gemm' of 'com.microsoft'"),
        (("BatchNormalization", ["x"], ["r"]), {"training_mode": 1}, "as in training"),
        (("Relu", ["x"], ["r"]), {"g": helper.make_graph([], "g", [], [])}, "a graph within"),
        (
            ("LinearRegressor", ["x"], ["r"]),
            {"domain": onnx_files.ML, "coefficients": [1.0] * 5, "targets": 3},
            "5 coefficients and 0 intercepts",
        ),
        (
            ("Constant", [], ["r"]),
            {"value": helper.make_tensor("t", 1, [3], [1.0, 2.0, 3.0])},
            None,
        ),
    ],
)
def test_an_operator_that_does_more_than_compute(arguments, attributes, said):
    model = with_node(*arguments, **attributes)
    if said is None:
        read_onnx(onnx_files.written(model))
    else:
        refused(model, said)


def test_functions_training_and_sparse_tensors():
    node = helper.make_node("Relu", ["x"], ["y"])
    function = helper.make_function("own", "f", ["x"], ["y"], [node], [helper.make_opsetid("", 17)])
    model = made()
    model.functions.append(function)
    assert "inlined" in refused(model, "the field functions of Model").hint
    model = made()
    model.training_info.add()
    refused(model, "training_info")
    model = made()
    model.graph.sparse_initializer.add()
    refused(model, "sparse_initializer")


@pytest.mark.parametrize(
    "change",
    [
        lambda tensor: tensor.dims.__setitem__(0, 10**9),
        lambda tensor: tensor.dims.__setitem__(0, -1),
        lambda tensor: tensor.__setattr__("raw_data", tensor.raw_data[:-1]),
        lambda tensor: tensor.__setattr__("raw_data", tensor.raw_data[:-4]),
        lambda tensor: tensor.float_data.append(1.0),
        lambda tensor: tensor.__setattr__("data_type", 99),
    ],
)
def test_tensors_that_hold_other_numbers_than_they_say(change):
    model = made()
    (tensor,) = (each for each in model.graph.initializer if each.name == "v")
    change(tensor)
    refused(model, "the tensor 'v'")


@pytest.mark.parametrize(
    "changed",
    [
        {"nodes_truenodeids": [9, 0, 0, 1, 0, 0]},
        {"nodes_truenodeids": [0, 0, 0, 1, 0, 0]},
        {"nodes_truenodeids": [2, 0, 0, 1, 0, 0]},
        {"nodes_featureids": [-1, 0, 0, 1, 0, 0]},
        {"nodes_featureids": [0, 0, 0]},
        {"nodes_nodeids": [0, 1, 1, 0, 1, 2]},
        {"nodes_modes": ["BRANCH_LEQ", "LEAF", "EVIL"] * 2},
        {"nodes_modes": ["BRANCH_LEQ"] * 6},
        {"nodes_values": [1.0]},
        {"class_ids": [0] * 11 + [3]},
        {"class_ids": [0] * 11},
        {"class_nodeids": [0] * 12},
        {"base_values": [0.0] * 7},
    ],
)
def test_trees_that_point_outside_of_themselves(changed):
    inputs = [onnx_files.tensor("x", "float", None, 3)]
    outputs = [onnx_files.tensor("probabilities", "float", None, 3)]
    read_onnx(onnx_files.written(onnx_files.model([onnx_files.trees(3)], inputs, outputs)))
    refused(
        onnx_files.model([onnx_files.trees(3, **changed)], inputs, outputs),
        "trees|leaves|base|children",
    )


# --- on the trusted side, where ONNX Runtime is not ---------------------------------------------


@pytest.fixture
def files(tmp_path):
    (tmp_path / "net.onnx").write_bytes(onnx_files.written(made("linear")))
    pipeline = onnx_pipeline(tmp_path / "net.onnx", FEATURES, ("no", "yes"), "binary")
    description = Description("binary", "left", "yes", ("no", "yes"), FEATURES)
    return model_files(pipeline, description)


def test_a_hostile_file_within_the_model_is_refused_without_loading_it(files):
    require_safe(files)
    skops = files["model.skops"]
    (stand_in,) = read_skops(skops).stand_ins
    data = stand_in.state["data"]
    assert data == onnx_files.written(made("linear"))
    swapped = resealed(skops, data, data.replace(b"Softmax", b"Evilmax"))
    with pytest.raises(UnsafeModel, match="the operator 'Evilmax'"):
        require_safe({**files, "model.skops": swapped})


def resealed(archive, old, new):
    """Replace a member's bytes, with its checksum in both of its headers."""
    import zlib

    assert len(old) == len(new)
    before, after = (zlib.crc32(each).to_bytes(4, "little") for each in (old, new))
    assert archive.count(before) == 2
    return archive.replace(old, new).replace(before, after)


def test_what_it_needs_is_pinned_and_nothing_else(files):
    pins = files["requirements.txt"]
    line = f"onnxruntime=={runtime.__version__}\n".encode()
    assert line in pins
    for other, said in (
        (pins.replace(line, b""), "does not pin onnxruntime once"),
        (pins + b"lightgbm==4.6.0\n", "holds 'lightgbm==4.6.0'"),
        (pins + line, "holds 'onnxruntime"),
    ):
        with pytest.raises(UnsafeModel, match=said):
            require_safe({**files, "requirements.txt": other})


def test_numbers_are_counted_as_numpy_counts_them():
    model = made("network", "multiclass")
    sizes = [np.prod(each.dims, dtype=int) for each in model.graph.initializer]
    assert read_onnx(onnx_files.written(model)).numbers == sum(sizes)
