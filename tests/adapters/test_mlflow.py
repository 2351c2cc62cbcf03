"""Tracking against real MLflow: SQLite in a folder, and a server on this machine."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from mergeline.adapters.mlflow import Rendered, track_plan, tracking_uri
from mergeline.adapters.mlflow_data import datasets_of
from mergeline.adapters.mlflow_store import public_uri
from mergeline.adapters.mlflow_values import gate_tags, metrics_of, params_of, safe_name, tags_of
from mergeline.core.base import Estimate
from mergeline.core.evidence import (
    Confusion,
    EvaluateContent,
    Evidence,
    EvidenceSet,
    FairnessBy,
    FairnessContent,
    Gap,
    PrepareContent,
    Split,
    Timing,
    TrainContent,
)
from mergeline.core.plan import Plan
from mergeline.core.verdict import Baseline, Candidate, Judgement, Outcome, Verdict
from mergeline.errors import ToolError
from report import plans

STORE = "sqlite:///.mergeline/registry.db"
SHA = "ab" * 32
ODDS = "equalized_odds_difference"
HOSTILE = "a/../b: \"c\" 'd' 🙂 %s"


def wrapped(stage, content):
    timing = Timing(started="2026-11-20T09:00:00+00:00", seconds={"total": 1.0}, host="here")
    return Evidence[type(content)](stage=stage, content=content, timing=timing)


def prepare():
    split = Split(
        method="id", by="id", key="id", test=0.2, after=None,
        train_rows=80, test_rows=20, dropped=0,
    )  # fmt: skip
    return PrepareContent(
        source="data/applications.csv", sha256=SHA, bytes=4321, format="csv", target="y",
        positive="1", noun="defaulter", rows=100, duplicate_rows=0, duplicate_ids=0, columns=(),
        balance={"0": 70, "1": 30}, contract=None, contract_sha256=None, split=split,
        held_out_sha256=SHA,
    )  # fmt: skip


def train(params):
    return TrainContent(
        estimator="sklearn.linear_model.LogisticRegression", params=params, class_weight=None,
        seed=7, rows=80, features=(), classes=("0", "1"), positive="1", model_sha256=SHA,
        model_bytes=10, libraries={}, pinned={},
    )  # fmt: skip


def evaluate(metrics):
    confusion = Confusion(true_positive=3, false_positive=2, true_negative=12, false_negative=3)
    return EvaluateContent(
        n=20, positives=6, primary="roc_auc", threshold=0.35, metrics=metrics,
        higher_is_better=dict.fromkeys(metrics, True), confusion=confusion, calibration=(),
        slices=(), model_bytes=10, predictions_sha256=SHA, probes_sha256=SHA, probes=20,
        bootstrap=100, seed=0,
    )  # fmt: skip


def by(column, value):
    estimate = Estimate(value=value, low=None if value is None else value - 0.05, n=20)
    gap = Gap(difference=estimate, ratio=None, lowest=None, highest=None, rate=None)
    columns = tuple(column.split(" & "))
    return FairnessBy(by=column, columns=columns, groups=(), gaps={ODDS: gap})


def plan(*, params=None, metrics=None, gaps=(), outcome=Outcome.PASSED, **candidate):
    auc = Estimate(value=0.78125, low=0.75, high=0.8125, n=20)
    brier = Estimate(value=None, n=20, reason="not a number")
    fairness = FairnessContent(
        n=20, threshold=0.35, min_group=5, metrics=(), bootstrap=100, seed=0,
        by=(by("sex", 0.125), by("sex & age", 0.25), by("one", None), *gaps),
    )  # fmt: skip
    contents = {
        "prepare": prepare(),
        "train": train(params or {"C": 0.5, "solver": "lbfgs", "l1_ratio": None}),
        "evaluate": evaluate(metrics or {"roc_auc": auc, "brier_score": brier}),
        "fairness": fairness,
    }
    digests = dict.fromkeys(("inputs", "model"), SHA)
    names = {
        "commit": "c0ffee" * 6 + "0000", "tree": "7ee" * 13 + "7", "base": "ba5e" * 10,
        "evidence": "e" * 64, "key": "f" * 64, **digests, **candidate,
    }  # fmt: skip
    return Plan(
        project="credit-default",
        noun="defaulter",
        candidate=Candidate(project="credit-default", **names),
        baseline=Baseline(status="none"),
        judgement=Judgement(
            outcome=outcome,
            verdict=Verdict(outcome=outcome, gates=()),
            proposed=None,
            answer="PROMOTE",
            banners=(),
        ),
        evidence=EvidenceSet(**{name: wrapped(name, item) for name, item in contents.items()}),
        baseline_evidence=EvidenceSet(),
        comparison=None,
        stages=(),
        approvals=1,
        command="mergeline check",
    )


def write_files(root):
    reports = root / "reports"
    reports.mkdir(parents=True)
    for name in ("train", "evaluate", "candidate", "verdict", "metrics"):
        (reports / f"{name}.json").write_text(f'{{"file": "{name}"}}\n')
    (reports / "probes.json").write_text('{"rows": "of the data"}')
    (reports / "comment.md").write_text("# passed\n")
    (root / "data").mkdir()
    (root / "data/applications.csv").write_text("id,y\n1,0\n")


def client(uri):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)


def runs_of(uri, name="credit-default"):
    there = client(uri)
    experiment = there.get_experiment_by_name(name)
    return there.search_runs([experiment.experiment_id])


# --- where -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "environ", "expected"),
    [
        (None, {}, None),
        ("", {}, None),
        (STORE, {}, STORE),
        (STORE, {"MLFLOW_TRACKING_URI": "http://h"}, "http://h"),
        (STORE, {"MLFLOW_TRACKING_URI": " "}, STORE),
        (None, {"MLFLOW_TRACKING_URI": "http://h\n"}, "http://h"),
    ],
)
def test_the_environment_wins_over_the_settings(settings, environ, expected):
    assert tracking_uri(settings, environ) == expected


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://host:5000/x", "http://host:5000/x"),
        ("https://me:secret@host:5000/x?token=secret#secret", "https://host:5000/x"),
        ("https://me:sec@ret@host", "https://host"),
        ("https://me:sec/ret@host", "https://***"),
        ("https://me:sec?ret@host", "https://***"),
        ("me:secret@host", "***"),
        ("databricks", "databricks"),
        (STORE, STORE),
    ],
)
def test_a_uri_is_shown_without_secrets(uri, shown):
    assert public_uri(uri) == shown


# --- names and values ----------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [HOSTILE, "", " ", ".", "..", "../../etc", "/x", "x" * 251, "🙂", "a\nb", "x\0", "\ud800"],
)
def test_mlflow_takes_every_name(name):
    from mlflow.utils.validation import _validate_metric, _validate_param

    safe = safe_name(name)
    _validate_metric(safe, 1.0, 0, 0)
    _validate_param(safe, "v")
    assert safe != name
    assert safe != safe_name(name + "!")


@pytest.mark.parametrize("name", ["roc_auc", "gap_sex_x", "params.max-iter", "age band", "x" * 250])
def test_a_plain_name_stays(name):
    assert safe_name(name) == name


def test_the_numbers_of_a_plan():
    assert metrics_of(plan()) == {
        "roc_auc": 0.78125,
        "roc_auc_low": 0.75,
        "roc_auc_high": 0.8125,
        f"gap_sex_{ODDS}": 0.125,
        f"gap_sex_{ODDS}_low": pytest.approx(0.075),
        f"gap_sex_and_age_{ODDS}": 0.25,
        f"gap_sex_and_age_{ODDS}_low": pytest.approx(0.2),
    }


def test_the_parameters_of_a_plan():
    assert params_of(plan(params={"C": 0.5, "l1": None, "deep": {"a": [1, "x"], "b": {}}})) == {
        "split.method": "id",
        "split.by": "id",
        "split.key": "id",
        "split.test": "0.2",
        "split.after": "null",
        "task": "binary",
        "estimator": "sklearn.linear_model.LogisticRegression",
        "params.C": "0.5",
        "params.l1": "null",
        "params.deep.a": '[1, "x"]',
        "params.deep.b": "{}",
        "class_weight": "null",
        "seed": "7",
        "threshold": "0.35",
    }


def test_several_classes_have_metrics_of_their_own():
    found = metrics_of(plans.three_classes())
    assert found["balanced_accuracy"] == 0.7231
    assert found["class_Enrolled_recall"] == pytest.approx(73 / 159, abs=1e-6)
    assert found["class_Enrolled_recall_low"] < found["class_Enrolled_recall"]
    assert found["gap_Gender_demographic_parity_difference"] == 0.163
    params = params_of(plans.three_classes())
    assert params["task"] == "multiclass"
    assert "threshold" not in params


def test_a_number_has_the_quantiles_of_its_errors():
    found = metrics_of(plans.regression())
    assert found["mean_absolute_error"] == 2_600.32
    assert (found["error_p5"], found["error_p95"]) == (-7_301.2, 4_410.7)
    assert "error_p5_low" not in found
    assert "threshold" not in params_of(plans.regression())


def test_changes_against_the_baseline_are_metrics():
    compared = plans.better()
    found = metrics_of(compared)
    delta = compared.comparison.metrics["roc_auc"].delta
    ends = ("change_roc_auc_low", "change_roc_auc", "change_roc_auc_high")
    assert tuple(found[name] for name in ends) == (delta.low, delta.value, delta.high)


def test_gates_are_tags():
    failed = plans.unfair()
    assert gate_tags(failed) == {
        f"mergeline.gate.{gate.name}": gate.outcome.name for gate in failed.judgement.verdict.gates
    }
    assert gate_tags(failed)["mergeline.gate.equal-odds"] == "FAILED"


def test_columns_are_named_without_their_values():
    given = plans.better().evidence
    for dataset in (each.dataset for each in datasets_of(given)):
        columns = json.loads(dataset.schema)["mlflow_colspec"]
        assert columns[1] == {"type": "double", "name": "income", "required": False}
        assert [each["name"] for each in columns] == [
            each.name for each in given.prepare.content.columns
        ]
        assert "car" not in dataset.schema + dataset.profile


def test_a_very_wide_table_is_cut():
    given = plans.better().evidence.prepare
    column = given.content.columns[0].model_copy(update={"name": "x" * 10_000})
    wide = given.content.model_copy(update={"columns": (column,) * 5000})
    evidence = EvidenceSet(prepare=given.model_copy(update={"content": wide}))
    assert len(datasets_of(evidence)[0].dataset.schema) < 1_000_000


def test_a_plan_without_evidence_has_only_tags():
    bare = plan(base=None, dirty=("params.yaml",)).model_copy(update={"evidence": EvidenceSet()})
    assert params_of(bare) == {}
    assert metrics_of(bare) == {}
    assert tags_of(bare)["mergeline.base"] == "none"
    assert tags_of(bare)["mergeline.dirty"] == "true"


# --- a SQLite file -------------------------------------------------------------------

TRACK = """
import sys
from pathlib import Path
from mergeline.adapters.mlflow import track_plan
from mergeline.core.plan import Plan
print(track_plan(Path(sys.argv[1]), Plan.model_validate_json(sys.stdin.read()), sys.argv[2]))
"""
FULL_DISK = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))"


def track_in_a_process(root, before=""):
    environ = {**os.environ, "AGENT": "1"}
    for name in ("PYTEST_CURRENT_TEST", "CI", "GITHUB_ACTIONS", "MLFLOW_TRACKING_URI"):
        environ.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", before + "\n" + TRACK, str(root), STORE],
        input=plan().model_dump_json(), capture_output=True, text=True, timeout=120, check=False,
        cwd=root.parent, env=environ,
    )  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose first run was logged by a process of its own, from another folder."""
    root = tmp_path_factory.mktemp("a folder") / "größe 50%"
    write_files(root)
    done = track_in_a_process(root)
    assert done.returncode == 0, done.stderr
    return root, done


@pytest.fixture
def store(project):
    return f"sqlite:///{project[0]}/.mergeline/registry.db"


def test_mlflow_says_nothing(project):
    _, done = project
    assert done.stderr == ""
    assert len(done.stdout.split()) == 1


def test_the_store_lies_in_the_project(project):
    root, _ = project
    assert sorted(path.name for path in root.iterdir()) == [".mergeline", "data", "reports"]
    state = sorted(path.name for path in (root / ".mergeline").iterdir())
    assert state == ["artifacts", "registry.db"]
    assert [path.name for path in root.parent.iterdir()] == [root.name]


def test_a_run_holds_what_was_measured(project, store):
    _, done = project
    run = client(store).get_run(done.stdout.strip())
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "c0ffeec0ffee"
    assert run.data.metrics == metrics_of(plan())
    assert run.data.params == params_of(plan())
    tags = {name: value for name, value in run.data.tags.items() if name in tags_of(plan())}
    assert tags == tags_of(plan())
    assert tags["mergeline.verdict"] == "PASSED"


def test_the_data_is_named_and_not_uploaded(project, store):
    root, done = project
    run = client(store).get_run(done.stdout.strip())
    given = {each.dataset.name: each for each in run.inputs.dataset_inputs}
    whole, held = given["applications.csv"], given["applications.csv (held out)"]
    assert (whole.tags[0].value, held.tags[0].value) == ("training", "evaluation")
    assert whole.dataset.digest == held.dataset.digest == SHA[:36]
    assert json.loads(whole.dataset.source) == {"uri": "data/applications.csv"}
    rows = [json.loads(each.dataset.profile)["num_rows"] for each in (whole, held)]
    assert rows == [80, 20]
    artifacts = root / ".mergeline/artifacts" / run.info.run_id / "artifacts"
    kept = {
        path.relative_to(artifacts).as_posix(): path.read_text()
        for path in artifacts.rglob("*")
        if path.is_file()
    }
    assert kept.pop("comment.md") == "# passed\n"
    names = ("candidate", "evaluate", "metrics", "train", "verdict")
    assert kept == {f"evidence/{name}.json": f'{{"file": "{name}"}}\n' for name in names}


def test_the_same_candidate_keeps_its_run(project, store):
    root, _ = project
    first = track_plan(root, plan(key="3" * 64), STORE)
    before = len(runs_of(store))
    (root / "reports/comment.md").write_text("# failed now\n")
    later = plan(key="3" * 64, outcome=Outcome.FAILED, commit="d" * 40)
    assert track_plan(root, later, STORE) == first
    assert len(runs_of(store)) == before
    run = client(store).get_run(first)
    assert run.data.tags["mergeline.verdict"] == "FAILED"
    assert run.data.tags["mergeline.commit"] == "d" * 40
    assert run.data.metrics == metrics_of(plan())
    comment = root / ".mergeline/artifacts" / first / "artifacts/comment.md"
    assert comment.read_text() == "# failed now\n"


def test_what_people_see_is_logged_anew_each_time(project, store):
    root, _ = project
    first, later = plans.better(), plans.weakened()
    later = first.model_copy(update={"judgement": later.judgement})
    assert gate_tags(first).keys() == gate_tags(later).keys()
    gone = later.judgement.verdict.model_copy(update={"gates": later.judgement.verdict.gates[1:]})
    judged = later.judgement.model_copy(update={"verdict": gone})
    later = later.model_copy(update={"judgement": judged})
    files = {"report.html": b"<p>page", "charts/roc.svg": b"<svg/>"}
    run = track_plan(root, first, STORE, Rendered("**good**", files))
    assert track_plan(root, later, STORE, Rendered("**bad**", {"report.html": b"new"})) == run
    tags = client(store).get_run(run).data.tags
    assert tags["mlflow.note.content"] == "**bad**"
    gates = {name: tag for name, tag in tags.items() if name.startswith("mergeline.gate.")}
    assert gates == gate_tags(later) != gate_tags(first)
    artifacts = root / ".mergeline/artifacts" / run / "artifacts"
    assert (artifacts / "report.html").read_bytes() == b"new"
    assert (artifacts / "charts/roc.svg").read_bytes() == b"<svg/>"


@pytest.mark.parametrize("part", ["key", "evidence", "base"])
def test_another_candidate_gets_another_run(project, store, part):
    root, done = project
    before = len(runs_of(store))
    assert track_plan(root, plan(**{part: "9" * 40}), STORE) != done.stdout.strip()
    assert len(runs_of(store)) == before + 1


def test_a_run_that_was_not_finished_is_finished(project, store):
    root, _ = project
    started = plan(key="1" * 64, params={"C": 1.0})
    there = client(store)
    experiment = there.get_experiment_by_name("credit-default").experiment_id
    cut = there.create_run(experiment, tags=tags_of(started))
    there.log_param(cut.info.run_id, "params.C", "written otherwise before")
    assert track_plan(root, started, STORE) == cut.info.run_id
    run = there.get_run(cut.info.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == metrics_of(started)
    assert run.data.params == {**params_of(started), "params.C": "written otherwise before"}


def hostile_plan():
    estimate = Estimate(value=0.5, n=1)
    many = {f"{number} {HOSTILE}": "🙂" * 7000 for number in range(120)}
    metrics = {HOSTILE: estimate, HOSTILE + "!": estimate, "x" * 300: estimate, "": estimate}
    metrics |= {f"m{number}": estimate for number in range(1200)}
    return plan(
        key="2" * 64,
        params={**many, "": "", "nul": "a\0b"},
        metrics=metrics,
        gaps=(by(HOSTILE, 0.5),),
    )


def test_hostile_names_and_long_values_are_logged(project, store):
    root, _ = project
    hostile = hostile_plan()
    run = client(store).get_run(track_plan(root, hostile, STORE))
    assert run.data.params == params_of(hostile)
    assert run.data.metrics == metrics_of(hostile)
    assert len(metrics_of(hostile)) == 1204 + 6
    assert len(run.data.params) == 13 + 122 - 3


def test_a_moved_project_writes_to_its_new_place(project, tmp_path, store):
    root, done = project
    moved = tmp_path / "moved"
    write_files(moved)
    (moved / ".mergeline").mkdir()
    (moved / ".mergeline/registry.db").write_bytes((root / ".mergeline/registry.db").read_bytes())
    before = sorted((root / ".mergeline/artifacts").iterdir())
    run = track_plan(moved, plan(), STORE)
    assert run != done.stdout.strip()
    assert [path.name for path in (moved / ".mergeline/artifacts").iterdir()] == [run]
    assert sorted((root / ".mergeline/artifacts").iterdir()) == before
    names = {
        item.name
        for item in client(f"sqlite:///{moved}/.mergeline/registry.db").search_experiments()
    }
    assert "credit-default (1, before the project was moved)" in names


def test_a_deleted_experiment_is_named(project, store):
    root, _ = project
    other = plan().model_copy(update={"project": "another"})
    track_plan(root, other, STORE)
    there = client(store)
    number = there.get_experiment_by_name("another").experiment_id
    there.delete_experiment(number)
    with pytest.raises(ToolError, match="'another' is deleted") as caught:
        track_plan(root, other, STORE)
    assert caught.value.hint.endswith(f"--experiment-id {number}")


def test_a_file_that_is_no_store_is_an_error(tmp_path):
    (tmp_path / "x.db").write_text("this is not SQLite, however long one looks at it")
    with pytest.raises(ToolError, match="file is not a database"):
        track_plan(tmp_path, plan(), "sqlite:///x.db")


def test_a_full_disk_leaves_no_half_made_store(tmp_path):
    root = tmp_path / "project"
    write_files(root)
    done = track_in_a_process(root, FULL_DISK)
    assert done.returncode == 1
    assert "ToolError: MLflow at sqlite:///.mergeline/registry.db cannot be used" in done.stderr
    assert list((root / ".mergeline").iterdir()) == []


# --- a server ------------------------------------------------------------------------


LIGHT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_until_healthy(process, port, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"no server after {seconds} seconds")


def end(process):
    """End the server and its workers: the process group that the test made."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=15)


@pytest.fixture
def direct(monkeypatch):
    """No proxy of this machine's, and MLflow's own variables as a user has them: unset."""
    monkeypatch.setenv("NO_PROXY", "*")
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)


def test_a_server_gets_the_run_and_its_end_is_an_error(tmp_path, direct, capfd):
    root = tmp_path / "project"
    write_files(root)
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination", str(tmp_path / "destination"),
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=tmp_path, start_new_session=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", **LIGHT},
        )  # fmt: skip
    uri = f"http://me:sEcrEt@127.0.0.1:{port}"
    try:
        wait_until_healthy(process, port)
        run = track_plan(root, plan(), uri)
        assert track_plan(root, plan(), uri) == run
        hostile = track_plan(root, hostile_plan(), uri)
    finally:
        end(process)
    assert "".join(capfd.readouterr()) == ""
    found = {item.info.run_id: item for item in runs_of(f"sqlite:///{tmp_path}/server.db")}
    assert set(found) == {run, hostile}
    assert found[run].info.status == "FINISHED"
    assert found[run].data.metrics == metrics_of(plan())
    assert found[run].data.params == params_of(plan())
    assert found[run].inputs.dataset_inputs[0].dataset.digest == SHA[:36]
    assert found[hostile].data.metrics == metrics_of(hostile_plan())
    (comment,) = (tmp_path / "destination").rglob(f"{run}/artifacts/comment.md")
    assert comment.read_text() == "# passed\n"
    assert not (root / ".mergeline").exists()

    start = time.monotonic()
    with pytest.raises(ToolError) as caught:
        track_plan(root, plan(), uri)
    assert time.monotonic() - start < 5
    assert f"http://127.0.0.1:{port}" in caught.value.message
    assert "refused" in caught.value.message
    assert "sEcrEt" not in caught.value.message + caught.value.hint


def test_a_server_that_never_answers_is_given_up(tmp_path, direct, monkeypatch):
    client("http://127.0.0.1:1")  # the import's seconds are not the server's
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        start = time.monotonic()
        with pytest.raises(ToolError, match="timed out") as caught:
            track_plan(tmp_path, plan(), f"http://127.0.0.1:{port}/?token=sEcrEt")
    assert time.monotonic() - start < 3, "asked once, and no longer than the user's own limit"
    assert "sEcrEt" not in caught.value.message


def test_the_environment_is_as_it_was(tmp_path, direct):
    before = dict(os.environ)
    with pytest.raises(ToolError):
        track_plan(tmp_path, plan(), "http://127.0.0.1:1")
    changed = {
        name
        for name in os.environ.keys() | before.keys()
        if os.environ.get(name) != before.get(name)
    }
    assert changed == set()


def test_importing_the_adapter_imports_no_mlflow():
    code = "import sys, mergeline.adapters.mlflow; print({'mlflow', 'pandas'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "set()"
