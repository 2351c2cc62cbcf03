"""The plan: everything that a pull request's comment is rendered from."""

from typing import Annotated, Literal

from pydantic import Field

from mergeline.core.base import Frozen
from mergeline.core.evidence import EvidenceSet
from mergeline.core.verdict import Baseline, Candidate, Comparison, Judgement, Stage


class Plan(Frozen):
    """What `mergeline check` found out about one head; renderers read it and compute nothing.

    Attributes:
        noun: What a positive row is called, e.g. `defaulter`.
        evidence: Of the candidate.
        baseline_evidence: Of the baseline; empty when there is none.
        comparison: None when there is no baseline to compare with.
        notices: One line each, for the end of the report.
        approvals: How many approvals the policy asks for; 0 is said aloud.
        command: What reproduces this locally.
    """

    schema_version: Literal[1] = 1
    project: str
    noun: str
    candidate: Candidate
    baseline: Baseline
    judgement: Judgement
    evidence: EvidenceSet
    baseline_evidence: EvidenceSet
    comparison: Comparison | None
    stages: tuple[Stage, ...]
    notices: tuple[str, ...] = ()
    approvals: Annotated[int, Field(ge=0)]
    command: str
