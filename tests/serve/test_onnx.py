"""A release whose model is an ONNX file: the stages make it, the model process serves it."""

import json

import numpy as np
import pytest

from mergeline.core import layout
from mergeline.core.evidence import Feature
from mergeline.errors import ModelError
from mergeline.serve.replies import JSON
from mergeline.serve.worker import load, smoke_test
from serve.releases_made import change_scores, make_release

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from model import onnx_files  # noqa: E402 -- needs onnx

FEATURES = tuple(
    Feature(name=name, kind="category" if name in {"plan", "town"} else "number")
    for name in ("age", "income", "plan", "town", "visits", "member")
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    (folder / "project/models").mkdir(parents=True)
    data = onnx_files.written(onnx_files.made("linear by name", FEATURES, "binary"))
    (folder / "project/models/net.onnx").write_bytes(data)
    return make_release(folder, model={"estimator": None, "onnx": "models/net.onnx"})


def test_the_evidence_says_what_it_is(made):
    train = json.loads((made.project / layout.evidence("train")).read_bytes())["content"]
    assert train["estimator"] == "onnx models/net.onnx"
    assert train["file"] == "ONNX opset 17, ai.onnx.ml 3, by hand 2"
    assert train["libraries"]["onnxruntime"] == onnxruntime.__version__
    assert {each["name"] for each in train["features"]} == {each.name for each in FEATURES}


def test_it_answers_what_evaluation_measured(made):
    table = made.table[made.columns]
    plain = table.astype(object).where(table.notna(), None)
    split = {"columns": made.columns, "data": plain.to_numpy().tolist()}
    reply = load(made.folder).answer(JSON, json.dumps({"dataframe_split": split}).encode())
    assert reply.status == 200
    found = [row["probability"] for row in json.loads(reply.body)["predictions"]]
    np.testing.assert_allclose(found, made.scores, atol=1e-7)
    assert np.std(found) > 0.01


def test_probe_rows_may_differ_by_how_processors_round_single_precision(made):
    served = load(made.folder)
    smoke_test(served, made.folder / "probes.json")
    change_scores(made.folder, by=2e-6)
    smoke_test(served, made.folder / "probes.json")
    change_scores(made.folder, by=1e-3)
    with pytest.raises(ModelError, match="20 of 20 probe rows otherwise"):
        smoke_test(served, made.folder / "probes.json")
