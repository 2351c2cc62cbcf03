"""The data behind `.dvc` pointers, on the disk."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mergeline.adapters.dvc_settings import remote_name
from mergeline.errors import ToolError


def pull_data(root: Path, paths: Iterable[str] | None = None) -> None:
    """Bring the data behind `.dvc` pointers out of the cache, or the default remote.

    Args:
        root: The project's root.
        paths: Files, relative to it, whose pointers count; all pointers when None.

    Raises:
        ToolError: It is in neither, or DVC cannot read the project.
    """
    from mergeline.adapters.dvc_cache import Remote, Restorer
    from mergeline.adapters.dvc_open import opened

    chosen = None if paths is None else [root.resolve() / path for path in paths]
    with opened(root) as repo:
        source = Remote(repo, remote_name(repo.config))
        restorer = Restorer(repo, source)
        missing = [
            str(out)
            for node in repo.index.graph
            if node.is_data_source and (chosen is None or _is_of(node, chosen))
            if not restorer.checkout(node)
            for out in node.outs
        ]
    if missing:
        nor = (
            f"nor in the DVC remote {source.name!r}" if source.usable else "and there is no remote"
        )
        why = source.failure or f"it is not in the cache, {nor}"
        raise ToolError(
            f"the data {', '.join(sorted(missing))} cannot be got: {why}",
            hint="push it from where it is: `dvc push`; then run this again",
        )


def _is_of(pointer: Any, paths: Iterable[Path]) -> bool:
    """Return whether a pointer is of one of these files, or of a folder that one is in."""
    return any(path.is_relative_to(out.fs_path) for path in paths for out in pointer.outs)
