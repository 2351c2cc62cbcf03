"""A release's files out of the registry: re-hashed, and its model loaded."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mergeline.adapters.registry import Registry
from mergeline.bundle.release_files import MODEL_FOLDER, read_evidence, verify
from mergeline.core.evidence import EvaluateContent, EvidenceSet, PrepareContent, TrainContent
from mergeline.errors import BytesMismatch
from mergeline.ledger.entries import Release
from mergeline.model.decision import DecisionRule
from mergeline.model.score import Scorer, load_scorer

# What a version holds besides the files that the ledger's digests cover.
VERDICT_FILE, CANDIDATE_FILE = "verdict.json", "candidate.json"
_EXTRAS = ("card.md", f"evidence/{VERDICT_FILE}", f"evidence/{CANDIDATE_FILE}")


@dataclass(frozen=True)
class Files:
    """A release's files, re-hashed.

    Attributes:
        folder: Holds `model/`, `probes.json` and `evidence/`, which the digests cover.
        extras: Holds, where the version has them, `verdict.json`, `candidate.json` and
            `card.md`, which they do not.
        evidence: All of it; without the next three there is no release.
    """

    folder: Path
    extras: Path
    evidence: EvidenceSet
    prepare: PrepareContent
    train: TrainContent
    evaluate: EvaluateContent


@dataclass(frozen=True)
class Fetched:
    """A release that can score.

    Attributes:
        rule: What it makes of its model's scores.
    """

    scorer: Scorer
    rule: DecisionRule


def download(registry: Registry, release: Release, scratch: Path) -> Files:
    """Fetch a release's files and hold them against the ledger's digests.

    Args:
        registry: Where it is registered.
        release: As the ledger declares it.
        scratch: An empty folder.

    Raises:
        BytesMismatch: A digest differs.
        RegistryMismatch: There is no such version, or it holds other files than were
            registered.
        RegistryUnavailable: The registry does not answer.
    """
    folder, extras = scratch / "files", scratch / "extras"
    extras.mkdir()
    files = registry.download(release.version, folder)
    for name in _EXTRAS:
        if name in files:
            files.pop(name).rename(extras / name.rpartition("/")[2])
    verify(folder, release)
    evidence = read_evidence(files)
    prepare, train, evaluate = evidence.prepare, evidence.train, evidence.evaluate
    if prepare is None or train is None or evaluate is None:
        raise BytesMismatch(
            f"version {release.version} lacks the evidence of its data, training or scores",
            hint="look at the registry and at who may write to the ledger",
        )
    return Files(folder, extras, evidence, prepare.content, train.content, evaluate.content)


@contextmanager
def fetched(registry: Registry, release: Release) -> Iterator[Fetched]:
    """Fetch, verify and load a release; its files are removed at the end.

    Raises:
        BytesMismatch: A digest differs.
        UnsafeModel: The model could do more than score.
        ModelError: Model and evidence are of two tasks.
        RegistryMismatch: The registry holds something else.
        RegistryUnavailable: It does not answer.
    """
    with tempfile.TemporaryDirectory() as scratch:
        files = download(registry, release, Path(scratch))
        scorer = load_scorer(files.folder / MODEL_FOLDER, trusted=release.trusted)
        yield Fetched(scorer, DecisionRule.of(scorer, files.evaluate.threshold))
