"""mitigation: a constraint closes a gap, needs no column more, and comes out of the line."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from mergeline.config.load import parse_settings
from mergeline.config.settings import Mitigation, Model
from mergeline.core import layout
from mergeline.errors import ModelError
from mergeline.model.mixture import ClassifierMixture, RegressorMixture
from mergeline.model.score import load_scorer
from mergeline.model.table import write_table
from mergeline.stages import train
from mergeline.stages.base import Clock
from mergeline.stages.mitigation import fit_mitigated, in_words, pool_groups

MODEL = Model(estimator="any.Estimator")
PARITY = Mitigation(constraint="demographic_parity", by="sex", bound=0.02, rounds=10)


def people(n=3000, seed=0):
    """Rows whose column `x` is higher for men, and so is the outcome."""
    random = np.random.default_rng(seed)
    sex = np.where(random.random(n) < 0.5, "female", "male")
    x = random.standard_normal(n) + (sex == "male")
    y = (x + random.standard_normal(n) > 0.8).astype(int)
    z = random.standard_normal(n)
    return pd.DataFrame({"x": x, "z": z, "sex": pd.array(sex, dtype="str"), "y": y})


def fitted(estimator, frame, mitigation, target="y"):
    pipeline = Pipeline([("prepare", StandardScaler()), ("estimator", estimator)])
    given = (frame[["x", "z"]], frame[target].to_numpy(), frame["sex"].to_numpy())
    return fit_mitigated(pipeline, *given, mitigation, model=MODEL, min_group=50)


def gap(frame, values):
    return float(np.ptp(pd.Series(values).groupby(frame["sex"].to_numpy()).mean()))


def test_parity_is_reached_without_the_group():
    frame, others = people(), people(seed=1)
    plain = LogisticRegression().fit(frame[["x", "z"]], frame["y"])
    fair = fitted(LogisticRegression(), frame, PARITY)
    assert isinstance(fair["estimator"], ClassifierMixture)
    assert sum(fair["estimator"].weights) == pytest.approx(1)
    before = plain.predict(others[["x", "z"]])
    after = fair.predict_proba(others[["x", "z"]])[:, 1]
    assert gap(others, before) > 0.3
    assert gap(others, after) < 0.1


@pytest.mark.parametrize("threshold", [0.2, 0.7])
def test_the_gap_is_closed_at_the_threshold_and_scores_stay_probabilities(threshold):
    frame, others = people(), people(seed=1)
    for seed, table in enumerate((frame, others)):  # `z` tells more, and nothing of the sex
        noise = np.random.default_rng(9 + seed).standard_normal(len(table)) / 2
        table["y"] = (table["x"] + 1.5 * table["z"] + noise > 0.8).astype(int)
    rows = others[["x", "z"]]
    plain = LogisticRegression().fit(frame[["x", "z"]], frame["y"])
    there = PARITY.model_copy(update={"threshold": threshold})
    elsewhere, fair = (fitted(LogisticRegression(), frame, each) for each in (PARITY, there))
    before, missed, after = (
        gap(others, model.predict_proba(rows)[:, 1] >= threshold)
        for model in (plain, elsewhere, fair)
    )
    assert after < 0.05
    assert before > 0.15
    assert after < missed
    assert abs(fair.predict_proba(rows)[:, 1].mean() - others["y"].mean()) < 0.05


def test_equal_inputs_give_equal_scores():
    frame = people(1000)
    first, second = (fitted(LogisticRegression(), frame, PARITY) for _ in range(2))
    np.testing.assert_array_equal(
        first.predict_proba(frame[["x", "z"]]), second.predict_proba(frame[["x", "z"]])
    )


@pytest.mark.parametrize("unit", [1.0, 1e6, 1e-6])
def test_the_loss_of_a_group_is_bounded_whatever_the_unit(unit):
    frame = people(1200)
    random = np.random.default_rng(2)
    woman = (frame["sex"] == "female").to_numpy()
    slope = np.where(woman & (random.random(1200) < 0.9), -1.0, 1.0)
    frame["value"] = unit * (frame["x"] * slope + random.standard_normal(1200) * 0.1)
    frame = frame[(~woman) | (random.random(1200) < 0.3)].reset_index(drop=True)
    plain = LinearRegression().fit(frame[["x", "z"]], frame["value"])
    bounded = Mitigation(constraint="bounded_group_loss", by="sex", bound=0.1, rounds=10)
    fair = fitted(LinearRegression(), frame, bounded, "value")
    assert isinstance(fair["estimator"], RegressorMixture)

    def worst(model):
        error = np.abs(model.predict(frame[["x", "z"]]) - frame["value"])
        return error.groupby(frame["sex"]).mean().max()

    assert worst(fair) < 0.95 * worst(plain)


def test_an_estimator_without_weights_of_rows_is_refused():
    with pytest.raises(ModelError, match=r"takes no weights of rows") as caught:
        fitted(KNeighborsClassifier(), people(300), PARITY)
    assert "fairness.mitigation" in caught.value.hint


class Broken(LinearRegression):
    """Cannot be fitted."""

    def fit(self, X, y, sample_weight=None):  # noqa: ARG002, N803
        raise ValueError("no")


def test_what_an_estimator_raises_is_one_sentence():
    with pytest.raises(ModelError, match=r"under fairness.mitigation on 300 rows and 2 groups"):
        fitted(Broken(), people(300), PARITY)


def test_small_groups_are_taken_together_or_with_the_largest():
    groups = np.array(["a"] * 100 + ["b"] * 60 + ["c"] * 30 + ["d"] * 30)
    assert sorted(set(pool_groups(groups, 50))) == ["(groups of few rows)", "a", "b"]
    assert sorted(set(pool_groups(groups[:180], 50))) == ["a", "b"]
    assert (pool_groups(groups[:180], 50) == "a").sum() == 120


def test_what_was_done_in_words():
    said = in_words(PARITY)
    assert said.startswith(
        "trained for demographic parity up to 0.02, at the threshold 0.5, by sex"
    )
    loss = Mitigation(constraint="bounded_group_loss", by="sex", bound=0.1)
    assert "no group's mean absolute error is beyond 0.1" in in_words(loss)


SETTINGS = """
project: tests
data: {{source: x.csv, {data}, sensitive: [sex], exclude: [sex]}}
model: {{estimator: {estimator}}}
fairness: {{mitigation: {{constraint: {constraint}, by: sex, rounds: 4}}}}
gates: {{g: {{metric: {metric}, at_least: 0}}}}
"""


@pytest.mark.parametrize(
    ("data", "estimator", "constraint", "metric"),
    [
        (
            "target: y, positive: 1",
            "sklearn.tree.DecisionTreeClassifier",
            "equalized_odds",
            "roc_auc",
        ),
        (
            "target: z, task: regression",
            "sklearn.tree.DecisionTreeRegressor",
            "bounded_group_loss",
            "r2",
        ),
    ],
)
def test_a_mitigated_model_is_saved_loaded_and_said(tmp_path, data, estimator, constraint, metric):
    frame = people(400)
    frame[layout.KEY] = [str(place) for place in range(400)]
    write_table(frame, tmp_path / layout.TRAIN_TABLE)
    text = SETTINGS.format(data=data, estimator=estimator, constraint=constraint, metric=metric)
    content = train.run(tmp_path, parse_settings(text, origin="params.yaml"), Clock()).content
    assert "by sex (fairlearn's ExponentiatedGradient, 4 rounds)" in content.mitigation
    assert "sex" not in [feature.name for feature in content.features]
    scores = load_scorer(tmp_path / layout.MODEL).score(frame)
    assert len(scores) == 400
    again = train.run(tmp_path, parse_settings(text, origin="params.yaml"), Clock()).content
    assert again == content
