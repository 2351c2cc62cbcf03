"""A release's files out of the registry: re-hashed, and its model loaded."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mergeline.adapters.registry import Registry
from mergeline.bundle.release_files import MODEL_FOLDER, read_evidence, verify
from mergeline.core.evidence import EvidenceSet
from mergeline.errors import BytesMismatch
from mergeline.ledger.entries import Release
from mergeline.model.safety import require_safe
from mergeline.model.score import Scorer, load_scorer

# What a version holds besides the files that the ledger's digests cover.
EXTRAS = ("card.md", "evidence/verdict.json", "evidence/candidate.json")


@dataclass(frozen=True)
class Fetched:
    """A release that can score.

    Attributes:
        threshold: From here on a row is predicted positive.
    """

    scorer: Scorer
    threshold: float


def download(registry: Registry, release: Release, scratch: Path) -> tuple[Path, EvidenceSet]:
    """Fetch a release's files and hold them against the ledger's digests.

    Args:
        registry: Where it is registered.
        release: As the ledger declares it.
        scratch: An empty folder; `files` is made in it, and what the digests do not cover
            comes beside that.

    Returns:
        The folder of the files, and the evidence in it.

    Raises:
        BytesMismatch: A digest differs.
        RegistryUnavailable: The registry does not answer.
    """
    folder = scratch / "files"
    files = registry.download(release.version, folder)
    for name in EXTRAS:
        if name in files:
            files.pop(name).rename(scratch / name.rpartition("/")[2])
    verify(folder, release)
    return folder, read_evidence(files)


@contextmanager
def fetched(registry: Registry, release: Release) -> Iterator[Fetched]:
    """Fetch, verify and load a release; its files are removed at the end.

    Raises:
        BytesMismatch: A digest differs.
        UnsafeModel: The model could do more than score.
        RegistryUnavailable: The registry does not answer.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder, evidence = download(registry, release, Path(scratch))
        model = folder / MODEL_FOLDER
        require_safe({path.name: path.read_bytes() for path in model.iterdir()}, release.trusted)
        if evidence.evaluate is None:
            raise BytesMismatch(
                f"version {release.version} lacks the evidence of its threshold",
                hint="look at the registry and at who may write to it",
            )
        threshold = evidence.evaluate.content.threshold
        yield Fetched(load_scorer(model, trusted=release.trusted), threshold)
