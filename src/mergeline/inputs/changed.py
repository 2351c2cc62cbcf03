"""Which files a change touches, by their names alone."""

from mergeline.adapters.git import Git
from mergeline.inputs.digest import is_pin

_WORKFLOWS = ".github/"


def changed_paths(git: Git, before: str | None, after: str) -> tuple[str, ...]:
    """Return the paths that differ between two commits, sorted.

    Args:
        git: Holds both.
        before: None for nothing.
        after: The later one.
    """
    old = git.entries(before) if before else {}
    new = git.entries(after)
    return tuple(sorted(path for path in old | new if old.get(path) != new.get(path)))


def is_workflow(path: str) -> bool:
    """Return whether a path is one of those that say what GitHub runs."""
    return path.startswith(_WORKFLOWS)


def steers_build(path: str) -> bool:
    """Return whether a path decides how and in which environment a build runs."""
    return is_workflow(path) or is_pin(path)
