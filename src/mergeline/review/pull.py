"""Which pull request a run speaks of: asked of GitHub, never of what the run handed over."""

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull, Run
from mergeline.core.answers import Answer, Name

_EVENT = "pull_request"
_ENDED = "completed"
_NAMED = 5  # pull requests in a sentence, at most


def find_pull(github: GitHub, run: Run) -> Pull | Answer:
    """Return the one open pull request with the run's head repository, branch and commit.

    Returns:
        Else STALE_RUN or AMBIGUOUS; UNDECIDED while the run goes on.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    if run.status != _ENDED:
        return Answer(
            name=Name.UNDECIDED,
            reason=f"Run {run.id} has not ended: it is {run.status}.",
            next_step="wait until it has, then run this again",
        )
    if run.event != _EVENT:
        return _stale(f"Run {run.id} was started by {run.event}, not by a pull request.")
    if run.head_repository is None or run.head_branch is None:
        return _stale(f"The repository or branch that run {run.id} is of is gone.")
    owner = run.head_repository.partition("/")[0]
    found = [pull for pull in github.open_pulls(owner, run.head_branch) if _speaks_of(run, pull)]
    where = f"{run.head_repository}, branch {run.head_branch}, commit {run.head_sha[:12]}"
    if not found:
        return _stale(f"No open pull request is at what run {run.id} ran for: {where}.")
    if len(found) > 1:
        numbers = ", ".join(f"#{pull.number}" for pull in found[:_NAMED])
        return Answer(
            name=Name.AMBIGUOUS,
            reason=f"{len(found)} open pull requests are at {where}: {numbers}.",
            next_step="close all but one of them, then run the build again",
        )
    return found[0]


def _speaks_of(run: Run, pull: Pull) -> bool:
    theirs = (pull.head_repository, pull.head_ref, pull.head_sha)
    return pull.state == "open" and theirs == (run.head_repository, run.head_branch, run.head_sha)


def _stale(reason: str) -> Answer:
    return Answer(
        name=Name.STALE_RUN,
        reason=reason,
        next_step="nothing, if a newer commit was pushed: its own run is commented",
    )
