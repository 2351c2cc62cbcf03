"""Step 5, declare: the ledger says what is to be live, if that still may be said."""

from collections.abc import Callable

from mergeline.adapters.registry import Version
from mergeline.core.answers import Answer, Name, answer
from mergeline.core.plan import Plan
from mergeline.core.verdict import Outcome
from mergeline.ledger.entries import Declared, Entry, Live, Promoted, Release, Settled, utc_now
from mergeline.ledger.history import History
from mergeline.promote.approvals import Approved
from mergeline.promote.identify import Identified
from mergeline.promote.line import Line
from mergeline.promote.register import EVIDENCE
from mergeline.promote.verify import Verified, barred

_Found = Declared | Settled | Answer
# Who opened a pull request whose account was deleted, as GitHub shows it.
_GHOST = "ghost"


def promoted(
    line: Line, identified: Identified, approved: Approved, verified: Verified, version: Version
) -> Promoted:
    """Return the entry that declares a version."""
    candidate, pull = verified.plan.candidate, identified.last.pull
    release = Release(
        project=candidate.project,
        version=version.number,
        key=candidate.key,
        inputs=candidate.inputs,
        model=candidate.model,
        # The version's own: an earlier promotion may have registered it.
        evidence=version.tags[EVIDENCE],
        commit=identified.commit,
        tree=line.git.tree(identified.commit),
        pull_request=pull.number,
        trusted=verified.trusted,
    )
    return Promoted(
        time=utc_now(),
        project=candidate.project,
        by=line.by,
        environment=line.environment,
        release=release,
        reviewed=verified.reviewed.number,
        pull_request=pull.number,
        author=pull.author or _GHOST,
        approvers=approved.approvers,
        outcome=verified.plan.judgement.outcome,
        waivers=_waivers(verified.plan),
        source=verified.source,
        accepted=approved.accepted,
        position=identified.commit,
    )


def settled(line: Line, identified: Identified, approved: Approved, name: Name) -> Settled:
    """Return the entry of a merge that leaves what is live as it is."""
    return Settled(
        time=utc_now(),
        project=identified.settings.project,
        by=line.by,
        environment=line.environment,
        answer="POLICY_ONLY" if name is Name.POLICY_ONLY else "ALREADY_LIVE",
        pull_request=identified.last.pull.number,
        approvers=approved.approvers,
        accepted=approved.accepted,
        position=identified.commit,
    )


def _waivers(plan: Plan) -> tuple[str, ...]:
    judged = [plan.judgement.verdict, plan.judgement.proposed]
    waived = (
        f"{gate.name}: {gate.waiver}"
        for verdict in judged
        if verdict is not None
        for gate in verdict.gates
        if gate.outcome is Outcome.WAIVED
    )
    return tuple(dict.fromkeys(waived))


def declare(line: Line, entry: Promoted) -> Declared | Answer:
    """Append a release as the desired one; all that could have changed is looked at again.

    Returns:
        The declaration to wait for: this one, or an earlier one of the same release that
        nobody has confirmed; else SUPERSEDED, BARRED or ALREADY_LIVE.

    Raises:
        ToolError: The ledger cannot be read, believed or appended to.
    """

    def look(history: History) -> Declared | Answer | None:
        return (
            _behind(line, entry.position, history)
            or barred(line, history, entry.release.model, entry.position)
            or _same_release(line, entry, history)
        )

    found, history = _append(line, entry, look)
    if found is not None and not isinstance(found, Settled):
        return found
    ours = (entry.position, entry.release.key)
    return next(
        each
        for each in reversed(history.declared(line.environment))
        if isinstance(each, Promoted) and (each.position, each.release.key) == ours
    )


def settle_merge(line: Line, entry: Settled, key: str | None) -> Answer | None:
    """Append that a merge leaves what is live as it is; None when that stands in the ledger.

    Args:
        line: The line.
        entry: What to append.
        key: K of what must be live for that; None where nothing must.

    Raises:
        ToolError: The ledger cannot be read, believed or appended to.
    """

    def look(history: History) -> Answer | Settled | None:
        if history.position(line.environment) == entry.position:
            return entry
        behind = _behind(line, entry.position, history)
        if behind is not None or key is None:
            return behind
        desired = history.desired(line.environment)
        if desired is not None and desired.release.key == key:
            return None
        reason = f"Another release was declared for {line.environment} at the same moment."
        return answer(Name.UNDECIDED, reason, "promote again")

    found, _ = _append(line, entry, look)
    return found if isinstance(found, Answer) else None


def _append(
    line: Line, entry: Entry, look: Callable[[History], _Found | None]
) -> tuple[_Found | None, History]:
    """Append an entry unless a look at the history as it is then finds something else."""
    found: _Found | None = None

    def make(history: History) -> Entry | None:
        nonlocal found
        found = look(history)
        return entry if found is None else None

    history = line.ledger.append(make)
    return found, history


def _behind(line: Line, commit: str, history: History) -> Answer | None:
    """Return SUPERSEDED where the ledger speaks of a later commit of main already."""
    reached = history.reached(line.environment)
    if reached is None or reached == commit:
        return None
    if not line.git.has(reached):
        line.remote.fetched(line.main)
    if line.git.has(reached) and not line.git.is_ancestor(commit, reached):
        return None
    reason = f"The ledger has come to {reached[:12]}, later than {commit[:12]}."
    return answer(Name.SUPERSEDED, reason)


def _same_release(line: Line, entry: Promoted, history: History) -> Declared | Answer | None:
    """Return what stands in the way of saying it a second time."""
    desired = history.desired(line.environment)
    if desired is None or desired.release.key != entry.release.key:
        return None
    ours = isinstance(desired, Promoted) and desired.position == entry.position
    if ours or not isinstance(history.outcome(desired), Live):
        return desired
    reason = f"Version {desired.release.version} with the same inputs and model is live already."
    return answer(Name.ALREADY_LIVE, reason)
