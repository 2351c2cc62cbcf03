"""A stage of the project's own makes an ONNX file: checked, commented, promoted, served."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from mergeline.adapters.git import Git
from mergeline.core import layout
from mergeline.inputs.digest import working_inputs
from mergeline.project.line import Ended, Line
from mergeline.project.process import run
from mergeline.project.template import PINS, write_pipeline

from .author import Author, asked
from .conftest import REPOSITORY, load_generator

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytestmark = pytest.mark.slow

SETTINGS = """\
project: loans
data:
  source: data/loans.csv
  target: default
  positive: 1
  id: application_id
  exclude: [sex, applied_on, debt_ratio, region]
model: {onnx: models/net.onnx}
evaluate: {bootstrap: 100}
gates: {auc-floor: {metric: roc_auc, at_least: 0.6}}
promotion: {approvals: 1}
deploy: {watch_seconds: 1, confirm_seconds: 180}
"""
# Logistic regression by hand, a text by its own input.
NET = '''\
"""Train, and write the model as ONNX."""

import numpy as np
import onnx
import pandas as pd
from onnx import helper, numpy_helper

STEPS = 300
NUMBERS = ["income", "years_employed", "credit_history_years"]
NUMBERS += ["late_payments", "loan_amount", "age"]

frame = pd.read_parquet("data/prepared/train.parquet")
values = frame[NUMBERS].to_numpy(np.float64)
center, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
rows = np.nan_to_num((values - center) / scale)
purposes = sorted(frame["purpose"].dropna().unique())
rows = np.column_stack([rows] + [frame["purpose"] == name for name in purposes])
labels = frame["default"].to_numpy(np.float64)
weights, bias = np.zeros(rows.shape[1]), 0.0
for _ in range(STEPS):
    wrong = 1 / (1 + np.exp(-(rows @ weights + bias))) - labels
    weights -= 0.5 * rows.T @ wrong / len(rows)
    bias -= 0.5 * wrong.mean()

constants = {
    "center": center, "scale": scale, "zero": np.zeros(1),
    "weights": weights[:, None], "bias": np.array([bias]),
}
nodes = [
    helper.make_node("Concat", NUMBERS, ["numbers"], axis=1),
    helper.make_node("Sub", ["numbers", "center"], ["centered"]),
    helper.make_node("Div", ["centered", "scale"], ["scaled"]),
    helper.make_node("IsNaN", ["scaled"], ["missing"]),
    helper.make_node("Where", ["missing", "zero", "scaled"], ["filled"]),
    helper.make_node("OneHotEncoder", ["purpose"], ["hot"], domain="ai.onnx.ml",
                     cats_strings=purposes, zeros=1),
    helper.make_node("Reshape", ["hot", "flat"], ["purposes"]),
    helper.make_node("Concat", ["filled", "purposes"], ["all"], axis=1),
    helper.make_node("Gemm", ["all", "weights", "bias"], ["logit"]),
    helper.make_node("Sigmoid", ["logit"], ["probability"]),
]
graph = helper.make_graph(
    nodes,
    "net",
    [helper.make_tensor_value_info(name, 1, [None, 1]) for name in NUMBERS]
    + [helper.make_tensor_value_info("purpose", 8, [None, 1])],
    [helper.make_tensor_value_info("probability", 1, [None, 1])],
    [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    + [numpy_helper.from_array(np.array([-1, len(purposes)]), "flat")],
)
sets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
model = helper.make_model(graph, opset_imports=sets, ir_version=8, producer_name="net.py")
with open("models/net.onnx", "wb") as file:
    file.write(model.SerializeToString(deterministic=True))
'''
# Those without which there is nothing to promote; the others only measure more.
STAGES = ("prepare", "net", "train", "evaluate")


def own_stages() -> dict[str, Any]:
    """Return what the README tells to write into dvc.yaml."""
    readme = (REPOSITORY / "README.md").read_text()
    (text,) = re.findall(r"```yaml\n(stages:\n  net:\n.*?)```", readme, re.DOTALL)
    stages: dict[str, Any] = YAML(typ="safe").load(text)["stages"]
    return stages


@dataclass
class Repository(Author):
    """What `Line` asks of one."""

    def start(self, remote: Path) -> None:
        """Begin with a table on main."""
        self.write("data/.gitignore", "/prepared/\n")
        load_generator().generate(1500, seed=7).to_csv(self.folder / "data/loans.csv", index=False)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", str(remote))
        self.write(PINS, "mergeline==0.1.0\n")
        self.commit("The data")
        self.push("main")

    def change(self) -> str:
        """Bring the project, with its own stage; return the commit."""
        self.git("switch", "--quiet", "--create", "net")
        run([sys.executable, "-m", "dvc", "init", "--quiet"], self.folder)
        self.write(layout.SETTINGS, SETTINGS)
        self.write("net.py", NET)
        self.write("models/.gitignore", "/net.onnx\n")
        write_pipeline(self.folder)
        yaml, path = YAML(), self.folder / layout.PIPELINE
        pipeline, ours = yaml.load(path), own_stages()
        assert {*ours["train"]["deps"]} <= {*pipeline["stages"]["train"]["deps"]}
        pipeline["stages"]["net"] = ours["net"]
        pipeline["stages"]["net"]["cmd"] = f"{sys.executable} net.py"
        for name in {*pipeline["stages"]} - {*STAGES}:
            del pipeline["stages"][name]
        yaml.dump(pipeline, path)
        return self.commit("A network")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)


@dataclass(frozen=True)
class Told:
    """What came of the pull request."""

    repository: Repository
    comment: str
    promoted: Ended
    release: Any
    answers: Any


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("onnx")
    repository = Repository(folder / "author")
    with Line(repository, folder) as line:  # type: ignore[arg-type]
        commit = repository.change()
        pull = line.open_pull("net", "A network")
        comment = line.comment(line.build(commit, "net", code=0))
        line.approve(pull)
        line.merge(pull, "squash")
        promoted = line.promote()
        assert promoted.code == 0, promoted.said
        rows = pd.read_parquet(repository.folder / layout.TEST_TABLE).head(20)
        names = [each["name"] for each in repository.evidence("train")["features"]]
        return Told(repository, comment, promoted, line.release(), asked(line.port, rows[names]))


def test_the_comment_names_the_file(told: Told) -> None:
    assert "ONNX opset 17, ai.onnx.ml 3, by net.py" in told.comment
    assert "ot good enough" not in told.comment


def test_what_was_reviewed_answers_what_was_measured(told: Told) -> None:
    assert (told.promoted.code, told.promoted.said["name"]) == (0, "LIVE")
    train = told.repository.evidence("train")
    assert told.release["actual"]["model"] == train["model_sha256"]
    assert "onnxruntime" in train["libraries"]
    expected = pd.read_parquet(told.repository.folder / layout.PREDICTIONS)["score"].head(20)
    found = [row["probability"] for row in told.answers["predictions"]]
    assert found == pytest.approx(expected.tolist(), abs=1e-6)
    assert max(found) - min(found) > 0.05


def test_a_changed_script_trains_anew(told: Told) -> None:
    root, before = told.repository.folder, told.repository.evidence("train")
    inputs = working_inputs(root, Git(root))
    told.repository.write("net.py", NET.replace("STEPS = 300", "STEPS = 30"))
    run([sys.executable, "-m", "mergeline", "check", "--only", "train"], root)
    after = told.repository.evidence("train")
    assert after["model_sha256"] != before["model_sha256"]
    assert working_inputs(root, Git(root)) != inputs
