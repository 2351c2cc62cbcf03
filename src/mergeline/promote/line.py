"""What every step of a promotion works with."""

from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.config.settings import Settings
from mergeline.core.answers import Answer
from mergeline.inputs.settings import readable_settings_at
from mergeline.ledger.store import Ledger

CARRY = "the next pull request that is checked, commented and approved carries it"


@dataclass(frozen=True)
class Line:
    """One line: a branch that is delivered to one environment.

    Attributes:
        git: A whole clone.
        remote: Where it was cloned from; main, the ledger and the follower's report are there.
        main: The name of the branch.
        environment: Where it delivers to.
        by: Who is at work: a user, or the run of a workflow.
        url: Of that run, for people; empty without one.
    """

    git: Git
    remote: Remote
    ledger: Ledger
    main: str
    environment: str
    by: str
    url: str = ""


class Ended(Answer):
    """How a promotion or a rollback ended, and of what.

    Attributes:
        commit: Of main: to be promoted, or what the declared release was made from.
        entry: The number of the declaration in the ledger; None where there is none.
        version: That it declares.
    """

    commit: str
    environment: str | None = None
    pull_request: int | None = None
    entry: int | None = None
    version: str | None = None


def settings_of(git: Git, commit: str) -> Settings | None:
    """Return the settings of a commit that the line has come to; None where they are lost.

    What is done for an earlier release goes by these: those at main's tip may be nobody's
    that was approved, and name another registry, which would be sent our credentials.
    """
    return readable_settings_at(git, commit) if git.has(commit) else None
