"""What real stages measure is handed over, read, judged again and found safe."""

import json
from datetime import date

import pytest

from bundle.commits import Repository
from mergeline.adapters.git import Git
from mergeline.bundle.equivalent import differences
from mergeline.bundle.judged import NO_BASE, Head, Measured, judged_plan
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART
from mergeline.bundle.pack import pack
from mergeline.bundle.read import read_bundle
from mergeline.bundle.rejudge import rejudge
from mergeline.bundle.unpack import unpack
from mergeline.check.run import read_evidence, write_plan
from mergeline.core.evidence import EvidenceSet
from mergeline.core.verdict import Outcome, Stage
from mergeline.errors import BytesMismatch, InvalidBundle
from mergeline.inputs.digest import inputs_digest
from mergeline.model.safety import require_safe
from projects import OUTCOME, make_project, outcome_frame, run_stages, settings_of

TODAY = date(2026, 11, 20)
STAGES = ("prepare", "train", "evaluate", "fairness")
GATES = {"floor": {"metric": "roc_auc", "at_least": 0.5}}

PROJECTS = {
    "plain": {},
    "elaborate": {
        "data": {
            "source": "data/customers.tsv.gz",
            "id": None,
            "group": "customer",
            "time": "joined",
            "sensitive": ["sex", "plan", "age"],
            "exclude": ["sex", "town"],
        },
        "split": {"test": None, "after": "2024-05-15"},
        "model": {
            "estimator": "sklearn.tree.DecisionTreeClassifier",
            "params": {"max_depth": 3, "ccp_alpha": 0.0},
            "class_weight": "balanced",
            "seed": 7,
        },
        "evaluate": {
            "primary": "f1",
            "metrics": ["accuracy", "balanced_accuracy", "precision", "recall", "roc_auc"],
            "threshold": 0.25,
            "slices": ["plan", "member"],
        },
        "fairness": {"metrics": ["accuracy"], "bins": {"age": [18, 40, 90]}},
    },
    "several": {
        "frame": outcome_frame("multiclass"),
        "data": OUTCOME["multiclass"],
        "evaluate": {
            "metrics": ["accuracy", "f1_macro", "precision_macro", "recall_macro", "log_loss"]
        },
        "gates": {"floor": {"metric": "accuracy", "at_least": 0.4}},
    },
    "number": {
        "frame": outcome_frame("regression"),
        "data": OUTCOME["regression"],
        "model": {"estimator": "sklearn.linear_model.LinearRegression"},
        "gates": {"floor": {"metric": "r2", "at_least": 0.0}},
    },
}


def built(folder, **sections):
    """A project with its stages run, committed, and what its build would upload."""
    root = make_project(folder, **{"gates": GATES, **sections})
    settings = settings_of(root)
    stages = {
        name: {"cmd": f"mergeline stage {name}", "deps": [settings.data.source], "params": ["data"]}
        for name in STAGES
    }
    (root / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    (root / ".gitignore").write_text("/data/prepared\n/reports\n")
    repository = Repository(root)
    repository.run("init", "-q", "-b", "main")
    commit = repository.commit({})
    run_stages(root, *STAGES)
    git = Git(root)
    head = Head(commit, settings, inputs_digest(git, commit), contract=None)
    ran = tuple(Stage(name=name, action="ran", seconds=1.0) for name in STAGES)
    measured = Measured(read_evidence(root), NO_BASE, EvidenceSet(), None, ran)
    plan = judged_plan(git, head, None, measured, today=TODAY)
    write_plan(root, plan, {"reports/comment.md": "a comment"})
    return repository, plan


@pytest.fixture(scope="module", params=PROJECTS)
def build(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "project"
    return built(folder, **PROJECTS[request.param])


def handed_over(root):
    return tuple(unpack(pack(root, part), part) for part in (EVIDENCE_PART, MODEL_PART))


def test_a_build_is_judged_again_to_the_same_plan(build):
    repository, plan = build
    bundle = read_bundle(*handed_over(repository.root))
    require_safe(bundle.model)
    again = rejudge(
        repository.trusted(), bundle, base=None, head=plan.candidate.commit, today=TODAY
    )
    assert again == plan
    assert (again.judgement.answer, again.judgement.outcome) == ("PROMOTE", Outcome.PASSED)


def test_a_second_build_is_equivalent_and_has_the_same_bytes(build):
    repository, plan = build
    before = handed_over(repository.root)[1]
    run_stages(repository.root, "train", "evaluate")
    after = handed_over(repository.root)[1]
    made = plan.evidence.train.content
    assert differences(before["predictions.parquet"], after["predictions.parquet"], made) == ()
    assert before == after


def test_evidence_of_other_data_or_settings_is_stale(build):
    repository, _ = build
    bundle = read_bundle(*handed_over(repository.root))
    settings = repository.root / "params.yaml"
    text = settings.read_text()
    other = repository.commit({"params.yaml": text.replace("data:", "data:\n  encoding: ascii", 1)})
    repository.commit({"params.yaml": text})
    git = repository.trusted()
    with pytest.raises(InvalidBundle, match="made from other inputs"):
        rejudge(git, bundle, base=None, head=other, today=TODAY)
    source = repository.root / settings_of(repository.root).data.source
    data = source.read_bytes()
    source.write_bytes(data + b" ")
    grown = repository.commit({})
    source.write_bytes(data)
    repository.commit({})
    with pytest.raises(InvalidBundle, match="made from other inputs"):
        rejudge(repository.trusted(), bundle, base=None, head=grown, today=TODAY)


def test_a_model_changed_before_the_upload_is_found(build):
    repository, _ = build
    evidence, model = handed_over(repository.root)
    forged = {**model, "model/model.skops": model["model/model.skops"] + b"\0"}
    with pytest.raises(BytesMismatch, match="the model, by train"):
        read_bundle(evidence, forged)
