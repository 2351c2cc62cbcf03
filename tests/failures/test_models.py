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
