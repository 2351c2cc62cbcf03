"""What a person calls a commit: as Git knows it, or by the number of a registered version."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from mergeline.adapters.git import Git
from mergeline.adapters.git_remote import Remote
from mergeline.config.problem import printable
from mergeline.errors import UsageError
from mergeline.ledger.history import History
from mergeline.release.find import find_release, require_commit

# The word says that no branch or tag of that name is meant.
_VERSION = re.compile(r"(?P<word>version[ :]?)?v?(?P<number>[1-9][0-9]{0,8})")

_HINT = (
    "name a branch, a tag or an id that is here (`git fetch --tags` brings the remote's), or a "
    "version of `mergeline log`"
)


@dataclass(frozen=True)
class Named:
    """A commit that somebody named.

    Attributes:
        said: What it is, for people: `version 2 (4b43620f48e6)`.
    """

    commit: str
    said: str


def find_named(
    git: Git, remote: Remote, name: str, environment: str, ledger: Callable[[], History]
) -> Named:
    """Return the commit of a branch, a tag, an id, or a registered version.

    What Git knows by a name comes first; `2` and `v2` are versions where it knows nothing,
    `version 2` and `version:2` always.

    Args:
        git: The project's repository.
        remote: Where the commit of a version is fetched from, if it is not here.
        name: As it was asked for.
        environment: Whose versions count.
        ledger: Read only where a version may be meant.

    Raises:
        UsageError: There is no such commit and no such version.
        ToolError: The ledger cannot be read.
    """
    found = _VERSION.fullmatch(name)
    if found is None or not found["word"]:
        try:
            commit = git.resolve(name)
            return Named(commit, f"{printable(name)} ({commit[:12]})")
        except UsageError as error:
            if found is None:
                raise UsageError(error.message, hint=_HINT) from error
    number = found["number"]
    commit = find_release(ledger(), environment, number).release.commit
    require_commit(git, remote, commit)
    return Named(commit, f"version {number} ({commit[:12]})")
