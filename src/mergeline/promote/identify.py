"""Step 1, identify: the pull requests that brought what main holds since the position."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.adapters.github import GitHub
from mergeline.config.settings import Settings
from mergeline.core.answers import Answer, Name, answer
from mergeline.core.policy import Accept
from mergeline.errors import ConfigError
from mergeline.inputs.settings import readable_settings_at
from mergeline.ledger.history import History
from mergeline.promote.attribute import Loose, Merge, Search
from mergeline.promote.line import Line

_FULL_ID = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class Acceptance:
    """A commit that a later pull request names in its own `promotion.accept`."""

    accept: Accept
    by: int


@dataclass(frozen=True)
class Identified:
    """What main holds since the line's position.

    Attributes:
        commit: Main's tip.
        settings: At that commit.
        start: The commit that the line had come to; None where nothing was promised before.
        merges: The oldest first; the last one is to be promoted.
        loose: Commits that stand only if an approved pull request accepted them.
        acceptances: All that could count; whether they do, approvals decide.
    """

    commit: str
    settings: Settings
    start: str | None
    merges: tuple[Merge, ...]
    loose: tuple[Loose, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()

    @property
    def last(self) -> Merge:
        """The merge that is to be promoted."""
        return self.merges[-1]

    def accepted(self, commit: str, by: Iterable[int]) -> Accept | None:
        """Return what accepts a commit, in one of these pull requests; None for nothing."""
        ours = (a.accept for a in self.acceptances if a.accept.commit == commit and a.by in by)
        return next(ours, None)


def look_at_main(git: Git, remote: Remote, main: str, commit: str) -> Answer | None:
    """Return SUPERSEDED or HISTORY_REWRITTEN where a commit is not main's tip, else None.

    Raises:
        ToolError: The remote cannot be read.
    """
    tip = remote.fetched(main)
    if tip == commit:
        return None
    if tip is not None and git.is_ancestor(commit, tip):
        reason = f"{main} has gone on to {tip[:12]}; that commit's own run promotes."
        return answer(Name.SUPERSEDED, reason)
    where = f"is at {tip[:12]}, which does not come after" if tip else "is gone, and with it"
    reason = f"{main} of {remote.address()} {where} {commit[:12]}."
    return answer(Name.HISTORY_REWRITTEN, reason, "promote a commit that is on that branch")


def identify(
    line: Line, github: GitHub, commit: str, settings: Settings, history: History
) -> Identified | Answer:
    """Find where every commit of main since the position comes from.

    Args:
        line: The line.
        github: Is asked which pull requests a commit belongs to.
        commit: Main's tip.
        settings: At that commit.
        history: The ledger.

    Raises:
        ConfigError: `promotion.since` is not a whole commit id.
        GitHubError: GitHub cannot be asked.
        ToolError: The clone is not whole.
    """
    start = history.position(line.environment) or _since(settings)
    own_line = line.git.first_parents(None, commit)
    if start is not None and start not in own_line:
        return _rewritten(line, commit, start)
    search = Search(line, github, history)
    if start is not None:
        window = own_line[own_line.index(start) + 1 :]
        merges, loose = search.attribute(window)
    else:
        window = own_line[-search.most_commits(commit) :]
        merges, loose = search.attribute(window)
        # Nothing was promised of what came before this merge.
        merges, loose = merges[-1:], tuple(one for one in loose if one.commit == commit)
    acceptances = _acceptances(line.git, settings, window, merges)
    named = {one.accept.commit for one in acceptances}
    refused = [one for one in loose if one.commit not in named]
    if refused:
        return _first(refused)
    return Identified(commit, settings, start, merges, loose, acceptances)


def _since(settings: Settings) -> str | None:
    since = settings.promotion.since
    if since is not None and not _FULL_ID.fullmatch(since):
        raise ConfigError(
            f"params.yaml: promotion.since: found {since!r}, expected the whole id of a commit",
            hint=f"print it: git rev-parse {since}",
        )
    return since


def _rewritten(line: Line, commit: str, start: str) -> Answer:
    reason = f"{start[:12]}, which the line had come to, is not on the way to {commit[:12]}"
    here = line.git.has(start) and line.git.is_ancestor(start, commit)
    why = "only a merged branch holds it" if here else f"{line.main} was rewritten"
    return answer(
        Name.HISTORY_REWRITTEN,
        f"{reason}: {why}.",
        f"bring {line.main} back to a commit whose own line of first parents holds {start}",
    )


def _first(refused: Sequence[Loose]) -> Answer:
    """Return the answer of the first commit, and name the others."""
    first = refused[0].answer
    if len(refused) == 1:
        return first
    others = ", ".join(one.commit for one in refused[1:])
    return first.model_copy(update={"next_step": f"{first.next_step}; the same for {others}"})


def _acceptances(
    git: Git, settings: Settings, window: Sequence[str], merges: Iterable[Merge]
) -> tuple[Acceptance, ...]:
    """Return what pull requests wrote into `promotion.accept` about commits of main.

    Those came before it: an id cannot be known earlier. What a direct push wrote there does
    not count: nobody could have approved it.
    """
    wanted = [one for one in settings.promotion.accept if one.commit in window]
    if not wanted:
        return ()
    found = []
    for merge in merges:
        before, after = (_accepts(git, at) for at in (merge.base, merge.commit))
        new = [one for one in wanted if one in after and one not in before]
        found += [Acceptance(one, merge.pull.number) for one in new]
    return tuple(found)


def _accepts(git: Git, commit: str | None) -> tuple[Accept, ...]:
    settings = readable_settings_at(git, commit)
    return settings.promotion.accept if settings else ()
