"""From commits of main to the pull requests that brought them: GitHub's word, held against Git."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mergeline.adapters.git_revert import merged_tree
from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull, PullCommit
from mergeline.core.answers import Answer, Name, answer
from mergeline.ledger.history import History
from mergeline.promote.line import Line
from mergeline.promote.twins import Twins


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
        alike: Whether these have the same head.
    """

    commit: str
    pulls: tuple[int, ...] = ()
    alike: bool = False

    @property
    def answer(self) -> Answer:
        """What it comes to unless it is accepted by name."""
        if not self.pulls:
            reason = (
                f"{self.commit[:12]} came to main without a merged pull request, or holds "
                "something else than one brought."
            )
            return answer(Name.DIRECT_PUSH, reason, how_to_accept(self.commit))
        claims = " and ".join(f"#{number}" for number in self.pulls)
        reason = f"{self.commit[:12]} on main is claimed by the merged pull requests {claims}."
        # An approval tells those with one head apart.
        approve = "approve the one that was meant, then promote again; or " if self.alike else ""
        return answer(Name.AMBIGUOUS, reason, approve + how_to_accept(self.commit))


def how_to_accept(commit: str) -> str:
    """Say how a commit that blocks the line is let through."""
    return (
        "look at it; if it may stay, name it in promotion.accept in a pull request that is "
        f"approved: {{commit: {commit}, reason: ..., owner: ...}}"
    )


def merge_at(line: Line, github: GitHub, commit: str) -> Merge | None:
    """Return the merge that ends at a commit of main; None where there is not exactly one.

    Raises:
        GitHubError: GitHub cannot be asked.
        ToolError: The clone is not whole, or the ledger cannot be read.
    """
    search = Search(line, github, line.ledger.read())
    window = line.git.first_parents(None, commit)[-search.most_commits(commit) :]
    merges, _ = search.attribute(window)
    return next((merge for merge in merges if merge.commit == commit), None)


@dataclass(frozen=True)
class Search:
    """Asks GitHub for pull requests, and believes only what fits the commits themselves.

    Attributes:
        history: The ledger, which says what was reviewed.
    """

    line: Line
    github: GitHub
    history: History

    def attribute(self, window: Sequence[str]) -> tuple[tuple[Merge, ...], tuple[Loose, ...]]:
        """Return the merges that these commits are, and the commits that are of none."""
        claims = {commit: self._claims(commit, window[i:]) for i, commit in enumerate(window)}
        pulls = {pull.number: pull for pulls in claims.values() for pull in pulls}
        brought = {number: self._commits_of(pull, window, claims) for number, pull in pulls.items()}
        twins = Twins(self.line.git, self.github, self.history)
        merges: dict[int, Merge] = {}
        loose = []
        for commit in window:
            owners = tuple(pulls[one] for one, commits in brought.items() if commit in commits)
            alike = len(owners) > 1 and len({pull.head_sha for pull in owners}) == 1
            if alike:
                owners = twins.meant(commit, owners)
            if len(owners) != 1:
                loose.append(Loose(commit, tuple(one.number for one in owners), alike))
            elif owners[0].number not in merges:
                commits = brought[owners[0].number]
                base = self.line.git.first_parent(commits[0])
                merges[owners[0].number] = Merge(owners[0], commits, base)
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

        Those are the merge commit, if it is what Git makes of its parents, or the squashed
        one alone; after a rebase, as many as fit the pull request's own ones. A commit that
        was pushed before it is not among them, even where GitHub has once seen it in that
        pull request.
        """
        end = window.index(str(pull.merge_commit))
        parents = self.line.git.parents(window[end])
        if len(parents) > 1 and window[end] != pull.head_sha:
            return (window[end],) if self._is_plain(window[end], parents, pull) else ()
        start = end
        while start and any(one.number == pull.number for one in claims[window[start - 1]]):
            start -= 1
        commits = tuple(window[start : end + 1])
        if len(commits) == 1 or self._rebased(commits, self.github.pull_commits(pull.number)):
            return commits
        return (window[end],)

    def _is_plain(self, commit: str, parents: tuple[str, ...], pull: Pull) -> bool:
        """Return whether a merge brings a pull request's head, and nothing that it has not."""
        if parents[1:] != (pull.head_sha,):
            return False
        return merged_tree(self.line.git, *parents) == self.line.git.tree(commit)

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
