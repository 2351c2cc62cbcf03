"""Reading: from the files of both parts to a plan, every digest computed from the bytes.

What is read here is whole and agrees with itself. Whether it is of the commit that it names,
and what its numbers come to, `rejudge` says.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, OUTPUTS, PARTS
from mergeline.bundle.outputs import SMALL, Outputs
from mergeline.core.digest import promotion_key, sha256
from mergeline.core.evidence import STAGES, EvaluateContent, PrepareContent, TrainContent
from mergeline.core.plan import Plan
from mergeline.core.probes import Probes
from mergeline.core.strict_json import count_values, read_json, shortened
from mergeline.core.verdict import Candidate
from mergeline.errors import BytesMismatch, InvalidBundle
from mergeline.model.canonical import model_digest
from mergeline.model.directory import MLMODEL, parse_description

_MOST_VALUES, _MOST_TOGETHER = 1_000_000, 2_000_000
_MOST_ERRORS = 10_000
_LONGEST_TEXT = 20_000
_FOLDER = "model/"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_HINT = "run the build again; its artifacts are made by `mergeline check` and by nothing else"


@dataclass(frozen=True)
class Bundle:
    """What a build handed over, read and held against its own digests.

    Attributes:
        plan: As the build states it. Its outcomes, texts and Git ids are the build's word.
        model: The model directory, by name relative to it.
        probes: `probes.json`.
        predictions: `predictions.parquet`.
        evidence: All evidence, verdict and candidate by name, such as `train.json`.
        outputs: What else the stages made, by the build's word; None where it says nothing.
    """

    plan: Plan
    model: dict[str, bytes]
    probes: bytes
    predictions: bytes
    evidence: dict[str, bytes]
    outputs: Outputs | None = None

    @property
    def made(self) -> TrainContent:
        """What the stage train states: the task, the classes, how the model was made."""
        return _stages(self.plan)[1]


def read_bundle(evidence: Mapping[str, bytes], model: Mapping[str, bytes]) -> Bundle:
    """Read the two unpacked parts of a build.

    Args:
        evidence: The evidence part, by name.
        model: The model part, by name.

    Raises:
        InvalidBundle: A file is not of this version's schema, or contradicts another.
        BytesMismatch: Bytes have another digest than the one stated for them.
    """
    for part, found in ((EVIDENCE_PART, evidence), (MODEL_PART, model)):
        missing = [name for name, file in PARTS[part].items() if file.required]
        missing = [name for name in missing if name not in found]
        if missing:
            raise _invalid(f"{', '.join(missing)} of {part} is not there")
    values = sum(map(count_values, evidence.values()))
    if values > _MOST_TOGETHER:
        raise _invalid(
            f"{EVIDENCE_PART} holds {values:,} values, at most {_MOST_TOGETHER:,} are allowed"
        )
    documents = {name: _document(name, data) for name, data in evidence.items()}
    plan = _plan(documents)
    if _parsed(Candidate, "candidate.json", documents["candidate.json"]) != plan.candidate:
        raise _invalid("candidate.json and verdict.json name two candidates")
    files = {
        name.removeprefix(_FOLDER): data for name, data in model.items() if name.startswith(_FOLDER)
    }
    bundle = Bundle(
        plan=plan,
        model=files,
        probes=model["probes.json"],
        predictions=model["predictions.parquet"],
        evidence={name: data for name, data in evidence.items() if name != OUTPUTS},
        outputs=_outputs(documents),
    )
    _require_ids(plan)
    _require_bytes(bundle)
    _require_model(bundle)
    return bundle


# --- documents -----------------------------------------------------------------------


def _document(name: str, data: bytes) -> Any:
    try:
        return read_json(data, values=_MOST_VALUES, text=_LONGEST_TEXT)
    except ValueError as error:
        raise _invalid(f"{name} is not JSON as a stage writes it: {error}") from error


def _plan(documents: Mapping[str, Any]) -> Plan:
    verdict = documents["verdict.json"]
    if not isinstance(verdict, dict) or "evidence" in verdict:
        raise _invalid("verdict.json is not a verdict, or brings evidence of its own")
    evidence = {stage: documents.get(f"{stage}.json") for stage in STAGES}
    plan: Plan = _parsed(Plan, "verdict.json with its evidence", {**verdict, "evidence": evidence})
    for origin, found in (("", plan.evidence), ("the baseline's ", plan.baseline_evidence)):
        for stage in STAGES:
            item = getattr(found, stage)
            if item is not None and item.stage != stage:
                raise _invalid(f"{origin}{stage}.json states the stage {shortened(item.stage)}")
    return plan


def _outputs(documents: Mapping[str, Any]) -> Outputs | None:
    if OUTPUTS not in documents:
        return None
    found: Outputs = _parsed(Outputs, OUTPUTS, documents[OUTPUTS])
    strange = sorted(found.files.keys() - set(SMALL))
    if strange:
        raise _invalid(f"{OUTPUTS} holds {shortened(strange[0])}")
    return found


def _parsed(kind: Any, name: str, document: Any) -> Any:
    try:
        return kind.model_validate_json(json.dumps(document))
    except ValidationError as error:
        if error.error_count() > _MOST_ERRORS:  # listed, they would fill the memory
            raise _invalid(f"{name} does not fit this version in very many places") from None
        first = error.errors(include_url=False, include_input=False)[0]
        place = shortened(".".join(map(str, first["loc"])))
        raise _invalid(
            f"{name} does not fit this version: {place}: {first['msg'][:200]}"
        ) from error


# --- what must agree -------------------------------------------------------------------


def _require_ids(plan: Plan) -> None:
    """Refuse what is no id of Git or no digest: it goes to Git's command line later."""
    candidate = plan.candidate
    ids = [candidate.commit, candidate.tree, *([candidate.base] if candidate.base else [])]
    for text, form in [*((each, _COMMIT) for each in ids), (candidate.inputs, _SHA256)]:
        if form.fullmatch(text) is None:
            raise _invalid(f"the candidate holds {shortened(text)} where an id is expected")
    if candidate.project != plan.project:
        raise _invalid("the candidate is of another project than the verdict")
    if plan.baseline.commit != candidate.base:
        raise _invalid("the baseline is of another commit than the candidate's base")


def _require_bytes(bundle: Bundle) -> None:
    """Hold every stated digest against one computed from the bytes."""
    candidate, (_, train, evaluate) = bundle.plan.candidate, _stages(bundle.plan)
    model, evidence = model_digest(bundle.model), bundle.plan.evidence.digest()
    key = promotion_key(candidate.project, candidate.inputs, model)
    for what, stated, found in (
        ("the model, by train.json,", train.model_sha256, model),
        ("the model, by candidate.json,", candidate.model, model),
        ("the evidence, by candidate.json,", candidate.evidence, evidence),
        ("the key, by candidate.json,", candidate.key, key),
        (
            "predictions.parquet, by evaluate.json,",
            evaluate.predictions_sha256,
            sha256(bundle.predictions),
        ),
        ("probes.json, by evaluate.json,", evaluate.probes_sha256, sha256(bundle.probes)),
    ):
        if stated != found:
            raise BytesMismatch(
                f"{what} has the digest {shortened(stated)}, but its bytes have {found}",
                hint="somebody changed files between the stages and the upload; " + _HINT,
            )


def _require_model(bundle: Bundle) -> None:
    """Hold model and probes against what the stages say of them."""
    prepare, train, evaluate = _stages(bundle.plan)
    size = sum(map(len, bundle.model.values()))
    if (train.model_bytes, evaluate.model_bytes) != (size, size):
        raise _invalid(f"the model has {size:,} bytes, its evidence states another size")
    try:
        found = parse_description(bundle.model[MLMODEL])
    except ValueError as error:
        raise _invalid(f"the model is none of Mergeline's: {str(error)[:200]}") from error
    described = (found.task, found.target, found.positive, found.classes, found.features)
    stated = (train.task, prepare.target, train.positive, train.classes, train.features)
    if described != stated:
        raise _invalid(
            f"{MLMODEL} describes another task, target, classes or features than train.json"
        )
    probes: Probes = _parsed(Probes, "probes.json", _document("probes.json", bundle.probes))
    if probes.columns != tuple(feature.name for feature in train.features):
        raise _invalid("probes.json has other columns than the model")
    if len(probes.rows) != evaluate.probes:
        raise _invalid(
            f"probes.json has {len(probes.rows)} rows, evaluate.json states {evaluate.probes}"
        )
    scores = len(train.classes) if train.task == "multiclass" else 1
    if len(probes.scores[0]) != scores:
        raise _invalid(
            f"probes.json has {len(probes.scores[0])} scores a row, the model gives {scores}"
        )


def _stages(plan: Plan) -> tuple[PrepareContent, TrainContent, EvaluateContent]:
    found = plan.evidence
    if found.prepare is None or found.train is None or found.evaluate is None:
        raise _invalid("prepare.json, train.json or evaluate.json is null")
    return found.prepare.content, found.train.content, found.evaluate.content


def _invalid(what: str) -> InvalidBundle:
    return InvalidBundle(f"the artifacts of the build are refused: {what}", hint=_HINT)
