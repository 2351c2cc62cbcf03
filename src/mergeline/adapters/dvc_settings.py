"""What DVC's settings say of remotes. They are DVC's own `Config`, however it was opened."""

from collections.abc import Mapping
from typing import Any


def remote_name(config: Any) -> str | None:
    """Return the name of the default remote; None without one."""
    name = config["core"].get("remote")
    return str(name) if name else None


def remote_settings(config: Any, name: str | None) -> Mapping[str, Any]:
    """Return the settings of a remote, which may hold credentials; none of an unknown one."""
    found: Mapping[str, Any] = config["remote"].get(name, {})
    return found
