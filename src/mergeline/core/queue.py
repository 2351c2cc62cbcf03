"""The branches of a merge queue: GitHub makes a merge there, and tests it, before main gets it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

EVENT = "merge_group"
PREFIX = "gh-readonly-queue"
# The base holds nothing that a name of Git cannot: elsewhere it would be a pattern or a refspec.
_NAME = re.compile(
    rf"{PREFIX}/(?P<base>[^\x00-\x20\x7f~^:?*\[\\]+)/pr-(?P<number>[1-9][0-9]{{0,8}})"
    "-(?P<parent>[0-9a-f]{40}(?:[0-9a-f]{24})?)"
)
_BRANCHES = "refs/heads/"


@dataclass(frozen=True)
class QueueBranch:
    """What the name of a queue's branch says.

    Attributes:
        base: The branch that the pull request goes to.
        number: Of the pull request that the branch's last commit brings.
        parent: The commit that it is brought onto: the base's tip, or what is ahead in the queue.
    """

    base: str
    number: int
    parent: str

    @property
    def name(self) -> str:
        """The branch's name."""
        return f"{PREFIX}/{self.base}/pr-{self.number}-{self.parent}"


def queue_branch(name: str) -> QueueBranch | None:
    """Return what a branch's name says; None for a branch of no merge queue."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return QueueBranch(found["base"], int(found["number"]), found["parent"])


def queued(environ: Mapping[str, str]) -> QueueBranch | None:
    """Return the branch that a job of GitHub Actions builds for a merge queue; None elsewhere."""
    ref = environ.get("GITHUB_REF", "")
    if environ.get("GITHUB_EVENT_NAME") != EVENT or not ref.startswith(_BRANCHES):
        return None
    return queue_branch(ref.removeprefix(_BRANCHES))
