"""Models that cannot be made, trained, saved or used."""

import pytest

from cli.conftest import SECOND_MODEL, Project
from failures.case import Case, edit
from failures.conftest import Holder
from mergeline.project.template import write_pipeline

STAGE = "mergeline stage train"
ESTIMATOR = "estimator: sklearn.linear_model.LogisticRegression"
OWN = '''\
"""Models of the project's own, none of them good."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression


class Own(LogisticRegression):
    pass


class Broken(ClassifierMixin, BaseEstimator):
    def fit(self, rows, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, rows):
        return np.full((len(rows), 2), np.nan)


def raises():
    raise RuntimeError("no connection to the feature store")


def gives_text():
    return "a model"


def own():
    return Own()


def broken():
    return Broken()
'''


def factory(name: str, more: str = "params: {}"):
    def do(project: Project) -> None:
        project.write("project_models.py", OWN)
        project.edit(ESTIMATOR, f"factory: project_models:{name}")
        project.edit(f"params: {SECOND_MODEL}", more)

    return do


def pipeline(change):
    """Make the factory's file a dependency of the stages, as `mergeline init` does."""

    def do(project: Project) -> None:
        change(project)
        write_pipeline(project.root)

    return do


def infinite(project: Project) -> None:
    import pandas as pd

    path = project.root / "data/prepared/train.parquet"
    frame = pd.read_parquet(path)
    frame["income"] = frame["income"].astype(float).mask(frame.index < 9, float("inf"))
    frame.to_parquet(path)


MODEL = f"{ESTIMATOR}\n  params: {SECOND_MODEL}"
FILE = "onnx: models/net.onnx"


def onnx(data: bytes | None, *, texts: bool = True):
    """Name an ONNX file; None leaves it away, and without texts the model reads numbers alone."""

    def do(project: Project) -> None:
        project.edit(MODEL, FILE)
        if not texts:
            project.edit("[sex, applied_on,", "[sex, purpose, region, applied_on,")
        if data is not None:
            (project.root / "models").mkdir()
            (project.root / "models/net.onnx").write_bytes(data)

    return do


def network(operator: str) -> bytes:
    """Return an ONNX file of one layer over six columns, and an operator behind it."""
    import numpy as np

    from model import onnx_files

    layer = onnx_files.helper.make_node("MatMul", ["x", "w"], ["m"])
    last = onnx_files.helper.make_node(operator, ["m"], ["probabilities"])
    inputs = [onnx_files.tensor("x", "float", None, 6)]
    outputs = [onnx_files.tensor("probabilities", "float", None, 2)]
    weights = {"w": np.array([[0.5, -0.5]] * 6, dtype=np.float32)}
    return onnx_files.written(onnx_files.model([layer, last], inputs, outputs, weights))


CASES = [
    Case(
        "A class that is misspelt",
        edit("LogisticRegression", "LogisticRegresion"),
    ),
    Case(
        "A module that is not there",
        edit("sklearn.linear_model", "sklern.linear_model"),
        command=STAGE,
    ),
    Case("A parameter that there is not", edit(SECOND_MODEL, "{D: 1}"), command=STAGE),
    Case("A parameter that is out of its range", edit(SECOND_MODEL, "{C: -1}"), command=STAGE),
    Case(
        "A regressor for two classes",
        edit(
            f"{ESTIMATOR}\n  params: {SECOND_MODEL}",
            "estimator: sklearn.linear_model.LinearRegression",
        ),
        command=STAGE,
    ),
    Case(
        "Weights where there are none",
        lambda project: project.edit(
            f"{ESTIMATOR}\n  params: {SECOND_MODEL}",
            "estimator: sklearn.neighbors.KNeighborsClassifier\n  class_weight: balanced",
        ),
        command=STAGE,
    ),
    Case("A factory that raises", factory("raises"), command=STAGE),
    Case("A factory that makes no model", factory("gives_text"), command=STAGE),
    Case("A type that nobody trusts", factory("own"), command=STAGE),
    Case("Infinite values", infinite, command=STAGE),
    Case("Parameters for a file", edit(ESTIMATOR, FILE)),
    Case("A file that training does not depend on", onnx(None)),
    Case(
        "A file that nothing makes",
        lambda project: (onnx(None)(project), write_pipeline(project.root))[0],
    ),
    Case("A file that is not there", onnx(None), command=STAGE),
    Case("A file that is no ONNX", onnx(b"PK\x03\x04 a zip archive"), command=STAGE),
    Case("An operator that draws at random", onnx(network("Bernoulli")), command=STAGE),
    Case("Inputs that are not the table's columns", onnx(network("Softmax")), command=STAGE),
    Case(
        "Missing numbers that are not filled", onnx(network("Softmax"), texts=False), command=STAGE
    ),
    Case("Logits for probabilities", onnx(network("Identity"), texts=False), command=STAGE),
    Case(
        "A model that gives no numbers",
        pipeline(factory("broken", "trusted_types: [project_models.Broken]")),
        apart=True,
        made=("reports/model/", "reports/train.json"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_one_message(case: Case, holds: Holder) -> None:
    holds(case, "models")
