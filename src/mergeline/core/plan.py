"""The plan: everything that a pull request's comment is rendered from."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from mergeline.core.base import Stated
from mergeline.core.evidence import EvidenceSet
from mergeline.core.verdict import (
    Baseline,
    Candidate,
    Comparison,
    Judgement,
    OutcomeName,
    Stage,
)


class Forecast(Stated):
    """What a merge would come to now, as far as the ledger and GitHub tell. It is no promise.

    Attributes:
        answer: `PROMOTE`, or the named answer that a merge would get.
        reason: Why, one or two sentences; empty where the gates decide.
        environment: Where the line delivers to.
        needed: How many approvals are asked for.
        approvers: Whose count by now.
        version: The one that it would be registered as; None unless it is `PROMOTE`.
        live: The version that is live; None for nothing.
        live_is_older: Whether what is live was made before the base, from other inputs.
        rollback_to: The version that a rollback would return to afterwards; None for nothing.
        waiting: How many commits of main the line has not come to.
    """

    answer: str
    reason: str = ""
    environment: str
    needed: Annotated[int, Field(ge=0)]
    approvers: tuple[str, ...] = ()
    version: str | None = None
    live: str | None = None
    live_is_older: bool = False
    rollback_to: str | None = None
    waiting: Annotated[int, Field(ge=0)] = 0


class Reuse(Stated):
    """How often the held-out rows were judged on, as far as a ledger tells.

    Attributes:
        pull_requests: That were judged on exactly these rows so far, this one included where
            `included` says so.
        included: Whether this is a pull request that is being judged, and counted.
        optimism: How much the best of so many looks better than it is by chance, at most, in
            the primary metric's own units; None where nothing was chosen, or it is not known.
    """

    pull_requests: Annotated[int, Field(ge=0)]
    included: bool
    optimism: FiniteFloat | None = None


class GateSeen(Stated):
    """One gate as an earlier review judged it."""

    outcome: OutcomeName
    value: FiniteFloat | None = None


class Push(Stated):
    """The last review of the same pull request at another head, as the ledger has it.

    Attributes:
        inputs: I of that head.
        model: M of that head.
        evidence: E of that head.
        gates: By name; None where that review is from before they were kept.
    """

    commit: str
    time: str
    inputs: str
    model: str
    evidence: str
    outcome: OutcomeName
    answer: str
    gates: dict[str, GateSeen] | None = None


class LedgerLine(Stated):
    """One entry of the ledger, for people.

    Attributes:
        time: UTC, ISO 8601.
        said: What happened, one sentence.
        sha256: Of the line; the next entry holds it.
    """

    number: Annotated[int, Field(ge=1)]
    time: str
    kind: str
    by: str
    said: str
    sha256: str


class CardWords(Stated):
    """What nobody can measure about a model; its owners say it in the section `card`.

    Attributes:
        summary: What the model is for, one or two sentences.
        owners: Who answers for it.
        license: Of the model, as SPDX names it.
        intended_use: What it is made for.
        users: For whom it is made.
        out_of_scope: What it must not be used for.
        limitations: Where it is known to be wrong.
        ethical_considerations: Risks and harms, and what was done about them.
        recommendations: What whoever uses it should heed.
    """

    summary: str = ""
    owners: tuple[str, ...] = ()
    license: str = ""
    intended_use: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    limitations: tuple[str, ...] = ()
    ethical_considerations: tuple[str, ...] = ()
    recommendations: tuple[str, ...] = ()


class Plan(Stated):
    """What `mergeline check` found out about one head; renderers read it and compute nothing.

    Attributes:
        noun: What a positive row is called, e.g. `defaulter`.
        evidence: Of the candidate.
        baseline_evidence: Of the baseline; empty when there is none.
        comparison: None when there is no baseline to compare with.
        notices: One line each, for the end of the report.
        approvals: How many approvals the policy asks for; 0 is said aloud.
        command: What reproduces this locally.
        forecast: Of the trusted job only, and never handed over; None for `mergeline check`.
        reuse: Never handed over; None where no ledger is there to tell.
        card: Out of the head's settings.
        previous: Of the trusted job only; None for a first push.
        ledger: The last entries, the newest first; never handed over.
        page: Where the whole report is; of the trusted job only, else empty.
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
    forecast: Annotated[Forecast | None, Field(exclude=True)] = None
    reuse: Annotated[Reuse | None, Field(exclude=True)] = None
    card: CardWords = CardWords()
    previous: Annotated[Push | None, Field(exclude=True)] = None
    ledger: Annotated[tuple[LedgerLine, ...], Field(exclude=True)] = ()
    page: Annotated[str, Field(exclude=True)] = ""
