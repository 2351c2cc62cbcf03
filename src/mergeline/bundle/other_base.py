"""Whether a run may have been steered by another branch than main.

A run of `pull_request` takes its workflows from the merge with the branch that its pull request
goes to. Of a run GitHub tells head and branch, and neither the pull request nor where it went:
its list `pull_requests` are those that are open at that head when one looks. So a run of a head
may be of any pull request that ever came from the same branch.
"""

from datetime import datetime, timedelta

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull
from mergeline.config.problem import shown

# A run may begin that long after the event that started it.
_LATE = timedelta(days=1)


def other_base(github: GitHub, pull: Pull, main: str) -> str:
    """Say which pull request took this one's branch elsewhere than to main; empty for none.

    Args:
        github: Is asked for all pull requests from that branch, open and closed.
        pull: Whose builds are in question; one that began before it did is none of them.
        main: The branch whose workflows count.

    Returns:
        A clause without its full stop.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    repository = pull.head_repository or github.repository
    known = github.all_pulls(repository.partition("/")[0], pull.head_ref)
    same = [
        other
        for other in known
        if (other.head_repository, other.head_ref) == (pull.head_repository, pull.head_ref)
        and other.number != pull.number
        and _may_have_run(other, pull)
    ]
    for one in (pull, *same):
        if one.base_ref != main:
            return f"#{one.number} takes the same branch to {shown(one.base_ref)}"
    for one in (pull, *same):
        if github.was_retargeted(one.number):
            return f"#{one.number} went to another branch before"
    return ""


def _may_have_run(other: Pull, pull: Pull) -> bool:
    """Return whether a run of the other one may have begun since this one was opened."""
    return other.closed is None or _time(other.closed) + _LATE >= _time(pull.created)


def _time(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
