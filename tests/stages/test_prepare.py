"""prepare: every format, what its evidence says, and what it refuses, leaving no trace."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from mergeline.config.settings import Data, SplitSettings
from mergeline.core import layout
from mergeline.errors import ConfigError, ContractError
from mergeline.stages.base import run_stage
from mergeline.stages.split import split_rows
from projects import (
    OUTCOME,
    make_frame,
    make_project,
    outcome_frame,
    run_stages,
    write_source,
)


def prepared(root):
    run_stages(root, "prepare")
    content = json.loads((root / "reports/prepare.json").read_text())["content"]
    train = pd.read_parquet(root / layout.TRAIN_TABLE)
    return content, train, pd.read_parquet(root / layout.TEST_TABLE)


def refusal(root, error=ContractError):
    with pytest.raises(error) as caught:
        run_stage("prepare", root)
    assert caught.value.hint
    return caught.value


# --- tables --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet", "t.jsonl"])
def test_the_two_tables_are_the_source_in_its_order(tmp_path, name):
    content, train, test = prepared(make_project(tmp_path, data={"source": f"data/{name}"}))
    frame = make_frame()
    assert content["format"] == name.split(".")[1]
    assert list(train.columns) == list(test.columns) == [*frame.columns, layout.KEY]
    both = pd.concat([train, test]).sort_values("customer", ignore_index=True)
    expected = frame.assign(joined=both["joined"])
    pd.testing.assert_frame_equal(both.drop(columns=layout.KEY), expected)
    assert train["customer"].is_monotonic_increasing
    assert test["customer"].is_monotonic_increasing
    assert (str(train["town"].dtype), str(train["age"].dtype)) == ("str", "int64")
    assert (str(train["member"].dtype), str(train["visits"].dtype)) == ("bool", "float64")


def test_the_format_of_the_source_moves_no_row(tmp_path):
    sides = []
    frame = make_frame().drop(columns="joined")  # a date is text in its own way in each
    for name in ("t.csv", "t.parquet", "t.jsonl"):
        data = {"source": name, "id": None, "exclude": None}
        root = make_project(tmp_path / name, frame=frame, data=data)
        sides.append(prepared(root)[2]["customer"].tolist())
    assert sides[0] == sides[1] == sides[2]


def test_how_a_text_file_is_written_is_in_the_evidence(tmp_path):
    frame = make_frame(200).drop(columns="joined")
    root = make_project(tmp_path, frame=frame, data={"exclude": ["sex"], "decimal": ","})
    frame.to_csv(root / "data/customers.csv", sep=";", decimal=",", index=False, encoding="utf-16")
    content, _, _ = prepared(root)
    assert content["writing"] == {
        "encoding": "utf-16",
        "separator": ";",
        "decimal": ",",
        "thousands": None,
    }


@pytest.mark.parametrize(
    ("name", "encoding", "separator"),
    [("t.parquet", None, None), ("t.jsonl", "utf-8-sig", None), ("t.tsv", "utf-8-sig", "\t")],
)
def test_only_text_is_written_in_some_way(tmp_path, name, encoding, separator):
    content, _, _ = prepared(make_project(tmp_path, data={"source": f"data/{name}"}))
    found = content["writing"] or {}
    assert (found.get("encoding"), found.get("separator")) == (encoding, separator)


def test_the_source_is_bound_by_its_bytes(tmp_path):
    root = make_project(tmp_path)
    content, _, _ = prepared(root)
    data = (root / "data/customers.csv").read_bytes()
    assert content["sha256"] == hashlib.sha256(data).hexdigest()
    assert content["bytes"] == len(data)
    assert (content["contract"], content["contract_sha256"]) == (None, None)


def test_the_evidence_is_the_same_again(tmp_path):
    root = make_project(tmp_path)
    first = prepared(root)[0]
    tables = [(root / name).read_bytes() for name in (layout.TRAIN_TABLE, layout.TEST_TABLE)]
    assert prepared(root)[0] == first
    again = [(root / name).read_bytes() for name in (layout.TRAIN_TABLE, layout.TEST_TABLE)]
    assert tables == again


def test_counts_are_pandas(tmp_path):
    frame = make_frame(300)
    frame = pd.concat([frame, frame.head(7)], ignore_index=True)
    frame.loc[305, "income"] = 1.0  # the same id once more, and not the same row
    content, train, test = prepared(make_project(tmp_path, frame=frame))
    assert content["rows"] == len(train) + len(test) == 307
    assert content["duplicate_rows"] == frame.duplicated().sum() == 6
    assert content["duplicate_ids"] == 7
    assert content["balance"] == frame["left"].value_counts().to_dict()
    assert (content["positive"], content["noun"]) == ("yes", "leaver")
    assert (content["split"]["train_rows"], content["split"]["test_rows"]) == (
        len(train),
        len(test),
    )


def test_a_profile_is_of_the_table_as_read_though_rows_are_left_out(tmp_path):
    frame = make_frame(600).assign(customer=lambda frame: [f"C{n % 250}" for n in frame.index])
    root = make_project(tmp_path, frame=frame, data={"time": "joined"})
    content, train, test = prepared(root)
    assert content["split"]["dropped"] == 600 - len(train) - len(test) > 0
    assert content["rows"] == sum(content["balance"].values()) == 600
    assert content["duplicate_ids"] == 350
    joined = next(column for column in content["columns"] if column["name"] == "joined")
    assert joined["kind"] == "datetime"
    assert joined["summary"]["max"] == frame["joined"].max().isoformat()


@pytest.mark.parametrize("split", [{"test": 0.3}, {"test": None, "after": "2024-06-01"}])
@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.jsonl"])
def test_a_split_by_time_reads_dates_of_every_format(tmp_path, name, split):
    settings = {"data": {"source": name, "time": "joined"}, "split": split}
    content, train, test = prepared(make_project(tmp_path, **settings))
    assert train["joined"].dtype.kind == test["joined"].dtype.kind == "M"
    assert train["joined"].max() < test["joined"].min() == pd.Timestamp(content["split"]["after"])
    assert len(test) > 100


def test_dates_with_a_zone_are_one_time(tmp_path):
    frame = make_frame(200)
    day = frame["joined"].dt.strftime("%Y-%m-%d")
    frame["joined"] = np.where(np.arange(200) % 2, day + "T01:00:00+02:00", day + "T00:00:00Z")
    _, train, _ = prepared(make_project(tmp_path, frame=frame, data={"time": "joined"}))
    assert train["joined"].dt.tz is None
    assert set(train["joined"].dt.hour) == {0, 23}


@pytest.mark.parametrize(
    ("labels", "positive", "text"),
    [
        ([0, 1], 1, "1"),
        ([0.0, 1.0], 1, "1"),
        ([False, True], True, "true"),
        (["<=50K", ">50K"], ">50K", ">50K"),
        (["0", "1"], "1", "1"),
    ],
)
def test_targets_of_every_type(tmp_path, labels, positive, text):
    frame = make_frame(400)
    hits = frame["left"] == "yes"
    frame["left"] = np.where(hits, labels[1], labels[0])
    content, _, _ = prepared(make_project(tmp_path, frame=frame, data={"positive": positive}))
    assert content["positive"] == text
    assert content["balance"][text] == hits.sum()


def test_a_contract_that_holds_is_bound_by_its_bytes(tmp_path):
    root = make_project(tmp_path, data={"contract": "contract.yaml"})
    contract = b"columns:\n  age: {dtype: int64, in_range: {min_value: 18, max_value: 99}}\n"
    (root / "contract.yaml").write_bytes(contract)
    content, _, _ = prepared(root)
    assert content["contract_sha256"] == hashlib.sha256(contract).hexdigest()


def test_sections_that_prepare_does_not_declare_do_not_change_it(tmp_path):
    root = make_project(tmp_path)
    first = prepared(root)[0]
    make_project(tmp_path, evaluate={"slices": ["gone"]}, fairness={"bins": {"sex": [0, 1]}})
    assert prepared(root)[0] == first


# --- refusals ------------------------------------------------------------------------


def drop(name):
    return lambda frame: frame.drop(columns=name)


def one_class(frame):
    return frame[frame["left"] == "no"]


def three_classes(frame):
    frame.loc[0, "left"] = "maybe"
    return frame


def unlabelled(frame):
    frame.loc[:3, "left"] = None
    return frame


def two_households(frame):
    frame["household"] = range(len(frame))
    frame.loc[1, "customer"] = frame.loc[0, "customer"]
    return frame


def undated(frame):
    frame.loc[:1, "joined"] = None
    return frame


def wrongly_dated(frame):
    joined = frame["joined"].astype(str)
    joined[:3] = "SOMETIME"
    return frame.assign(joined=joined)


def no_id(frame):
    frame.loc[4:5, "customer"] = None
    return frame


@pytest.mark.parametrize(
    ("change", "data", "told", "hint"),
    [
        (drop("left"), {}, "data.target names the column 'left'", "the columns are: customer"),
        (drop("customer"), {}, "data.id names the column 'customer'", "the columns are"),
        (None, {"group": "costumer"}, "did you mean 'customer'?", "the columns are"),
        (None, {"time": "join"}, "did you mean 'joined'?", "the columns are"),
        (None, {"sensitive": ["sexe"]}, "data.sensitive names the column 'sexe'", "columns"),
        (None, {"exclude": ["nobody"]}, "data.exclude names the column 'nobody'", "columns"),
        (lambda f: f.assign(_mergeline_key=1), {}, "keeps for itself", "rename"),
        (one_class, {}, 'has 1 class in data/customers.csv ("no")', "two classes"),
        (
            three_classes,
            {},
            'has 3 classes in data/customers.csv ("maybe", "no", "yes")',
            "multiclass",
        ),
        (unlabelled, {}, "data.target 'left' is missing in 4 of 800 rows", "remove these rows"),
        (None, {"positive": "Yes"}, "data.positive is 'Yes', but", "one of: no, yes"),
        (None, {"positive": 1}, "holds 'no' and 'yes'", "one of: no, yes"),
        (no_id, {}, "data.id 'customer' is missing in 2 of 800 rows", "give every row one"),
        (two_households, {"group": "household"}, "1 values of data.id 'customer'", "whole ids"),
        (undated, {"time": "joined"}, "data.time 'joined' is missing in 2 of 800", "every row"),
        (wrongly_dated, {"time": "joined"}, "3 values of 800 that are no dates", "ISO 8601"),
        (None, {"time": "age"}, "data.time 'age' holds numbers", "ISO 8601"),
        (lambda f: f.head(0), {}, "0 rows and 10 columns", "holds the table"),
        (None, {"contract": "gone.yaml"}, "data.contract is 'gone.yaml': there is no", "path"),
        (lambda f: f.head(3), {}, "rows of both classes are needed on both sides", "more rows"),
    ],
)
def test_refusals_name_what_is_wrong_and_leave_no_trace(tmp_path, change, data, told, hint):
    root = make_project(tmp_path)
    run_stages(root, "prepare")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    frame = make_frame()
    make_project(tmp_path, frame=change(frame) if change else frame, data=data)
    error = refusal(root)
    assert told in error.message
    assert hint in error.hint
    assert "SOMETIME" not in error.message
    made = ("data/prepared", "reports")
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    for path, content in after.items():
        if path.relative_to(root).as_posix().startswith(made):
            assert before[path] == content
    assert before.keys() == after.keys()


def test_a_missing_and_an_empty_source_are_refused(tmp_path):
    root = make_project(tmp_path)
    (root / "data/customers.csv").write_bytes(b"")
    assert "0 bytes" in refusal(root).message
    (root / "data/customers.csv").unlink()
    assert "there is no such file" in refusal(root).message
    assert not (root / "reports").exists()


def test_a_broken_contract_stops_the_line(tmp_path):
    root = make_project(tmp_path, data={"contract": "contract.yaml"})
    (root / "contract.yaml").write_text("columns: {age: {less_than: 30}}")
    assert "age: less_than(30) (" in refusal(root).message
    assert not (root / "reports").exists()


def test_settings_are_asked_first(tmp_path):
    (tmp_path / "params.yaml").write_text("project: [")
    refusal(tmp_path, ConfigError)


def test_a_time_before_all_rows_leaves_no_training_side(tmp_path):
    root = make_project(
        tmp_path, data={"time": "joined"}, split={"test": None, "after": "2020-01-01"}
    )
    assert "the training side of the split has 0 rows" in refusal(root).message


def test_hostile_names_and_values_pass(tmp_path):
    frame = make_frame(400).rename(columns={"plan": "pl'an\"\n<b>, [x]: {y}", "town": "🦊"})
    frame["🦊"] = frame["🦊"].where(frame["🦊"] != "Oslo", "O\x1fslo\n<script>")
    write_source(frame, tmp_path / "check.csv")
    content, train, test = prepared(make_project(tmp_path, frame=frame))
    names = [column["name"] for column in content["columns"]]
    assert "🦊" in names
    assert "pl'an\"\n<b>, [x]: {y}" in names
    assert set(train.columns) == {*frame.columns, layout.KEY}
    assert len(train) + len(test) == 400


# --- several classes, and numbers ------------------------------------------------------


def of_task(folder, task, change=None, **data):
    frame = outcome_frame(task)
    frame = change(frame) if change else frame
    return make_project(folder, frame=frame, data={**OUTCOME[task], **data})


def test_several_classes_are_counted(tmp_path):
    content, train, test = prepared(of_task(tmp_path, "multiclass"))
    assert (content["task"], content["positive"]) == ("multiclass", None)
    assert list(content["balance"]) == ["basic", "plus", "pro"]
    counts = outcome_frame("multiclass")["outcome"].value_counts()
    assert content["balance"] == {name: counts[name] for name in ("basic", "plus", "pro")}
    assert len(train) + len(test) == 800


def test_numbers_are_not_counted(tmp_path):
    content, train, test = prepared(of_task(tmp_path, "regression"))
    assert (content["task"], content["positive"], content["balance"]) == ("regression", None, {})
    assert train["outcome"].dtype == test["outcome"].dtype == "float64"


def becomes(**columns):
    return lambda frame: frame.assign(**columns)


def some(value, rows=slice(3, 5)):
    def change(frame):
        frame["outcome"] = frame["outcome"].astype(object)
        frame.loc[frame.index[rows], "outcome"] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("task", "change", "told", "hint"),
    [
        (
            "multiclass",
            lambda frame: frame[frame["outcome"] != "pro"],
            'has 2 classes in data/customers.csv ("basic", "plus"); three or more are expected',
            "set data.task: binary",
        ),
        ("multiclass", becomes(outcome="x"), 'has 1 class in data/customers.csv ("x")', "binary"),
        ("multiclass", some(None), "data.target 'outcome' is missing in 2 of 800", "remove"),
        (
            "multiclass",
            lambda frame: frame.assign(outcome=frame.index / 7),
            "has 800 classes in data/customers.csv; 50 at most are expected",
            "set data.task: regression",
        ),
        (
            "multiclass",
            lambda frame: frame.assign(outcome=frame["customer"]),
            "has 800 classes in data/customers.csv; 50 at most",
            "join the rare classes",
        ),
        (
            "regression",
            some("n. a."),
            "data.target 'outcome' holds 2 texts that are no numbers in 800 rows, and data.task",
            "data.missing",
        ),
        (
            "regression",
            lambda frame: frame.assign(outcome=frame["sex"]),
            "holds 800 texts that are no numbers in 800 rows",
            "data.task: multiclass or binary",
        ),
        ("regression", becomes(outcome=True), "holds true and false, and data.task is", "binary"),
        ("regression", some(None), "data.target 'outcome' is missing in 2 of 800", "remove"),
        ("regression", some(np.inf), "beyond 1e+100 in 2 of 800 rows", "remove these"),
        ("regression", some(-1e101), "beyond 1e+100 in 2 of 800 rows", "in another unit"),
        ("regression", becomes(outcome=7), "has one value in all 800 rows", "data.target"),
    ],
)
def test_a_target_that_does_not_fit_the_task_is_refused(tmp_path, task, change, told, hint):
    error = refusal(of_task(tmp_path, task, change))
    assert told in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("task", "hint"),
    [("multiclass", "set data.task: multiclass"), ("regression", "set data.task: regression")],
)
def test_a_target_of_another_task_is_named_to_a_binary_one(tmp_path, task, hint):
    data = {"target": "outcome", "positive": "basic"}
    error = refusal(make_project(tmp_path, frame=outcome_frame(task), data=data))
    assert "exactly two are expected" in error.message
    assert hint in error.hint


def rare(sides):
    """Make a class of rows on the sides that are named, `train` or `test`, in their order."""

    def change(frame):
        data = Data(source="x.csv", target="outcome", task="multiclass", id="customer")
        _, test, _ = split_rows(frame, data, SplitSettings(test=0.3))
        left = {"train": list(np.flatnonzero(~test)), "test": list(np.flatnonzero(test))}
        rows = [left[side].pop() for side in sides]
        frame.loc[rows, "outcome"] = "rare \n\U0001f98a"
        return frame

    return change


def test_a_class_of_three_rows_is_trained_on(tmp_path):
    for sides in (["train"] * 3, ["train", "test", "test"]):
        content, train, _ = prepared(of_task(tmp_path, "multiclass", rare(sides)))
        assert content["balance"]["rare \n\U0001f98a"] == 3
        assert (train["outcome"] == "rare \n\U0001f98a").sum() == sides.count("train")


def test_a_class_without_a_row_to_train_on_is_refused(tmp_path):
    error = refusal(of_task(tmp_path, "multiclass", rare(["test"] * 3)))
    assert error.message == (
        "all rows of some classes of data.target 'outcome' are held out, and none is left to "
        'train on: "rare \\n\U0001f98a" (3 rows)'
    )
    assert "join them with others" in error.hint


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_a_side_without_a_row_is_refused(tmp_path, task):
    root = make_project(
        tmp_path,
        frame=outcome_frame(task),
        data={**OUTCOME[task], "time": "joined"},
        split={"test": None, "after": "2040-01-01"},
    )
    assert refusal(root).message == "the held-out side of the split has 0 rows of 800"


def test_classes_that_differ_in_case_only_are_refused(tmp_path):
    frame = make_frame()
    frame.loc[3, "left"] = " Yes "
    root = make_project(tmp_path, frame=frame)
    with pytest.raises(ContractError, match='holds both "Yes" and "yes"'):
        run_stage("prepare", root)


def test_columns_hardly_meant_as_text_are_refused(tmp_path):
    frame = make_frame().assign(plan="?")
    with pytest.raises(ContractError, match="which often means that there is no value"):
        run_stage("prepare", make_project(tmp_path, frame=frame))
    root = make_project(tmp_path, frame=frame, data={"missing": []})
    run_stage("prepare", root)
