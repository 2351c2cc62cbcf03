"""Drift of the prepared tables against what a baseline keeps of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mergeline.check import drift as module
from mergeline.check.compare import BaselineModel
from mergeline.check.drift import with_drift
from mergeline.check.kept import SKETCHES, keep_table
from mergeline.check.run import read_evidence
from mergeline.core import layout
from mergeline.core.verdict import Comparison
from projects import make_frame, make_project, run_stages, settings_of

NOTHING = Comparison(n=0, unit="row", status="impossible", reason="The model is another one.")


def prepared(folder: Path, frame: pd.DataFrame, **data: Any) -> Path:
    root = make_project(folder, frame=frame, data={"source": "data/t.parquet", **data})
    run_stages(root, "prepare")
    return root


def drifted(head: Path, base: Path) -> Comparison:
    keep_table(base, base)
    baseline = BaselineModel(base, settings_of(base), read_evidence(base))
    return with_drift(NOTHING, head, settings_of(head).data, read_evidence(head), baseline)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return prepared(tmp_path / "base", make_frame())


def test_the_same_file_has_not_moved_and_is_not_read(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_beside", None)
    found = drifted(base, base)
    assert {column: drift.distance for column, drift in found.drift.items()} == dict.fromkeys(
        ("joined", "age", "income", "sex", "plan", "town", "visits", "member", "left"), 0
    )
    assert found.rows is not None
    assert found.rows.as_json() == {"added": 0, "removed": 0, "common": 800}
    assert (found.status, found.reason) == ("impossible", NOTHING.reason)


def test_other_bytes_with_the_same_rows_have_not_moved(base: Path, tmp_path: Path) -> None:
    head = prepared(tmp_path / "head", make_frame().iloc[::-1])
    found = drifted(head, base)
    assert set(map(float, (drift.distance for drift in found.drift.values()))) == {0.0}
    assert all(0 < drift.noise < 0.2 for drift in found.drift.values())


def test_numbers_of_the_same_bytes_that_are_read_otherwise_have_moved(tmp_path: Path) -> None:
    frame = make_frame().drop(columns=["income", "visits"])
    frame["age"] = [f"{whole},125" for whole in frame["age"]]
    folders = {}
    for sign in ("decimal", "thousands"):
        how = {"source": "data/t.csv", "separator": ";", sign: ","}
        folders[sign] = make_project(tmp_path / sign, frame=frame, data=how)
        frame.to_csv(folders[sign] / "data/t.csv", sep=";", index=False)
        run_stages(folders[sign], "prepare")
    found = drifted(folders["thousands"], folders["decimal"])
    assert found.drift["age"].distance == 1
    assert found.drift["sex"].distance == 0


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (lambda f: f.assign(age=f["age"] + 30), {"age": 0.47}),
        (lambda f: f.assign(income=f["income"].where(f.index % 2 == 0)), {"income": 0.42}),
        (lambda f: f.assign(plan=f["plan"].replace("pro", "max")), {"plan": 0.2}),
        (lambda f: f.assign(member=True), {"member": 0.6}),
        (lambda f: f.assign(left=np.where(f.index % 7, "no", "yes"), new=1), {"left": 0.27}),
        (lambda f: f.assign(joined=f["joined"] + pd.Timedelta(days=400)), {"joined": 1}),
    ],
)
def test_what_moved_and_how_far(
    base: Path,
    tmp_path: Path,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    moved: dict[str, float],
) -> None:
    found = drifted(prepared(tmp_path / "head", change(make_frame())), base).drift
    far = {column: drift.distance for column, drift in found.items() if drift.distance}
    assert far == pytest.approx(moved, abs=0.08)
    assert "new" not in found


def test_another_type_is_as_far_as_can_be(base: Path, tmp_path: Path) -> None:
    head = prepared(
        tmp_path / "head", make_frame().assign(age=lambda f: f["age"].map("a{}".format))
    )
    age = drifted(head, base).drift["age"]
    assert (age.distance, age.noise, age.changed_type) == (1, 0, True)


def test_what_became_free_text_has_moved(base: Path, tmp_path: Path) -> None:
    """Left out, it would pass a gate on all columns that nothing of it is left."""
    changed = make_frame().assign(
        age=lambda f: [f"{number}.5 years" for number in f.index],
        plan=lambda f: [f"plan {number}" for number in f.index],
    )
    found = drifted(prepared(tmp_path / "head", changed), base).drift
    assert (found["age"].distance, found["age"].changed_type) == (1, True)
    assert (found["plan"].distance, found["plan"].changed_type) == (1, False)


def test_ids_times_and_free_text_are_not_compared(tmp_path: Path) -> None:
    frame = make_frame().assign(note=lambda f: [f"note {number}" for number in f.index])
    base = prepared(tmp_path / "base", frame, time="joined", group="customer", id=None)
    later = frame.assign(joined=frame["joined"] + pd.Timedelta(days=90))
    head = prepared(tmp_path / "head", later, time="joined", group="customer", id=None)
    assert not {"note", "joined", "customer"} & drifted(head, base).drift.keys()


def test_rows_come_and_go_by_their_key(base: Path, tmp_path: Path) -> None:
    rows = drifted(prepared(tmp_path / "head", make_frame(900).iloc[50:]), base).rows
    assert rows is not None
    assert rows.as_json() == {"added": 100, "removed": 50, "common": 750}


@pytest.mark.parametrize("data", [{"id": None}, {"id": None, "group": "customer"}])
def test_keys_of_another_kind_say_nothing(
    base: Path, tmp_path: Path, data: dict[str, str | None]
) -> None:
    found = drifted(prepared(tmp_path / "head", make_frame(), **data), base)
    assert (found.rows is None) == ("group" not in data)
    assert found.drift


def test_a_column_more_makes_other_rows_where_rows_have_no_id(tmp_path: Path) -> None:
    base = prepared(tmp_path / "base", make_frame(), id=None)
    head = prepared(tmp_path / "head", make_frame().assign(more=1), id=None)
    assert drifted(head, base).rows is None


@pytest.mark.parametrize("broken", [lambda p: p.unlink(), lambda p: p.write_text('{"a": {}}')])
def test_without_what_is_kept_nothing_is_said(base: Path, broken: Callable[[Path], Any]) -> None:
    keep_table(base, base)
    broken(base / SKETCHES)
    evidence = read_evidence(base)
    baseline = BaselineModel(base, settings_of(base), evidence)
    assert with_drift(NOTHING, base, settings_of(base).data, evidence, baseline) == NOTHING


def test_a_base_without_a_held_out_table_keeps_nothing(base: Path) -> None:
    (base / layout.TEST_TABLE).unlink()
    keep_table(base, base)
    assert (base / SKETCHES).read_text() == "{}"


def test_what_is_kept_is_small(tmp_path: Path) -> None:
    frame = make_frame(20_000).assign(noise=lambda f: np.random.default_rng(0).random(len(f)))
    root = prepared(tmp_path, frame)
    keep_table(root, root)
    assert (root / SKETCHES).stat().st_size < 100_000
