"""deepchecks on tables with planted faults: the real suites, in their own process."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mergeline.adapters.deepchecks import DeepchecksServer
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.digest import sha256
from mergeline.errors import ContractError
from mergeline.files import write_set
from mergeline.model.score import load_scorer
from mergeline.stages import check_data, check_model, evaluate, train
from mergeline.stages.base import Clock, sampled
from projects import OUTCOME, make_project, outcome_frame, run_stages, settings_of

ROWS = 800
BASE = {
    "project": "toy",
    "data": {"source": "x.csv", "target": "y", "positive": "bad"},
    "model": {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"max_depth": 3}},
    "checks": {"sample": 500},
}


@pytest.fixture(scope="module", autouse=True)
def server():
    with DeepchecksServer() as started:
        yield started


def settings(**data):
    return Settings.model_validate(BASE | {"data": BASE["data"] | data})


def table(rows=ROWS, seed=0):
    """Return rows whose class follows `a` and `city`; `idle` says nothing."""
    random = np.random.default_rng(seed)
    a = random.normal(size=rows)
    city = random.choice(["north", "south", "west"], rows)
    bad = random.random(rows) < 1 / (1 + np.exp(1 - 2 * a - (city == "south")))
    return pd.DataFrame(
        {
            "a": a,
            "count": random.integers(0, 50, rows),
            "city": pd.Series(city).astype("str"),
            "idle": random.normal(size=rows),
            "y": pd.Series(np.where(bad, "bad", "good")).astype("str"),
        }
    )


def prepared(root: Path, frame: pd.DataFrame, test: pd.DataFrame | None = None) -> Path:
    """Write the two tables that the stage prepare would write."""
    if test is None:
        frame, test = frame.iloc[: ROWS * 3 // 4], frame.iloc[ROWS * 3 // 4 :]
    first = 0
    for name, part in ((layout.TRAIN_TABLE, frame), (layout.TEST_TABLE, test)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        keys = [f"{number:016x}" for number in range(first, first + len(part))]
        part.assign(**{layout.KEY: pd.Series(keys, index=part.index, dtype="str")}).to_parquet(
            root / name, index=False
        )
        first += len(part)
    return root


def by_name(content):
    return {check.name: check for check in content.checks}


def data_checks(root, **data):
    return by_name(check_data.run(root, settings(**data), Clock()).content)


# --- check_data --------------------------------------------------------------------


def test_every_check_of_both_suites_is_accounted_for(tmp_path):
    clock = Clock()
    content = check_data.run(prepared(tmp_path, table()), settings(), clock).content
    names = [check.name for check in content.checks]
    assert len(names) == len(set(names)) == 24
    assert {name.partition("/")[0] for name in names} == set(content.suites)
    assert not [check for check in content.checks if check.outcome == "did_not_run"]
    unfit = {check.name: check.reason for check in content.checks if check.reason}
    assert set(unfit) == {
        "data_integrity/identifier_label_correlation",
        "data_integrity/string_length_out_of_bounds",
        "train_test_validation/date_train_test_leakage_duplicates",
        "train_test_validation/date_train_test_leakage_overlap",
        "train_test_validation/index_train_test_leakage",
    }
    assert (content.deepchecks, content.sampled) == ("0.19.1", 500)
    assert {"data_integrity", "train_test_validation", "deepchecks"} <= set(clock.seconds)


def test_planted_faults_are_found(tmp_path):
    frame = table().assign(
        constant="k",
        leak=lambda rows: (rows["y"] == "bad") * 1.0,
        mixed=["null" if row % 2 else "NaN" for row in range(ROWS)],
        name=[f"Jane{row // 2}" if row % 2 else f"jane{row // 2}" for row in range(ROWS)],
    )
    test = frame.iloc[:200].copy()
    test.loc[:, "idle"] += 5
    test.iloc[100:, frame.columns.get_loc("city")] = "east"
    test.iloc[:50] = frame.iloc[:50]
    checks = data_checks(prepared(tmp_path, frame, test))
    for name, text in {
        "data_integrity/is_single_value": "constant",
        "data_integrity/feature_label_correlation": "leak",
        "data_integrity/mixed_nulls": "mixed",
        "train_test_validation/feature_drift": "idle",
        "train_test_validation/new_category_train_test": "city",
        "train_test_validation/train_test_samples_mix": "25%",
    }.items():
        assert checks[name].outcome == "failed", name
        assert text in checks[name].conditions[0].details
    variants = checks["data_integrity/string_mismatch"]
    assert variants.outcome == "warned"
    assert "name" in variants.conditions[0].details
    told = " ".join(item.details for check in checks.values() for item in check.conditions)
    assert "jane" not in told.lower()


def test_id_and_time_make_their_checks_apply(tmp_path):
    frame = table().assign(
        who=[f"P{row // 3}" for row in range(ROWS)],
        day=pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(ROWS), unit="h"),
    )
    checks = data_checks(prepared(tmp_path, frame), id="who", time="day")
    assert not [check for check in checks.values() if "data.id" in check.reason]
    assert checks["train_test_validation/date_train_test_leakage_overlap"].outcome == "passed"
    assert checks["train_test_validation/index_train_test_leakage"].outcome == "passed"
    mixed = frame.sample(frac=1, random_state=0)
    checks = data_checks(prepared(tmp_path, mixed), id="who", time="day")
    assert checks["train_test_validation/date_train_test_leakage_overlap"].outcome == "failed"
    assert checks["train_test_validation/index_train_test_leakage"].outcome == "failed"


def test_counts_look_at_all_rows_and_estimates_at_a_sample(tmp_path):
    frame = pd.concat([table(2000), table(2000)], ignore_index=True)
    checks = data_checks(prepared(tmp_path, frame.iloc[:3000], frame.iloc[3000:]))
    (duplicates,) = checks["data_integrity/data_duplicates"].conditions
    assert "33.33%" in duplicates.details
    assert "looked at" not in duplicates.details
    (correlation,) = checks["data_integrity/feature_label_correlation"].conditions
    assert correlation.details.endswith("(looked at 500 rows)")


def test_column_without_values_on_one_side_is_not_silently_passed(tmp_path):
    frame = table().assign(late=1.5)
    frame.loc[ROWS * 3 // 4 :, "late"] = np.nan
    checks = data_checks(prepared(tmp_path, frame))
    details = checks["train_test_validation/feature_drift"].conditions[0].details
    assert "too few values to measure: late" in details


def test_unusual_names_types_and_values_run_through(tmp_path):
    random = np.random.default_rng(1)
    flags = np.array([True, False, None], dtype=object)
    frame = table().rename(columns={"a": "<b>x</b>", "idle": 'it\'s [1] "q"'})
    frame = frame.assign(
        text=random.choice(["u", "v"], ROWS),
        flag=random.random(ROWS) < 0.5,
        maybe=pd.Series(random.choice(flags, ROWS), dtype=object),
        seen=pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(ROWS), unit="h"),
    )
    checks = data_checks(prepared(tmp_path, frame))
    assert not [check for check in checks.values() if check.outcome == "did_not_run"]
    assert not [
        item for check in checks.values() for item in check.conditions if "<b>" in item.details
    ]


def test_missing_table(tmp_path):
    with pytest.raises(ContractError, match=r"train\.parquet cannot be read"):
        check_data.run(tmp_path, settings(), Clock())


# --- several classes, and numbers ---------------------------------------------------

FOR_CLASSES = ("data_integrity/conflicting_labels", "train_test_validation/new_label_train_test")
FOR_CLASSIFIERS = ("calibration_score", "confusion_matrix_report", "roc_report")
NO_MODEL = {"model_evaluation/boosting_overfit", "model_evaluation/model_inference_time"}


def of_task(folder, task, names=None):
    """Return the outcomes of all checks and the reasons of those that do not apply."""
    kind = "Regressor" if task == "regression" else "Classifier"
    frame = outcome_frame(task, ROWS)
    if names:
        frame["outcome"] = frame["outcome"].map(names)
    root = make_project(
        folder,
        frame=frame,
        data=OUTCOME[task],
        model={"estimator": f"sklearn.tree.DecisionTree{kind}", "params": {"max_depth": 3}},
        checks={"sample": 500},
    )
    run_stages(root, "prepare", "train", "evaluate")
    contents = [
        stage.run(root, settings_of(root), Clock()).content for stage in (check_data, check_model)
    ]
    return {check.name: check for content in contents for check in content.checks}


def unfit(checks):
    return {
        name: check.reason
        for name, check in checks.items()
        if check.outcome == "not_applicable" and "data.time" not in check.reason
    }


def told(checks):
    return " ".join(item.details for check in checks.values() for item in check.conditions)


def test_every_check_of_several_classes_is_accounted_for(tmp_path):
    checks = of_task(tmp_path, "multiclass")
    assert not [check for check in checks.values() if check.outcome == "did_not_run"]
    regression = {f"model_evaluation/regression_error_distribution/{s}" for s in ("test", "train")}
    reasons = unfit(checks)
    assert reasons.keys() == NO_MODEL | regression
    assert {reasons[name] for name in regression} == {"it is for regression"}
    (gain,) = checks["model_evaluation/simple_model_comparison"].conditions
    assert (gain.outcome, "All classes passed" in gain.details) == ("passed", True)


def test_every_check_of_a_regression_is_accounted_for(tmp_path):
    checks = of_task(tmp_path, "regression")
    assert not [check for check in checks.values() if check.outcome == "did_not_run"]
    sides = [f"model_evaluation/{name}/{s}" for name in FOR_CLASSIFIERS for s in ("test", "train")]
    reasons = unfit(checks)
    assert reasons.keys() == {*NO_MODEL, *FOR_CLASSES, *sides}
    assert {reasons[name] for name in (*FOR_CLASSES, *sides)} == {"it is for classes"}
    assert checks["model_evaluation/simple_model_comparison"].outcome == "passed"
    (_, bias) = checks["model_evaluation/regression_error_distribution/train"].conditions
    assert (bias.outcome, "rmse ratio" in bias.details) == ("passed", True)


def test_classes_of_hostile_names_are_checked(tmp_path):
    names = {"basic": 'it\'s "x"', "plus": "<b>\n[x]: {y}", "pro": "\U0001f98a, /\\"}
    checks = of_task(tmp_path, "multiclass", names)
    assert not [check for check in checks.values() if check.outcome == "did_not_run"]
    assert repr(names["plus"]) in told(checks)  # what is shown of it, the report escapes
    assert "\n" not in told(checks)


# --- check_model -------------------------------------------------------------------


def make(stage, root, chosen):
    """Run a stage and write its files, as `run_stage` does."""
    files = stage.run(root, chosen, Clock()).files
    write_set({root / path: data for path, data in files.items()})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project up to the stage evaluate."""
    root = prepared(tmp_path_factory.mktemp("trained"), table())
    for stage in (train, evaluate):
        make(stage, root, settings())
    return root


def test_model_evaluation_is_accounted_for(trained):
    content = check_model.run(trained, settings(), Clock()).content
    checks = by_name(content)
    assert len(content.checks) == len(checks) == 17
    assert not [check for check in content.checks if check.outcome == "did_not_run"]
    assert {name for name, check in checks.items() if check.outcome == "not_applicable"} >= {
        "model_evaluation/boosting_overfit",
        "model_evaluation/model_inference_time",
        "model_evaluation/regression_error_distribution/test",
    }
    (auc,) = checks["model_evaluation/roc_report/test"].conditions
    assert auc.outcome == "passed"


def test_a_model_that_learned_nothing_fails(trained, tmp_path):
    frame = pd.read_parquet(trained / layout.TEST_TABLE)
    predictions = pd.read_parquet(trained / layout.PREDICTIONS)
    for name in (layout.TRAIN_TABLE, layout.TEST_TABLE, layout.MODEL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(trained / name)
    noise = np.random.default_rng(0).random(len(frame))
    predictions.assign(score=noise).to_parquet(tmp_path / layout.PREDICTIONS)
    checks = by_name(check_model.run(tmp_path, settings(), Clock()).content)
    assert checks["model_evaluation/roc_report/test"].outcome == "failed"
    assert checks["model_evaluation/roc_report/train"].outcome == "passed"
    assert checks["model_evaluation/train_test_performance"].outcome == "failed"
    assert checks["model_evaluation/prediction_drift"].outcome == "failed"


def test_predictions_of_other_rows_are_refused(trained, tmp_path):
    for name in (layout.TRAIN_TABLE, layout.TEST_TABLE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(trained / name)
    (tmp_path / layout.PREDICTIONS).parent.mkdir(parents=True, exist_ok=True)
    predictions = pd.read_parquet(trained / layout.PREDICTIONS)
    predictions.iloc[::-1].to_parquet(tmp_path / layout.PREDICTIONS)
    with pytest.raises(ContractError, match="are not those of"):
        check_model.run(tmp_path, settings(), Clock())


def test_importance_is_a_share_and_nothing_for_what_is_not_used(trained):
    scorer = load_scorer(trained / layout.MODEL)
    shares = check_model.importance(scorer, pd.read_parquet(trained / layout.TEST_TABLE))
    assert set(shares) == {"a", "count", "city", "idle"}
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=shares.get) == "a"


def test_constant_model_has_no_importance_and_the_check_does_not_apply(tmp_path):
    root = prepared(tmp_path, table())
    model = {"estimator": "sklearn.dummy.DummyClassifier", "params": {"strategy": "prior"}}
    constant = Settings.model_validate(BASE | {"model": model})
    for stage in (train, evaluate):
        make(stage, root, constant)
    checks = by_name(check_model.run(root, constant, Clock()).content)
    unused = checks["model_evaluation/unused_features"]
    assert unused.outcome == "not_applicable"
    assert "none of its columns" in unused.reason
    assert checks["model_evaluation/roc_report/test"].outcome == "failed"


def test_a_sample_is_of_the_same_rows_in_any_order_and_keeps_the_order():
    keys = [sha256(str(number).encode()) for number in range(1000)]
    frame = pd.DataFrame({"n": range(1000), layout.KEY: keys})
    drawn = sampled(frame, 100)
    assert len(drawn) == 100
    assert drawn["n"].is_monotonic_increasing
    assert drawn["n"].max() > 900
    turned = sampled(frame[::-1], 100)
    assert turned["n"].tolist() == drawn["n"].tolist()[::-1]
    assert sampled(frame, 1000) is frame


def test_a_row_that_is_drawn_stays_so_when_others_go():
    keys = [sha256(str(number).encode()) for number in range(1000)]
    frame = pd.DataFrame({"n": range(1000), layout.KEY: keys})
    drawn = set(sampled(frame, 100)["n"])
    left = frame[frame["n"] % 10 > 0]
    assert {n for n in drawn if n % 10} <= set(sampled(left, 100)["n"])


# --- both --------------------------------------------------------------------------


def test_another_process_finds_exactly_the_same(trained):
    stages = (check_data, check_model)
    first = [stage.run(trained, settings(), Clock()).content for stage in stages]
    with DeepchecksServer():
        second = [stage.run(trained, settings(), Clock()).content for stage in stages]
    assert first == second
