"""What the last check left: its plan out of `reports/`, and how far it still holds."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mergeline.adapters.git import Git
from mergeline.check.run import read_evidence, with_ledger
from mergeline.core import layout
from mergeline.core.evidence import STAGES, EvidenceSet
from mergeline.core.plan import Plan
from mergeline.core.verdict import Candidate
from mergeline.errors import MergelineError, NoReport, UsageError
from mergeline.inputs.digest import inputs_digest, working_inputs
from mergeline.ledger.entries import Entry

_AGAIN = "make it again: `mergeline check`"
# What only the ledger and the trusted job tell: a file that says it is not believed.
_NEVER_STATED = {name for name, field in Plan.model_fields.items() if field.exclude}


@dataclass(frozen=True)
class Left:
    """What the last check found out.

    Attributes:
        plan: With what the ledger of this clone adds, as the check had it.
        stale: What has changed since, one sentence each; none where it still holds.
    """

    plan: Plan
    stale: tuple[str, ...]


def last_check(root: Path, said: Callable[[Entry], str] | None = None) -> Left:
    """Read what the last check left; nothing is run.

    Args:
        root: The project's root.
        said: Puts an entry of the ledger into one sentence; None to leave them out.

    Raises:
        UsageError: There was no check.
        NoReport: Verdict, candidate and evidence are not of one check.
        ToolError: A file cannot be read.
    """
    path = root / layout.VERDICT
    if not path.is_file():
        raise UsageError(
            f"there is no report yet: {layout.VERDICT} is not there", hint="run `mergeline check`"
        )
    evidence = read_evidence(root)
    plan = _plan(path.read_bytes(), evidence)
    _require_evidence(plan, evidence)
    _require_candidate(root, plan)
    git = Git(root)
    plan = with_ledger(plan, git, said)
    return Left(plan, tuple(_changes(root, git, plan)))


def _plan(verdict: bytes, evidence: EvidenceSet) -> Plan:
    """Put a verdict and its evidence together again."""
    try:
        document = json.loads(verdict) | {"evidence": evidence.as_json()}
        stated = {name: value for name, value in document.items() if name not in _NEVER_STATED}
        return Plan.model_validate_json(json.dumps(stated))
    except (ValueError, TypeError, RecursionError, ValidationError) as error:
        raise NoReport(
            f"{layout.VERDICT} is not a verdict of this version of Mergeline", hint=_AGAIN
        ) from error


def _require_evidence(plan: Plan, evidence: EvidenceSet) -> None:
    """Hold the evidence against the digest that was judged."""
    found, judged = evidence.digest(), plan.candidate.evidence
    if found == judged:
        return
    gone = [layout.evidence(name) for name in STAGES if getattr(evidence, name) is None]
    missing = f"; not there: {', '.join(gone)}" if gone else ""
    raise NoReport(
        f"the evidence under reports/ has the digest {found[:12]}, and the verdict was judged on "
        f"{judged[:12]}: a stage ran since, or a file was changed{missing}",
        hint=_AGAIN,
    )


def _require_candidate(root: Path, plan: Plan) -> None:
    path = root / layout.CANDIDATE
    try:
        found = Candidate.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        found = None
    if found != plan.candidate:
        other = f"is another one than {layout.VERDICT} names"
        what = other if found else "is not there, or cannot be read"
        raise NoReport(f"{layout.CANDIDATE} {what}", hint=_AGAIN)


# --- stale ---------------------------------------------------------------------------


def _changes(root: Path, git: Git, plan: Plan) -> Iterator[str]:
    """Say what differs from when it was checked."""
    candidate, head = plan.candidate, git.head()
    if head != candidate.commit:
        yield f"it is of the commit {candidate.commit[:12]}, and HEAD is {head[:12]}"
    try:
        inputs = working_inputs(root, git) if git.dirty() else inputs_digest(git, head)
    except MergelineError as error:
        yield f"what stages read now cannot be told: {error.message}"
        return
    if inputs != candidate.inputs:
        yield "what stages read has changed since"
    if plan.baseline.commit is not None and _base(git) not in (None, plan.baseline.commit):
        yield f"it compares with {plan.baseline.commit[:12]}, which is not what a check takes now"


def _base(git: Git) -> str | None:
    try:
        return git.default_base()
    except MergelineError:
        return None
