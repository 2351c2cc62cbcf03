"""What a pipeline must say before its first stage runs."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mergeline.adapters.git import Git
from mergeline.check.pipeline import require_pipeline
from mergeline.check.reproduce import reproduce
from mergeline.errors import ConfigError
from mergeline.inputs.digest import working_inputs
from mergeline.project.template import PINS, write_pipeline
from projects import make_project
from toys import run

MODELS = """from sklearn.linear_model import LogisticRegression
def make(): return LogisticRegression(C=1.0)
"""
OWN = {"estimator": None, "factory": "own.models:make"}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Make a project in a repository, whose factory is its own."""

    def begin(**model: object) -> Path:
        root = make_project(tmp_path / "project", model={**OWN, **model})
        (root / "own").mkdir()
        (root / "own/models.py").write_text(MODELS)
        (root / "kinds.py").touch()
        write_pipeline(root)
        run(root, "git", "init", "-q", "-b", "main")
        run(root, "git", "add", "-A")
        run(root, "git", "commit", "-q", "-m", "files")
        return root

    return begin


def edit(root: Path, old: str, new: str, name: str = "dvc.yaml") -> None:
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new))


def test_what_the_template_writes_is_right(make: Callable[..., Path]) -> None:
    require_pipeline(make(trusted_types=["kinds.Kind", "sklearn.tree.DecisionTreeClassifier"]))


@pytest.mark.parametrize(
    ("path", "key"), [("own", "model.factory"), ("kinds.py", "model.trusted_types")]
)
def test_the_models_own_code_must_be_a_dependency(
    make: Callable[..., Path], path: str, key: str
) -> None:
    root = make(trusted_types=["kinds.Kind"])
    edit(root, f"      - {path}\n", "")
    with pytest.raises(ConfigError) as caught:
        require_pipeline(root)
    assert caught.value.exit_code == 3
    assert caught.value.message == (
        f"dvc.yaml: the stage train does not depend on {path}, which {key} names; "
        "a change of it would not be seen"
    )
    assert caught.value.hint == (
        f"add `- {path}` to its deps, and to those of evaluate, check_model, fairness and explain"
    )


def test_an_estimator_of_the_projects_own_is_its_code_too(make: Callable[..., Path]) -> None:
    root = make(factory=None, estimator="own.models.Careful")
    require_pipeline(root)
    edit(root, "      - own\n", "")
    with pytest.raises(ConfigError, match=r"depend on own, which model\.estimator names"):
        require_pipeline(root)


def test_all_sections_that_are_missing_are_named_at_once(make: Callable[..., Path]) -> None:
    root = make()
    for section in ("report", "checks", "explain"):
        edit(root, f"{section}: {{}}\n", "", "params.yaml")
    with pytest.raises(ConfigError) as caught:
        require_pipeline(root)
    assert caught.value.message == (
        "params.yaml has no checks, explain and report, which the params of dvc.yaml name"
    )
    assert caught.value.hint == (
        "add to params.yaml, a line each: `checks: {}`, `explain: {}` and `report: {}`; "
        "they keep their defaults"
    )


def test_no_pipeline(make: Callable[..., Path]) -> None:
    root = make()
    (root / "dvc.yaml").unlink()
    with pytest.raises(ConfigError, match=r"dvc\.yaml: there is no such file"):
        require_pipeline(root)


def test_a_parameter_without_a_default_is_not_offered_one(make: Callable[..., Path]) -> None:
    root = make()
    edit(root, "      - split\n", "      - split.tset\n      - other.toml: [seed]\n")
    (root / "other.toml").write_text("sed = 1\n")
    with pytest.raises(ConfigError) as caught:
        require_pipeline(root)
    assert caught.value.message.startswith("other.toml has no seed; params.yaml has no split.tset,")
    assert "{}" not in caught.value.hint


def test_a_changed_factory_trains_again(make: Callable[..., Path]) -> None:
    """Right after the template: its bytes are in the inputs, and DVC sees them."""
    root = make()
    run(root, sys.executable, "-m", "dvc", "init", "-q")
    assert (root / PINS).is_file()
    first = {stage.name: stage.action for stage in reproduce(root, only="train").stages}
    before = working_inputs(root, Git(root))
    edit(root, "C=1.0", "C=0.01", "own/models.py")
    second = {stage.name: stage.action for stage in reproduce(root, only="train").stages}
    assert first == {"prepare": "ran", "train": "ran"}
    assert second == {"prepare": "unchanged", "train": "ran"}
    assert working_inputs(root, Git(root)) != before


# --- a model from a stage of the project's own ------------------------------------------------


ONNX = {"estimator": None, "factory": None, "onnx": "models/net.onnx"}
STAGE = """\
  net:
    cmd: python net.py
    deps:
      - net.py
      - data/prepared/train.parquet
    outs:
      - models/net.onnx
"""


def test_the_file_of_a_model_must_be_a_dependency(make: Callable[..., Path]) -> None:
    root = make(**ONNX)
    edit(root, "stages:\n", f"stages:\n{STAGE}")
    require_pipeline(root)
    edit(root, "      - models/net.onnx\n      - data", "      - data")
    with pytest.raises(ConfigError) as caught:
        require_pipeline(root)
    assert caught.value.message == (
        "dvc.yaml: the stage train does not depend on models/net.onnx, which model.onnx names; "
        "a change of it would not be seen"
    )
    assert caught.value.hint == "add `- models/net.onnx` to its deps"


@pytest.mark.parametrize("tracked", ["models/net.onnx", "models/net.onnx.dvc", "models.dvc"])
def test_the_file_of_a_model_comes_from_somewhere(make: Callable[..., Path], tracked: str) -> None:
    root = make(**ONNX)
    with pytest.raises(ConfigError, match=r"no stage of dvc\.yaml makes and neither Git nor DVC"):
        require_pipeline(root)
    (root / "models").mkdir()
    (root / tracked).touch()
    require_pipeline(root)
