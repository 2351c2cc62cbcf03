"""Step 6, confirm: wait until the follower says what became of a declaration."""

import time
from dataclasses import dataclass

from mergeline.core.answers import Answer, Name, answer
from mergeline.errors import LedgerInvalid, RemoteRefused, ToolError
from mergeline.ledger.entries import Declared, Live, Rejected
from mergeline.ledger.report import read_report
from mergeline.promote.line import Line
from mergeline.promote.settle import hear


@dataclass(frozen=True)
class Patience:
    """How long to wait for the follower.

    Attributes:
        seconds: In all; at least one look is taken.
        interval: From one look to the next.
    """

    seconds: float
    interval: float = 1.0


def confirm(line: Line, declared: Declared, patience: Patience) -> Answer:
    """Return LIVE, REJECTED, UNCONFIRMED, or SUPERSEDED by a later declaration.

    Raises:
        ToolError: The ledger cannot be believed or appended to.
    """
    known = line.ledger.read().outcome(declared)
    if known is not None:
        return told(line, known)
    end = time.monotonic() + patience.seconds
    trouble = ""
    while True:
        try:
            found = _look(line, declared)
            trouble = ""
        except (LedgerInvalid, RemoteRefused):
            raise
        except ToolError as error:  # the network may be back in time
            found, trouble = None, f" {error.message}."
        if found is not None:
            return found
        left = end - time.monotonic()
        if left <= 0:
            return _unconfirmed(line, declared, patience, trouble)
        time.sleep(min(left, patience.interval))


def told(line: Line, outcome: Live | Rejected) -> Answer:
    """Return what the follower's word comes to."""
    version = f"Version {outcome.version} ({outcome.model[:12]})"
    if isinstance(outcome, Live):
        reason = f"{version} answers requests in {line.environment} since {outcome.since}."
        return answer(Name.LIVE, reason)
    reason = f"{version} was not taken in {line.environment}: {outcome.reason.rstrip('.')}."
    then = "what was live still is; mend the model, or the server, and promote again"
    return answer(Name.REJECTED, reason, then)


def _look(line: Line, declared: Declared) -> Answer | None:
    outcome = hear(line, declared)
    if outcome is not None:
        return told(line, outcome)
    report = read_report(line.remote, line.environment)
    if report is None or report.entry <= declared.number:
        return None
    # The follower has gone on: it will not speak of this entry any more.
    history = line.ledger.read()
    outcome = history.outcome(declared)
    if outcome is not None:
        return told(line, outcome)
    later = history.desired(line.environment)
    if later is None or later.number <= declared.number:
        return None
    reason = (
        f"Version {later.release.version} was declared for {line.environment} (entry "
        f"{later.number}) before the server came to version {declared.release.version}."
    )
    return answer(Name.SUPERSEDED, reason)


def _unconfirmed(line: Line, declared: Declared, patience: Patience, trouble: str) -> Answer:
    reason = (
        f"Version {declared.release.version} is declared for {line.environment} (entry "
        f"{declared.number}), but its server said nothing within {patience.seconds:g} s.{trouble}"
    )
    then = "look at the server (`mergeline status`); the next promote or rollback settles it"
    return answer(Name.UNCONFIRMED, reason, then)
