"""fairness: fairlearn's rates, the true gaps of the example's data, remedies that are measured."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fairlearn
from fairlearn.postprocessing import ThresholdOptimizer

from mergeline.config.load import parse_settings
from mergeline.core import layout
from mergeline.core.evidence import FairnessContent
from mergeline.errors import ContractError
from mergeline.model.table import write_table
from mergeline.stages import remedies
from mergeline.stages.base import Clock
from mergeline.stages.fairness import run
from mergeline.stats.bootstrap import wilson

DATA = Path(__file__).parents[2] / "data"
SETTINGS = """
project: tests
data: {{source: x.csv, target: y, positive: 1, sensitive: [{sensitive}], exclude: [sex]}}
model: {{estimator: sklearn.linear_model.LogisticRegression}}
evaluate: {{threshold: 0.5, bootstrap: 300}}
fairness: {{min_group: {min_group}, metrics: [{metrics}], bins: {{{bins}}}}}
gates: {{g: {{metric: roc_auc, at_least: 0.5}}}}
"""


def settings(sensitive="sex", min_group=50, metrics="selection_rate"):
    bins = "age: [18, 40, 60]" if "age" in sensitive else ""
    text = SETTINGS.format(sensitive=sensitive, min_group=min_group, metrics=metrics, bins=bins)
    return parse_settings(text, origin="params.yaml")


def rows(n=3000, seed=0, shift=0.8):
    """Held-out rows whose score is right for men and too high for women."""
    random = np.random.default_rng(seed)
    female = random.random(n) < 0.4
    z = random.standard_normal(n)
    positive = z + random.standard_normal(n) > 0.7
    score = 1 / (1 + np.exp(-2 * (z - 0.4 + shift * female)))
    return pd.DataFrame(
        {
            "sex": pd.array(np.where(female, "female", "male"), dtype="str"),
            "age": random.integers(18, 60, n),
            "score": score,
            "y": positive.astype(int),
            layout.KEY: [hashlib.sha256(str(i).encode()).hexdigest()[:16] for i in range(n)],
        }
    )


def write(root: Path, frame: pd.DataFrame) -> None:
    predictions = pd.DataFrame(
        {
            "key": frame[layout.KEY],
            "positive": frame["y"] == 1,
            "score": frame["score"],
            "predicted": frame["score"] >= 0.5,
        }
    )
    write_table(frame.drop(columns="score"), root / layout.TEST_TABLE)
    write_table(
        frame.drop(columns="score").sample(frac=1, random_state=1), root / layout.TRAIN_TABLE
    )
    write_table(predictions, root / layout.PREDICTIONS)


def measure(root, frame, **options) -> FairnessContent:
    write(root, frame)
    return run(root, settings(**options), Clock()).content


def test_rates_are_fairlearns_with_wilson_intervals(tmp_path):
    frame = rows()
    content = measure(tmp_path, frame, metrics="accuracy, precision, true_negative_rate")
    assert content.metrics == (
        "accuracy",
        "precision",
        "true_negative_rate",
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
    )
    (by,) = content.by
    assert [group.name for group in by.groups] == ["female", "male"]
    for group in by.groups:
        of_group = frame[frame["sex"] == group.name]
        actual, predicted = of_group["y"], (of_group["score"] >= 0.5).astype(int)
        assert (group.n, group.positives) == (len(of_group), actual.sum())
        assert group.judged
        assert set(group.metrics) == set(content.metrics)
        rate = group.metrics["true_positive_rate"]
        assert rate.value == fairlearn.true_positive_rate(actual, predicted)
        assert rate.n == actual.sum()
        hits = int((actual & predicted).sum())
        assert (rate.low, rate.high) == pytest.approx(wilson(hits, rate.n))
        assert group.metrics["accuracy"].value == pytest.approx((actual == predicted).mean())
        precision = group.metrics["precision"]
        assert precision.value == pytest.approx(hits / predicted.sum())
        assert precision.n == predicted.sum()
    for name, gap in by.gaps.items():
        theirs = getattr(fairlearn, name)(
            frame["y"], frame["score"] >= 0.5, sensitive_features=frame["sex"]
        )
        assert gap.difference.value == pytest.approx(theirs)
        assert (gap.lowest, gap.highest) == ("male", "female")


def test_intersections_bins_and_missing_values(tmp_path):
    frame = rows()
    frame.loc[:99, "sex"] = None
    content = measure(tmp_path, frame, sensitive="sex, age")
    assert [by.by for by in content.by] == ["sex", "age", "sex & age"]
    assert content.by[2].columns == ("sex", "age")
    names = [[group.name for group in by.groups] for by in content.by]
    assert names[0] == ["(missing)", "female", "male"]
    assert names[1] == ["[18, 40)", "[40, 60)"]
    assert "(missing) & [18, 40)" in names[2]
    assert len(names[2]) == 6
    assert content.by[2].remedies == ()
    for by in content.by:
        assert sum(group.n for group in by.groups) == 3000


def test_a_model_that_selects_nobody_has_no_gap_and_names_no_group(tmp_path):
    for place, score in (("nobody", 0.1), ("everybody", 0.9)):
        (by,) = measure(tmp_path / place, rows().assign(score=score)).by
        for gap in by.gaps.values():
            difference = gap.difference
            assert (difference.value, difference.low, difference.high) == (0, 0, 0)
            assert gap.lowest is gap.highest is None


def test_edges_of_a_text_column_are_refused(tmp_path):
    frame = rows()
    frame["age"] = "aged " + frame["age"].astype(str)
    with pytest.raises(ContractError, match=r"'age', whose values are str") as caught:
        measure(tmp_path, frame, sensitive="age")
    assert "aged" not in caught.value.message


def test_small_groups_are_shown_and_not_judged(tmp_path):
    frame = rows()
    frame.loc[:29, "sex"] = "other"
    frame.loc[:29, "y"] = 0
    (by,) = measure(tmp_path, frame).by
    other = by.groups[2]
    assert (other.name, other.n, other.judged) == ("other", 30, False)
    rate = other.metrics["true_positive_rate"]
    assert (rate.value, rate.n) == (None, 0)
    assert rate.reason == "other has no positive row, so no true_positive_rate."
    gap = by.gaps["equalized_odds_difference"]
    assert "other" not in (gap.lowest, gap.highest)
    assert gap.difference.n == 2970
    assert by.reason == ""


def test_one_judged_group_is_no_gap_and_says_so(tmp_path):
    (by,) = measure(tmp_path, rows(), min_group=1500).by
    assert by.reason == "Fewer than two groups can be judged: only male has 1500 rows or more."
    assert all(gap.difference.value is None for gap in by.gaps.values())
    assert all(gap.difference.reason == by.reason for gap in by.gaps.values())
    assert by.remedies == ()


def test_a_judged_group_without_positives_is_named(tmp_path):
    frame = rows()
    frame.loc[frame["sex"] == "female", "y"] = 0
    (by,) = measure(tmp_path, frame).by
    gap = by.gaps["equalized_odds_difference"].difference
    assert gap.value is None
    assert gap.reason == "female has no positive row, so no true_positive_rate."
    assert by.gaps["demographic_parity_difference"].difference.value > 0
    assert by.reason == ""
    assert {remedy.gap for remedy in by.remedies} == {"demographic_parity_difference"}
    # Thresholds by group need both classes in each.
    assert "threshold_optimizer" not in {remedy.method for remedy in by.remedies}


def test_hostile_names(tmp_path):
    frame = rows()
    frame["sex"] = frame["sex"].replace({"female": "<img src=x>|`", "male": "a,b & c\n@all"})
    (by,) = measure(tmp_path, frame).by
    assert [group.name for group in by.groups] == ["<img src=x>|`", "a,b & c\n@all"]
    assert by.gaps["demographic_parity_difference"].lowest == "a,b & c\n@all"


def test_nothing_sensitive_is_nothing_to_measure(tmp_path):
    assert measure(tmp_path, rows(), sensitive="").by == ()


def test_equal_inputs_give_equal_content_whatever_the_order_of_groups(tmp_path):
    frame = rows()
    assert measure(tmp_path / "a", frame) == measure(tmp_path / "b", frame)


def test_predictions_of_other_rows_are_refused(tmp_path):
    frame = rows()
    write(tmp_path, frame)
    write_table(frame.drop(columns="score").head(10), tmp_path / layout.TEST_TABLE)
    with pytest.raises(ContractError, match=r"3000 rows.*10 rows"):
        run(tmp_path, settings(), Clock())


def test_a_sensitive_column_that_is_not_there_is_named(tmp_path):
    write(tmp_path, rows())
    with pytest.raises(ContractError, match=r"'sexe'.*did you mean 'sex'"):
        run(tmp_path, settings("sexe"), Clock())


# --- against the truth -----------------------------------------------------------


@pytest.fixture
def generate(monkeypatch):
    monkeypatch.syspath_prepend(DATA)
    monkeypatch.delitem(sys.modules, "generate", raising=False)
    return __import__("generate")


def test_gaps_of_the_examples_data_hold_the_true_ones(tmp_path, generate):
    table = pd.read_parquet(DATA / "applications.parquet")
    table["score"] = generate.scorecard(table)
    table = table.dropna(subset="score").rename(columns={"default": "y"})
    table[layout.KEY] = table["application_id"]
    (by,) = measure(tmp_path, table.reset_index(drop=True)).by
    true = generate.true_rates(0.5)
    for group in by.groups:
        for name in ("selection_rate", "true_positive_rate", "false_positive_rate"):
            measured = group.metrics[name]
            assert measured.low <= getattr(true[group.name], name) <= measured.high
    gap = by.gaps["equalized_odds_difference"]
    odds = [true[sex].true_positive_rate for sex in ("female", "male")]
    assert gap.difference.low <= odds[0] - odds[1] <= gap.difference.high
    assert (gap.rate, gap.highest) == ("true_positive_rate", "female")
    by_method = {r.method: r for r in by.remedies if r.gap == "equalized_odds_difference"}
    repaired = by_method["threshold_optimizer"]
    assert repaired.gap_before > 0.2
    assert repaired.gap_after < 0.05
    assert repaired.accuracy_after > repaired.accuracy_before
    assert by_method["threshold"].gap_after < by_method["threshold"].gap_before


# --- remedies --------------------------------------------------------------------


def odds(content, method):
    return next(
        remedy
        for remedy in content.by[0].remedies
        if remedy.gap == "equalized_odds_difference" and remedy.method == method
    )


def halves(frame):
    """The rows that a remedy is fitted on, and those that it is measured on."""
    first = np.array(
        [hashlib.sha256(f"remedy {key}".encode()).hexdigest() < "8" for key in frame[layout.KEY]]
    )
    return frame[first], frame[~first]


def test_one_threshold_is_measured_on_rows_that_it_was_not_chosen_on(tmp_path):
    frame = rows(6000)
    remedy = odds(measure(tmp_path, frame), "threshold")
    fit, other = halves(frame)
    assert remedy.n == len(other)
    assert abs(len(fit) - len(other)) < 300
    chosen = float(remedy.setting.split()[3])
    assert remedy.setting == f"one threshold of {chosen:g} instead of 0.5"
    for threshold, gap, accuracy in (
        (0.5, remedy.gap_before, remedy.accuracy_before),
        (chosen, remedy.gap_after, remedy.accuracy_after),
    ):
        predicted = other["score"] >= threshold
        assert accuracy == pytest.approx((predicted == other["y"]).mean())
        theirs = fairlearn.equalized_odds_difference(
            other["y"], predicted, sensitive_features=other["sex"]
        )
        assert gap == pytest.approx(theirs)
    cost = [((fit["score"] >= t) == fit["y"]).mean() for t in (0.5, chosen)]
    assert cost[1] >= cost[0] - 0.01


def test_no_threshold_wins_by_selecting_nobody(tmp_path):
    frame = rows(6000)
    random = np.random.default_rng(1)
    frame["y"] = (random.random(6000) < 0.02 + 0.05 * (frame["score"] > 0.9)).astype(int)
    found = [r for r in measure(tmp_path, frame).by[0].remedies if r.method == "threshold"]
    assert found
    for remedy in found:
        selected = (frame["score"] >= float(remedy.setting.split()[3])).mean()
        assert selected > 0.4 * (frame["score"] >= 0.5).mean()


def test_thresholds_by_group_are_fairlearns(tmp_path):
    frame = rows(6000)
    remedy = odds(measure(tmp_path, frame), "threshold_optimizer")
    fit, other = halves(frame)
    theirs = ThresholdOptimizer(
        estimator=remedies._identity(),
        constraints="equalized_odds",
        prefit=True,
        predict_method="predict",
    ).fit(fit[["score"]].to_numpy(), fit["y"].to_numpy(), sensitive_features=fit["sex"])
    chance = theirs._pmf_predict(other[["score"]].to_numpy(), sensitive_features=other["sex"])
    accuracy = np.where(other["y"] == 1, chance[:, 1], chance[:, 0]).mean()
    assert remedy.accuracy_after == pytest.approx(accuracy)
    rates = {
        (sex, label): chance[(other["sex"] == sex) & (other["y"] == label), 1].mean()
        for sex in ("female", "male")
        for label in (0, 1)
    }
    gap = max(abs(rates["female", label] - rates["male", label]) for label in (0, 1))
    assert remedy.gap_after == pytest.approx(gap)
    assert remedy.gap_after < 0.05 < remedy.gap_before
    assert remedy.setting.startswith("thresholds by group: female ")
    assert "; male " in remedy.setting


def test_small_gaps_need_no_remedy(tmp_path):
    frame = rows(6000, shift=0.0)
    frame["score"] = np.where(frame["y"] == 1, 0.9, 0.1)
    (by,) = measure(tmp_path, frame).by
    assert by.gaps["equalized_odds_difference"].difference.value == 0
    assert by.remedies == ()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"p0": 1.0, "t0": 0.25, "p1": 0.0, "t1": 0.5}, "0.25"),
        ({"p0": 0.3, "t0": 0.25, "p1": 0.7, "t1": 0.5}, "0.25 (30%) or 0.5 (70%)"),
        ({"p0": 0.3, "t0": 0.25, "p1": 0.7, "t1": 0.25}, "0.25"),
        ({"p0": 0.0, "t0": 0.25, "p1": 1.0, "t1": np.inf}, "nobody"),
        ({"p0": 0.5, "t0": -np.inf, "p1": 0.5, "t1": 0.5}, "everybody (50%) or 0.5 (50%)"),
        (
            {"p0": 1.0, "t0": 0.25, "p1": 0.0, "t1": 1.0, "p_ignore": 0.1, "constant": 0.4},
            "0.25, 10% by lot (40% positive)",
        ),
    ],
)
def test_chance_in_words(rule, words):
    from fairlearn.postprocessing._threshold_operation import ThresholdOperation
    from sklearn.utils import Bunch

    made = Bunch(
        p0=rule["p0"],
        p1=rule["p1"],
        operation0=ThresholdOperation(">", rule["t0"]),
        operation1=ThresholdOperation(">", rule["t1"]),
    )
    if "p_ignore" in rule:
        made.update(p_ignore=rule["p_ignore"], prediction_constant=rule["constant"])
    assert remedies._words(made) == words
