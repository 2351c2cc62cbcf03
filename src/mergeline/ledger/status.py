"""Where a line stands: what is desired, what answers, and whether they are the same."""

from dataclasses import dataclass
from typing import Literal

from mergeline.core.base import Frozen
from mergeline.ledger.entries import (
    CommitId,
    Declared,
    Live,
    Rejected,
    Release,
    RolledBack,
    Sha256,
    Time,
)
from mergeline.ledger.history import History
from mergeline.ledger.report import FollowerReport
from mergeline.ledger.waiting import Waiting, of_rollback

State = Literal["agrees", "differs", "unknown", "nothing"]


class Ahead(Frozen):
    """What main holds beyond the position.

    Attributes:
        waiting: The oldest first; of many only the last ones.
        more: How many older ones wait too.
        problem: Why it is not known, else empty.
    """

    waiting: tuple[Waiting, ...] = ()
    more: int = 0
    problem: str = ""


class Status(Frozen):
    """All that `mergeline status` tells.

    Attributes:
        time: When it was asked.
        state: Whether what answers requests is what is desired. `unknown`: no follower
            has told. `nothing`: nothing is declared.
        answer: The same in one sentence.
        desired: The declaration that is to be live.
        live: The ledger's last word on what is.
        serving: The declaration that the follower answers with, by its report.
        report: The follower's last report.
        position: The commit of main that the line has come to.
        ahead: What waits.
        rollback_to: What `mergeline rollback` would return to.
        barred: By M, the rollback that bars it.
        notes: What else to know, a sentence each.
    """

    schema_version: Literal[1] = 1
    environment: str
    time: Time
    state: State
    answer: str
    desired: Declared | None
    live: Live | None
    serving: Declared | None
    report: FollowerReport | None
    position: CommitId | None
    ahead: Ahead
    rollback_to: Release | None
    barred: dict[Sha256, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """The follower's last report; None with the problem why, or because there never was one."""

    report: FollowerReport | None = None
    problem: str = ""


def status_of(history: History, environment: str, heard: Heard, ahead: Ahead, time: str) -> Status:
    """Put together what is known of an environment."""
    state, answer, serving = _answer(history, environment, heard)
    target = history.rollback_target(environment)
    return Status(
        environment=environment,
        time=time,
        state=state,
        answer=answer,
        desired=history.desired(environment),
        live=history.live(environment),
        serving=serving,
        report=heard.report,
        position=history.position(environment),
        ahead=ahead,
        rollback_to=target.release if target else None,
        barred={model: of_rollback(bar) for model, bar in history.bars(environment).items()},
        notes=tuple(_notes(history, environment, heard)),
    )


def _answer(history: History, environment: str, heard: Heard) -> tuple[State, str, Declared | None]:
    """Return whether what is desired answers, in a sentence, and what answers."""
    desired, report = history.desired(environment), heard.report
    if desired is None:
        return "nothing", f"nothing is desired: {_why_nothing(history, environment)}", None
    wanted = f"version {desired.release.version}"
    if report is None:
        why = heard.problem or "no follower has ever reported"
        answer = f"{wanted} is desired since {desired.time}; what answers is not known: {why}"
        return "unknown", answer, None
    declared = {entry.number: entry for entry in history.declared(environment)}
    told, serving = declared.get(report.entry), declared.get(report.serving or 0)
    if told is None or told.release.model != report.model or (report.serving and not serving):
        answer = (
            f"{wanted} is desired; what answers is not known: the follower speaks of entry "
            f"{report.entry} as version {report.version}, which the ledger never declared"
        )
        return "unknown", answer, None
    if serving is not None and serving.number == desired.number:
        return "agrees", f"{wanted} is live, as desired{_since(history, serving, report)}", serving
    answering = f"version {serving.release.version}" if serving else "NOTHING"
    why = f"the follower has only told of entry {report.entry} so far"
    if report.entry == desired.number:
        why = f"the follower rejected it: {report.reason}"
    if answering == wanted and serving:
        answering, wanted = (f"{wanted} (entry {entry.number})" for entry in (serving, desired))
    answer = f"{answering} answers, not {wanted}, which is desired since {desired.time}: {why}"
    return "differs", answer, serving


def _why_nothing(history: History, environment: str) -> str:
    if history.declared(environment):
        return "all that was declared was rejected"
    known = ", ".join(history.environments())
    return f"the ledger declares nothing for it, only for {known}" if known else "nothing ever was"


def _since(history: History, serving: Declared, report: FollowerReport) -> str:
    if report.entry == serving.number and report.state == "live":
        return f", since {report.since}"
    outcome = history.outcome(serving)
    return f", since {outcome.since}" if isinstance(outcome, Live) else ""


def _notes(history: History, environment: str, heard: Heard) -> list[str]:
    declared, desired = history.declared(environment), history.desired(environment)
    notes = []
    if isinstance(desired, RolledBack):
        notes.append(f"{environment} was {of_rollback(desired)}.")
    last = declared[-1] if declared else None
    outcome = history.outcome(last) if last else None
    if last and isinstance(outcome, Rejected):
        what = f"Version {last.release.version} (entry {last.number})"
        notes.append(f"{what} was rejected at {outcome.time}: {outcome.reason}")
    report = heard.report
    told = next((e for e in declared if report is not None and e.number == report.entry), None)
    if told is not None and history.outcome(told) is None:
        notes.append(
            f"The ledger does not hold the follower's word on entry {told.number} yet: "
            "the next promote or rollback writes it."
        )
    return notes
