"""The pipeline and the ignore files that a project starts with."""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from mergeline.core import layout
from mergeline.core.evidence import STAGES
from mergeline.core.task import TASKS, Task
from mergeline.errors import ConfigError
from mergeline.project.template import IGNORED, PINS, pipeline, write_pipeline
from projects import (
    OUTCOME,
    make_frame,
    make_project,
    outcome_frame,
    run_stages,
    settings_of,
)


def stages(text: str) -> dict[str, dict[str, Any]]:
    return YAML(typ="safe").load(text)["stages"]


def paths(items: list[Any]) -> list[str]:
    return [name for item in items for name in (item if isinstance(item, dict) else [item])]


@pytest.fixture
def plain() -> dict[str, dict[str, Any]]:
    return stages(pipeline(contract=False, pins=[PINS], code={}))


def test_each_stage_runs_itself_and_leaves_its_evidence(plain: dict[str, dict[str, Any]]) -> None:
    assert tuple(plain) == STAGES
    for name, stage in plain.items():
        assert stage["cmd"] == f"mergeline stage {name}"
        assert layout.evidence(name) in stage["outs"]


def test_each_stage_depends_on_the_pins_and_its_own_code() -> None:
    found = stages(pipeline(contract=True, pins=["a.txt", "b.txt"], code={"train": ["src/x.py"]}))
    for name, stage in found.items():
        assert stage["deps"][:2] == ["a.txt", "b.txt"]
        assert ("src/x.py" in stage["deps"]) == (name == "train")


def test_only_prepare_reads_the_source(plain: dict[str, dict[str, Any]]) -> None:
    contracted = stages(pipeline(contract=True, pins=[], code={}))
    assert contracted["prepare"]["deps"] == ["${data.source}", "${data.contract}"]
    assert plain["prepare"]["deps"] == [PINS, "${data.source}"]
    for name in STAGES[1:]:
        assert not any("$" in path for path in plain[name]["deps"])


def test_no_stage_reads_what_owners_say_on_the_card(plain: dict[str, dict[str, Any]]) -> None:
    assert not any("card" in stage["params"] for stage in plain.values())


def test_what_a_stage_reads_another_one_makes(plain: dict[str, dict[str, Any]]) -> None:
    """And it is made before, by one stage only."""
    made: list[str] = []
    for stage in plain.values():
        inputs = [path for path in stage["deps"] if path != PINS and "$" not in path]
        assert set(inputs) <= set(made)
        made += [name for key in ("outs", "metrics", "plots") for name in paths(stage.get(key, []))]
    assert len(made) == len(set(made))


def test_outputs_are_in_the_cache(plain: dict[str, dict[str, Any]]) -> None:
    """One that is not cached would never be restored; DVC would run its stage again."""
    for stage in plain.values():
        assert all(isinstance(item, str) for item in stage["outs"] + stage.get("metrics", []))
        for plot in stage.get("plots", []):
            assert all("cache" not in options for options in plot.values())


def test_metrics_and_plots_are_declared(plain: dict[str, dict[str, Any]]) -> None:
    evaluate = plain["evaluate"]
    assert evaluate["metrics"] == [layout.METRICS]
    roc, precision_recall, calibration = (next(iter(item.items())) for item in evaluate["plots"])
    assert roc[0] == f"{layout.PLOTS}/roc.csv"
    assert (roc[1]["x"], roc[1]["y"]) == ("false_positive_rate", "true_positive_rate")
    assert precision_recall[0] == f"{layout.PLOTS}/precision_recall.csv"
    assert calibration[0] == f"{layout.PLOTS}/calibration.csv"


def test_written_for_a_project(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    write_pipeline(root)
    text = pipeline(contract=False, pins=[PINS], code={})
    assert (root / "dvc.yaml").read_text() == text
    for name, lines in IGNORED.items():
        assert (root / name).read_text().splitlines() == list(lines)


def test_lines_of_the_user_are_kept(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (root / ".gitignore").write_text("secret.txt\n__pycache__/")
    write_pipeline(root)
    write_pipeline(root)
    ignored = (root / ".gitignore").read_text().splitlines()
    assert ignored == ["secret.txt", "__pycache__/", "/.mergeline/", "/dvc_plots/"]


def test_the_models_own_code_is_a_dependency_of_what_imports_it(tmp_path: Path) -> None:
    model = {"estimator": None, "factory": "own.models:make", "trusted_types": ["kinds.Kind"]}
    root = make_project(tmp_path, model=model)
    (root / "own").mkdir()
    (root / "kinds.py").touch()
    write_pipeline(root)
    for name, stage in stages((root / "dvc.yaml").read_text()).items():
        own = {"own", "kinds.py"} & set(stage["deps"])
        loads = name in ("train", "evaluate", "check_model", "fairness", "explain")
        assert own == ({"own", "kinds.py"} if loads else set())


def test_pins_are_what_is_installed(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    write_pipeline(root)
    lines = (root / PINS).read_text().splitlines()
    assert lines[0] == f"mergeline=={version('mergeline')}"
    assert f"scikit-learn=={version('scikit-learn')}" in lines
    assert all(re.fullmatch(r"[a-z-]+==[\d.]+", line) for line in lines)
    (root / PINS).write_text("mergeline==1\n")
    write_pipeline(root)
    assert (root / PINS).read_text() == "mergeline==1\n"


@pytest.mark.parametrize("end", ["", "\n"])
def test_sections_that_are_missing_are_added_at_the_end(tmp_path: Path, end: str) -> None:
    root = make_project(tmp_path)
    before = (root / "params.yaml").read_text().rstrip() + " # a note" + end
    (root / "params.yaml").write_text(before)
    settings = settings_of(root)
    write_pipeline(root)
    after = (root / "params.yaml").read_text()
    assert after == (
        before.rstrip("\n") + "\n# sections that keep their defaults\n"
        "checks: {}\nexplain: {}\nreport: {}\n"
    )
    assert settings_of(root) == settings
    write_pipeline(root)
    assert (root / "params.yaml").read_text() == after


@pytest.mark.parametrize("how", ["{{{}}}\n", "{}\n...\n"])
def test_settings_that_take_nothing_at_their_end_are_left(tmp_path: Path, how: str) -> None:
    root = make_project(tmp_path)
    data = "project: toy, data: {source: a.csv, target: y, positive: 1}, model: {estimator: a.B}"
    block = data.replace(", data", "\ndata").replace(", model", "\nmodel")
    text = how.format(data if how.startswith("{{") else block)
    (root / "params.yaml").write_text(text)
    with pytest.raises(ConfigError, match="lacks checks, evaluate, explain") as caught:
        write_pipeline(root)
    assert "checks: {}" in caught.value.hint
    assert (root / "params.yaml").read_text() == text
    assert not (root / "dvc.yaml").exists()


def test_settings_that_are_wrong_write_nothing(tmp_path: Path) -> None:
    root = make_project(tmp_path, evaluate={"threshold": 7})
    with pytest.raises(ConfigError, match=r"evaluate\.threshold"):
        write_pipeline(root)
    assert not (root / "dvc.yaml").exists()


@pytest.mark.parametrize("task", TASKS)
def test_the_plots_are_those_that_stages_leave(tmp_path: Path, task: Task) -> None:
    name = "Ridge" if task == "regression" else "LogisticRegression"
    frame = make_frame() if task == "binary" else outcome_frame(task)
    make_project(
        tmp_path,
        frame=frame,
        data=OUTCOME.get(task, {}),
        model={"estimator": f"sklearn.linear_model.{name}"},
    )
    write_pipeline(tmp_path)
    text = (tmp_path / layout.PIPELINE).read_text()
    pipeline, columns = stages(text), drawn(text)
    run_stages(tmp_path, "prepare", "train", "evaluate", "fairness")
    made = ("evaluate", "fairness")
    plots = [plot for name in made for plot in pipeline[name].get("plots", [])]
    outs = [path for name in made for path in pipeline[name]["outs"] if layout.PLOTS in path]
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob(f"{layout.PLOTS}/*")}
    assert {*paths(plots), *outs} == left
    assert columns.keys() == set(outs)
    for plot in plots:
        ((path, axes),) = plot.items()
        columns[path] = {axes["x"], axes["y"]}
    for path, named in columns.items():
        assert named <= set((tmp_path / path).read_text().splitlines()[0].split(","))


def drawn(text: str) -> dict[str, set[str]]:
    """The columns that `plots` at the end draws, by file."""
    found: dict[str, set[str]] = {}
    for plot in YAML(typ="safe").load(text)["plots"]:
        ((_, axes),) = plot.items()
        sides = [axes["x"], axes["y"]]
        for path, names in [
            item for side in sides if isinstance(side, dict) for item in side.items()
        ]:
            given = {names} if isinstance(names, str) else set(names)
            found[path] = (
                found.get(path, set()) | given | {side for side in sides if isinstance(side, str)}
            )
    return found
