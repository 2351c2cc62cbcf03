"""`reports/outputs.json`: what it holds, and that nothing else passes for it."""

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from mergeline.bundle.outputs import SMALL, Outputs, made_outputs
from mergeline.core.task import Task
from mergeline.project.template import pipeline

LOCK = """schema: '2.0'
stages:
  prepare:
    cmd: mergeline stage prepare
    outs:
    - path: data/prepared/train.parquet
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 12
  train:
    cmd: mergeline stage train
    deps:
    - path: data/prepared/train.parquet
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 12
    outs:
    - path: reports/model
      hash: md5
      md5: fedcba9876543210fedcba9876543210.dir
      size: 34
      nfiles: 2
    - path: reports/elsewhere.json
"""


def test_addresses_and_small_files_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    (tmp_path / "reports/plots").mkdir(parents=True)
    for path in SMALL:
        (tmp_path / path).write_text(path)
    (tmp_path / "reports/plots/rows.csv").write_text("a row")
    made = made_outputs(tmp_path)
    assert {stage: list(outs) for stage, outs in made.stages.items()} == {
        "prepare": ["data/prepared/train.parquet"],
        "train": ["reports/model"],
    }
    model = made.stages["train"]["reports/model"]
    assert (model.md5[-4:], model.size, model.nfiles) == (".dir", 34, 2)
    assert made.files == {path: path for path in SMALL}
    assert Outputs.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_file_for_plots_is_one_of_them(task: Task) -> None:
    """Else its stage is not published, and every pull request makes it again for the baseline."""
    drawn = re.findall(
        r"reports/plots/[\w.]+csv", pipeline(contract=False, pins=(), code={}, task=task)
    )
    assert len(set(drawn)) > 3
    assert set(drawn) <= set(SMALL)


def test_without_a_lock(tmp_path: Path) -> None:
    assert made_outputs(tmp_path) == Outputs(stages={}, files={})


def test_a_file_that_is_not_small_stays(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/metrics.json").write_text("x" * 60_001)
    assert made_outputs(tmp_path).files == {}


@pytest.mark.parametrize("md5", ["", "../x", "0" * 31, "0" * 32 + ".dir/../x", "G" * 32])
def test_an_address_is_an_md5(md5: str) -> None:
    stages = {"train": {"reports/model": {"md5": md5, "size": 1}}}
    with pytest.raises(ValidationError):
        Outputs.model_validate_json(json.dumps({"stages": stages, "files": {}}))
