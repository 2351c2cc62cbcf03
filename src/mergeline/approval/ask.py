"""Asking GitHub for the approvals of one pull request."""

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull
from mergeline.approval.facts import facts_of
from mergeline.approval.judge import judge_approvals
from mergeline.core.answers import Answer, Name
from mergeline.errors import TooManyCommits


def ask_approvals(
    github: GitHub, pull: Pull, needed: int, commented: str | None
) -> tuple[str, ...] | Answer:
    """Return who approved a pull request, or why that is not enough.

    Args:
        github: Is asked for reviews, commits and permissions.
        pull: The pull request.
        needed: How many must have approved.
        commented: As for `judge_approvals`.

    Returns:
        Else UNDECIDED too, where GitHub cannot tell who wrote all of it.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    try:
        facts = facts_of(github, pull)
    except TooManyCommits as error:
        return Answer(name=Name.UNDECIDED, reason=f"{error.message}.", next_step=error.hint)
    return judge_approvals(facts, needed, commented)
