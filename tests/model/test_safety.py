"""safety: a model as Mergeline writes it passes; what could do more than score does not."""

import json
import os
import subprocess
import sys

import pytest
import skops.io

from mergeline.errors import UnsafeModel
from mergeline.model.directory import save_model
from mergeline.model.pipeline import build_pipeline
from mergeline.model.safety import read_files, require_safe
from mergeline.model.score import load_scorer
from model.zoo import model_of

OWN = "model.zoo.NotANumber"


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    made = tmp_path_factory.mktemp("safety") / "model"
    model = model_of("sklearn.tree.DecisionTreeClassifier", {"max_depth": 2})
    pipeline = build_pipeline(model, table.features).fit(table.rows, table.labels)
    save_model(pipeline, made, table.description)
    return made


@pytest.fixture(scope="module")
def files(folder):
    return read_files(folder)


@pytest.fixture(scope="module")
def own(table, tmp_path_factory):
    """The files of a model that holds a type of the project's own."""
    made = tmp_path_factory.mktemp("own") / "model"
    pipeline = build_pipeline(model_of(OWN, {}, trusted_types=(OWN,)), table.features)
    save_model(pipeline.fit(table.rows, table.labels), made, table.description, trusted=[OWN])
    return read_files(made)


def refused(files, said, trusted=()):
    with pytest.raises(UnsafeModel, match=said) as caught:
        require_safe(files, trusted)
    assert caught.value.hint


def test_a_model_of_ours_is_safe(files):
    require_safe(files)


def test_a_type_of_the_projects_own_needs_the_policys_trust(own):
    refused(own, rf"does not trust: {OWN}")
    require_safe(own, (OWN,))


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["code/evil.py", "model.pkl", "python_model.pkl", "input_example.json", "a/MLmodel"]
)
def test_a_file_more_is_refused(files, name):
    refused({**files, name: b"x"}, f"its directory holds '{name}'")


@pytest.mark.parametrize("name", ["MLmodel", "model.skops", "requirements.txt", "conda.yaml"])
def test_a_file_less_is_refused(files, name):
    left = {key: data for key, data in files.items() if key != name}
    refused(left, f"its directory does not hold '{name}'")


def test_links_and_folders_are_refused(folder, files, tmp_path):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert read_files(tmp_path) == files
    (tmp_path / "code").mkdir()
    with pytest.raises(UnsafeModel, match="'code', which is no regular file"):
        read_files(tmp_path)
    (tmp_path / "code").rmdir()
    (tmp_path / "MLmodel").unlink()
    (tmp_path / "MLmodel").symlink_to(folder / "MLmodel")
    with pytest.raises(UnsafeModel, match="'MLmodel', which is no regular file"):
        read_files(tmp_path)
    with pytest.raises(UnsafeModel, match="'MLmodel', which is no regular file"):
        load_scorer(tmp_path)


# --- MLmodel ----------------------------------------------------------------------------------


def changed(files, path, value):
    """The files with one value of MLmodel replaced; a key more or less with it."""
    document = json.loads(files["MLmodel"])
    *way, last = path
    target = document
    for key in way:
        target = target[key]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return {**files, "MLmodel": json.dumps(document).encode()}


PYFUNC, SKLEARN = ("flavors", "python_function"), ("flavors", "sklearn")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ((*PYFUNC, "loader_module"), "evil", "loader_module is 'evil', expected mlflow.sklearn"),
        ((*PYFUNC, "loader_module"), "mlflow.pyfunc.model", "loader_module"),
        ((*PYFUNC, "loader_module"), ["mlflow.sklearn"], "loader_module is a list"),
        ((*PYFUNC, "loader_module"), ..., "lacks the key 'loader_module'"),
        ((*PYFUNC, "code"), "code", "python_function has the key 'code'"),
        ((*PYFUNC, "data"), "x", "has the key 'data'"),
        ((*PYFUNC, "config"), {}, "has the key 'config'"),
        ((*PYFUNC, "model_path"), "../model.skops", "model_path"),
        ((*PYFUNC, "predict_fn"), "__reduce__", "predict_fn"),
        ((*PYFUNC, "predict_fn"), "predict", "predict_fn is 'predict', expected predict_proba"),
        (("metadata", "mergeline", "task"), "regression", "expected predict"),
        (("metadata", "mergeline", "task"), "evil", "task is 'evil'"),
        (("metadata", "mergeline"), [], "task is None"),
        ((*PYFUNC, "env"), "conda.yaml", "python_function.env is 'conda.yaml'"),
        ((*PYFUNC, "env"), {"conda": "/etc/x", "virtualenv": "python_env.yaml"}, "env is an"),
        ((*PYFUNC, "python_version"), "3.11; evil", "python_version"),
        ((*SKLEARN, "code"), "code", "sklearn.code is 'code': code of its own"),
        ((*SKLEARN, "pickled_model"), "model.pkl", "pickled_model is 'model.pkl'"),
        ((*SKLEARN, "serialization_format"), "pickle", "expected skops"),
        ((*SKLEARN, "serialization_format"), "cloudpickle", "expected skops"),
        ((*SKLEARN, "sklearn_version"), "1.9.1 evil", "expected a version"),
        ((*SKLEARN, "skops_trusted_types"), ["os.system"], "does not trust: os.system"),
        ((*SKLEARN, "skops_trusted_types"), "os.system", "expected names"),
        ((*SKLEARN, "skops_trusted_types"), [["os.system"]], "expected names"),
        (("flavors", "pytorch"), {}, "flavors has the key 'pytorch'"),
        (("flavors", "onnx"), {"loader_module": "mlflow.onnx"}, "flavors has the key 'onnx'"),
        (SKLEARN, ..., "flavors lacks the key 'sklearn'"),
        (SKLEARN, [], "sklearn lacks the key"),
        (("flavors",), [], "flavors lacks the key"),
        (("mlflow_version",), 3, "mlflow_version"),
        (("model_config",), {"x": 1}, "MLmodel has the key 'model_config'"),
        (("resources",), {}, "MLmodel has the key 'resources'"),
        (("<<",), {"flavors": {}}, "MLmodel has the key '<<'"),
        (("signature", "more"), 1, "signature has the key 'more'"),
        (("metadata", "more"), 1, "metadata has the key 'more'"),
    ],
)
def test_an_mlmodel_that_asks_for_more_is_refused(files, path, value, said):
    refused(changed(files, path, value), said.replace("(", r"\("))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"flavors: {}", "is not JSON"),
        (b"", "is not JSON"),
        (b"[]", "MLmodel lacks the key"),
        (b'{"flavors": {}, "flavors": {}}', "'flavors' is given twice"),
        (b"!!python/object/apply:os.system [true]", "is not JSON"),
    ],
)
def test_an_mlmodel_that_mlflow_would_read_in_another_way_is_refused(files, data, said):
    refused({**files, "MLmodel": data}, said)


# --- what MLflow's tools would install ----------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://evil.example/simple",
        "evil==1.0",
        "numpy @ https://evil.example/numpy.whl",
        "numpy>=2",
        "numpy==2.4.6 --global-option=x",
        "-r other.txt",
        "# a remark",
        "",
    ],
)
def test_requirements_are_pins_of_what_a_model_needs(files, line):
    refused(
        {**files, "requirements.txt": files["requirements.txt"] + line.encode() + b"\n"},
        r"requirements\.txt holds",
    )


@pytest.mark.parametrize("name", ["conda.yaml", "python_env.yaml"])
def test_environments_say_what_the_requirements_say(files, name):
    refused({**files, name: files[name] + b" "}, f"{name} is not made from requirements")


# --- model.skops --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x80\x04\x95 a pickle", "no zip archive|does not end"),
        (skops.io.dumps([os.system]), "does not trust: posix.system"),
        (skops.io.dumps([1])[:-1], "does not end"),
    ],
    ids=["pickle", "function", "cut"],
)
def test_a_model_file_that_is_not_ours_is_refused(files, data, said):
    refused({**files, "model.skops": data}, rf"{said}")


def test_loading_passes_the_same_gate(files, tmp_path):
    for name, data in changed(files, (*PYFUNC, "loader_module"), "evil").items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UnsafeModel, match="loader_module is 'evil'"):
        load_scorer(tmp_path)


_LOADED = """
import sys
from pathlib import Path
from mergeline.model.safety import read_files, require_safe
require_safe(read_files(Path(sys.argv[1])))
print(*(name for name in sys.modules if name.split(".")[0] in sys.argv[2:]))
"""


def test_nothing_is_imported_that_could_load_a_model(folder):
    banned = ["sklearn", "skops", "joblib", "mlflow", "numpy", "pandas", "pickle", "cloudpickle"]
    command = [sys.executable, "-c", _LOADED, str(folder), *banned]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
