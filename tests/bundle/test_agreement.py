"""agreement: evidence that states something else than its commit is stale or forged."""

import json
from typing import Any

import numpy as np
import pytest

from bundle.commits import BASE, HEAD, SETTINGS, Repository, fitted, more_iterations
from bundle.parts import with_content
from mergeline.bundle.agreement import require_agreement, require_data
from mergeline.config.load import parse_settings
from mergeline.core.digest import sha256
from mergeline.core.evidence import Confusion, Writing
from mergeline.errors import InvalidBundle
from report import plans

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 18\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return Repository.make(tmp_path_factory.mktemp("agreement") / "project")


@pytest.fixture(scope="module")
def commit(repository):
    return repository.commit({**BASE, **HEAD})


def require(repository, commit, plan, **sections):
    settings = parse_settings(more_iterations(**sections), origin="params.yaml")
    require_agreement(repository.trusted(), commit, settings, plan.evidence)


def test_evidence_of_the_commit_agrees(repository, commit):
    require(repository, commit, fitted(plans.better()))


def split(**fields):
    return plans.prepare(22_000).split.model_copy(update={"test_rows": 4_000, **fields})


def writing(**fields):
    given = {"encoding": "cp1252", "separator": ";", "decimal": None, "thousands": None}
    return Writing(**{**given, **fields})


def thresholds(place=3, **fields):
    found = list(plans.evaluate(0.8).thresholds)
    found[place] = found[place].model_copy(update=fields)
    return tuple(found)


def by_sex(**fields):
    """Thresholds of groups of which the first is another."""
    return by_sex_at(0, **fields)


def by_sex_at(place, **fields):
    (item,) = plans.fairness(0.064).by
    found = list(item.thresholds)
    found[place] = found[place].model_copy(update=fields)
    return (item.model_copy(update={"thresholds": tuple(found)}),)


def deciding(**rates):
    """Thresholds of groups of which the one that decides has other rates of men."""
    (item,) = plans.fairness(0.064).by
    found = item.thresholds[DECIDING].rates
    return by_sex_at(DECIDING, rates={**found, "male": {**found["male"], **rates}})


DECIDING = 3


def slices(column):
    return (plans.evaluate(0.8).slices[0].model_copy(update={"column": column}),)


@pytest.mark.parametrize(
    ("stage", "fields", "said"),
    [
        ("prepare", {"sha256": sha256(b"other")}, r"prepare\.sha256 of 'data/applications"),
        ("prepare", {"contract_sha256": sha256(b"other")}, r"prepare\.contract_sha256 of"),
        ("prepare", {"contract_sha256": None}, r"prepare\.contract_sha256 as False"),
        ("prepare", {"contract": None}, r"prepare\.contract as None"),
        ("prepare", {"source": "data/other.parquet"}, r"prepare\.source as 'data/other"),
        ("prepare", {"format": "csv"}, r"prepare\.format as 'csv', by the commit it is 'parquet'"),
        ("prepare", {"writing": writing(decimal=",")}, r"prepare\.writing\.decimal as ','"),
        ("prepare", {"writing": writing(thousands=".")}, r"prepare\.writing\.thousands as '\.'"),
        ("prepare", {"target": "sex"}, r"prepare\.target"),
        ("prepare", {"positive": "0"}, r"prepare\.positive as '0', by the commit it is '1'"),
        ("prepare", {"noun": "angel"}, r"prepare\.noun"),
        ("prepare", {"split": split(test=0.01)}, r"prepare\.split\.test as 0\.01"),
        ("prepare", {"split": split(key="sex")}, r"prepare\.split\.key"),
        ("prepare", {"split": split(by="sex")}, r"prepare\.split\.by"),
        ("prepare", {"split": split(train_rows=1)}, r"train\.rows as 17600, .* 1$"),
        ("prepare", {"split": split(test_rows=1)}, r"evaluate\.n as 4000, .* 1$"),
        ("train", {"estimator": "sklearn.dummy.DummyClassifier"}, r"train\.estimator"),
        ("train", {"params": {"max_iter": 3}}, r"train\.params as {'max_iter': 3}"),
        ("train", {"class_weight": "balanced"}, r"train\.class_weight"),
        ("train", {"seed": 7}, r"train\.seed as 7"),
        ("evaluate", {"primary": "accuracy"}, r"evaluate\.primary"),
        ("evaluate", {"threshold": 0.4}, r"evaluate\.threshold as 0\.4"),
        ("evaluate", {"bootstrap": 100}, r"evaluate\.bootstrap"),
        ("evaluate", {"seed": 7}, r"evaluate\.seed"),
        ("evaluate", {"metrics": {}}, r"evaluate\.metrics as \[\]"),
        ("evaluate", {"slices": slices("sex")}, r"evaluate\.slices that nobody asked for"),
        ("evaluate", {"positives": 4_000}, r"evaluate\.positives as 4000"),
        (
            "evaluate",
            {
                "confusion": Confusion(
                    true_positive=880, false_positive=0, true_negative=1, false_negative=0
                )
            },
            r"evaluate\.n as 4000, .* 881$",
        ),
        ("evaluate", {"costs": {"false_negative": 7.0}}, r"evaluate\.costs"),
        ("evaluate", {"cost_unit": "lives"}, r"evaluate\.cost_unit as 'lives', .* 'monthly"),
        ("evaluate", {"cheapest": 0.5}, r"evaluate\.cheapest"),
        ("evaluate", {"cheapest": None}, r"evaluate\.cheapest"),
        ("evaluate", {"thresholds": thresholds(threshold=0.9)}, r"evaluate\.thresholds rise"),
        ("evaluate", {"thresholds": thresholds(true_positive=1)}, r"do not add up as \[0\.15\]"),
        ("evaluate", {"thresholds": thresholds(recall=1.0)}, r"do not add up as \[0\.15\]"),
        ("evaluate", {"thresholds": thresholds(precision=None)}, r"do not add up as \[0\.15\]"),
        ("evaluate", {"thresholds": thresholds(cost=0.1)}, r"do not add up as \[0\.15\]"),
        ("evaluate", {"thresholds": thresholds(place=6, threshold=0.5)[:7]}, r"that decides"),
        ("evaluate", {"thresholds": thresholds(place=7, threshold=0.51)}, r"that decides as \[\]"),
        ("fairness", {"by": by_sex(threshold=0.9)}, r"fairness\.thresholds rise"),
        (
            "fairness",
            {"by": by_sex(rates={"angel": {}})},
            r"by sex of what is not there as \[0\.2\]",
        ),
        ("fairness", {"by": by_sex(rates={"male": {"x": 0.1}})}, r"of what is not there"),
        ("fairness", {"by": by_sex(gaps={"x": 0.1})}, r"of what is not there"),
        (
            "fairness",
            {"by": deciding(true_positive_rate=0.5)},
            r"at the one that decides as \['true_positive_rate of male'\]",
        ),
        (
            "fairness",
            {"by": by_sex_at(DECIDING, gaps={"demographic_parity_difference": 0.0})},
            r"as \['demographic_parity_difference', 'equalized_odds_difference'\]",
        ),
        ("fairness", {"by": by_sex_at(DECIDING, rates={})}, r"as \['false_positive_rate of female"),
        ("fairness", {"by": by_sex_at(DECIDING, threshold=0.51)}, r"sex that decide as 0, .* 1"),
        (
            "explain",
            {"largest_errors": plans.explain(*plans.ORDER, rows=True).largest_errors},
            r"largest_errors without report\.rows as 1, .* 0",
        ),
        ("fairness", {"threshold": 0.4}, r"fairness\.threshold"),
        ("fairness", {"min_group": 2_000}, r"fairness\.min_group as 2000, by the commit it is 50"),
        ("fairness", {"bootstrap": 100}, r"fairness\.bootstrap"),
        ("fairness", {"seed": 7}, r"fairness\.seed"),
        ("fairness", {"n": 10}, r"fairness\.n by the groups of sex as 10"),
        ("fairness", {"by": ()}, r"fairness\.by as \[\], by the commit it is \['sex'\]"),
        ("fairness", {"metrics": ("accuracy",)}, r"fairness\.metrics that are missing"),
    ],
)
def test_a_statement_that_the_commit_contradicts_is_refused(
    repository, commit, stage, fields, said
):
    plan = with_content(fitted(plans.better()), stage, **fields)
    with pytest.raises(InvalidBundle, match=said):
        require(repository, commit, plan)


def test_single_rows_are_told_where_the_settings_allow_it(repository, commit):
    rows = plans.explain(*plans.ORDER, rows=True).largest_errors
    plan = with_content(fitted(plans.better()), "explain", largest_errors=rows)
    require(repository, commit, plan, report={"rows": True})


def test_a_model_that_reads_an_excluded_column_is_refused(repository, commit):
    with pytest.raises(InvalidBundle, match=r"no features as \['postcode'\]"):
        require(repository, commit, fitted(plans.better()), data={**DATA, "exclude": ["postcode"]})


def group(which, **fields):
    """By sex, with another group of a name."""
    (item,) = plans.fairness(0.064).by
    found = [each.model_copy(update=fields if each.name == which else {}) for each in item.groups]
    return (item.model_copy(update={"groups": tuple(found)}),)


def gap(value):
    """By sex, with another gap of how often men and women are found."""
    (item,) = plans.fairness(0.064).by
    found = item.gaps[plans.ODDS]
    difference = found.difference.model_copy(update={"value": value})
    gaps = {**item.gaps, plans.ODDS: found.model_copy(update={"difference": difference})}
    return (item.model_copy(update={"gaps": gaps, "thresholds": ()}),)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (group("not given", judged=True), r"judged against their size as \['not given'\]"),
        (group("male", judged=False), r"judged against their size as \['male'\]"),
        (group("male", name="female"), r"groups by sex twice as 3, .* 2"),
        (group("male", n=2_096), r"fairness\.n by the groups of sex as 4000, .* 4001"),
        (group("male", metrics={}), r"gaps by sex that no groups have as \['demographic_parity"),
        (gap(0.01), r"that no groups have as \['equalized_odds_difference'\]"),
        (gap(None), r"that no groups have as \['equalized_odds_difference'\]"),
    ],
)
def test_groups_and_gaps_that_contradict_each_other_are_refused(repository, commit, by, said):
    plan = with_content(fitted(plans.better()), "fairness", by=by)
    with pytest.raises(InvalidBundle, match=said):
        require(repository, commit, plan)


@pytest.mark.parametrize(
    ("task", "change"),
    [
        ("multiclass", {"value": 0.01}),
        ("regression", {"value": 1.0}),
        ("regression", {"value": None}),
    ],
)
def test_a_gap_of_other_tasks_that_no_groups_have_is_refused(repository, commit, task, change):
    plan = PLANS[task]()
    (item,) = plan.evidence.fairness.content.by
    name, found = next(iter(item.gaps.items()))
    wrong = found.model_copy(update={"difference": found.difference.model_copy(update=change)})
    by = (item.model_copy(update={"gaps": {**item.gaps, name: wrong}}),)
    with pytest.raises(InvalidBundle, match=rf"that no groups have as \['{name}'\]"):
        require_task(repository, commit, task, with_content(plan, "fairness", by=by))


def test_a_fixed_cut_is_the_commits(repository, commit):
    data = {**DATA, "time": "day", "id": None}
    found = split(test=None, after="2026-01-01T00:00:00", method="time", by="day", key=None)
    plan = with_content(fitted(plans.better()), "prepare", split=found)
    require(repository, commit, plan, data=data, split={"after": "2026-01-01", "test": None})
    with pytest.raises(InvalidBundle, match=r"prepare\.split\.after"):
        require(repository, commit, plan, data=data, split={"after": "2026-01-02", "test": None})


# --- data ----------------------------------------------------------------------------------


def test_data_that_git_does_not_hold_proves_nothing(repository, commit):
    elsewhere = repository.commit(
        {"data/applications.parquet": None, "data/applications.parquet.dvc": "outs: []"}
    )
    content = plans.prepare(22_000).model_copy(update={"sha256": sha256(b"whatever")})
    require_data(repository.trusted(), elsewhere, content)


def test_the_digest_of_data_in_lfs_is_in_its_pointer(repository, commit):
    pointer = POINTER.format(sha256(b"applications 22000"))
    stored = repository.commit({"data/applications.parquet": pointer})
    git = repository.trusted()
    require_data(git, stored, plans.prepare(22_000))
    with pytest.raises(InvalidBundle, match=r"prepare\.sha256"):
        require_data(git, stored, plans.prepare(20_000))


def test_a_source_written_in_another_way_is_the_same_file(repository, commit):
    git = repository.trusted()
    other = {"source": "./data/../data/applications.parquet"}
    require_data(git, commit, plans.prepare(22_000).model_copy(update=other))
    with pytest.raises(InvalidBundle, match=r"prepare\.sha256"):
        require_data(git, commit, plans.prepare(20_000).model_copy(update=other))


DATA = {
    "source": "data/applications.parquet",
    "target": "default",
    "positive": 1,
    "noun": "defaulter",
    "id": "application_id",
    "sensitive": ["sex"],
    "contract": "data/contract.yaml",
}


# --- several classes, and a number ----------------------------------------------------------

BOOSTING = "sklearn.ensemble.HistGradientBoosting"
OF_TASKS: dict[str, dict[str, Any]] = {
    "multiclass": {
        "data": {"target": "Target", "sensitive": ["Gender"]},
        "model": {"estimator": f"{BOOSTING}Classifier", "params": {"max_iter": 120}},
        "fairness": {"metrics": ["accuracy", "selection_rate", "true_positive_rate", "precision"]},
    },
    "regression": {
        "data": {"target": "charges", "sensitive": ["sex"]},
        "model": {"estimator": f"{BOOSTING}Regressor", "params": {"max_iter": 120}},
        "evaluate": {"slices": ["region"]},
    },
}


def valued(estimates, **values):
    """The estimates with other values of some."""
    found = {
        name: estimates[name].model_copy(update={"value": None if value is None else float(value)})
        for name, value in values.items()
    }
    return {**estimates, **found}


def three_classes():
    """The plan with the metrics that its matrix comes to."""
    content = plans.three_classes().evidence.evaluate.content
    matrix = np.array(content.matrix)
    right, actual, said = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)
    recall, f1 = right / actual, 2 * right / (actual + said)
    metrics = valued(
        content.metrics,
        accuracy=right.sum() / matrix.sum(),
        balanced_accuracy=recall.mean(),
        f1_macro=f1.mean(),
    )
    each = zip(content.classes, right / said, recall, f1, strict=True)
    classes = tuple(
        item.model_copy(
            update={"metrics": valued(item.metrics, precision=hits, recall=found, f1=both)}
        )
        for item, hits, found, both in each
    )
    return with_content(plans.three_classes(), "evaluate", metrics=metrics, classes=classes)


PLANS = {"multiclass": three_classes, "regression": plans.regression}


def require_task(repository, commit, task, plan):
    found = OF_TASKS[task]
    data = {"task": task, "source": f"data/{task}.csv", **found["data"]}
    text = json.dumps({"project": "credit-default", **found, "data": data})
    settings = parse_settings(text, origin="params.yaml")
    require_agreement(repository.trusted(), commit, settings, plan.evidence)


@pytest.mark.parametrize("task", PLANS)
def test_evidence_of_each_task_agrees(repository, commit, task):
    require_task(repository, commit, task, PLANS[task]())


@pytest.mark.parametrize("task", PLANS)
@pytest.mark.parametrize("stage", ["prepare", "train", "evaluate", "fairness", "explain"])
def test_evidence_of_another_task_is_refused(repository, commit, task, stage):
    plan = with_content(PLANS[task](), stage, task="binary")
    with pytest.raises(InvalidBundle, match=rf"{stage}\.task as 'binary', .* it is '{task}'"):
        require_task(repository, commit, task, plan)


def several():
    return three_classes().evidence.evaluate.content


def of_class(**fields):
    first, *rest = several().classes
    return (first.model_copy(update=fields), *rest)


@pytest.mark.parametrize(
    ("task", "stage", "fields", "said"),
    [
        ("multiclass", "prepare", {"balance": {"Dropout": 4_424}}, r"classes that no row is of"),
        (
            "multiclass",
            "prepare",
            {"balance": {"Dropout": 1, "Enrolled": 2, "Graduate": 3}},
            r"prepare\.balance of rows as 6, by the commit it is 4424",
        ),
        ("multiclass", "prepare", {"positive": "Dropout"}, r"prepare\.positive as 'Dropout'"),
        ("multiclass", "train", {"positive": "Dropout"}, r"train\.positive as 'Dropout'"),
        ("multiclass", "train", {"mitigation": "exponentiated"}, r"train\.mitigation as True"),
        ("multiclass", "train", {"classes": ("Dropout", "Graduate")}, r"evaluate\.classes as"),
        ("multiclass", "evaluate", {"classes": of_class(name="Other")}, r"evaluate\.classes as"),
        ("multiclass", "evaluate", {"classes": of_class(n=1)}, r"evaluate\.classes by n"),
        ("multiclass", "evaluate", {"classes": of_class(predicted=1)}, r"classes by predicted"),
        ("multiclass", "evaluate", {"matrix": ((884,),)}, r"evaluate\.matrix as"),
        ("multiclass", "evaluate", {"classes": (), "matrix": ()}, r"evaluate\.classes as \[\]"),
        (
            "multiclass",
            "evaluate",
            {"metrics": valued(several().metrics, accuracy=0.8)},
            r"evaluate\.metrics that are counted as {'accuracy': 0\.8}, .* {'accuracy': 0\.79298",
        ),
        (
            "multiclass",
            "evaluate",
            {"classes": of_class(metrics=valued(several().classes[0].metrics, recall=0.9))},
            r"evaluate\.classes by metrics that are counted as {'recall': 0\.9}",
        ),
        ("multiclass", "evaluate", {"n": 885}, r"evaluate\.n as 885"),
        ("multiclass", "evaluate", {"threshold": 0.5}, r"evaluate\.threshold as 0\.5"),
        (
            "multiclass",
            "evaluate",
            {"confusion": plans.evaluate(0.8).confusion, "positives": 1},
            r"evaluate of the task binary as True",
        ),
        (
            "multiclass",
            "evaluate",
            {"residuals": plans.regression().evidence.evaluate.content.residuals},
            r"evaluate of the task regression as True",
        ),
        ("regression", "prepare", {"balance": {"1": 1_338}}, r"balance of rows as 1338"),
        (
            "regression",
            "evaluate",
            {"classes": several().classes},
            r"evaluate of the task multiclass as True",
        ),
        ("regression", "evaluate", {"n": 200}, r"evaluate\.residuals of more than all rows"),
    ],
)
def test_what_a_task_cannot_have_is_refused(repository, commit, task, stage, fields, said):
    plan = with_content(PLANS[task](), stage, **fields)
    with pytest.raises(InvalidBundle, match=said):
        require_task(repository, commit, task, plan)


# 412 of 880 are found, and 231 others, of 4,000 rows.
COSTS = SETTINGS["evaluate"]["costs"]
COUNTED = {
    "accuracy": 3_301 / 4_000,
    "balanced_accuracy": (412 / 880 + 2_889 / 3_120) / 2,
    "precision": 412 / 643,
    "recall": 412 / 880,
    "f1": 824 / 1_523,
}


@pytest.mark.parametrize("name", COUNTED)
@pytest.mark.parametrize("value", [0.99, None])
def test_a_metric_that_the_counts_contradict_is_refused(repository, commit, name, value):
    any_metric = plans.evaluate(0.8).metrics["roc_auc"]
    metrics = valued(dict.fromkeys((name, "roc_auc"), any_metric), **{name: COUNTED[name]})
    asked = {"metrics": list(metrics), "slices": [], "costs": COSTS}
    plan = with_content(fitted(plans.better()), "evaluate", metrics=metrics, slices=())
    require(repository, commit, plan, evaluate=asked)
    wrong = with_content(plan, "evaluate", metrics=valued(metrics, **{name: value}))
    with pytest.raises(InvalidBundle, match=rf"that are counted as {{'{name}': {value}}}"):
        require(repository, commit, wrong, evaluate=asked)


def test_metrics_that_the_counts_leave_undefined_have_no_value(repository, commit):
    nobody = Confusion(true_positive=0, false_positive=0, true_negative=3_120, false_negative=880)
    any_metric = plans.evaluate(0.8).metrics["roc_auc"]
    metrics = valued({"precision": any_metric, "roc_auc": any_metric}, precision=None)
    fields = {"metrics": metrics, "confusion": nobody, "thresholds": (), "cheapest": None}
    asked = {"metrics": list(metrics), "costs": COSTS}
    plan = with_content(fitted(plans.better()), "evaluate", **fields)
    require(repository, commit, plan, evaluate=asked)
    wrong = with_content(plan, "evaluate", metrics=valued(metrics, precision=1.0))
    with pytest.raises(InvalidBundle, match=r"as {'precision': 1\.0}, .* {'precision': None}"):
        require(repository, commit, wrong, evaluate=asked)


def test_two_classes_without_counts_are_refused(repository, commit):
    plan = with_content(fitted(plans.better()), "evaluate", confusion=None)
    with pytest.raises(InvalidBundle, match=r"evaluate\.confusion as False"):
        require(repository, commit, plan)
