"""The two parts of a build without training: a plan of `tests/report/plans.py` and small files."""

import json
from collections.abc import Callable
from typing import Any

from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS
from mergeline.check.run import verdict_json
from mergeline.core.digest import promotion_key, sha256
from mergeline.core.evidence import STAGES, TrainContent
from mergeline.core.plan import Plan
from mergeline.model.canonical import model_digest
from report.plans import as_read

Files = dict[str, bytes]
Change = Callable[[dict[str, Any]], None]

PREDICTIONS = b"a table"


def model_files(train: TrainContent, *, target: str = "default", skops: bytes = b"trees") -> Files:
    """The files of a model directory that describes what the evidence says."""
    described = {
        "task": train.task,
        "target": target,
        "positive": train.positive,
        "classes": list(train.classes),
        "features": [feature.as_json() for feature in train.features],
        "missing": [],
    }
    return {
        "MLmodel": json.dumps({"metadata": {"mergeline": described}}).encode(),
        "model.skops": skops,
        "requirements.txt": b"numpy==2.4.6\n",
        "python_env.yaml": b"{}\n",
        "conda.yaml": b"{}\n",
    }


def probe_file(train: TrainContent, rows: int = 20) -> bytes:
    """As many rows as the evidence states."""
    names = [feature.name for feature in train.features]
    table = [[float(number)] * len(names) for number in range(rows)]
    scores = [[0.25] * (len(train.classes) if train.task == "multiclass" else 1)] * rows
    probes = {"schema_version": 1, "columns": names, "rows": table, "scores": scores}
    return json.dumps(probes).encode()


def sealed(plan: Plan, **files: bytes) -> tuple[Plan, Files]:
    """Return the plan with the digests of a model part, and that part.

    Args:
        plan: Any plan with the evidence of prepare, train and evaluate.
        files: Other bytes for `probes` or `predictions`.
    """
    train = plan.evidence.train.content
    model = model_files(train, target=plan.evidence.prepare.content.target)
    probes = files.get("probes", probe_file(train))
    predictions = files.get("predictions", PREDICTIONS)
    size, digest = sum(map(len, model.values())), model_digest(model)
    plan = with_content(plan, "train", model_sha256=digest, model_bytes=size)
    plan = with_content(
        plan,
        "evaluate",
        model_bytes=size,
        predictions_sha256=sha256(predictions),
        probes_sha256=sha256(probes),
    )
    part = {f"model/{name}": data for name, data in model.items()}
    return chained(plan), {**part, "probes.json": probes, "predictions.parquet": predictions}


def with_content(plan: Plan, stage: str, **changes: Any) -> Plan:
    """Return the plan with other evidence of one stage."""
    item = getattr(plan.evidence, stage)
    content = item.content.model_copy(update=changes)
    evidence = plan.evidence.model_copy(
        update={stage: item.model_copy(update={"content": content})}
    )
    return plan.model_copy(update={"evidence": evidence})


def chained(plan: Plan, **changes: Any) -> Plan:
    """Return the plan with a candidate whose digests are those of its evidence."""
    old, model = plan.candidate, plan.evidence.train.content.model_sha256
    found = old.model_copy(
        update={
            "model": model,
            "evidence": as_read(plan.evidence).digest(),
            "key": promotion_key(old.project, old.inputs, model),
            **changes,
        }
    )
    return plan.model_copy(update={"candidate": found})


def evidence_files(plan: Plan) -> Files:
    """The evidence part, as `mergeline check` writes it."""
    stages = {f"{name}.json": getattr(plan.evidence, name) for name in STAGES}
    files = {name: item.model_dump_json().encode() for name, item in stages.items() if item}
    candidate = plan.candidate.model_dump_json().encode()
    return {**files, "candidate.json": candidate, "verdict.json": verdict_json(plan).encode()}


def parts_of(plan: Plan) -> tuple[Files, Files]:
    """Both parts of a plan, unpacked."""
    plan, model = sealed(plan)
    return evidence_files(plan), model


def rewritten(data: bytes, change: Change) -> bytes:
    """A JSON file after a change by hand."""
    document = json.loads(data)
    change(document)
    return json.dumps(document).encode()


def write_parts(root, evidence: Files, model: Files) -> None:
    """Write both parts to where they lie in a project."""
    for part, files in ((EVIDENCE_PART, evidence), (MODEL_PART, model)):
        for name, data in files.items():
            path = root / PARTS[part][name].path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
