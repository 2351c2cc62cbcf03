"""ONNX models: packed, saved without pickle, read strictly, scored as ONNX Runtime scores."""

import copy
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mergeline.core.digest import sha256
from mergeline.core.evidence import Feature
from mergeline.errors import ModelError, UnsafeModel
from mergeline.model.directory import SKOPS, Description, model_files, save_model
from mergeline.model.onnx_pack import onnx_pipeline, require_scores
from mergeline.model.safety import read_files, require_safe
from mergeline.model.score import load_scorer
from mergeline.model.skops_types import untrusted_types
from mergeline.stages.shapley.plan import affordable, methods

from . import matrix

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from . import onnx_files  # noqa: E402 -- needs onnx

TASKS = tuple(matrix.CLASSES)
NUMBERS = tuple(Feature(name=name, kind="number") for name in ("age", "income", "visits"))


def features_of(kind):
    features = matrix.sample().features
    named = kind == "linear by name"
    return tuple(each for each in features if named or each.kind != "category")


def packed(folder, kind, task):
    """Return the pipeline of a kind of model, with its features and its file's bytes."""
    features, classes = features_of(kind), matrix.CLASSES[task]
    stated = {"classes": json.dumps(classes)} if kind == "trees" and classes else {}
    data = onnx_files.written(onnx_files.made(kind, features, task, **stated))
    (folder / "net.onnx").write_bytes(data)
    return onnx_pipeline(folder / "net.onnx", features, classes, task), features, data


def described(features, task):
    whole = matrix.sample().description(task)
    return Description(whole.task, whole.target, whole.positive, whole.classes, features)


def straight(data, features, rows, output):
    """Return what ONNX Runtime says of rows, without any of ours."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    if len(session.get_inputs()) == 1:
        feeds = {"x": rows.to_numpy(np.float64).astype(np.float32)}
    else:
        feeds = {
            each.name: rows[[each.name]].fillna("").to_numpy(object)
            if each.kind == "category"
            else rows[[each.name]].to_numpy(np.float32)
            for each in features
        }
    return session.run([output], feeds)[0]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", onnx_files.KINDS)
def test_it_goes_the_whole_way(kind, task, tmp_path):
    table = matrix.sample()
    pipeline, features, data = packed(tmp_path, kind, task)
    rows = table.rows[[each.name for each in features]]
    require_scores(pipeline, rows, matrix.CLASSES[task])
    save_model(pipeline, tmp_path / "model", described(features, task))
    files = read_files(tmp_path / "model")
    require_safe(files)
    assert [name for name in untrusted_types(files[SKOPS]) if "onnx" in name] == [
        "mergeline.model.onnx." + ("OnnxRegressor" if task == "regression" else "OnnxClassifier")
    ]
    assert b"onnxruntime==" + onnxruntime.__version__.encode() in files["requirements.txt"]
    scorer = load_scorer(tmp_path / "model")
    score = scorer.score(table.frame)
    output = "value" if task == "regression" else "probabilities"
    said = straight(data, features, rows, output).astype(np.float64)
    expected = {"binary": said[:, -1], "regression": said[:, 0]}.get(task, said)
    np.testing.assert_array_equal(score, expected)
    assert np.std(score) > 0
    require_explained(scorer, rows, score)


def require_explained(scorer, rows, score):
    (way,) = methods(scorer, 0)
    assert way.explainer == "permutation"
    assert affordable((way,), 2000, 60) == (0, "")
    assert way.affords(60) > 500
    values = way.explain(rows.head(5), rows.tail(5))
    assert way.adds_up(values, score[:5])
    assert not way.adds_up(values * 1.1, score[:5])


def digest(kind, task, folder):
    pipeline, features, _ = packed(Path(folder), kind, task)
    return sha256(model_files(pipeline, described(features, task))[SKOPS])


@pytest.mark.parametrize("kind", ["trees", "linear by name"])
def test_two_processes_come_to_the_same_bytes(kind, tmp_path):
    code = (
        "import sys; from model.test_onnx import digest; "
        f"print(digest({kind!r}, 'multiclass', sys.argv[1]))"
    )
    tests = os.fspath(Path(__file__).parents[1])
    command = [sys.executable, "-c", code, os.fspath(tmp_path)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=tests, timeout=120
    )
    assert done.stdout.split()[-1] == digest(kind, "multiclass", tmp_path)


def test_mlflow_reads_it(tmp_path):
    import mlflow.pyfunc
    import mlflow.sklearn

    table = matrix.sample()
    pipeline, features, _ = packed(tmp_path, "linear by name", "multiclass")
    save_model(pipeline, tmp_path / "model", described(features, "multiclass"))
    rows = table.rows[[each.name for each in features]]
    expected = pipeline.predict_proba(rows)
    loaded = mlflow.sklearn.load_model(str(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(rows), expected)
    general = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    np.testing.assert_array_equal(general.predict(rows), expected)


def test_it_can_be_copied_and_its_session_stays_here(tmp_path):
    pipeline, features, _ = packed(tmp_path, "network", "binary")
    rows = matrix.sample().rows[[each.name for each in features]]
    said = pipeline.predict_proba(rows)
    for twin in (copy.deepcopy(pipeline), pickle.loads(pickle.dumps(pipeline))):  # noqa: S301
        np.testing.assert_array_equal(twin.predict_proba(rows), said)
    assert pipeline.predict_proba(rows.head(0)).shape == (0, 2)


def test_rows_of_many_calls_are_those_of_one(tmp_path, monkeypatch):
    pipeline, features, _ = packed(tmp_path, "trees", "multiclass")
    rows = matrix.sample().rows[[each.name for each in features]]
    said = pipeline.predict_proba(rows)
    monkeypatch.setattr("mergeline.model.onnx._ROWS", 7)
    np.testing.assert_array_equal(pipeline.predict_proba(rows), said)


def test_one_thread_and_no_libraries_of_its_own(tmp_path):
    pipeline, *_ = packed(tmp_path, "network", "binary")
    session = pipeline[-1]._session
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert session.get_providers() == ["CPUExecutionProvider"]


def test_without_its_library_the_message_says_what_to_install(tmp_path, monkeypatch):
    pipeline, *_ = packed(tmp_path, "network", "binary")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match="needs onnxruntime, which is not installed") as caught:
        copy.deepcopy(pipeline)[-1].load()
    assert caught.value.hint == "install it: make install EXTRAS=onnx"


# --- what does not fit the table ----------------------------------------------------------------


def pack(folder, made, features=NUMBERS, classes=("no", "yes"), task="binary"):
    (folder / "net.onnx").write_bytes(onnx_files.written(made))
    pipeline = onnx_pipeline(folder / "net.onnx", features, classes, task)
    rows = matrix.sample().rows[[each.name for each in features]]
    require_scores(pipeline, rows, classes)
    return pipeline, rows


def one(operator, outputs, inputs=None, weights=None, **props):
    """A model of one Gemm and an operator behind it."""
    width = len(NUMBERS)
    held = onnx_files.weights_of(width, 2, 1e-3) if weights is None else weights
    nodes = [
        onnx.helper.make_node("IsNaN", ["x"], ["n"]),
        onnx.helper.make_node("Where", ["n", "zero", "x"], ["f"]),
        onnx.helper.make_node("MatMul", ["f", "w"], ["m"]),
        onnx.helper.make_node(operator, ["m"], ["score"]),
    ]
    return onnx_files.model(
        nodes,
        inputs or [onnx_files.tensor("x", "float", None, width)],
        outputs,
        {"w": held, "zero": np.float32(0)},
        **props,
    )


def score(*shape):
    return [onnx_files.tensor("score", "float", *shape)]


@pytest.mark.parametrize(
    ("inputs", "features", "said"),
    [
        ([("x", "float", None, 4)], NUMBERS, "inputs 'x' .float.N, 4..; expected one float input"),
        ([("x", "float", 1, 3)], NUMBERS, "'x' .float.1, 3"),
        ([("x", "int64", None, 3)], NUMBERS, "'x' .int64"),
        ([("age", "float", None, 1)], NUMBERS, "'age'"),
        (
            [("x", "float", None, 3)],
            (*NUMBERS[:2], Feature(name="town", kind="category")),
            r"expected an input of the name of each of 3 columns.* or string \('town'\)",
        ),
    ],
)
def test_other_inputs_are_refused(inputs, features, said, tmp_path):
    made = one("Softmax", score(None, 2), [onnx_files.tensor(*each) for each in inputs])
    with pytest.raises(ModelError, match=said) as caught:
        pack(tmp_path, made, features)
    assert "with N free" in caught.value.hint


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (score(None, 3), "expected one float output of probabilities, .N, 2., or .N. or .N, 1."),
        (score(1, 2), "'score' .float.1, 2"),
        ([onnx_files.tensor("score", "int64", None, 2)], "'score' .int64"),
    ],
)
def test_other_outputs_are_refused(outputs, said, tmp_path):
    with pytest.raises(ModelError, match=said):
        pack(tmp_path, one("Softmax", outputs))


def test_maps_of_classes_are_refused_with_how_to_turn_them_off(tmp_path):
    made = one("Softmax", score(None, 2))
    zipped = onnx.helper.make_node(
        "ZipMap", ["score"], ["maps"], domain=onnx_files.ML, classlabels_strings=["no", "yes"]
    )
    made.graph.node.append(zipped)
    del made.graph.output[:]
    entry = onnx.helper.make_map_type_proto(8, onnx.helper.make_tensor_type_proto(1, None))
    sequence = onnx.helper.make_sequence_type_proto(entry)
    made.graph.output.append(onnx.helper.make_value_info("maps", sequence))
    with pytest.raises(ModelError, match=r"'maps' \(sequence\)") as caught:
        pack(tmp_path, made)
    assert "'zipmap': False" in caught.value.hint


def test_logits_are_refused(tmp_path):
    with pytest.raises(ModelError, match="gives no probabilities: they lie between -") as caught:
        pack(tmp_path, one("Identity", score(None, 2)))
    assert caught.value.hint.startswith("are these logits?")


def test_scores_that_are_no_numbers_are_refused(tmp_path):
    made = one("Softmax", score(None, 2))
    made.graph.node[2].input[0] = "x"
    with pytest.raises(ModelError, match=r"gives no number for [0-9]+ of 240 rows") as caught:
        pack(tmp_path, made)
    assert "fill it within the graph" in caught.value.hint


@pytest.mark.parametrize(
    ("operator", "said"), [("Nonsense", "not one that Mergeline"), ("Flatten", "no probabilities")]
)
def test_what_onnx_runtime_would_not_do(operator, said, tmp_path):
    with pytest.raises(ModelError, match=said):
        pack(tmp_path, one(operator, score(None, 2)))


def test_what_onnx_runtime_does_not_load_or_score_is_said_in_one_line(tmp_path):
    made = one("Softmax", score(None, 2))
    made.graph.node[3].input[0] = "nowhere\x1b[31m"
    with pytest.raises(ModelError, match="cannot load the ONNX file") as caught:
        pack(tmp_path, made)
    assert "\x1b" not in caught.value.message
    tree = onnx_files.trees(1, nodes_featureids=[900, 0, 0, 1, 0, 0])
    inputs = [onnx_files.tensor("x", "float", None, 3)]
    made = onnx_files.model([tree], inputs, [onnx_files.tensor("value", "float", None, 1)])
    with pytest.raises(ModelError, match=r"cannot score 240 rows: .*requests feature 900"):
        pack(tmp_path, made, classes=(), task="regression")


def test_of_two_classes_one_probability_is_enough(tmp_path):
    weights = onnx_files.weights_of(3, 1, 1e-3)
    pipeline, rows = pack(tmp_path, one("Sigmoid", score(None, 1), weights=weights))
    said = pipeline.predict_proba(rows)
    session = onnxruntime.InferenceSession((tmp_path / "net.onnx").read_bytes())
    feeds = {"x": rows.to_numpy(np.float64).astype(np.float32)}
    np.testing.assert_array_equal(said[:, 1], session.run(None, feeds)[0][:, 0])
    np.testing.assert_array_equal(said.sum(axis=1), 1.0)
    with pytest.raises(ModelError, match="states the positive class 'yes' first"):
        pack(
            tmp_path,
            one("Sigmoid", score(None, 1), weights=weights, classes='["yes", "no"]'),
        )


# --- the order of classes -------------------------------------------------------------------------


def test_a_file_that_states_its_classes_in_another_order_is_read_in_ours(tmp_path):
    ours, rows = pack(tmp_path, one("Softmax", score(None, 2), classes='["no", "yes"]'))
    other, _ = pack(tmp_path, one("Softmax", score(None, 2), classes='["yes", "no"]'))
    said = ours.predict_proba(rows)
    np.testing.assert_array_equal(other.predict_proba(rows), said[:, ::-1])
    silent, _ = pack(tmp_path, one("Softmax", score(None, 2)))
    np.testing.assert_array_equal(silent.predict_proba(rows), said)


def test_labels_of_trees_are_classes_and_those_of_another_table_are_refused(tmp_path):
    inputs = [onnx_files.tensor("x", "float", None, 3)]
    outputs = [
        onnx_files.tensor("label", "int64", None),
        onnx_files.tensor("probabilities", "float", None, 3),
    ]
    made = onnx_files.model([onnx_files.trees(3)], inputs, outputs)
    pack(tmp_path, made, classes=("0", "1", "2"), task="multiclass")
    with pytest.raises(
        ModelError, match="states the classes '0', '1', '2', the table has"
    ) as caught:
        pack(tmp_path, made, classes=("high", "low", "middle"), task="multiclass")
    assert "metadata property" in caught.value.hint
    twisted = onnx_files.model(
        [onnx_files.trees(3, classlabels_int64s=[2, 0, 1])],
        inputs,
        outputs,
        classes='["0","1","2"]',
    )
    with pytest.raises(ModelError, match="are not its most probable classes in 240 of 240 rows"):
        pack(tmp_path, twisted, classes=("0", "1", "2"), task="multiclass")


def test_a_stand_in_whose_order_is_none_is_not_loaded(tmp_path):
    pipeline, *_ = packed(tmp_path, "network", "multiclass")
    estimator = copy.deepcopy(pipeline)[-1]
    estimator.order = [0, 0, 2]
    with pytest.raises(UnsafeModel, match="not in an order"):
        estimator.load()
