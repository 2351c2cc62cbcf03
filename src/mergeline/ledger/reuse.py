"""How often the same held-out rows were judged on.

Whoever keeps the best of many models judged on the same rows keeps some luck with it: those rows
say more of it than is true (Dwork et al., Science 349, 2015).
"""

from math import log, sqrt

from mergeline.adapters.git import Git
from mergeline.core.evidence import EvidenceSet
from mergeline.core.plan import Reuse
from mergeline.errors import LedgerInvalid
from mergeline.ledger.chain import read_lines
from mergeline.ledger.history import History
from mergeline.ledger.store import BRANCH, FILE

_REMOTE = "refs/remotes/origin/"
# Half of a 95 % interval, in standard errors.
_HALF = 1.959963984540054


def history_here(git: Git) -> History | None:
    """Return the ledger as a clone has it; None without one. The network is not asked."""
    tip = git.tips(f"{_REMOTE}{BRANCH}").get(f"{_REMOTE}{BRANCH}")
    if tip is None:
        return None
    try:
        return read_lines(git.read(tip, FILE) or b"")
    except LedgerInvalid:  # whoever appends to it says what is wrong
        return None


def reuse_of(
    history: History, evidence: EvidenceSet, pull_request: int | None = None
) -> Reuse | None:
    """Return how many pull requests were judged on a candidate's held-out rows.

    Args:
        history: Entries of before rows were noted count for nothing.
        evidence: Of the candidate; without `prepare` there is no answer.
        pull_request: The one that is being judged; None for a check on one's own machine.
    """
    if evidence.prepare is None:
        return None
    judged = history.judged_on(evidence.prepare.content.held_out_sha256)
    count = len(judged | {pull_request} if pull_request is not None else judged)
    return Reuse(
        pull_requests=count,
        included=pull_request is not None,
        optimism=_optimism(evidence, count),
    )


def _optimism(evidence: EvidenceSet, count: int) -> float | None:
    """Return how much luck the best of so many has on average, at most.

    The largest of k errors of standard deviation s is at most s sqrt(2 ln k) on average
    (Boucheron, Lugosi and Massart, Concentration Inequalities, 2013, theorem 2.5); models that
    resemble each other share their luck, and have less of it.
    """
    if count <= 1 or evidence.evaluate is None:
        return None
    content = evidence.evaluate.content
    primary = content.metrics.get(content.primary)
    if primary is None or primary.low is None or primary.high is None:
        return None
    error = (primary.high - primary.low) / (2 * _HALF)
    return error * sqrt(2 * log(count))
