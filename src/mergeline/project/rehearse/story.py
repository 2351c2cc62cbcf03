"""What Ada opens, and when: each pull request branches from main as it is then."""

from dataclasses import dataclass

from mergeline.project.line import AUTHOR, Line
from mergeline.project.rehearse.lanes import Ended
from mergeline.project.story import (
    BETTER_MODEL,
    BIASED_MODEL,
    DOCUMENTATION,
    FIRST_MODEL,
    LOWERED_GATE,
    PullRequest,
)
from mergeline.rehearsal.state import Repo

_AFTER_FIRST = (BIASED_MODEL, BETTER_MODEL, LOWERED_GATE)


@dataclass(frozen=True)
class Story:
    """The pull requests of a rehearsal, in the order in which they come."""

    def due(self, repo: Repo, *, rolled_back: bool) -> tuple[PullRequest, ...]:
        """Return those that are to be opened now.

        Args:
            repo: With what was opened so far.
            rolled_back: Whether a release was taken back.
        """
        merged = {pull.head_ref for pull in repo.pulls.values() if pull.merged}
        wanted = [FIRST_MODEL]
        if FIRST_MODEL.branch in merged:
            wanted += _AFTER_FIRST
        if rolled_back:
            wanted.append(DOCUMENTATION)
        opened = {pull.head_ref for pull in repo.pulls.values()}
        return tuple(request for request in wanted if request.branch not in opened)

    def open(self, line: Line, requests: tuple[PullRequest, ...]) -> Ended:
        """Write and open pull requests."""
        numbers = []
        for request in requests:
            request.write(line.example, AUTHOR, first=request is FIRST_MODEL)
            numbers.append(line.open_pull(request.branch, request.title))
        return Ended(well=True, said=f"Opened {', '.join(f'#{number}' for number in numbers)}.")
