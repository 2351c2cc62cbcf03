"""What each stage measured, as frozen types. One JSON file a stage, under `reports/`.

`content` is covered by the digest E; `timing` (seconds, host, time) is not.
A module here is named like the stage, the stage's own module, and its file.
"""

from collections.abc import Mapping
from typing import Any, Self

from mergeline.core.base import Stated
from mergeline.core.digest import json_digest
from mergeline.core.evidence.checks import Check, CheckOutcome, ChecksContent, Condition
from mergeline.core.evidence.envelope import FEWEST_TOLD, UNTOLD, Count, Evidence, Timing
from mergeline.core.evidence.evaluate import (
    CalibrationBin,
    ClassReport,
    Confusion,
    CurvePoint,
    EvaluateContent,
    ResidualBin,
    Residuals,
    Slice,
    ThresholdPoint,
)
from mergeline.core.evidence.explain import (
    PROXY_FLOOR,
    ClassImportance,
    ExplainContent,
    ExplainedRow,
    GroupImportance,
    Importance,
    Proxy,
)
from mergeline.core.evidence.fairness import (
    Cause,
    FairnessBy,
    FairnessContent,
    Gap,
    Group,
    GroupThreshold,
    Remedy,
)
from mergeline.core.evidence.prepare import (
    ColumnProfile,
    Leak,
    PrepareContent,
    Split,
    Writing,
)
from mergeline.core.evidence.train import Feature, TrainContent

__all__ = [
    "EVIDENCE_TYPES",
    "FEWEST_TOLD",
    "PROXY_FLOOR",
    "STAGES",
    "UNTOLD",
    "CalibrationBin",
    "Cause",
    "Check",
    "CheckOutcome",
    "ChecksContent",
    "ClassImportance",
    "ClassReport",
    "ColumnProfile",
    "Condition",
    "Confusion",
    "Count",
    "CurvePoint",
    "EvaluateContent",
    "Evidence",
    "EvidenceSet",
    "ExplainContent",
    "ExplainedRow",
    "FairnessBy",
    "FairnessContent",
    "Feature",
    "Gap",
    "Group",
    "GroupImportance",
    "GroupThreshold",
    "Importance",
    "Leak",
    "PrepareContent",
    "Proxy",
    "Remedy",
    "ResidualBin",
    "Residuals",
    "Slice",
    "Split",
    "ThresholdPoint",
    "Timing",
    "TrainContent",
    "Writing",
]

# In the order in which a reader meets them; also the stages whose evidence E covers.
STAGES = ("prepare", "train", "evaluate", "check_data", "check_model", "fairness", "explain")

# The type of each stage's evidence file.
EVIDENCE_TYPES: Mapping[str, type[Evidence[Any]]] = {
    "prepare": Evidence[PrepareContent],
    "train": Evidence[TrainContent],
    "evaluate": Evidence[EvaluateContent],
    "check_data": Evidence[ChecksContent],
    "check_model": Evidence[ChecksContent],
    "fairness": Evidence[FairnessContent],
    "explain": Evidence[ExplainContent],
}


class EvidenceSet(Stated):
    """The evidence of one commit; a stage that has none (yet) is None."""

    prepare: Evidence[PrepareContent] | None = None
    train: Evidence[TrainContent] | None = None
    evaluate: Evidence[EvaluateContent] | None = None
    check_data: Evidence[ChecksContent] | None = None
    check_model: Evidence[ChecksContent] | None = None
    fairness: Evidence[FairnessContent] | None = None
    explain: Evidence[ExplainContent] | None = None

    @classmethod
    def parse(cls, files: Mapping[str, bytes]) -> Self:
        """Build the set from the bytes of evidence files, keyed by stage.

        Raises:
            pydantic.ValidationError: A file is not evidence of this schema version.
        """
        parsed = {
            name: EVIDENCE_TYPES[name].model_validate_json(data) for name, data in files.items()
        }
        return cls(**parsed)

    def digest(self) -> str:
        """Return E: the digest of the contents of all stages that there are, as their files say."""
        present = {name: getattr(self, name) for name in STAGES}
        return json_digest(
            {name: item.content.as_given() for name, item in present.items() if item is not None}
        )
