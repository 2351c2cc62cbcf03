"""Step 1, identify: the pull requests that brought what main holds since the position."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull, PullCommit
from mergeline.config.settings import Settings
from mergeline.core.answers import Answer, Name
from mergeline.core.policy import Accept
from mergeline.errors import ConfigError
from mergeline.ledger.history import History
from mergeline.promote.line import Line, answer, readable_settings_at

_FULL_ID = re.compile("[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True)
class Merge:
    """A merged pull request and what it became on main.

    Attributes:
        commits: Its commits on main's own line, the oldest first: several after a rebase.
        base: What main was before them; None when it was nothing.
    """

    pull: Pull
    commits: tuple[str, ...]
    base: str | None

    @property
    def commit(self) -> str:
        """The last of its commits on main."""
        return self.commits[-1]


@dataclass(frozen=True)
class Loose:
    """A commit of main that does not come from exactly one merged pull request.

    Attributes:
        pulls: The numbers of those that claim it: none, or more than one.
    """

    commit: str
    pulls: tuple[int, ...] = ()

    @property
    def answer(self) -> Answer:
        """What it comes to unless it is accepted by name."""
        if not self.pulls:
            reason = f"{self.commit[:12]} came to main without a merged pull request."
            return answer(Name.DIRECT_PUSH, reason, how_to_accept(self.commit))
        claims = " and ".join(f"#{number}" for number in self.pulls)
        reason = f"{self.commit[:12]} on main is claimed by the merged pull requests {claims}."
        return answer(Name.AMBIGUOUS, reason, how_to_accept(self.commit))


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
        merges: The oldest first; the last one is to be promoted.
        loose: Commits that stand only if an approved pull request accepted them.
        acceptances: All that could count; whether they do, approvals decide.
    """

    commit: str
    settings: Settings
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


def look_at_main(line: Line, commit: str) -> Answer | None:
    """Return SUPERSEDED or HISTORY_REWRITTEN where a commit is not main's tip, else None.

    Raises:
        ToolError: The remote cannot be read.
    """
    tip = line.remote.fetched(line.main)
    if tip == commit:
        return None
    if tip is not None and line.git.is_ancestor(commit, tip):
        reason = f"{line.main} has gone on to {tip[:12]}; that commit's own run promotes."
        return answer(Name.SUPERSEDED, reason)
    where = f"is at {tip[:12]}, which does not come after" if tip else "is gone, and with it"
    reason = f"{line.main} of {line.remote.address()} {where} {commit[:12]}."
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
    search = _Search(line, github)
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
    return Identified(commit, settings, merges, loose, acceptances)


def how_to_accept(commit: str) -> str:
    """Say how a commit that blocks the line is let through."""
    return (
        "look at it; if it may stay, name it in promotion.accept in a pull request that is "
        f"approved: {{commit: {commit}, reason: ..., owner: ...}}"
    )


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
    """Return what pull requests wrote into `promotion.accept` about commits before them.

    What a direct push wrote there does not count: nobody could have approved it.
    """
    place = {commit: number for number, commit in enumerate(window)}
    wanted = [one for one in settings.promotion.accept if one.commit in place]
    if not wanted:
        return ()
    found = []
    for merge in merges:
        before, after = (_accepts(git, at) for at in (merge.base, merge.commit))
        found += [
            Acceptance(one, merge.pull.number)
            for one in wanted
            if one in after and one not in before and place[one.commit] < place[merge.commits[0]]
        ]
    return tuple(found)


def _accepts(git: Git, commit: str | None) -> tuple[Accept, ...]:
    settings = readable_settings_at(git, commit)
    return settings.promotion.accept if settings else ()


# --- from commits to pull requests -----------------------------------------------


@dataclass(frozen=True)
class _Search:
    """Asks GitHub for pull requests, and believes only what fits the commits themselves."""

    line: Line
    github: GitHub

    def attribute(self, window: Sequence[str]) -> tuple[tuple[Merge, ...], tuple[Loose, ...]]:
        """Return the merges that these commits are, and the commits that are of none."""
        claims = {commit: self._claims(commit, window[i:]) for i, commit in enumerate(window)}
        pulls = {pull.number: pull for pulls in claims.values() for pull in pulls}
        brought = {number: self._commits_of(pull, window, claims) for number, pull in pulls.items()}
        merges: dict[int, Merge] = {}
        loose = []
        for commit in window:
            owners = [number for number, commits in brought.items() if commit in commits]
            if len(owners) != 1:
                loose.append(Loose(commit, tuple(owners)))
            elif owners[0] not in merges:
                commits = brought[owners[0]]
                base = self.line.git.first_parent(commits[0])
                merges[owners[0]] = Merge(pulls[owners[0]], commits, base)
        return tuple(merges.values()), tuple(loose)

    def most_commits(self, commit: str) -> int:
        """Return how many commits the merge that ends here can have on main's line."""
        claims = self._claims(commit, (commit,))
        return max((len(self.github.pull_commits(pull.number)) for pull in claims), default=1) or 1

    def _claims(self, commit: str, after: Sequence[str]) -> tuple[Pull, ...]:
        """Return the merged pull requests to main that end at this commit or after it."""
        return tuple(
            pull
            for pull in self.github.pulls_of(commit)
            if pull.merged and pull.base_ref == self.line.main and pull.merge_commit in after
        )

    def _commits_of(
        self, pull: Pull, window: Sequence[str], claims: Mapping[str, tuple[Pull, ...]]
    ) -> tuple[str, ...]:
        """Return the commits of main that are really this pull request's.

        Those are the merge commit or the squashed one alone; after a rebase, as many as fit
        the pull request's own ones. A commit that was pushed before it is not among them,
        even where GitHub has once seen it in that pull request.
        """
        end = window.index(str(pull.merge_commit))
        parents = self.line.git.parents(window[end])
        if len(parents) > 1 and window[end] != pull.head_sha:
            return (window[end],) if parents[1:] == (pull.head_sha,) else ()
        start = end
        while start and any(one.number == pull.number for one in claims[window[start - 1]]):
            start -= 1
        commits = tuple(window[start : end + 1])
        if len(commits) == 1 or self._rebased(commits, self.github.pull_commits(pull.number)):
            return commits
        return (window[end],)

    def _rebased(self, commits: Sequence[str], own: Iterable[PullCommit]) -> bool:
        """Return whether commits of main are those of a pull request, in their order."""
        own = tuple(own)
        if {one.sha for one in own}.issuperset(commits):
            return True
        git = self.line.git
        rest = iter([(one.author_email, _subject(one.message)) for one in own])
        return all((git.author_email(one), _subject(git.subject(one))) in rest for one in commits)


def _subject(message: str) -> str:
    """Return a message's first paragraph as one line, as Git shows it."""
    return " ".join(message.strip().split("\n\n", 1)[0].split())
