"""The commit's status: what a rule of GitHub can require before a merge."""

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Pull, StatusState
from mergeline.core.plan import Plan
from mergeline.core.verdict import Outcome, passes
from mergeline.errors import GitHubError
from mergeline.ledger.history import History


def state_of(plan: Plan) -> StatusState:
    """Return the status that a plan comes to."""
    if plan.judgement.outcome is Outcome.ERRORED:
        return "error"
    passed = passes(plan.judgement.outcome, plan.judgement.answer)
    return "success" if passed else "failure"


def set_status(github: GitHub, sha: str, state: StatusState, sentence: str, url: str) -> None:
    """Set the status `mergeline` of a commit.

    Of several the last one counts, so one that may have arrived can be set once more.

    Raises:
        GitHubError: GitHub refused, or could not be asked twice.
    """
    try:
        github.set_status(sha, state, sentence, url)
    except GitHubError as error:
        if not error.unclear:
            raise
        github.set_status(sha, state, sentence, url)


def says_of_another(github: GitHub, history: History, pull: Pull) -> bool:
    """Return whether the head's status may speak of another pull request that was judged.

    A commit's status is that of all pull requests that it is the head of, a stranger's too.

    Raises:
        GitHubError: GitHub cannot be asked.
    """
    return any(
        history.reviewed(other.number, pull.head_sha)
        for other in github.pulls_of(pull.head_sha)
        if (other.state, other.head_sha) == ("open", pull.head_sha) and other.number != pull.number
    )
