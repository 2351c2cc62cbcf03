"""What to tell a fork whose build handed over nothing: perhaps it could not have its data."""

from mergeline.adapters.github_types import Pull, Run
from mergeline.core.answers import Answer, Name
from mergeline.core.forks import own_branch, same_repository, to_own_branch


def told_to_fork(answer: Answer, run: Run, pull: Pull, repository: str) -> Answer:
    """Return the answer, which for a run of a fork says how a maintainer makes the build.

    The build's log is not read: it is the fork's word.

    Args:
        answer: What the run came to.
        run: It has ended.
        pull: The pull request that it is of.
        repository: `owner/name` of the one that the pull request goes to.
    """
    ours = same_repository(pull.head_repository, repository)
    if ours or answer.name is not Name.NO_EVIDENCE or run.conclusion == "success":
        return answer
    return Answer(
        name=answer.name,
        # As much as a status holds.
        reason="Forks get no data credential. If the build's log says DATA_UNAVAILABLE, a "
        f"maintainer pushes it as {own_branch(pull.number)}.",
        next_step=f"see the log of run {run.id}; if it says DATA_UNAVAILABLE, a maintainer who has "
        f"read the change runs: {to_own_branch(pull.number)}, and opens a pull request from that "
        "branch",
    )
