"""The settings of a commit, from Git alone."""

from mergeline.adapters.git import Git
from mergeline.config.load import parse_settings
from mergeline.config.settings import Settings
from mergeline.core import layout
from mergeline.errors import ConfigError


def settings_at(git: Git, commit: str) -> Settings | None:
    """Return the settings of a commit; None where it has none.

    Raises:
        ConfigError: They say something that is not allowed.
    """
    data = git.read(commit, layout.SETTINGS)
    if data is None:
        return None
    origin = f"{layout.SETTINGS} at {commit[:12]}"
    return parse_settings(data.decode("utf-8-sig", errors="replace"), origin=origin)


def readable_settings_at(git: Git, commit: str | None) -> Settings | None:
    """Return the settings of a commit; None where there are none that can be read."""
    try:
        return None if commit is None else settings_at(git, commit)
    except ConfigError:
        return None


def require_settings_at(git: Git, commit: str) -> Settings:
    """Return the settings of a commit that must have some.

    Raises:
        ConfigError: It has none, or they say something that is not allowed.
    """
    settings = settings_at(git, commit)
    if settings is None:
        raise ConfigError(
            f"the commit {commit[:12]} has no {layout.SETTINGS}, so nothing says what to make",
            hint="`mergeline init` makes one; commit it in a pull request",
        )
    return settings
