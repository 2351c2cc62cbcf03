"""What a build hands over: two parts, each an archive of files by these names.

The limits are data. They leave room for real models (a forest of thousands of trees, a
million held-out rows, thousands of columns) and let a hosted runner, which has 7 GB, hold
an archive and its content at the same time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mergeline.core import layout
from mergeline.core.evidence import STAGES

EVIDENCE_PART = "mergeline-evidence"
MODEL_PART = "mergeline-model"
OUTPUTS = "outputs.json"

# Of an archive, besides the largest content: headers, and data that does not compress.
_OVERHEAD = 64 * 1024
_KIB, _MIB = 1024, 1024 * 1024

MOST_ENTRIES = 20
# Times smaller than its content. Deflate comes to 1032 for zeros only; below a MiB of
# content nobody minds.
MOST_COMPRESSED = 500
COMPRESSED_FREELY = _MIB


@dataclass(frozen=True)
class Allowed:
    """A file that a part may hold.

    Attributes:
        path: Where it lies in a project.
        most: The largest size, in bytes.
        required: Whether a part without it is not one.
    """

    path: str
    most: int
    required: bool = True


# Without these three there is nothing to promote; a pipeline may leave out the others, and
# the gates that need them are ERRORED.
_NEEDED = ("prepare", "train", "evaluate")

_EVIDENCE = {
    **{
        f"{stage}.json": Allowed(layout.evidence(stage), 8 * _MIB, required=stage in _NEEDED)
        for stage in STAGES
    },
    "candidate.json": Allowed(layout.CANDIDATE, 64 * _KIB),
    # Holds the evidence of the baseline.
    "verdict.json": Allowed(layout.VERDICT, 32 * _MIB),
    # Without it the outputs of a release cannot be published to the DVC remote.
    OUTPUTS: Allowed(layout.OUTPUTS, _MIB, required=False),
}
_MODEL = {
    "model/MLmodel": Allowed(f"{layout.MODEL}/MLmodel", 8 * _MIB),
    "model/model.skops": Allowed(f"{layout.MODEL}/model.skops", 512 * _MIB),
    "model/requirements.txt": Allowed(f"{layout.MODEL}/requirements.txt", 64 * _KIB),
    "model/python_env.yaml": Allowed(f"{layout.MODEL}/python_env.yaml", 64 * _KIB),
    "model/conda.yaml": Allowed(f"{layout.MODEL}/conda.yaml", 64 * _KIB),
    "probes.json": Allowed(layout.PROBES, 4 * _MIB),
    "predictions.parquet": Allowed(layout.PREDICTIONS, 256 * _MIB),
}
PARTS: Mapping[str, Mapping[str, Allowed]] = {EVIDENCE_PART: _EVIDENCE, MODEL_PART: _MODEL}


def archive_limit(part: str) -> int:
    """Return how many bytes the archive of a part may have: a download stops there."""
    return sum(entry.most for entry in PARTS[part].values()) + _OVERHEAD
