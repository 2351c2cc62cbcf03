"""Asking GitHub for the approvals of one pull request."""

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull
from mergeline.approval.facts import facts_of
from mergeline.approval.judge import Approvals, judge_approvals
from mergeline.core.answers import Name, answer
from mergeline.errors import TooManyCommits


def ask_approvals(github: GitHub, pull: Pull, needed: int, commented: str | None) -> Approvals:
    """Return who approved a pull request, and why that is not enough where it is not.

    Args:
        github: Is asked for reviews, commits and permissions.
        pull: The pull request.
        needed: How many the policy asks for.
        commented: As for `judge_approvals`.

    Returns:
        UNDECIDED too, where GitHub cannot tell who wrote all of it.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    try:
        facts = facts_of(github, pull)
    except TooManyCommits as error:
        refusal = answer(Name.UNDECIDED, f"{error.message}.", error.hint)
        return Approvals(needed, (), refusal)
    return judge_approvals(facts, needed, commented)
