"""What a merge would come to now, in sentences. They hold names as they are, as all words do."""

from collections.abc import Iterator

from mergeline.core.plan import Forecast, Plan
from mergeline.report.numbers import joined, plural
from mergeline.report.words import approvals, by_gates

_NAMED = 5  # approvers in a sentence, at most
_CHANGED_NOTHING = "ALREADY_LIVE"


def foretold(plan: Plan) -> tuple[str, ...]:
    """Return the answer that a merge would get now, then why, a sentence each.

    Returns:
        Nothing where nobody has asked GitHub and the ledger.
    """
    seen = plan.forecast
    if seen is None:
        return ()
    answer = f"{seen.answer} as version {seen.version}" if seen.version else seen.answer
    return (answer, *_fate(plan, seen), *_approvals(seen), *_afterwards(seen), *_notes(seen))


def _fate(plan: Plan, seen: Forecast) -> tuple[str, ...]:
    if seen.version is not None:
        return (
            f"As things stand, exactly this model becomes the next release of {plan.project} "
            f"in {seen.environment}.",
        )
    if not seen.reason:
        return by_gates(plan)
    if seen.answer == _CHANGED_NOTHING:
        return ("Nothing is promoted.", seen.reason)
    stays = f"version {seen.live} stays live" if seen.live else "nothing is live yet"
    return (f"Nothing is promoted; {stays}.", seen.reason)


def _approvals(seen: Forecast) -> Iterator[str]:
    if seen.needed == 0:
        yield approvals(0)
    if seen.approvers:
        names = list(seen.approvers[:_NAMED])
        more = len(seen.approvers) - len(names)
        names += [plural(more, "other")] if more else []
        yield f"Approved by {joined(names)}; {plural(seen.needed, 'approval')} asked for."


def _afterwards(seen: Forecast) -> Iterator[str]:
    if seen.version is not None or seen.answer == _CHANGED_NOTHING:
        back = f"to version {seen.rollback_to}" if seen.rollback_to else "to nothing: there is none"
        yield f"A rollback after that would return {back}."


def _notes(seen: Forecast) -> Iterator[str]:
    if seen.live_is_older:
        yield (
            f"Version {seen.live}, which is live, is older than the base: it was made from "
            "other inputs than the model that this one is compared with."
        )
    if seen.waiting:
        yield (
            f"The line has not come to {plural(seen.waiting, 'commit')} of main yet, and asks for "
            "the approvals of each before it goes on."
        )
