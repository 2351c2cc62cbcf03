"""Every estimator is saved and loaded by our own list; nothing else passes."""

import io
import json
import os
import warnings
import zipfile
from functools import partial

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from mergeline.errors import ModelError
from mergeline.model.directory import SKOPS, save_model
from mergeline.model.pipeline import build_pipeline
from mergeline.model.score import load_scorer
from mergeline.model.skops_types import untrusted_types
from mergeline.model.trust import require_trusted
from model.zoo import ESTIMATORS, model_of


@pytest.mark.parametrize(("name", "params", "types"), ESTIMATORS)
def test_a_model_scores_the_same_before_and_after(tmp_path, table, name, params, types):
    pipeline = build_pipeline(model_of(name, params), table.features)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(table.rows, table.labels)
    save_model(pipeline, tmp_path / "model", table.description)
    before = pipeline.predict_proba(table.rows)[:, 1]
    after = load_scorer(tmp_path / "model").score(table.frame)
    np.testing.assert_array_equal(after, before)
    data = (tmp_path / "model" / SKOPS).read_bytes()
    assert require_trusted(data) == untrusted_types(data) == tuple(sorted(types))


class Stranger:
    """A type that nobody trusts."""

    def __init__(self):
        self.value = 1


def test_a_foreign_type_is_refused_by_name_unless_the_project_allows_it():
    data = skops.io.dumps([Stranger()])
    name = f"{__name__}.Stranger"
    with pytest.raises(ModelError, match=name.replace(".", r"\.")) as caught:
        require_trusted(data)
    assert "model.trusted_types" in caught.value.hint
    assert require_trusted(data, [name]) == (name,)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_function_that_acts_is_refused_inside_what_we_trust(wrapped):
    function = partial(os.system, "true") if wrapped else os.system
    data = skops.io.dumps(FunctionTransformer(func=function))
    with pytest.raises(ModelError, match=r"posix\.system"):
        require_trusted(data)


def rewritten(data, change):
    """Return a skops file with another schema."""
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        members = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(members["schema.json"])
    change(schema)
    members["schema.json"] = json.dumps(schema).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, member in members.items():
            target.writestr(name, member)
    return buffer.getvalue()


def test_a_forged_type_name_is_refused_before_anything_is_imported():
    def forge(schema):
        schema["content"][0]["__class__"] = "Popen"
        schema["content"][0]["__module__"] = "subprocess"

    data = rewritten(skops.io.dumps([Stranger()]), forge)
    with pytest.raises(ModelError, match=r"subprocess\.Popen"):
        require_trusted(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a zip",
        skops.io.dumps([1, 2])[:-30],
        rewritten(skops.io.dumps([1]), lambda schema: schema.clear()),
    ],
    ids=["empty", "text", "cut", "no-content"],
)
def test_what_is_no_skops_file_is_refused(data):
    with pytest.raises(ModelError, match="not a skops file that can be read"):
        require_trusted(data)


def test_a_zip_without_a_schema_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("other.txt", "x")
    with pytest.raises(ModelError, match=r"schema\.json"):
        require_trusted(buffer.getvalue())
