"""Which pull request a run speaks of: asked of GitHub, never of what the run handed over."""

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull, Run
from mergeline.bundle.handed import Lacking, offered
from mergeline.core.answers import Answer, Name
from mergeline.core.forks import same_repository

# What starts a build, and what only says that somebody reviewed: it hands over nothing.
BUILD, REVIEW = "pull_request", "pull_request_review"
_ENDED = "completed"
_NAMED = 5  # pull requests in a sentence, at most
_LOOKED_AT = 20  # builds of one commit, at most


def find_pull(github: GitHub, run: Run) -> Pull | Answer:
    """Return the one open pull request with the run's head repository, branch and commit.

    Returns:
        Else STALE_RUN or AMBIGUOUS; UNDECIDED while the run goes on.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    refusal = not_ended(run)
    if refusal is not None:
        return refusal
    if run.event not in (BUILD, REVIEW) or not is_of(run, github.repository):
        return stale(f"Run {run.id} was started by {run.event}, not by a pull request of ours.")
    if run.head_repository is None or run.head_branch is None:
        return stale(f"The repository or branch that run {run.id} is of is gone.")
    owner = run.head_repository.partition("/")[0]
    found = [pull for pull in github.open_pulls(owner, run.head_branch) if _speaks_of(run, pull)]
    where = f"{run.head_repository}, branch {run.head_branch}, commit {run.head_sha[:12]}"
    if not found:
        return stale(f"No open pull request is at what run {run.id} ran for: {where}.")
    if len(found) > 1:
        numbers = ", ".join(f"#{pull.number}" for pull in found[:_NAMED])
        return Answer(
            name=Name.AMBIGUOUS,
            reason=f"{len(found)} open pull requests are at {where}: {numbers}.",
            next_step="close all but one of them, then run the build again",
        )
    return found[0]


def _speaks_of(run: Run, pull: Pull) -> bool:
    """Return whether a run may be of a pull request: of another one with its branch it may be too.

    One that began before the pull request did is none of it.
    """
    theirs = (pull.head_repository, pull.head_ref, pull.head_sha)
    is_at = theirs == (run.head_repository, run.head_branch, run.head_sha)
    return pull.state == "open" and is_at and run.created >= pull.created


def last_build(github: GitHub, pull: Pull) -> Run | Answer:
    """Return the last build of a pull request's head that handed something over.

    Returns:
        Else UNDECIDED where none has ended, NO_EVIDENCE where all that did brought nothing.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    runs = [run for run in github.runs_of(pull.head_sha) if _is_build(run, pull, github)]
    runs.sort(key=lambda run: run.id, reverse=True)
    ended = [run for run in runs if run.status == _ENDED]
    for run in ended[:_LOOKED_AT]:
        if not isinstance(offered(github, run.id), Lacking):
            return run
    where = f"#{pull.number} at {pull.head_sha[:12]}"
    if len(ended) < len(runs) or not runs:
        return Answer(
            name=Name.UNDECIDED,
            reason=f"There is nothing to comment yet: no build of {where} has ended.",
            next_step="nothing: when one ends, it is commented",
        )
    return Answer(
        name=Name.NO_EVIDENCE,
        reason=f"There is nothing to comment: no build of {where} has artifacts.",
        next_step="see the build's log for what stopped it, then run it again",
    )


def not_ended(run: Run) -> Answer | None:
    """Return UNDECIDED while a run goes on, else None."""
    if run.status == _ENDED:
        return None
    return Answer(
        name=Name.UNDECIDED,
        reason=f"Run {run.id} has not ended: it is {run.status}.",
        next_step="wait until it has, then run this again",
    )


def is_of(run: Run, repository: str) -> bool:
    """Return whether a run is of a workflow of this repository: one of a fork is not."""
    return same_repository(run.repository, repository)


def _is_build(run: Run, pull: Pull, github: GitHub) -> bool:
    return run.event == BUILD and is_of(run, github.repository) and _speaks_of(run, pull)


def stale(reason: str) -> Answer:
    """Return STALE_RUN."""
    return Answer(
        name=Name.STALE_RUN,
        reason=reason,
        next_step="nothing, if a newer commit was pushed: its own run is commented",
    )
