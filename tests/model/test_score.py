"""Parse and score: the one way from rows to probabilities."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import skops.io

from mergeline.errors import ContractError, ModelError
from mergeline.model.directory import SKOPS, save_model
from mergeline.model.pipeline import build_pipeline
from mergeline.model.score import load_scorer
from model.zoo import model_of

OWN = ("model.zoo.NotANumber", "model.zoo.Stubborn")


def save(table, folder, name, params=None, trusted=()):
    pipeline = build_pipeline(model_of(name, params or {}), table.features)
    pipeline.fit(table.rows, table.labels)
    save_model(pipeline, folder, table.description, trusted=trusted)
    return folder


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    name = "sklearn.linear_model.LogisticRegression"
    return save(table, tmp_path_factory.mktemp("scored") / "model", name)


def test_scores_are_probabilities_of_the_positive_class(folder, table):
    scores = load_scorer(folder).score(table.frame)
    assert scores.shape == (len(table.frame),)
    assert scores.dtype == np.float64
    assert ((scores > 0) & (scores < 1)).all()
    assert scores[table.labels == 1].mean() > scores[table.labels == 0].mean()


def test_one_row_or_many_other_columns_and_another_order_change_nothing(folder, table):
    scorer = load_scorer(folder)
    scores = scorer.score(table.frame)
    turned = table.frame[list(table.frame.columns)[::-1]].assign(more=1)
    np.testing.assert_array_equal(scorer.score(turned), scores)
    for row in range(5):
        alone = scorer.score(table.frame.iloc[[row]])
        np.testing.assert_allclose(alone, scores[[row]], rtol=1e-12)


def test_rows_that_came_as_json_score_the_same(folder, table):
    scorer = load_scorer(folder)
    columns = [feature.name for feature in scorer.features]
    plain = table.frame[columns].astype(object)
    records = plain.where(plain.notna(), None).to_dict("records")
    through = pd.DataFrame(json.loads(json.dumps(records, default=lambda value: value.item())))
    np.testing.assert_array_equal(scorer.score(through), scorer.score(table.frame))


def test_an_absent_column_is_refused(folder, table):
    with pytest.raises(ContractError, match="'income'"):
        load_scorer(folder).score(table.frame.drop(columns="income"))


def test_own_types_need_to_be_trusted(table, tmp_path):
    folder = save(table, tmp_path / "model", "model.zoo.NotANumber", trusted=OWN)
    with pytest.raises(ModelError, match=r"does not trust: model\.zoo\.NotANumber"):
        load_scorer(folder)
    assert load_scorer(folder, trusted=OWN).positive == "yes"


def test_scores_that_are_no_numbers_are_refused(table, tmp_path):
    folder = save(table, tmp_path / "model", "model.zoo.NotANumber", trusted=OWN)
    with pytest.raises(ModelError, match="no number as score for 400 of 400 rows"):
        load_scorer(folder, trusted=OWN).score(table.frame)


def test_a_model_that_raises_is_refused(table, tmp_path):
    folder = save(table, tmp_path / "model", "model.zoo.Stubborn", trusted=OWN)
    with pytest.raises(ModelError, match="cannot score 400 rows: RuntimeError: not again"):
        load_scorer(folder, trusted=OWN).score(table.frame)


def test_infinities_are_refused_and_not_a_crash(folder, table):
    with pytest.raises(ModelError, match=r"cannot score .* infinity"):
        load_scorer(folder).score(table.frame.assign(income=np.inf))


@pytest.mark.parametrize("harm", ["gone", "cut", "changed", "foreign"])
def test_a_harmed_model_file_is_refused(folder, tmp_path, harm):
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    data = (copy / SKOPS).read_bytes()
    if harm == "gone":
        (copy / SKOPS).unlink()
    elif harm == "cut":
        (copy / SKOPS).write_bytes(data[: len(data) // 2])
    elif harm == "changed":
        (copy / SKOPS).write_bytes(data.replace(b"\x93NUMPY", b"\x93NUMPX"))
    else:
        (copy / SKOPS).write_bytes(skops.io.dumps([pytest.approx(1)]))
    with pytest.raises(ModelError) as caught:
        load_scorer(copy)
    assert caught.value.hint
    assert "\n" not in caught.value.message
