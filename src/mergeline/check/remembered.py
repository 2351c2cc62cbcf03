"""A comparison is made once: the same things, compared by the same code, say the same."""

from pathlib import Path

from pydantic import ValidationError

from mergeline import __version__
from mergeline.check.compare import BaselineModel, compare
from mergeline.check.drift import with_drift
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.core.digest import json_digest, tree_digest
from mergeline.core.evidence import EvidenceSet
from mergeline.core.verdict import Comparison
from mergeline.files import file_sha256, write_whole

_PACKAGE = Path(__file__).parents[1]
# What decides a comparison. In a checkout it changes while the version does not.
_CODE = ("stats/*.py", "model/*.py", "check/compare.py", "check/drift.py", "check/kept.py")


def compare_once(
    root: Path,
    settings: Settings,
    evidence: EvidenceSet,
    baseline: BaselineModel,
    memory: Path | None = None,
) -> Comparison:
    """Compare, or return what the comparison of the same things said.

    Args:
        root: The candidate's project, its stages up to date.
        settings: Of the candidate.
        evidence: Of the candidate.
        baseline: Model, settings and evidence of the base.
        memory: The root of the project that remembers; the candidate's unless given.
    """
    key = comparison_key(settings, evidence, baseline, code=code_digest(_PACKAGE))
    path = (memory or root) / layout.STATE / "comparisons" / f"{key}.json"
    known = _read(path)
    if known is not None:
        return known
    models = compare(root, settings, evidence, baseline)
    comparison = with_drift(models, root, settings.data, evidence, baseline)
    write_whole(path, comparison.model_dump_json().encode())
    return comparison


def comparison_key(
    settings: Settings, evidence: EvidenceSet, baseline: BaselineModel, *, code: str
) -> str:
    """Return a digest of all that a comparison depends on.

    Args:
        settings: Of the candidate.
        evidence: Of the candidate, with the digests of its model and its predictions.
        baseline: Its evidence has the digest of its model.
        code: Digest of the code that compares.
    """
    return json_digest(
        [
            __version__,
            code,
            evidence.digest(),
            baseline.evidence.digest(),
            settings.evaluate.as_json(),
            settings.fairness.as_json(),
            settings.data.as_json(),
            settings.model.seed,
            baseline.settings.evaluate.threshold,
            list(baseline.settings.model.trusted_types),
        ]
    )


def code_digest(package: Path) -> str:
    """Return the digest of the source files that decide what a comparison says."""
    files = [path for pattern in _CODE for path in package.glob(pattern)]
    return tree_digest((path.relative_to(package).as_posix(), file_sha256(path)) for path in files)


def _read(path: Path) -> Comparison | None:
    """Return what is remembered; None where nothing is, or nothing that this version reads."""
    try:
        return Comparison.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
