"""The named answers of a promotion, a rollback and a comment, and their exit codes."""

from enum import StrEnum

from mergeline.core.base import Frozen


class Name(StrEnum):
    """What became of a merge. Only LIVE has changed what answers requests."""

    LIVE = "LIVE"
    ALREADY_LIVE = "ALREADY_LIVE"
    POLICY_ONLY = "POLICY_ONLY"
    SUPERSEDED = "SUPERSEDED"
    # We do not know, or something that is needed is away: try again.
    UNDECIDED = "UNDECIDED"
    UNCONFIRMED = "UNCONFIRMED"
    REGISTRY_UNAVAILABLE = "REGISTRY_UNAVAILABLE"
    DATA_UNAVAILABLE = "DATA_UNAVAILABLE"
    # identify
    DIRECT_PUSH = "DIRECT_PUSH"
    AMBIGUOUS = "AMBIGUOUS"
    HISTORY_REWRITTEN = "HISTORY_REWRITTEN"
    # approvals
    NOT_APPROVED = "NOT_APPROVED"
    SELF_APPROVED = "SELF_APPROVED"
    STALE_APPROVAL = "STALE_APPROVAL"
    DISMISSED = "DISMISSED"
    # verify
    NO_EVIDENCE = "NO_EVIDENCE"
    EVIDENCE_INVALID = "EVIDENCE_INVALID"
    POLICY_FAILED = "POLICY_FAILED"
    POLICY_WEAKENED = "POLICY_WEAKENED"
    MOVED = "MOVED"
    DRIFTED = "DRIFTED"
    BYTES_MISMATCH = "BYTES_MISMATCH"
    UNSAFE_MODEL = "UNSAFE_MODEL"
    BARRED = "BARRED"
    # register, confirm
    REGISTRY_MISMATCH = "REGISTRY_MISMATCH"
    REJECTED = "REJECTED"
    # of the comment only
    STALE_RUN = "STALE_RUN"

    @property
    def exit_code(self) -> int:
        """The process's exit code: 0 nothing to mend, 4 try again, 12 refused."""
        if self in _WELL:
            return 0
        return 4 if self in _AGAIN else 12


_WELL = {Name.LIVE, Name.ALREADY_LIVE, Name.POLICY_ONLY, Name.SUPERSEDED}
_AGAIN = {
    Name.UNDECIDED,
    Name.UNCONFIRMED,
    Name.REGISTRY_UNAVAILABLE,
    Name.DATA_UNAVAILABLE,
}


class Answer(Frozen):
    """How a promotion, a rollback or a comment ended.

    Attributes:
        reason: What was seen and why it came to this; one or two sentences.
        next_step: What to do now; empty when there is nothing to do.
    """

    name: Name
    reason: str
    next_step: str = ""


def answer(name: Name, reason: str, next_step: str = "") -> Answer:
    """Return a named answer."""
    return Answer(name=name, reason=reason, next_step=next_step)
