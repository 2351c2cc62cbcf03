"""The example's data: what is measured on it is what is true of it."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.errors
import pytest
from pandera.io import pandas_io
from threadpoolctl import threadpool_limits

from mergeline.config.settings import Data, Model
from mergeline.core.evidence import Gap
from mergeline.model.cast import cast_features
from mergeline.model.pipeline import build_pipeline
from mergeline.model.table import feature_columns
from mergeline.stages.split import row_keys
from mergeline.stats.binary import Rows
from mergeline.stats.gaps import measure_gaps
from mergeline.stats.paired import pair_metrics

FOLDER = Path(__file__).parents[2] / "data"
BOOSTING = Model(
    estimator="sklearn.ensemble.HistGradientBoostingClassifier",
    params={"max_iter": 150, "learning_rate": 0.06, "max_leaf_nodes": 15},
)
LOGISTIC = Model(estimator="sklearn.linear_model.LogisticRegression", params={"max_iter": 1000})


def load():
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    return module


generate = load()


@pytest.fixture(scope="module")
def table():
    return pd.read_parquet(FOLDER / "applications.parquet")


def gaps_of(score, table, threshold=0.5) -> dict[str, Gap]:
    rows = ~np.isnan(score)
    return measure_gaps(
        (table["default"] == 1).to_numpy()[rows],
        score[rows] >= threshold,
        table["sex"].to_numpy().astype(str)[rows],
        min_group=50,
        replicates=1000,
        seed=0,
    )


def test_the_committed_table_is_the_generated_one(table):
    pd.testing.assert_frame_equal(generate.generate(20_000, 7), table)
    assert (FOLDER / "applications.parquet").stat().st_size < 1_000_000
    assert table["application_id"].is_unique
    assert table["applied_on"].min() == pd.Timestamp("2024-01-01")
    assert table["applied_on"].max() == pd.Timestamp("2025-12-31")


def test_the_command_writes_the_same_bytes_twice(tmp_path, monkeypatch, capsys):
    for name in ("a.parquet", "b.parquet"):
        arguments = ["generate.py", "--rows", "500", "--seed", "3", "--out", str(tmp_path / name)]
        monkeypatch.setattr(sys, "argv", arguments)
        generate.main()
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert "500 rows" in capsys.readouterr().out
    other = generate.generate(500, 4)
    assert not other.equals(pd.read_parquet(tmp_path / "a.parquet"))


def test_weights_make_a_risk_of_unit_variance():
    assert sum(weight**2 for weight in generate.WEIGHTS.values()) == pytest.approx(1)
    for shares in (generate.PURPOSES, generate.REGIONS):
        assert sum(shares.values()) == pytest.approx(1)


def test_base_rates_are_equal(table):
    for column in ("sex", "purpose", "region"):
        for _, rows in table.groupby(column)["default"]:
            error = np.sqrt(0.22 * 0.78 / len(rows))
            assert rows.mean() == pytest.approx(0.22, abs=3.5 * error)


def test_missing_values_are_where_they_are_said_to_be(table):
    for column in table.columns:
        share = generate.MISSING.get(column, 0)
        error = np.sqrt(share * (1 - share) / len(table))
        assert table[column].isna().mean() == pytest.approx(share, abs=4 * error)


@pytest.mark.parametrize("threshold", [0.3, 0.5])
@pytest.mark.parametrize("used", [generate.READABLE, generate.WITHOUT_DEBTS])
def test_measured_rates_are_the_closed_form(threshold, used):
    many = generate.generate(200_000, 1)
    predicted = generate.scorecard(many, used)
    known = ~np.isnan(predicted)
    actual = many["default"] == 1
    for sex, true in generate.true_rates(threshold, used).items():
        of_sex = known & (many["sex"] == sex)
        for rows, rate in (
            (of_sex, true.selection_rate),
            (of_sex & actual, true.true_positive_rate),
            (of_sex & ~actual, true.false_positive_rate),
        ):
            error = np.sqrt(rate * (1 - rate) / rows.sum())
            assert (predicted[rows] >= threshold).mean() == pytest.approx(rate, abs=4 * error)


def test_measured_gaps_hold_the_true_ones(table):
    true = generate.true_rates(0.5)
    expected = {
        "demographic_parity_difference": "selection_rate",
        "equalized_odds_difference": "true_positive_rate",
        "equal_opportunity_difference": "true_positive_rate",
    }
    for name, gap in gaps_of(generate.scorecard(table), table).items():
        rates = [getattr(true[sex], expected[name]) for sex in ("female", "male")]
        assert gap.difference.low <= rates[0] - rates[1] <= gap.difference.high
        assert (gap.lowest, gap.highest, gap.rate) == ("male", "female", expected[name])
    assert true["female"].true_positive_rate - true["male"].true_positive_rate > 0.2


def test_repaired_or_left_out_debts_leave_no_gap(table):
    repaired = table.assign(debt_ratio=generate.repaired(table))
    for score in (
        generate.scorecard(repaired),
        generate.scorecard(table, generate.WITHOUT_DEBTS),
    ):
        for gap in gaps_of(score, table).values():
            assert gap.difference.value < 0.04


def test_the_scorecard_is_calibrated_for_men_only(table):
    score = generate.scorecard(table)
    known = ~np.isnan(score)
    excess = {
        sex: (score - table["default"])[known & (table["sex"] == sex)].mean()
        for sex in ("female", "male")
    }
    assert abs(excess["male"]) < 0.01
    assert excess["female"] > 0.1


def test_the_readme_has_the_true_numbers():
    text = (FOLDER / "README.md").read_text()
    for used in (generate.READABLE, generate.WITHOUT_DEBTS):
        rates = generate.true_rates(0.5, used)
        for rate in rates.values():
            row = (
                f"{rate.selection_rate:.3f} | {rate.true_positive_rate:.3f} | "
                f"{rate.false_positive_rate:.3f}"
            )
            assert row in text
        gap = rates["female"].true_positive_rate - rates["male"].true_positive_rate
        assert f"| {gap:.3f} |" in text


# --- the contract ----------------------------------------------------------------


def test_the_contract_holds(table):
    contract = pandas_io.from_yaml(FOLDER / "contract.yaml")
    contract.validate(table, lazy=True)
    assert set(contract.columns) == set(table.columns)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("application_id", "A000002"),
        ("application_id", "7"),
        ("applied_on", pd.Timestamp("2023-12-31")),
        ("income", -1.0),
        ("debt_ratio", None),
        ("years_employed", 99.0),
        ("late_payments", 61),
        ("loan_amount", 0.0),
        ("purpose", "yacht"),
        ("age", 17),
        ("sex", None),
        ("default", 2),
    ],
)
def test_the_contract_is_broken_by(table, column, value):
    broken = table.head(10).copy()
    broken.loc[0, column] = value
    contract = pandas_io.from_yaml(FOLDER / "contract.yaml")
    with pytest.raises(pandera.errors.SchemaErrors, match=column):
        contract.validate(broken, lazy=True)


# --- the three models of the demo ------------------------------------------------


@pytest.fixture(scope="module")
def scored(table):
    """Held-out rows and their scores: a first model, a better one, a biased one."""
    settings = Data(source="x", target="default", positive=1, id="application_id")
    held_out = np.array([int(key, 16) < 0.2 * 2**64 for key in row_keys(table, settings)])
    train, test = table[~held_out], table[held_out]
    fair = ("sex", "applied_on", "debt_ratio")
    plans = {"first": (LOGISTIC, fair), "better": (BOOSTING, fair), "biased": (BOOSTING, fair[:2])}
    scores = {}
    for name, (model, exclude) in plans.items():
        features = feature_columns(train, settings.model_copy(update={"exclude": exclude}))
        pipeline = build_pipeline(model, features)
        with threadpool_limits(1):  # several threads on busy cores wait for each other
            pipeline.fit(cast_features(train, features), train["default"])
        scores[name] = pipeline.predict_proba(cast_features(test, features))[:, 1]
    return test, scores


def test_the_gate_tells_the_three_models_apart(scored):
    test, scores = scored
    gaps = {
        name: gaps_of(score, test)["equalized_odds_difference"].difference
        for name, score in scores.items()
    }
    assert gaps["first"].high < 0.10
    assert gaps["better"].high < 0.10
    assert gaps["biased"].low > 0.10


def test_the_better_model_is_better_beyond_doubt(scored):
    test, scores = scored
    positive = (test["default"] == 1).to_numpy()
    rows = {name: Rows(positive, score, 0.5) for name, score in scores.items()}
    better, biased = (
        pair_metrics(["roc_auc"], rows["first"], rows[name], replicates=500, seed=0)["roc_auc"]
        for name in ("better", "biased")
    )
    assert better.outcome == "better"
    assert better.delta.low > 0.015
    assert 0.75 < better.baseline < 0.80 < better.candidate < 0.85
    assert biased.candidate > better.candidate + 0.03
