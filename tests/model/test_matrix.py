"""Kinds of models by task: trained, saved, read, loaded, scored and explained."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import skops.io

from mergeline.core.digest import sha256
from mergeline.errors import ModelError
from mergeline.model.directory import SKOPS, save_model
from mergeline.model.safety import read_files, require_safe
from mergeline.model.score import load_scorer
from mergeline.model.skops_types import untrusted_types
from mergeline.model.trust import TRUSTED_TYPES
from mergeline.stages.shapley.plan import affordable, methods

from . import matrix
from .zoo import ESTIMATORS

ALL = matrix.pairs()
NAMES = [f"{case.name}, {task}" for case, task in ALL]
_EXPLAINED = 20

EXPERIMENTAL = {"sklearn.impute._iterative.IterativeImputer"}


@pytest.fixture(scope="module")
def sample():
    return matrix.sample()


@pytest.fixture(scope="module")
def elsewhere():
    """By model what another process comes to: the digest of its file, and its types."""
    command = [sys.executable, "-c", "from model.matrix import print_digests; print_digests()"]
    tests = os.fspath(Path(__file__).parents[1])
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=tests, timeout=300
    )
    return json.loads(done.stdout)


def probabilities(pipeline, rows, task):
    return pipeline.predict(rows) if task == "regression" else pipeline.predict_proba(rows)


@pytest.mark.parametrize(("case", "task"), ALL, ids=NAMES)
def test_it_goes_the_whole_way(case, task, sample, elsewhere, tmp_path):
    pipeline = matrix.fitted(case, task, sample)
    save_model(pipeline, tmp_path / "model", sample.description(task), trusted=case.trusted)
    files = read_files(tmp_path / "model")
    assert sha256(files[SKOPS]) == elsewhere[f"{case.name}, {task}"][0]
    require_safe(files, case.trusted)
    theirs = skops.io.get_untrusted_types(data=files[SKOPS])
    # skops knows what is experimental only where that was enabled before skops was imported.
    assert {*untrusted_types(files[SKOPS])} - EXPERIMENTAL == {*theirs} - EXPERIMENTAL
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = probabilities(pipeline, sample.rows, task)
        scorer = load_scorer(tmp_path / "model", trusted=case.trusted)
        score = scorer.score(sample.frame)
        assert score.shape == (len(said), *((3,) if task == "multiclass" else ()))
        # What the model server does: straight from columns, one row or many.
        np.testing.assert_array_equal(score, said[:, 1] if task == "binary" else said)
        explain(scorer, sample, score, case.explained_by(task))


def explain(scorer, sample, score, expected):
    """Explain some rows by the first method that adds up, as the stage does."""
    ways = methods(scorer, 0)
    assert affordable(ways, _EXPLAINED, 60) == (0, "")
    rows, background = sample.rows.head(_EXPLAINED), sample.rows.tail(5)
    for way in ways:
        values = way.explain(rows, background)
        if way.adds_up(values, score[:_EXPLAINED]):
            assert way.explainer == expected
            assert values.shape[:2] == (_EXPLAINED, len(sample.features))
            return
    pytest.fail("nothing adds up")


def test_no_type_is_trusted_that_no_model_needs(elsewhere):
    needed = {name for *_, types in ESTIMATORS for name in types}
    needed |= {name for _, types in elsewhere.values() for name in types}
    others = {name for name in TRUSTED_TYPES if not name.startswith("mergeline.")}
    assert {name for name in needed if not name.startswith("model.")} == others


def test_a_transformer_of_the_projects_own_is_refused_until_the_settings_name_it(sample, tmp_path):
    (case,) = [case for case in matrix.CASES if case.trusted]
    pipeline = matrix.fitted(case, "binary", sample)
    with pytest.raises(ModelError, match=r"model\.matrix\.Ratio") as caught:
        save_model(pipeline, tmp_path / "model", sample.description("binary"))
    assert "model.trusted_types" in caught.value.hint
