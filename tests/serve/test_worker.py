"""The model process: it loads only what is safe, proves it, and scores as evaluation did."""

import json
import shutil
import socket
import threading

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from mergeline.core import layout
from mergeline.errors import ModelError, UnsafeModel
from mergeline.model.score import load_scorer
from mergeline.serve.protocol import Frame, receive
from mergeline.serve.replies import JSON
from mergeline.serve.truths import truth_columns
from mergeline.serve.worker import load, main, smoke_test
from projects import make_frame
from serve.releases_made import (
    BOOSTING,
    BRITTLE,
    FOREST,
    LINE,
    change_scores,
    make_by_hand,
    make_release,
    whole_frame,
)

MODELS = {"line": LINE, "forest": FOREST, "boosting": BOOSTING}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """Releases by model, each made when it is asked for first."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            if name == "brittle":
                made[name] = make_release(folder, model=BRITTLE, frame=whole_frame())
            elif name == "truths":
                # As most tables have it: a truth value that is not known of everybody.
                frame = make_frame(300)
                unknown = np.random.default_rng(1).random(300) < 0.2
                frame["member"] = frame["member"].astype(object).mask(unknown, None)
                made[name] = make_release(folder, model=BOOSTING, frame=frame)
            else:
                made[name] = make_release(folder, model=MODELS[name], threshold=0.3)
        return made[name]

    return get


@pytest.fixture
def copy(releases, tmp_path):
    """A release folder to do harm to."""
    return shutil.copytree(releases("line").folder, tmp_path / "release")


def requests(made):
    """Return the held-out rows in every form, by name: content type and body."""
    table = made.table[made.columns]
    plain = table.astype(object).where(table.notna(), None)
    split = {"columns": made.columns, "data": plain.to_numpy().tolist()}
    columns = {name: plain[name].tolist() for name in made.columns}
    records = plain.to_dict("records")
    bodies = {
        "split": {"dataframe_split": split},
        "records": {"dataframe_records": records},
        "instances": {"instances": records},
        "inputs": {"inputs": columns},
    }
    as_json = {name: (JSON, json.dumps(body).encode()) for name, body in bodies.items()}
    return {**as_json, "csv": ("text/csv", table.to_csv(index=False).encode())}


def probabilities(reply):
    assert reply.status == 200, reply.body
    return [row["probability"] for row in json.loads(reply.body)["predictions"]]


# --- as evaluation did -----------------------------------------------------------------


@pytest.mark.parametrize("name", [*MODELS, "truths"])
def test_every_held_out_row_scores_as_in_evaluation(releases, name):
    made = releases(name)
    served = load(made.folder)
    for form, (content_type, body) in requests(made).items():
        found = probabilities(served.answer(content_type, body))
        np.testing.assert_allclose(found, made.scores, rtol=0, atol=1e-12, err_msg=form)


@pytest.mark.parametrize("name", MODELS)
def test_one_row_scores_as_among_many(releases, name):
    made = releases(name)
    served = load(made.folder)
    for row in range(5):
        values = made.table[made.columns].iloc[[row]].to_csv(index=False).encode()
        found = probabilities(served.answer("text/csv", values))
        np.testing.assert_allclose(found, made.scores[[row]], rtol=0, atol=1e-12)


def test_decisions_are_those_of_the_threshold_of_the_evidence(releases):
    made = releases("line")
    said = json.loads(load(made.folder).answer(*requests(made)["split"]).body)
    assert said["threshold"] == 0.3
    decided = [row["positive"] for row in said["predictions"]]
    assert decided == (made.scores >= 0.3).tolist()
    assert 0 < sum(decided) < len(decided)
    names = {True: "yes", False: "no"}
    assert [row["label"] for row in said["predictions"]] == [names[each] for each in decided]


def test_which_categories_are_truth_values(releases):
    for name, expected in (("truths", {"member"}), ("line", set()), ("brittle", set())):
        scorer = load_scorer(releases(name).folder / "model")
        assert truth_columns(scorer.pipeline) == expected
    assert truth_columns(object()) == frozenset()


# --- failures --------------------------------------------------------------------------


def test_a_bad_request_is_the_clients_fault_and_a_bad_model_is_not(releases):
    made = releases("brittle")
    served = load(made.folder)
    row = json.loads((made.folder / "probes.json").read_bytes())["rows"][0]

    def ask(age):
        values = {**dict(zip(made.columns, row, strict=True)), "age": age}
        reply = served.answer(JSON, json.dumps({"inputs": values}).encode())
        return reply.status, json.loads(reply.body)

    assert ask(40)[0] == 200
    status, said = ask("40")
    assert status == 400
    assert said["message"].startswith("column 'age', row 1: a number or null is expected")
    status, said = ask(None)
    assert status == 500
    assert said["message"].startswith("the model cannot score 1 rows: ValueError: Input X contains")
    assert said.keys() == {"error_code", "message", "hint"}
    assert served.answer("text/plain", b"x").status == 415


class Broken:
    """A scorer with a fault that nobody thought of."""

    positive = "yes"

    def score_columns(self, _):
        raise RecursionError("secret " * 100)


def test_a_fault_of_ours_tells_the_client_nothing(releases, capfd):
    from dataclasses import replace

    served = replace(load(releases("line").folder), scorer=Broken())
    reply = served.answer(*requests(releases("line"))["split"])
    assert reply.status == 500
    assert json.loads(reply.body)["message"] == "the model process failed: RecursionError"
    assert "secret" in capfd.readouterr().err


# --- the smoke test --------------------------------------------------------------------


def test_probe_rows_that_score_otherwise_are_named(copy):
    served = load(copy)
    smoke_test(served, copy / "probes.json")
    change_scores(copy, by=2e-10)
    smoke_test(served, copy / "probes.json")
    change_scores(copy, by=1e-8)
    with pytest.raises(ModelError, match=r"scores 20 of 20 probe rows otherwise .* row 1 is 0\."):
        smoke_test(served, copy / "probes.json")


PROBES = {
    "no file": None,
    "no JSON": b"[",
    "no scores": b'{"columns": [], "rows": []}',
    "no rows": b'{"columns": ["age"], "rows": [], "scores": []}',
    "a column more": b'{"columns": ["age", "x"], "rows": [[1, 2]], "scores": [[0.5]]}',
    "scores are text": b'{"columns": ["age"], "rows": [[1]], "scores": [["a"]]}',
}


@pytest.mark.parametrize("content", PROBES.values(), ids=PROBES)
def test_probe_rows_that_cannot_be_scored(copy, content):
    served = load(copy)
    (copy / "probes.json").unlink()
    if content is not None:
        (copy / "probes.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"probe rows|no rows"):
        smoke_test(served, copy / "probes.json")


def test_a_score_that_is_missing_is_no_match(copy):
    probes = json.loads((copy / "probes.json").read_bytes())
    probes["scores"].pop()
    (copy / "probes.json").write_text(json.dumps(probes))
    with pytest.raises(ModelError, match="20 rows of 1 scores for 19 probe rows of 1"):
        smoke_test(load(copy), copy / "probes.json")


# --- several classes, and a number -----------------------------------------------------

CLASSES = ("a", 'b "quoted"', "ç & <d>")


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return make_by_hand(tmp_path_factory.mktemp("several"), "multiclass", classes=CLASSES)


@pytest.fixture(scope="module")
def number(tmp_path_factory):
    return make_by_hand(tmp_path_factory.mktemp("number"), "regression")


def answered(made):
    """Return the predictions of all rows, the same in every form."""
    served = load(made.folder)
    found = [json.loads(served.answer(*each).body) for each in requests(made).values()]
    assert all(each == found[0] for each in found)
    assert found[0].keys() == {"predictions"}
    return found[0]["predictions"]


def test_several_classes_are_answered_with_each_probability(several):
    expected = pd.read_parquet(several.project / layout.PREDICTIONS)
    said = answered(several)
    assert [row["label"] for row in said] == expected["predicted"].tolist()
    assert len({row["label"] for row in said}) > 1
    assert [[*row["probabilities"]] for row in said] == [[*CLASSES]] * len(said)
    found = np.array([[*row["probabilities"].values()] for row in said])
    scores = expected[["score_0", "score_1", "score_2"]].to_numpy()
    np.testing.assert_allclose(found, scores, rtol=0, atol=1e-12)
    assert [row["probability"] for row in said] == found.max(axis=1).tolist()


def test_a_number_is_answered_as_the_value(number):
    said = answered(number)
    assert all(row.keys() == {"value"} for row in said)
    found = [row["value"] for row in said]
    np.testing.assert_allclose(found, number.scores, rtol=1e-12)


@pytest.mark.parametrize("kind", ["several", "number"])
def test_probe_rows_prove_each_task(kind, request, tmp_path):
    folder = shutil.copytree(request.getfixturevalue(kind).folder, tmp_path / "release")
    served = load(folder)
    smoke_test(served, folder / "probes.json")
    change_scores(folder, by=1e-4)
    with pytest.raises(ModelError, match="20 of 20 probe rows otherwise"):
        smoke_test(served, folder / "probes.json")
    probes = json.loads((folder / "probes.json").read_bytes())
    probes["scores"] = [[*row, 0.5] for row in probes["scores"]]
    (folder / "probes.json").write_text(json.dumps(probes))
    with pytest.raises(ModelError, match=r"probe rows of [24]"):
        smoke_test(served, folder / "probes.json")


def test_evidence_of_another_task_is_not_served(releases, number, copy, tmp_path):
    evidence = "evidence/evaluate.json"
    shutil.copy(number.folder / evidence, copy / evidence)
    with pytest.raises(ModelError, match="the model's task is binary, and the threshold of its"):
        load(copy)
    other = shutil.copytree(number.folder, tmp_path / "other")
    shutil.copy(releases("line").folder / evidence, other / evidence)
    with pytest.raises(ModelError, match=r"the model's task is regression, and .* is 0\.3"):
        load(other)


# --- loading ---------------------------------------------------------------------------


def test_a_release_that_could_do_more_than_score_is_not_loaded(copy):
    mlmodel = copy / "model/MLmodel"
    mlmodel.write_bytes(mlmodel.read_bytes().replace(b'"mlflow.sklearn"', b'"os"'))
    with pytest.raises(UnsafeModel, match="loader_module"):
        load(copy)


@pytest.mark.parametrize("name", ["release.json", "evidence/evaluate.json", "model/model.skops"])
def test_a_release_without_a_part_is_not_loaded(copy, name):
    (copy / name).unlink()
    with pytest.raises(ModelError):
        load(copy)


# --- the process's own end of the socket -----------------------------------------------


def talk(folder, *frames):
    """Run `main` in a thread; return what it says first and its answers."""
    ours, theirs = socket.socketpair()
    ended = threading.Thread(target=main, args=(theirs.detach(), folder, None))
    ended.start()
    with ours:
        first = receive(ours)
        said = []
        for frame in frames:
            ours.sendall(b"".join(frame.pieces()))
            said.append(receive(ours))
    ended.join(30)
    assert not ended.is_alive()
    return first, said


def test_it_says_when_it_is_ready_and_ends_with_the_socket(releases):
    made = releases("line")
    bodies = requests(made)
    first, said = talk(made.folder, *(Frame(0, *bodies[form]) for form in ("split", "csv")))
    assert (first.number, first.data) == (200, b"{}")
    assert [frame.number for frame in said] == [200, 200]
    assert said[0].data == said[1].data


def test_it_says_why_it_is_not_ready(copy):
    change_scores(copy)
    first, _ = talk(copy)
    assert first.number == 500
    said = json.loads(first.data)
    assert "otherwise than evaluation did" in said["message"]
    assert said["hint"]


def test_the_rows_of_a_large_request_arrive_whole(releases):
    made = releases("line")
    rows = pd.concat([made.table[made.columns]] * 200)
    _, said = talk(made.folder, Frame(0, "text/csv", rows.to_csv(index=False).encode()))
    found = [row["probability"] for row in json.loads(said[0].data)["predictions"]]
    np.testing.assert_allclose(found, np.tile(made.scores, 200), rtol=0, atol=1e-12)
