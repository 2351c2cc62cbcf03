"""The two artifacts of a run: received by id, bounded, hashed as they came."""

from collections.abc import Mapping
from dataclasses import dataclass

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Artifact, Run
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, archive_limit
from mergeline.bundle.read import Bundle, read_bundle
from mergeline.bundle.unpack import unpack
from mergeline.core.answers import Answer, Name
from mergeline.core.digest import sha256
from mergeline.errors import InvalidBundle
from mergeline.ledger.entries import BundlePart

_PARTS = (EVIDENCE_PART, MODEL_PART)


@dataclass(frozen=True)
class Handed:
    """What a run handed over.

    Attributes:
        parts: Name, id and digest of each archive, as received.
    """

    bundle: Bundle
    parts: tuple[BundlePart, ...]


def receive(github: GitHub, run: Run) -> Handed | Answer:
    """Download and read what a run handed over; nothing touches the disk.

    Returns:
        Else NO_EVIDENCE.

    Raises:
        InvalidBundle: It is not what a build hands over.
        GitHubError: GitHub cannot be asked.
    """
    newest = _newest(github.artifacts(run.id))
    missing = [name for name in _PARTS if name not in newest or newest[name].expired]
    if missing:
        return _without(run, missing, newest)
    for name in _PARTS:
        _require_size(newest[name], archive_limit(name))
    data = {name: github.download(newest[name], archive_limit(name)) for name in _PARTS}
    files = {name: unpack(data[name], name) for name in _PARTS}
    return Handed(
        bundle=read_bundle(files[EVIDENCE_PART], files[MODEL_PART]),
        parts=tuple(
            BundlePart(name=name, artifact=newest[name].id, sha256=sha256(data[name]))
            for name in _PARTS
        ),
    )


def _require_size(artifact: Artifact, most: int) -> None:
    if artifact.size > most:
        raise InvalidBundle(
            f"the artifact {artifact.name} has {artifact.size:,} bytes, at most {most:,} are "
            "allowed",
            hint="upload what `mergeline check` wrote, and nothing else",
        )


def _newest(artifacts: tuple[Artifact, ...]) -> dict[str, Artifact]:
    """Return the last one of each name: a run that is repeated hands over again."""
    return {each.name: each for each in sorted(artifacts, key=lambda each: each.id)}


def _without(run: Run, missing: list[str], newest: Mapping[str, Artifact]) -> Answer:
    names = " and ".join(missing)
    if all(name in newest for name in missing):
        reason = f"GitHub has removed {names} of run {run.id}: artifacts expire."
    else:
        reason = (
            f"Run {run.id} ended ({run.conclusion or 'without a conclusion'}) and handed over "
            f"no {names}."
        )
    return Answer(
        name=Name.NO_EVIDENCE,
        reason=reason,
        next_step="see the run's log for what stopped the check, then run the build again",
    )
