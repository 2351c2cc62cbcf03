"""read: from two parts to a plan; what was changed on the way is refused."""

import json
import subprocess
import sys

import pytest

from bundle.parts import (
    chained,
    evidence_files,
    parts_of,
    probe_file,
    rewritten,
    sealed,
    with_content,
    write_parts,
)
from mergeline.bundle.read import read_bundle
from mergeline.core.digest import sha256
from mergeline.core.evidence import EvidenceSet
from mergeline.errors import BytesMismatch, InvalidBundle
from report import plans


@pytest.fixture(scope="module")
def built():
    """The parts of a plan that is better than its baseline."""
    return parts_of(plans.better())


@pytest.mark.parametrize("name", sorted(plans.ALL))
def test_verdict_and_evidence_are_the_whole_plan(name):
    plan, model = sealed(plans.ALL[name]())
    bundle = read_bundle(evidence_files(plan), model)
    assert bundle.plan == plan
    assert bundle.plan.evidence.digest() == bundle.plan.candidate.evidence
    assert bundle.model["MLmodel"] == model["model/MLmodel"]
    assert (bundle.probes, bundle.predictions) == (
        model["probes.json"],
        model["predictions.parquet"],
    )
    assert "verdict.json" in bundle.evidence


def test_the_baselines_evidence_comes_with_the_verdict(built):
    bundle = read_bundle(*built)
    assert bundle.plan.baseline_evidence != EvidenceSet()
    assert bundle.plan.baseline_evidence.train.content.params["max_iter"] == 100


# --- bytes that are not those that were measured -----------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model/model.skops", "the model, by train.json"),
        ("model/requirements.txt", "the model, by train.json"),
        ("model/MLmodel", "the model, by train.json"),
        ("probes.json", "probes.json"),
        ("predictions.parquet", "predictions.parquet"),
    ],
)
def test_a_changed_byte_is_found(built, name, said):
    evidence, model = built
    changed = model[name] + b" "
    with pytest.raises(BytesMismatch, match=said) as caught:
        read_bundle(evidence, {**model, name: changed})
    if name == "predictions.parquet":
        assert sha256(changed) in caught.value.message


@pytest.mark.parametrize("field", ["model", "evidence", "key"])
def test_a_candidate_with_another_digest_is_found(field):
    plan, model = sealed(plans.better())
    forged = plan.model_copy(
        update={"candidate": plan.candidate.model_copy(update={field: sha256(b"other")})}
    )
    with pytest.raises(BytesMismatch, match=r"candidate\.json"):
        read_bundle(evidence_files(forged), model)


def test_evidence_that_was_changed_afterwards_is_found(built):
    evidence, model = built

    def better(document):
        document["content"]["metrics"]["roc_auc"]["value"] = 0.99

    forged = {**evidence, "evaluate.json": rewritten(evidence["evaluate.json"], better)}
    with pytest.raises(BytesMismatch, match=r"the evidence, by candidate\.json"):
        read_bundle(forged, model)


def test_timing_is_not_covered_by_the_digest(built):
    evidence, model = built

    def slower(document):
        document["timing"]["seconds"]["total"] = 99.0

    changed = {**evidence, "train.json": rewritten(evidence["train.json"], slower)}
    plan = read_bundle(changed, model).plan
    assert plan.evidence.train.timing.seconds["total"] == 99.0


# --- what contradicts itself ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"commit": "--output=/etc/passwd"}, "--output"),
        ({"commit": "HEAD"}, "HEAD"),
        ({"tree": "x" * 40}, "xxxx"),
        ({"base": "origin/main"}, "origin/main"),
        ({"inputs": "0" * 63}, "0000"),
        ({"project": "other"}, "another project"),
        ({"base": None}, "another commit"),
        ({"base": "a" * 40}, "another commit"),
    ],
)
def test_ids_are_ids(changes, said):
    plan, model = sealed(plans.better())
    plan = chained(plan, **changes)
    if "inputs" in changes or "project" in changes:
        plan = plan.model_copy(
            update={"candidate": plan.candidate.model_copy(update={"key": plan.candidate.key})}
        )
    with pytest.raises(InvalidBundle, match=said):
        read_bundle(evidence_files(plan), model)


def test_two_candidates_are_refused(built):
    evidence, model = built
    other = rewritten(evidence["candidate.json"], lambda it: it.update(commit="a" * 40))
    with pytest.raises(InvalidBundle, match="two candidates"):
        read_bundle({**evidence, "candidate.json": other}, model)


def test_a_verdict_brings_no_evidence_of_its_own(built):
    evidence, model = built
    train = json.loads(evidence["train.json"])
    forged = rewritten(evidence["verdict.json"], lambda it: it.update(evidence={"train": train}))
    with pytest.raises(InvalidBundle, match="evidence of its own"):
        read_bundle({**evidence, "verdict.json": forged}, model)


def test_a_file_under_another_stages_name_is_refused(built):
    evidence, model = built
    with pytest.raises(InvalidBundle, match=r"check_model\.json states the stage 'check_data'"):
        read_bundle({**evidence, "check_model.json": evidence["check_data.json"]}, model)


@pytest.mark.parametrize("stage", ["prepare", "train", "evaluate"])
def test_what_is_needed_is_there(built, stage):
    evidence, model = built
    without = {name: data for name, data in evidence.items() if name != f"{stage}.json"}
    with pytest.raises(InvalidBundle, match=rf"{stage}\.json of mergeline-evidence"):
        read_bundle(without, model)
    with pytest.raises(InvalidBundle, match="is null"):
        read_bundle({**evidence, f"{stage}.json": b"null"}, model)


def test_a_pipeline_may_leave_out_stages():
    plan = plans.better(explain=None, check_data=None)
    found = read_bundle(*parts_of(plan)).plan
    assert (found.evidence.explain, found.evidence.check_data) == (None, None)


@pytest.mark.parametrize(
    ("stage", "changes", "said"),
    [
        ("train", {"model_bytes": 1}, "another size"),
        ("evaluate", {"model_bytes": 1}, "another size"),
        ("train", {"positive": "0"}, "another task, target, classes or features"),
        ("train", {"classes": ("1", "0")}, "another task, target, classes or features"),
        ("prepare", {"target": "sex"}, "another task, target, classes or features"),
        ("evaluate", {"probes": 19}, "states 19"),
    ],
)
def test_evidence_and_model_agree(stage, changes, said):
    plan, model = sealed(plans.better())
    plan = chained(with_content(plan, stage, **changes))
    with pytest.raises(InvalidBundle, match=said):
        read_bundle(evidence_files(plan), model)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["columns"].reverse(), "other columns"),
        (lambda it: it["rows"].pop(), "19 rows with 20 scores"),
        (lambda it: it["rows"][3].pop(), "values of the columns"),
        (lambda it: it.update(rows=[], scores=[]), "0 rows"),
        (lambda it: it["scores"].__setitem__(0, [None]), "scores.0.0"),
        (lambda it: it["rows"][0].__setitem__(0, {"a": 1}), "rows.0.0"),
        (lambda it: it.update(more=1), "more"),
    ],
)
def test_probes_are_a_table_that_the_model_reads(change, said):
    plan = plans.better()
    probes = rewritten(probe_file(plan.evidence.train.content), change)
    plan, model = sealed(plan, probes=probes)
    with pytest.raises(InvalidBundle, match=said):
        read_bundle(evidence_files(plan), model)


# --- documents that are not of this version --------------------------------------------------


def _with(text: bytes, old: bytes, new: bytes) -> bytes:
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"outcome": "PASSED"', b'"outcome": "SPLENDID"', "expected one of"),
        (b'"outcome": "PASSED"', b'"outcome": ["PASSED"]', "expected one of"),
        (b'"approvals": 1', b'"approvals": 1, "extra": 2', "extra"),
        (b'"approvals": 1', b'"approvals": 1, "approvals": 0', "given twice"),
        (b'"approvals": 1', b'"approvals": NaN', "NaN is not a number"),
        (b'"approvals": 1', b'"approvals": -1', "approvals"),
        (b'"approvals": 1', b'"approvals": 1e999', "beyond what a double holds"),
        (b'"approvals": 1', b'"approvals": 99999999999999999999999', "beyond 64 bits"),
        (b'"approvals": 1', b'"approvals": ' + b"[" * 5000 + b"]" * 5000, "nested too deep"),
        (b'"approvals": 1', b'"approvals": ' + b"[" * 150 + b"]" * 150, "nested deeper than 100"),
        (b'"noun": "defaulter"', b'"noun": "' + b"x" * 20_001 + b'"', "20,001 characters"),
        (b'"noun": "defaulter"', rb'"noun": "\ud800"', "half a character"),
        (b'"noun": "defaulter"', b'"noun": "\xff"', "not UTF-8"),
        (b'"schema_version": 1', b'"schema_version": 2', "schema_version"),
    ],
)
def test_a_verdict_of_another_kind_is_refused(built, old, new, said):
    evidence, model = built
    forged = {**evidence, "verdict.json": _with(evidence["verdict.json"], old, new)}
    with pytest.raises(InvalidBundle, match=said) as caught:
        read_bundle(forged, model)
    assert "verdict.json" in caught.value.message
    assert len(caught.value.message) < 500


def test_numbers_that_are_none_are_refused_in_evidence(built):
    evidence, model = built
    forged = _with(evidence["train.json"], b'"learning_rate":0.1', b'"learning_rate":NaN')
    with pytest.raises(InvalidBundle, match=r"train\.json .* NaN"):
        read_bundle({**evidence, "train.json": forged}, model)


def test_a_document_of_many_values_is_refused_before_it_is_built(built):
    evidence, model = built
    bomb = b"[" + b"[]," * 500_001 + b"[]]"
    with pytest.raises(InvalidBundle, match="at most 1,000,000"):
        read_bundle({**evidence, "explain.json": bomb}, model)


def test_all_documents_together_hold_no_more(built):
    evidence, model = built
    grown = {name: data.ljust(900_000, b",") for name, data in evidence.items()}
    with pytest.raises(InvalidBundle, match=r"mergeline-evidence holds .* at most 2,000,000"):
        read_bundle(grown, model)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it["content"].update(columns=[{}] * 20_000), r"columns\.0\.name"),
        (lambda it: it["content"].update(balance=dict.fromkeys("abc" * 9)), r"balance\.a"),
        (lambda it: it.update(dict.fromkeys(map(str, range(20_000)))), "in very many places"),
    ],
    ids=["items", "values", "keys"],
)
def test_what_is_wrong_many_times_is_told_once(built, change, said):
    """An error for each would be gigabytes: of items and values there is the first one only."""
    evidence, model = built
    wrong = rewritten(evidence["prepare.json"], change)
    with pytest.raises(InvalidBundle, match=said) as caught:
        read_bundle({**evidence, "prepare.json": wrong}, model)
    errors = caught.value.__cause__
    assert errors is None or errors.error_count() < 20
    assert len(caught.value.message) < 500


_LOADED = """
import sys
from pathlib import Path
from mergeline.bundle import equivalent, rejudge
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART
from mergeline.bundle.pack import pack
from mergeline.bundle.read import read_bundle
from mergeline.bundle.unpack import unpack
root = Path(sys.argv[1])
parts = (unpack(pack(root, part), part) for part in (EVIDENCE_PART, MODEL_PART))
bundle = read_bundle(*parts)
assert equivalent.differences(bundle.predictions, bundle.predictions, bundle.made)
print(*(name for name in sys.modules if name.split(".")[0] in sys.argv[2:]))
"""


def test_nothing_is_imported_that_could_load_a_model(built, tmp_path):
    write_parts(tmp_path, *built)
    banned = ["sklearn", "skops", "joblib", "mlflow", "pandas"]
    command = [sys.executable, "-c", _LOADED, str(tmp_path), *banned]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("plan", "scores", "said"),
    [
        (plans.better, [0.2, 0.8], "2 scores a row, the model gives 1"),
        (plans.regression, [1.0, 2.0], "2 scores a row, the model gives 1"),
        (plans.three_classes, [0.5], "1 scores a row, the model gives 3"),
    ],
)
def test_probes_have_the_scores_of_the_task(plan, scores, said):
    made = plan()
    probes = json.loads(probe_file(made.evidence.train.content))
    probes["scores"] = [scores] * len(probes["rows"])
    made, model = sealed(made, probes=json.dumps(probes).encode())
    with pytest.raises(InvalidBundle, match=said):
        read_bundle(evidence_files(made), model)


# --- what else the stages made -----------------------------------------------------------


def with_outputs(built, **changes):
    evidence, model = built
    outputs = {"stages": {"train": {}}, "files": {"reports/metrics.json": "{}"}, **changes}
    return read_bundle({**evidence, "outputs.json": json.dumps(outputs).encode()}, model)


def test_outputs_are_no_evidence(built):
    bundle = with_outputs(built)
    assert bundle.outputs.files == {"reports/metrics.json": "{}"}
    assert bundle.evidence == read_bundle(*built).evidence
    assert read_bundle(*built).outputs is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"files": {"../x": ""}}, "outputs.json holds '../x'"),
        ({"files": {"data/prepared/train.parquet": ""}}, "outputs.json holds"),
        ({"stages": {"train": {"x": {"md5": "1", "size": 1}}}}, "outputs.json does not fit"),
        ({"more": 1}, "outputs.json does not fit"),
    ],
)
def test_outputs_hold_nothing_else(built, changes, said):
    with pytest.raises(InvalidBundle) as raised:
        with_outputs(built, **changes)
    assert said in raised.value.message
