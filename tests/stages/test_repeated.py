"""Two runs of the stages give the same bytes; another seed changes only what is drawn."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mergeline.core import layout
from mergeline.stages.base import run_stage
from projects import OUTCOME, make_frame, make_project, outcome_frame

STAGES = ("prepare", "train", "evaluate", "fairness")
MODELS = {
    "binary": "sklearn.ensemble.RandomForestClassifier",
    "multiclass": "sklearn.ensemble.RandomForestClassifier",
    "regression": "sklearn.ensemble.RandomForestRegressor",
}


def project(folder: Path, task: str, seed: int) -> Path:
    """Make the small project of a task."""
    changes: dict[str, Any] = {} if task == "binary" else {"data": OUTCOME[task]}
    frame = make_frame(300) if task == "binary" else outcome_frame(task, 300)
    model = {"estimator": MODELS[task], "params": {"n_estimators": 5, "max_depth": 3}}
    return make_project(folder, frame=frame, model=model | {"seed": seed}, **changes)


def made(folder: Path, task: str, seed: int, stages: tuple[str, ...] = STAGES) -> dict[str, Any]:
    """Run the stages; return what the evidence says, and the bytes of all else."""
    root = project(folder, task, seed)
    for stage in stages:
        run_stage(stage, root)
    evidence = {
        stage: json.loads((root / layout.evidence(stage)).read_text())["content"]
        for stage in stages
    }
    names = {str(root / layout.evidence(stage)) for stage in stages}
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and str(path) not in names and path.name != "params.yaml"
    }
    return {**evidence, **files}


@pytest.mark.parametrize("task", MODELS)
def test_the_same_files_give_the_same_bytes(tmp_path: Path, task: str) -> None:
    # Explaining starts a process each: once is enough to see that it is the same as well.
    stages = (*STAGES, "explain") if task == "binary" else STAGES
    first, second = (made(tmp_path / name, task, 1, stages) for name in ("first", "second"))
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


ALONE = """
import sys
from pathlib import Path
from mergeline.core import layout
from mergeline.core.evidence import EvidenceSet
from mergeline.stages.base import run_stage

stages = sys.argv[1:]
for stage in stages:
    run_stage(stage, Path.cwd())
found = EvidenceSet.parse({s: Path(layout.evidence(s)).read_bytes() for s in stages})
# Here the hash seed is not pinned, which the evidence says.
content = found.train.content.model_copy(update={"pinned": {}})
train = found.train.model_copy(update={"content": content})
print(found.model_copy(update={"train": train}).digest())
"""


@pytest.mark.slow
@pytest.mark.parametrize("task", MODELS)
def test_another_process_in_another_folder_gives_the_same_evidence(
    tmp_path: Path, task: str
) -> None:
    stages = (*STAGES, "explain")
    found = []
    for folder, hashes, zone in (("one", "1", "UTC"), ("another/below", "2", "Asia/Tokyo")):
        root = project(tmp_path / folder, task, 1)
        done = subprocess.run(
            [sys.executable, "-c", ALONE, *stages],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": hashes, "TZ": zone},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found.append(done.stdout.split()[-1])
    assert len(found[0]) == 64
    assert found[0] == found[1]


def test_another_seed_changes_what_is_drawn_and_no_row_of_the_split(tmp_path: Path) -> None:
    first, other = made(tmp_path / "first", "binary", 1), made(tmp_path / "other", "binary", 2)
    assert first["prepare"] == other["prepare"]
    for table in (layout.TRAIN_TABLE, layout.TEST_TABLE):
        assert first[table] == other[table]
    changed = {key for key in first["train"] if first["train"][key] != other["train"][key]}
    assert changed <= {"seed", "model_sha256", "model_bytes"}
    assert {"seed", "model_sha256"} <= changed
    evaluated = {
        key for key in first["evaluate"] if first["evaluate"][key] != other["evaluate"][key]
    }
    assert not evaluated & {"n", "positives", "primary", "threshold", "bootstrap", "task"}
    assert "metrics" in evaluated
    groups = [
        [(group["name"], group["n"], group["positives"]) for group in by["groups"]]
        for side in (first, other)
        for by in side["fairness"]["by"]
    ]
    assert groups[0] == groups[1]
