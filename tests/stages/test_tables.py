"""The tables made once more: the same bytes, nothing else written, nothing of the project run."""

import os
from pathlib import Path

import pytest

from mergeline.core import layout
from mergeline.errors import ContractError, ToolError
from mergeline.stages import tables
from mergeline.stages.tables import make_tables
from projects import make_frame, run_stages

SETTINGS = """project: leavers
data: {source: data/customers.csv, target: left, positive: "yes", noun: leaver, id: customer}
model: {estimator: sklearn.linear_model.LogisticRegression}
"""
TABLES = (layout.TRAIN_TABLE, layout.TEST_TABLE)


def project(root: Path) -> Path:
    (root / "data").mkdir(parents=True)
    (root / layout.SETTINGS).write_text(SETTINGS)
    make_frame(200).to_csv(root / "data/customers.csv", index=False)
    return root


def test_they_are_those_of_the_stage(tmp_path: Path) -> None:
    root, other = project(tmp_path / "one"), project(tmp_path / "two")
    make_tables(root)
    run_stages(other, "prepare")
    for name in TABLES:
        assert (root / name).read_bytes() == (other / name).read_bytes()
    assert not (root / layout.evidence("prepare")).exists()


def test_it_does_not_get_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path / "one")
    seen = tmp_path / "seen"
    (tmp_path / "python").write_text(f"#!/bin/sh\nenv > {seen}\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(tables.sys, "executable", os.fspath(tmp_path / "python"))
    for name in ("GITHUB_TOKEN", "MERGELINE_DVC_CONFIG", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH"):
        monkeypatch.setenv(name, "open-sesame")
    make_tables(root)
    assert "PYTHONHASHSEED=0" in seen.read_text()
    assert "open-sesame" not in seen.read_text()


def test_data_that_is_not_what_the_settings_say(tmp_path: Path) -> None:
    root = project(tmp_path / "one")
    (root / "data/customers.csv").write_text("customer,left\nC1,yes\nC2,yes\n")
    with pytest.raises(ContractError, match=r"cannot be made here: .*two are expected"):
        make_tables(root)
    assert not (root / "data/prepared").exists()


def test_a_process_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.sys, "executable", "/bin/false")
    with pytest.raises(ToolError, match="it printed no error"):
        make_tables(tmp_path)
