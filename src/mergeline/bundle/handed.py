"""What a run handed over: its two artifacts, received by id, bounded, hashed as they came."""

from collections.abc import Mapping
from dataclasses import dataclass

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Artifact
from mergeline.bundle.names import EVIDENCE_PART, MODEL_PART, PARTS, archive_limit
from mergeline.bundle.read import Bundle, read_bundle
from mergeline.bundle.unpack import unpack
from mergeline.core.digest import sha256
from mergeline.errors import InvalidBundle
from mergeline.ledger.entries import BundlePart


@dataclass(frozen=True)
class Handed:
    """What a run handed over.

    Attributes:
        parts: Name, id and digest of each archive, as received.
    """

    bundle: Bundle
    parts: tuple[BundlePart, ...]


@dataclass(frozen=True)
class Lacking:
    """What a run has not handed over, or GitHub has removed.

    Attributes:
        names: Of the artifacts that are not there.
        removed: Whether all of them were there once.
    """

    names: tuple[str, ...]
    removed: bool

    def __str__(self) -> str:
        return " and ".join(self.names)


def offered(github: GitHub, run: int) -> Mapping[str, Artifact] | Lacking:
    """Return the artifacts of a run by name: the last one of each, as a repeated run adds its own.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    listed = sorted(github.artifacts(run), key=lambda each: each.id)
    newest = {each.name: each for each in listed if each.name in PARTS}
    missing = tuple(name for name in PARTS if name not in newest or newest[name].expired)
    if missing:
        return Lacking(missing, removed=all(name in newest for name in missing))
    return newest


def handed_over(github: GitHub, run: int) -> Handed | Lacking:
    """Download and read what a run handed over; nothing touches the disk.

    Raises:
        InvalidBundle: It is not what a build hands over.
        GitHubError: GitHub cannot be asked.
    """
    found = offered(github, run)
    if isinstance(found, Lacking):
        return found
    for name, artifact in found.items():
        _require_size(artifact, archive_limit(name))
    data = {name: github.download(found[name], archive_limit(name)) for name in PARTS}
    files = {name: unpack(data[name], name) for name in PARTS}
    return Handed(
        bundle=read_bundle(files[EVIDENCE_PART], files[MODEL_PART]),
        parts=tuple(
            BundlePart(name=name, artifact=found[name].id, sha256=sha256(data[name]))
            for name in PARTS
        ),
    )


def _require_size(artifact: Artifact, most: int) -> None:
    if artifact.size > most:
        raise InvalidBundle(
            f"the artifact {artifact.name} has {artifact.size:,} bytes, at most {most:,} are "
            "allowed",
            hint="upload what `mergeline check` wrote, and nothing else",
        )
