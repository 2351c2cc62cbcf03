"""What a table holds too little of is said, in one line each."""

from pathlib import Path

import pandas as pd

from mergeline.project.init import plan_start
from mergeline.project.outcome import Outcome
from mergeline.project.process import run
from mergeline.project.thin import unheld_classes, without_values

SEVERAL = Outcome("multiclass", "3 texts", classes=3)


def test_columns_without_a_value_are_named() -> None:
    frame = pd.DataFrame({"a": [1, None], "b\n<x>": [None, None]})
    assert list(without_values(frame)) == [
        'no row has a value in "b\\n<x>": the model reads nothing there'
    ]
    assert not list(without_values(frame[["a"]]))


def test_classes_without_a_held_out_row_are_named_and_counted() -> None:
    target = pd.Series(["a"] * 5 + ["b"] * 5 + ["rare"] * 3)
    (said,) = unheld_classes(target, pd.Series(["a", "b", "b"]), SEVERAL)
    assert said.startswith('no row is held out of "rare" (of 3 in all): balanced_accuracy')
    assert not list(unheld_classes(target, pd.Series(["rare", "a", "b"]), SEVERAL))
    assert not list(unheld_classes(target, target[:5], Outcome("regression", "numbers")))


def test_a_plan_says_it(tmp_path: Path) -> None:
    run(["git", "init", "--quiet", "--initial-branch=main"], tmp_path)
    kind = [f"rare {row % 3}" if row < 9 else f"c{row % 2}" for row in range(400)]
    frame = pd.DataFrame({"x": range(400), "none": None, "kind": kind})
    frame.to_csv(tmp_path / "t.csv", index=False)
    notes = plan_start(tmp_path, tmp_path / "t.csv", "kind", None).draft.roles.notes
    assert 'no row has a value in "none"' in notes[0]
    assert "(of 3 in all)" in notes[1]
