"""The two artifacts of a run, or the answer where it has none."""

from mergeline.adapters.github import GitHub
from mergeline.adapters.github_types import Run
from mergeline.bundle.handed import Handed, Lacking, handed_over
from mergeline.core.answers import Answer, Name

_AGAIN = "see the run's log for what stopped the check, then run the build again"


def receive(github: GitHub, run: Run, *, next_step: str = _AGAIN) -> Handed | Answer:
    """Download and read what a run handed over; nothing touches the disk.

    Args:
        github: Has the run.
        run: It has ended.
        next_step: What to do where it handed over too little.

    Returns:
        Else NO_EVIDENCE.

    Raises:
        InvalidBundle: It is not what a build hands over.
        GitHubError: GitHub cannot be asked.
    """
    found = handed_over(github, run.id)
    if isinstance(found, Handed):
        return found
    return Answer(name=Name.NO_EVIDENCE, reason=_without(run, found), next_step=next_step)


def _without(run: Run, lacking: Lacking) -> str:
    if lacking.removed:
        return f"GitHub has removed {lacking} of run {run.id}: artifacts expire."
    ended = run.conclusion or "without a conclusion"
    return f"Run {run.id} ended ({ended}) and handed over no {lacking}."
