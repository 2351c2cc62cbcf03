"""The model directory: whole, canonical, and one that MLflow itself reads and would write."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from ruamel.yaml import YAML

from mergeline.core.evidence import Feature
from mergeline.errors import ModelError
from mergeline.model.canonical import directory_digest
from mergeline.model.cast import cast_features
from mergeline.model.directory import SKOPS, Description, read_description, save_model
from mergeline.model.pipeline import build_pipeline
from mergeline.model.score import load_scorer
from model.zoo import NotANumber, model_of

# Quotes, brackets, markup, line ends, what YAML may take for something else.
HOSTILE = (
    "a'b\"c`d",
    "[x] {y}",
    "<script>alert(1)</script>",
    "two\nlines\r\tand a tab",
    "🦊 été",
    "a, b; c",
    "key: value",
    "no",
    "# hash",
    "- dash",
    "%TAG !x",
    "\x7f\x85\u2028\ufeff",
    " space ",
    "__class__",
    "estimator",
    "x" * 2000,
)


@pytest.fixture(scope="module")
def fitted(table):
    pipeline = build_pipeline(
        model_of("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 5}), table.features
    )
    return pipeline.fit(table.rows, table.labels)


@pytest.fixture(scope="module")
def saved(fitted, table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "model"
    save_model(fitted, folder, table.description)
    return folder


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- MLflow --------------------------------------------------------------------------


def test_mlflow_reads_it_and_predicts_the_same(saved, fitted, table):
    import mlflow.pyfunc
    import mlflow.sklearn

    expected = fitted.predict_proba(table.rows)
    straight = mlflow.sklearn.load_model(str(saved))
    np.testing.assert_array_equal(straight.predict_proba(table.rows), expected)
    general = mlflow.pyfunc.load_model(str(saved))
    np.testing.assert_array_equal(general.predict(table.rows), expected)
    # Numbers as doubles, which the signature asks for; text as pandas reads it.
    raw = table.frame.astype({"age": float, "member": float})
    names = [feature.name for feature in table.features]
    assert raw["town"].isna().any()
    np.testing.assert_array_equal(general.predict(raw[names]), expected)
    assert general.metadata.get_input_schema().input_names() == names
    assert general.metadata.metadata["mergeline"]["positive"] == "yes"


def test_mlflow_itself_would_write_the_same_description(saved, fitted, tmp_path):
    import mlflow.sklearn
    from mlflow.models import Model

    ours = yaml.safe_load((saved / "MLmodel").read_bytes())
    mlflow.sklearn.save_model(
        fitted,
        tmp_path / "theirs",
        serialization_format="skops",
        signature=Model.load(str(saved)).signature,
        pip_requirements=(saved / "requirements.txt").read_text().split()[1:],
        pyfunc_predict_fn="predict_proba",
        skops_trusted_types=ours["flavors"]["sklearn"]["skops_trusted_types"],
        metadata=ours["metadata"],
    )
    theirs = yaml.safe_load((tmp_path / "theirs" / "MLmodel").read_bytes())
    theirs["flavors"]["python_function"]["python_version"] = "3.11"
    ours["flavors"]["python_function"]["python_version"] = "3.11"
    assert ours["flavors"] == theirs["flavors"]
    assert ours["metadata"] == theirs["metadata"]
    assert ours["mlflow_version"] == theirs["mlflow_version"]
    for side in ("inputs", "outputs"):
        assert json.loads(ours["signature"][side]) == json.loads(theirs["signature"][side])
    assert ours.keys() <= theirs.keys()
    assert {path.name for path in saved.iterdir()} == {
        path.name for path in (tmp_path / "theirs").iterdir()
    }
    for name in ("conda.yaml", "python_env.yaml"):
        mine = yaml.safe_load((saved / name).read_bytes())
        assert mine.keys() == yaml.safe_load((tmp_path / "theirs" / name).read_bytes()).keys()


# --- bytes ---------------------------------------------------------------------------


def test_saved_again_it_has_the_same_bytes(saved, fitted, table, tmp_path):
    save_model(fitted, tmp_path / "again", table.description)
    assert files(saved) == files(tmp_path / "again")
    assert directory_digest(saved) == directory_digest(tmp_path / "again")


def test_it_names_neither_machine_nor_time(saved):
    text = b"".join(data for name, data in files(saved).items() if name != SKOPS).decode()
    assert str(Path.home()) not in text
    assert "1970-01-01" in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_an_older_model_is_replaced_as_a_whole(saved, fitted, table, tmp_path):
    folder = tmp_path / "deep" / "model"
    folder.mkdir(parents=True)
    (folder / "leftover").touch()
    save_model(fitted, folder, table.description)
    assert files(folder) == files(saved)
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_model_that_cannot_be_saved_leaves_the_older_one(saved, table, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").write_text("old")
    strange = NotANumber().fit(table.rows, table.labels)
    with pytest.raises(ModelError, match=r"model\.zoo\.NotANumber") as caught:
        save_model(strange, folder, table.description)
    assert "model.trusted_types" in caught.value.hint
    strange.part = (number for number in range(3))
    with pytest.raises(ModelError, match="cannot be saved"):
        save_model(strange, folder, table.description, trusted=["model.zoo.NotANumber"])
    assert files(folder) == {"old": b"old"}


# --- description ---------------------------------------------------------------------


def test_the_description_is_read_back(saved, table):
    assert read_description(saved) == table.description


def test_hostile_names_pass_through_every_reader(table, tmp_path):
    columns = {name: table.frame["age"] + place for place, name in enumerate(HOSTILE)}
    columns["text: [\n"] = table.frame["plan"]
    frame = table.frame[[]].assign(**columns)
    kinds = ["number"] * len(HOSTILE) + ["category"]
    features = tuple(
        Feature(name=name, kind=kind) for name, kind in zip(columns, kinds, strict=True)
    )
    description = Description(
        task="binary",
        target="yes: no\n",
        positive="off",
        classes=("🦊: [", "off"),
        features=features,
    )
    for name in ("sklearn.linear_model.LogisticRegression", "sklearn.tree.DecisionTreeClassifier"):
        pipeline = build_pipeline(model_of(name, {}), features)
        rows = cast_features(frame, features)
        pipeline.fit(rows, table.labels)
        save_model(pipeline, tmp_path / "model", description)
        assert read_description(tmp_path / "model") == description
        scorer = load_scorer(tmp_path / "model")
        np.testing.assert_array_equal(scorer.score(frame), pipeline.predict_proba(rows)[:, 1])
        data = (tmp_path / "model" / "MLmodel").read_bytes()
        other = YAML(typ="safe", pure=True).load(data)
        assert yaml.safe_load(data) == other == json.loads(data)
        names = [item["name"] for item in json.loads(other["signature"]["inputs"])]
        assert names == list(columns)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"flavors: {}", b"{}", b'{"metadata": {"mergeline": {"target": 1}}}', b"\xff\xfe"],
)
def test_what_is_no_model_of_ours_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "MLmodel").write_bytes(content)
    with pytest.raises(ModelError, match="is not a model directory of Mergeline's") as caught:
        read_description(tmp_path)
    assert "\n" not in caught.value.message
