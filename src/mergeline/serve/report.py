"""What the follower says: to clients its standing, to `promote` its report on a Git branch."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mergeline.adapters.git_remote import Remote
from mergeline.errors import MergelineError, ToolError
from mergeline.ledger.entries import Declared, utc_now
from mergeline.ledger.report import FollowerReport, read_report, write_report
from mergeline.serve.clones import Clones
from mergeline.serve.memory import Rejection
from mergeline.serve.standing import ReleaseFile, Standing, State, shown
from mergeline.serve.waiting import TICK, Pause, in_thread

Say = Callable[[str], None]

_MOST_REASON = 1000


@dataclass(frozen=True)
class Answering:
    """A release that answers requests.

    Attributes:
        entry: The number of the entry that declared it.
        folder: Where it lies.
        since: When it began to answer.
    """

    entry: int
    file: ReleaseFile
    folder: Path
    since: str


@dataclass(frozen=True)
class Outlook:
    """All that there is to be told.

    Attributes:
        desired: By the ledger as last read.
        served: What passed its watch last; it answers, unless `tried` does.
        tried: What answers and is watched.
        rejection: That of `desired` by this follower.
        troubles: What does not work at the moment, a sentence each.
    """

    environment: str
    desired: Declared | None = None
    served: Answering | None = None
    tried: Answering | None = None
    rejection: Rejection | None = None
    troubles: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether what is desired passed its watch and answers."""
        served = self.served.entry if self.served else None
        return self.desired is not None and served == self.desired.number and not self.tried


def standing_of(outlook: Outlook) -> Standing:
    """Return what `GET /release` shows."""
    actual = outlook.tried or outlook.served
    desired = outlook.desired
    known = actual.file if actual else None
    release = desired.release if desired else (known.release if known else None)
    return Standing(
        project=release.project if release else "",
        environment=outlook.environment,
        actual=shown(actual.file, actual.since) if actual else None,
        desired=shown(declared_file(desired), desired.time) if desired else None,
        state=_state(outlook),
        reason=one_line(" ".join(_reasons(outlook))),
    )


def _state(outlook: Outlook) -> State:
    if outlook.tried:
        return "trying"
    if outlook.rejection:
        return "rejected"
    if outlook.served is None:
        return "empty"
    # Without a ledger to say otherwise, what passed its watch last is what is wanted.
    return "live" if outlook.settled or outlook.desired is None else "behind"


def _reasons(outlook: Outlook) -> list[str]:
    reasons = [outlook.rejection.reason] if outlook.rejection else []
    if not outlook.desired and not outlook.troubles:
        reasons.append("No release yet: the ledger declares none.")
    return [*reasons, *outlook.troubles]


def report_of(outlook: Outlook) -> FollowerReport | None:
    """Return what `promote` is told; None while it is not decided."""
    desired, rejection, served = outlook.desired, outlook.rejection, outlook.served
    if desired is None or not (outlook.settled or rejection):
        return None
    since = rejection.time if rejection else (served.since if served else utc_now())
    return FollowerReport(
        project=desired.release.project,
        environment=outlook.environment,
        entry=desired.number,
        version=desired.release.version,
        model=desired.release.model,
        state="rejected" if rejection else "live",
        reason=rejection.reason if rejection else "",
        since=since,
        time=utc_now(),
        serving=served.entry if served else None,
    )


def declared_file(declared: Declared) -> ReleaseFile:
    """Return what `release.json` says of a declared release."""
    return ReleaseFile(
        entry=declared.number, environment=declared.environment, release=declared.release
    )


def one_line(text: str) -> str:
    """Return text of others as one printable line of bounded length."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(plain.split())[:_MOST_REASON]


class Troubles:
    """What does not work at the moment; each is said once, and once that it is over."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._texts: dict[str, str] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        """A sentence each."""
        return tuple(f"{what}: {text}" for what, text in self._texts.items())

    def note(self, what: str, error: Exception | str) -> None:
        """Remember that something does not work, and say it unless it was said."""
        hint = f" ({error.hint})" if isinstance(error, MergelineError) else ""
        text = one_line(f"{error}{hint}")
        if self._texts.get(what) != text:
            self._texts[what] = text
            self._say(f"{what}: {text}")

    def over(self, what: str) -> None:
        """Say that something works again, if it did not."""
        if self._texts.pop(what, None) is not None:
            self._say(f"{what}: well again")

    def forget(self, what: str) -> None:
        """Drop what does not matter any more."""
        self._texts.pop(what, None)


class Reporter:
    """Keeps the report on the remote as it should be; writes only what changes it."""

    def __init__(
        self, clones: Clones, wanted: Callable[[], FollowerReport | None], say: Say
    ) -> None:
        """Begin without knowing what the remote holds.

        Args:
            clones: Of the remote.
            wanted: Returns what it should hold; None when there is nothing to report yet.
            say: Is told what was reported, a line each.
        """
        self._clones, self._wanted, self._say = clones, wanted, say
        self._said: FollowerReport | None = None

    async def run(self, troubles: Troubles, pause: Pause) -> None:
        """Report until cancelled.

        Args:
            troubles: Is told when the remote cannot be written to.
            pause: Before the next attempt.
        """
        while True:
            report = self._wanted()
            if report is not None and pause.over and self._news(report):
                try:
                    remote = Remote(await self._clones.ledger())
                    await in_thread(partial(self._push, remote, report))
                    pause.reset()
                    troubles.over("report")
                except (MergelineError, OSError) as error:
                    troubles.note("report", error)
                    pause.failed()
            await asyncio.sleep(TICK)

    def _news(self, report: FollowerReport) -> bool:
        return self._said is None or not _same(self._said, report)

    def _push(self, remote: Remote, report: FollowerReport) -> None:
        try:
            there = read_report(remote, report.environment)
        except ToolError:  # what is no report is replaced; without a remote the next line fails
            there = None
        if there is None or not _same(there, report):
            self._said = None
            write_report(remote, report)
            self._say(f"reported: entry {report.entry} is {report.state}")
        self._said = report


def _same(one: FollowerReport, other: FollowerReport) -> bool:
    """Return whether two reports say the same; when it was written says nothing."""
    return one == other.model_copy(update={"time": one.time})
