"""Batch scoring: the columns come back as they are, beside the scores that evaluation saw."""

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from mergeline.adapters.registry import Registry
from mergeline.config.settings import Data
from mergeline.config.settings import Model as ModelSettings
from mergeline.core import layout
from mergeline.core.evidence import Feature
from mergeline.core.task import Task
from mergeline.errors import (
    BytesMismatch,
    ContractError,
    ModelError,
    RegistryUnavailable,
    UsageError,
)
from mergeline.inputs.settings import require_settings_at
from mergeline.ledger.entries import Promoted
from mergeline.model.cast import cast_features
from mergeline.model.decision import DecisionRule
from mergeline.model.pipeline import build_pipeline
from mergeline.model.score import Scorer, load_scorer
from mergeline.release.fetched import fetched
from mergeline.release.predict import Batch, Model, predict
from projects import make_frame
from promote.scenario import Builds, Scenario, fresh
from serve.releases_made import make_by_hand

ADDED = ("probability", "label", "positive", "release")
DATA = Data(source="data/customers.csv", target="left", positive="yes", id="customer")
FEATURES = ["age", "income", "plan", "town", "visits", "member"]


@pytest.fixture(scope="module")
def standing(
    first_line: Path, tmp_path_factory: pytest.TempPathFactory, builds: Builds
) -> Iterator[Scenario]:
    """The first release live; nobody changes anything."""
    yield from fresh(first_line, tmp_path_factory.mktemp("standing") / "line", builds, 10)


@pytest.fixture(scope="module")
def model(standing: Scenario) -> Iterator[Model]:
    """What `mergeline predict` scores with."""
    release = standing.last(Promoted).release
    with fetched(standing.registry, release) as found:
        yield Model(found.scorer, found.rule, f"1 {release.model[:12]}")


def scored(
    model: Model, source: Path, target: str = "out.parquet", chunk: int = 50_000, **data: Any
) -> pd.DataFrame:
    """Score a file, and read the answer with every type as it stands."""
    batch = Batch(source, source.with_name(target), DATA.model_copy(update=data), chunk)
    predict(model, batch, quiet)
    if target.endswith(".csv"):
        return pd.read_csv(batch.target, dtype=str, keep_default_na=False)
    return pd.read_parquet(batch.target)


def close(scores: list[float]) -> Any:
    """A matrix product differs in its last bit by the number of rows."""
    return pytest.approx(scores, rel=0, abs=1e-12)


def quiet(done: int, total: int) -> None:
    """Nobody looks."""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


# --- scores --------------------------------------------------------------------------------


def test_the_scores_are_those_of_evaluation(
    standing: Scenario, builds: Builds, model: Model, tmp_path: Path
) -> None:
    """The held-out rows again, in the order of the file."""
    standing.fetch()
    root = builds.measured(standing.git, standing.last(Promoted).release.commit)
    source = tmp_path / "test.parquet"
    source.write_bytes((root / layout.TEST_TABLE).read_bytes())
    answer = scored(model, source, chunk=17).set_index(layout.KEY)
    seen = pd.read_parquet(root / layout.PREDICTIONS).set_index("key").loc[answer.index]
    assert len(answer) == len(seen) > 50
    assert answer["probability"].to_list() == close(seen["score"].to_list())
    assert (
        model.rule.threshold == require_settings_at(standing.git, standing.main).evaluate.threshold
    )


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl", "csv.gz"])
def test_every_format_has_the_same_scores(model: Model, tmp_path: Path, ending: str) -> None:
    frame = make_frame(60, seed=5).drop(columns=["sex", "joined", "left"])
    source = tmp_path / f"rows.{ending}"
    if ending == "parquet":
        frame.to_parquet(source)
    elif ending == "jsonl":
        frame.to_json(source, orient="records", lines=True, double_precision=15)
    else:
        frame.to_csv(source, index=False, sep="\t" if ending == "tsv" else ",")
    answer = scored(model, source)
    assert answer["probability"].to_list() == close(model.scorer.score(frame).tolist())
    assert answer["customer"].to_list() == frame["customer"].to_list()


@pytest.mark.parametrize("target", ["out.csv", "out.parquet"])
def test_chunks_are_one_table(model: Model, tmp_path: Path, target: str) -> None:
    frame = make_frame(40, seed=6)
    # Nothing in the first chunks tells its type.
    frame["member"] = frame["member"].astype(object).where(frame.index > 20, None)
    source = tmp_path / "rows.parquet"
    frame.to_parquet(source)
    whole = scored(model, source, target)
    pieces = scored(model, source, f"pieces-{target}", chunk=7)
    scores = whole.pop("probability").astype(float).to_list()
    assert pieces.pop("probability").astype(float).to_list() == close(scores)
    pd.testing.assert_frame_equal(pieces, whole)
    assert pieces["customer"].to_list() == frame["customer"].to_list()


def test_progress_is_told(model: Model, tmp_path: Path) -> None:
    source, told = tmp_path / "rows.csv", []
    make_frame(16).to_csv(source, index=False)
    batch = Batch(source, tmp_path / "out.csv", DATA, 7)
    rows = predict(model, batch, lambda done, total: told.append((done, total)))
    assert (rows, told) == (16, [(7, 16), (14, 16), (16, 16)])


def test_label_and_decision_follow_the_threshold(model: Model, tmp_path: Path) -> None:
    source = tmp_path / "rows.parquet"
    make_frame(50).to_parquet(source)
    scores = scored(model, source)["probability"]
    # At a score itself the row is positive.
    threshold = float(sorted(scores)[30])
    strict = Model(model.scorer, DecisionRule.of(model.scorer, threshold), "9 abc")
    answer = scored(strict, source)
    assert answer["positive"].sum() == 20
    assert answer["positive"].to_list() == (scores >= threshold).to_list()
    assert answer["label"].to_list() == ["yes" if each else "no" for each in answer["positive"]]
    assert set(answer["release"]) == {"9 abc"}


def test_one_row_is_enough(model: Model, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    make_frame(1).to_csv(source, index=False)
    assert len(scored(model, source, "out.csv")) == 1


# --- the columns that were given -------------------------------------------------------------

AWKWARD = (
    "customer,age,income,plan,town,visits,member,zip,note,big,when\n"
    '00017,30,1.50,basic,NA,3,True,01234,"a, ""b""\nc",12345678901234567890123,2024-01-01\n'
    "00018,41,,plus,?,,False,00501,  padded,9007199254740993,01.02.2024\n"
)


def test_a_csv_comes_back_cell_by_cell(model: Model, tmp_path: Path) -> None:
    source = write(tmp_path / "rows.csv", AWKWARD)
    scored(model, source, "out.csv", missing=("?",))
    given, answer = rows_of(source), rows_of(tmp_path / "out.csv")
    assert answer[0] == [*given[0], *ADDED]
    # Space after a separator is no part of a cell, for training neither.
    given[2][8] = "padded"
    assert [row[: len(given[0])] for row in answer[1:]] == given[1:]


def test_a_csv_is_text_in_parquet(model: Model, tmp_path: Path) -> None:
    answer = scored(model, write(tmp_path / "rows.csv", AWKWARD), missing=("?",))
    assert answer["customer"].to_list() == ["00017", "00018"]
    assert answer["income"].to_list() == ["1.50", ""]
    assert answer["big"].to_list() == ["12345678901234567890123", "9007199254740993"]
    assert answer["town"].to_list() == ["NA", "?"]


def test_separator_and_encoding_are_those_of_the_settings(model: Model, tmp_path: Path) -> None:
    frame = make_frame(5).assign(town="Ålesund")
    source = tmp_path / "rows.csv"
    frame.to_csv(source, index=False, sep=";", encoding="latin-1")
    answer = scored(model, source, "out.csv", separator=";", encoding="latin-1")
    assert set(answer["town"]) == {"Ålesund"}
    wanted = model.scorer.score(frame).tolist()
    assert [float(each) for each in answer["probability"]] == close(wanted)


def test_parquet_keeps_its_types(model: Model, tmp_path: Path) -> None:
    table = pa.table(
        {
            "age": pa.array([30, 41], pa.int16()),
            "income": pa.array([1000.5, None]),
            "plan": pa.array(["basic", "plus"]).dictionary_encode(),
            "town": pa.array(["NA", ""]),
            "visits": pa.array([3, None], pa.int32()),
            "member": [True, None],
            "price": pa.array([Decimal("1.10"), None]),
            "seen": [date(2024, 1, 2), None],
            "at": pa.array([datetime(2024, 1, 2, 3, 4, 5), None], pa.timestamp("s")),
        }
    )
    folder = tmp_path / "region=north"  # no column of the table
    folder.mkdir()
    parquet.write_table(table, folder / "rows.parquet")
    scored(model, folder / "rows.parquet")
    answer = parquet.ParquetFile(folder / "out.parquet").read()
    # Parquet itself has no seconds.
    kept = table.set_column(8, "at", table["at"].cast(pa.timestamp("ms")))
    assert answer.select(table.column_names) == kept
    assert answer.column_names == [*table.column_names, *ADDED]
    scored(model, folder / "rows.parquet", "out.csv")
    assert rows_of(folder / "out.csv")[1][:9] == [
        *("30", "1000.5", "basic", "NA", "3", "True", "1.10", "2024-01-02"),
        "2024-01-02 03:04:05",
    ]
    assert rows_of(folder / "out.csv")[2][:9] == ["41", "", "plus", "", "", "", "", "", ""]


def test_json_lines_keep_every_digit(model: Model, tmp_path: Path) -> None:
    base = {"age": 30, "income": 0.1, "plan": "basic", "town": None, "visits": 1, "member": True}
    extra = ({"id": 2**53 + 1, "mixed": 1, "big": 10**30}, {"id": None, "mixed": "x", "late": 5})
    text = "".join(json.dumps({**base, **each}) + "\n" for each in extra)
    source = write(tmp_path / "rows.jsonl", text)
    scored(model, source, "out.csv")
    first, second = (
        dict(zip(rows_of(tmp_path / "out.csv")[0], row, strict=True))
        for row in rows_of(tmp_path / "out.csv")[1:]
    )
    assert (first["id"], first["mixed"], first["big"]) == (str(2**53 + 1), "1", str(10**30))
    assert (second["id"], second["mixed"], second["late"]) == ("", "x", "5")


def test_a_category_that_looks_like_a_number_stays_one(tmp_path: Path) -> None:
    """Training saw `007` beside `12A`; a file that holds only the first means it, not 7."""
    features = (Feature(name="code", kind="category"), Feature(name="x", kind="number"))
    frame = pd.DataFrame({"code": ["007", "12A", "7"] * 30, "x": np.arange(90.0) % 7})
    settings = ModelSettings(estimator="sklearn.linear_model.LogisticRegression")
    pipeline = build_pipeline(settings, features, ("no", "yes"))
    pipeline.fit(cast_features(frame, features), (frame["code"] == "007").astype("int64"))
    scorer = Scorer("binary", pipeline, features, ("no", "yes"), "yes")
    model = Model(scorer, DecisionRule.of(scorer, 0.5), "1")
    source = write(tmp_path / "rows.csv", "code,x\n007,1\n?,2\n,3\n7,4\n")
    answer = scored(model, source, missing=("?",))
    wanted = pd.DataFrame({"code": ["007", None, None, "7"], "x": [1.0, 2.0, 3.0, 4.0]})
    assert answer["probability"].to_list() == close(model.scorer.score(wanted).tolist())
    assert answer["label"].to_list()[0::3] == ["yes", "no"]


# --- what cannot be scored --------------------------------------------------------------------


def refused(model: Model, source: Path, kind: type[Exception] = ContractError) -> str:
    """Score, see that the output is untouched, and return what was said."""
    target = source.with_name("out.csv")
    target.write_text("before")
    with pytest.raises(kind) as caught:
        predict(model, Batch(source, target, DATA, 7), quiet)
    assert target.read_text() == "before"
    assert {path.name for path in source.parent.iterdir()} == {source.name, "out.csv"}
    return str(caught.value)


def test_columns_that_the_answer_adds(model: Model, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    make_frame(3).assign(label=1, release="x").to_csv(source, index=False)
    said = refused(model, source)
    assert "columns named label, release, which the answer adds" in said


def test_a_column_that_is_missing(model: Model, tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    make_frame(3).drop(columns=["town", "age"]).to_csv(source, index=False)
    assert "the rows do not have: 'age', 'town'" in refused(model, source)


def test_one_text_among_numbers_leaves_nothing_written(model: Model, tmp_path: Path) -> None:
    frame = make_frame(20)
    frame["age"] = frame["age"].astype(str)
    frame.loc[19, "age"] = "old"
    source = tmp_path / "rows.csv"
    frame.to_csv(source, index=False)
    # Only the third chunk shows it: what was written before is gone too.
    assert "column 'age' is a number to the model" in refused(model, source)


def test_a_model_that_gives_no_number(model: Model, tmp_path: Path) -> None:
    frame = make_frame(20)
    frame.loc[19, "income"] = np.inf
    source = tmp_path / "rows.csv"
    frame.to_csv(source, index=False)
    assert "the model cannot score" in refused(model, source, ModelError)


def test_a_file_that_cannot_be_read(model: Model, tmp_path: Path) -> None:
    source = tmp_path / "rows.parquet"
    source.write_text("no table")
    assert "rows.parquet cannot be read as parquet" in refused(model, source)


def test_a_column_name_that_comes_twice(model: Model, tmp_path: Path) -> None:
    source = write(tmp_path / "rows.csv", "age,age\n1,2\n")
    assert "has a column name twice: age" in refused(model, source)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("rows.csv", "out.xlsx", "the output is 'out.xlsx': expected a name ending in .csv or"),
        ("rows.csv", "rows.csv", "the output is the input"),
        ("nothing.csv", "out.csv", "there is no file "),
    ],
)
def test_a_batch_that_is_none(tmp_path: Path, source: str, target: str, said: str) -> None:
    (tmp_path / "rows.csv").write_text("age\n1\n")
    with pytest.raises(UsageError, match=said):
        Batch(tmp_path / source, tmp_path / target, DATA, 7)


def test_an_ending_that_says_nothing_is_read_as_the_settings_say(
    model: Model, tmp_path: Path
) -> None:
    source = tmp_path / "rows.dat"
    make_frame(3).to_csv(source, index=False)
    assert "the ending says no known format" in refused(model, source)
    assert len(scored(model, source, "out.csv", format="csv")) == 3


# --- the release's files ----------------------------------------------------------------------


def test_bytes_that_are_not_the_release_are_not_loaded(standing: Scenario) -> None:
    release = standing.last(Promoted).release
    other = release.model_copy(update={"model": "0" * 64})
    with (
        pytest.raises(BytesMismatch, match=r"the model \(M\)"),
        fetched(standing.registry, other),
    ):
        pass


def test_a_registry_that_is_away(standing: Scenario) -> None:
    away = Registry("http://127.0.0.1:9", standing.folder, "leavers")
    with (
        pytest.raises(RegistryUnavailable),
        fetched(away, standing.last(Promoted).release),
    ):
        pass


# --- several classes, and a number -----------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "classes", "names"),
    [
        ("regression", (), ["value"]),
        (
            "multiclass",
            ("a", "b"),
            ["label", "probability", "probability of a", "probability of b"],
        ),
    ],
)
@pytest.mark.parametrize("output", ["out.csv", "out.parquet"])
def test_other_tasks_add_what_they_say(
    tmp_path: Path, task: Task, classes: tuple[str, ...], names: list[str], output: str
) -> None:
    made = make_by_hand(tmp_path, task, classes=classes)
    scorer = load_scorer(made.folder / "model")
    model = Model(scorer, DecisionRule.of(scorer, None), "1")
    rows = made.table
    source = tmp_path / "rows.parquet"
    rows.to_parquet(source)
    answer = scored(model, source, output)
    assert answer.columns.to_list() == [*rows.columns, *names, "release"]
    scores = scorer.score(rows)
    if task == "regression":
        assert [float(each) for each in answer["value"]] == scores.tolist()
        return
    for place, name in enumerate(classes):
        assert [float(each) for each in answer[f"probability of {name}"]] == close(
            scores[:, place].tolist()
        )
    assert answer["label"].to_list() == [classes[at] for at in scores.argmax(axis=1)]
    taken = rows.assign(**{"probability of b": 1.0})
    taken.to_parquet(source)
    with pytest.raises(ContractError, match="columns named probability of b, which"):
        scored(model, source, output)
