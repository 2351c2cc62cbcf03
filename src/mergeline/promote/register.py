"""Step 4, register: one version per key, whatever was killed, answered late or done twice.

MLflow's "create" is not idempotent and its answer may get lost. So nobody believes an answer:
before and after a create, and after an error too, the versions of the key are searched. The
lowest one stands, for everybody; MLflow never gives a number twice. What stands is read back
and held against what is to be promoted.
"""

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import ValidationError

from mergeline.adapters.registry import Registry, Version
from mergeline.bundle.read import Bundle
from mergeline.core.answers import Answer, Name, answer
from mergeline.core.digest import sha256
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.core.plan import Plan
from mergeline.errors import RegistryMismatch, RegistryUnavailable
from mergeline.files import file_sha256
from mergeline.ledger.entries import Reviewed
from mergeline.ledger.history import History

EVIDENCE = "mergeline.evidence"
COMMIT = "mergeline.commit"
CARD = "card.md"
# A version keeps these of the promotion that registered it first.
_OF_THE_FIRST = frozenset({EVIDENCE, COMMIT})
_SHOWN = 80


def release_files(bundle: Bundle, plan: Plan, card: str) -> dict[str, bytes]:
    """Return the files of a version by name.

    Args:
        bundle: The bytes that were verified.
        plan: As the promotion judged it; its verdict takes the place of the build's.
        card: The model card, Markdown.
    """
    verdict = plan.model_dump_json(indent=1, exclude={"evidence"}) + "\n"
    candidate = plan.candidate.model_dump_json(indent=1) + "\n"
    judged = {"verdict.json": verdict.encode(), "candidate.json": candidate.encode()}
    return {
        **{f"model/{name}": data for name, data in bundle.model.items()},
        "probes.json": bundle.probes,
        **{f"evidence/{name}": data for name, data in (bundle.evidence | judged).items()},
        CARD: card.encode(),
    }


def release_tags(plan: Plan) -> dict[str, str]:
    """Return the tags of a version: what is true of it for ever."""
    candidate, prepare = plan.candidate, plan.evidence.prepare
    data = {"mergeline.data": prepare.content.sha256} if prepare is not None else {}
    return {
        "mergeline.inputs": candidate.inputs,
        "mergeline.model": candidate.model,
        EVIDENCE: candidate.evidence,
        COMMIT: candidate.commit,
        **data,
    }


def described(files: Mapping[str, bytes]) -> str:
    """Return what the registry says of a version: the first lines of its card.

    Args:
        files: See `release_files`; without a card nothing is said.
    """
    card = files.get(CARD, b"").decode()
    _, dashes, text = card.partition("\n---\n")  # the end of the front matter
    return (text if dashes else card).partition("\n## ")[0].strip()


def reviewed_evidence(history: History, key: str) -> frozenset[str]:
    """Return E of each review of a key: the same model, perhaps measured twice."""
    return frozenset(
        entry.evidence
        for entry in history.entries
        if isinstance(entry, Reviewed) and entry.key == key
    )


def register(
    registry: Registry,
    key: str,
    files: Mapping[str, bytes],
    tags: Mapping[str, str],
    reviewed: Collection[str] = (),
) -> Version | Answer:
    """Register a release, or return the version of its key that stands.

    The version's own E, in its tag `mergeline.evidence`, is the one to declare: it is that of
    `tags`, or one of `reviewed` when an earlier promotion registered the version.

    Args:
        registry: Of the project.
        key: K.
        files: By name, see `release_files`.
        tags: See `release_tags`.
        reviewed: E of earlier reviews of the key, see `reviewed_evidence`.

    Returns:
        A version that was read back; or REGISTRY_UNAVAILABLE, REGISTRY_MISMATCH.
    """
    try:
        versions = registry.find(key) or _created(registry, key, files, tags)
        standing, *later = versions
        _require_tags(standing, tags, {*reviewed, tags[EVIDENCE]})
        _require_files(registry, standing, files)
        for version in later:
            if version.digest is not None:
                registry.delete(version.number)
    except RegistryUnavailable as error:
        return answer(Name.REGISTRY_UNAVAILABLE, f"{error.message}.", error.hint)
    except RegistryMismatch as error:
        return answer(Name.REGISTRY_MISMATCH, f"{error.message}.", error.hint)
    return standing


def _created(
    registry: Registry, key: str, files: Mapping[str, bytes], tags: Mapping[str, str]
) -> tuple[Version, ...]:
    """Create a version, and return those that there are then, ours or another's."""
    failure: RegistryUnavailable | None = None
    try:
        made = registry.create(key, files, tags, described(files))
    except RegistryUnavailable as error:
        failure = error
    found = registry.find(key)
    if found:
        return found
    raise failure or RegistryUnavailable(
        f"version {made.number} of {registry.project} was made and is not found",
        hint="do the same again in a minute",
    )


# --- what stands -----------------------------------------------------------------------


def _require_tags(version: Version, tags: Mapping[str, str], evidence: Collection[str]) -> None:
    for name, expected in tags.items():
        found = version.tags.get(name, "")
        if name not in _OF_THE_FIRST and found != expected:
            raise _mismatch(version, f"the tag {name} {found[:_SHOWN]!r}, expected {expected!r}")
    found = version.tags.get(EVIDENCE, "")
    if found not in evidence:
        raise _mismatch(version, f"the evidence {found[:_SHOWN]!r}, which no review has")


def _require_files(registry: Registry, version: Version, files: Mapping[str, bytes]) -> None:
    """Read a version back, and hold it against the model's bytes and its own evidence."""
    with tempfile.TemporaryDirectory() as temporary:
        paths = registry.download(version.number, Path(temporary, "version"))
        found = {name: file_sha256(path) for name, path in paths.items()}
        expected = {name: sha256(data) for name, data in files.items()}
        for name in sorted(filter(_is_model, found.keys() | expected.keys())):
            if found.get(name) != expected.get(name):
                raise _mismatch(version, f"another {name[:_SHOWN]!r} than the one reviewed")
        evidence = _evidence(version, paths)
    if evidence.digest() != version.tags[EVIDENCE]:
        raise _mismatch(version, f"evidence of the digest {evidence.digest()}, and another tag")
    probes = evidence.evaluate.content.probes_sha256 if evidence.evaluate is not None else None
    if probes is None or found.get("probes.json") != probes:
        raise _mismatch(version, "other probe rows than its evidence states")


def _is_model(name: str) -> bool:
    return name.startswith("model/")


def _evidence(version: Version, paths: Mapping[str, Path]) -> EvidenceSet:
    names = {stage: f"evidence/{stage}.json" for stage in STAGES}
    try:
        return EvidenceSet.parse(
            {stage: paths[name].read_bytes() for stage, name in names.items() if name in paths}
        )
    except ValidationError:
        raise _mismatch(version, "evidence that is not of this version of Mergeline") from None


def _mismatch(version: Version, what: str) -> RegistryMismatch:
    return RegistryMismatch(
        f"version {version.number} has the promotion's key and holds {what}",
        hint="see who may write to the registry; when nothing declares that version "
        "(mergeline log), delete it and promote again",
    )
