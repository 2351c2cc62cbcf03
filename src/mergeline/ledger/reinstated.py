"""Whether main's policy lets a model back that was rolled back."""

from mergeline.adapters.git import Git
from mergeline.config.load import parse_settings
from mergeline.core import layout
from mergeline.errors import ConfigError


def is_reinstated(git: Git, model: str, rolled_back: str, commit: str) -> bool:
    """Return whether `promotion.reinstate` has come to name a model since it was rolled back.

    A name that stood there already was for an earlier rollback. It counts when it was taken
    out since, and given again.

    Args:
        git: Holds main.
        model: M.
        rolled_back: Main's tip when the model was rolled back.
        commit: Of main.

    Raises:
        ToolError: The clone is not whole.
    """
    if _names(git, commit, model) is not True:
        return False
    line = git.first_parents(None, commit)
    since = line[line.index(rolled_back) :] if rolled_back in line else (rolled_back,)
    return any(_names(git, one, model) is False for one in since)


def _names(git: Git, commit: str, model: str) -> bool | None:
    """Return whether a commit's policy names a model; None where it cannot be read."""
    if not git.has(commit):
        return None
    data = git.read(commit, layout.SETTINGS)
    try:
        settings = parse_settings((data or b"").decode("utf-8-sig", "replace"), origin="")
    except ConfigError:
        return None
    return model in settings.promotion.reinstate
